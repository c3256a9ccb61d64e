// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_CSV_HPP
#define DRIFTLESS_IO_CSV_HPP

#include <boost/hana/adapt_struct.hpp>

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/result.hpp>
#include <driftless/core/text.hpp>
#include <driftless/io/csv_input.hpp>
#include <driftless/io/csv_writer.hpp>
#include <driftless/io/detail/csv_scanner.hpp>
#include <driftless/io/detail/csv_value.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Which column a member reads, where the names differ: csv_columns{{"at", "ts_ms"}}.
///
/// Without an entry a member reads the column of its own name; an event_time or duration member `x`
/// reads `x_ms` (and a member already called `x_ms` reads `x_ms`).
class csv_columns {
public:
    struct entry {
        std::string member;
        std::string column;
    };
    csv_columns() = default;
    csv_columns(std::initializer_list<entry> entries) : entries_(entries) {}
    [[nodiscard]] std::vector<entry> const& entries() const noexcept { return entries_; }

private:
    std::vector<entry> entries_;
};

/// The value that an empty field of a member, or a missing column, stands for:
/// csv_default{&line::quantity, 1}. A `text` value is borrowed: give it a literal.
template <class T, class M>
struct csv_default {
    M T::* member;
    M value;
    csv_default(M T::* which, std::type_identity_t<M> instead) : member(which), value(std::move(instead)) {}
};

/// The defaults of a row type: {csv_default{&line::quantity, 1}, csv_default{&line::country, "?"}}.
///
/// Errors      error{invalid_argument} if a member is not one that T's reflection lists.
template <class T>
class csv_defaults {
    T values_{};
    bool declared_[detail::member_count<T>]{};

    template <class M>
    void declare(csv_default<T, M> const& one) {
        bool found = false;
        detail::for_each_member_index<T>([&]<std::size_t I>() {
            void const* const here = &detail::member<I>(values_);
            if (here == static_cast<void const*>(&(values_.*one.member))) found = declared_[I] = true;
        });
        if (!found)
            throw error{error_code::invalid_argument,
                "csv_default names a member that BOOST_HANA_ADAPT_STRUCT does not list: add it there"};
        values_.*one.member = one.value;
    }

public:
    template <class... M>
    csv_defaults(csv_default<T, M> const&... each) {  // NOLINT(google-explicit-constructor)
        (declare(each), ...);
    }
    [[nodiscard]] bool declared(std::size_t member) const noexcept { return declared_[member]; }
    [[nodiscard]] T const& values() const noexcept { return values_; }
};

/// What is called with each csv_problem: any callable, owned. (A std::function without <functional>.)
class csv_on_problem {
    void* target_ = nullptr;
    void (*call_)(void*, csv_problem const&) = nullptr;
    void (*destroy_)(void*) = nullptr;

public:
    csv_on_problem() = default;
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, csv_on_problem>
                    && std::is_invocable_v<std::decay_t<F>&, csv_problem const&>)
    csv_on_problem(F&& f)  // NOLINT(google-explicit-constructor)
        : target_(new std::decay_t<F>(std::forward<F>(f))),
          call_([](void* target, csv_problem const& problem) { (*static_cast<std::decay_t<F>*>(target))(problem); }),
          destroy_([](void* target) { delete static_cast<std::decay_t<F>*>(target); }) {}
    csv_on_problem(csv_on_problem&& other) noexcept
        : target_(std::exchange(other.target_, nullptr)), call_(other.call_), destroy_(other.destroy_) {}
    csv_on_problem& operator=(csv_on_problem&& other) noexcept {
        std::swap(target_, other.target_);
        std::swap(call_, other.call_);
        std::swap(destroy_, other.destroy_);
        return *this;
    }
    ~csv_on_problem() {
        if (target_ != nullptr) destroy_(target_);
    }
    void operator()(csv_problem const& problem) const {
        if (target_ != nullptr) call_(target_, problem);
    }
};

/// How a csv_reader<T> reads; every part may be left out.
template <class T>
struct csv_options {
    csv_columns columns{};
    csv_defaults<T> defaults{};
    csv_on_problem on_problem{};        ///< called for each malformed line that is skipped
    bool strict = false;                ///< throw at the first malformed line instead of skipping it
    std::size_t chunk_bytes = 1 << 16;  ///< how much is read at a time; tests make it small
};

/// Reads the rows of a CSV file into a reflected struct, one at a time.
///
/// Shape       CSV with a header line -> rows of T. Columns are found by name, in any order; further
///             columns are ignored. RFC 4180 quoting (commas, doubled quotes and line breaks inside
///             quotes); LF or CRLF (a CR alone is data); the last line may lack its line break; a
///             UTF-8 byte order mark and blank lines are skipped. Spaces are part of a field.
/// Types       Integers (range checked), float, double, bool (true, false, 1, 0), text, std::string,
///             event_time and duration (whole milliseconds), std::optional of these. A `text` member
///             borrows the reader's buffer until the next call of next().
/// Empty       An empty field, quoted or not, is the declared default (csv_default) if there is one,
///             else nullopt for an optional, empty for text; for any other member the line is malformed.
///             A missing column is treated the same, except that text too needs a default or optional.
/// State       The chunk or the longest row, whichever is greater. An unterminated quote reaches to the
///             end of the file, which is then held in memory.
/// Errors      Construction throws error{io} (cannot open or read, with the path), error{malformed} (no
///             header line, a column missing or there twice) and error{invalid_argument} (a mapping
///             for no member). A malformed line (number of fields, value, quote out of place) is one
///             csv_problem: skipped, counted and given to on_problem, or with `strict` thrown by next()
///             as error{malformed}; either way the reader can go on. It goes on behind the next line
///             break that is not inside quotes, where a quote opens only at the start of a field; an
///             unterminated quote swallows the rest and is one problem at the line that opened it.
/// Complexity  O(bytes); no allocation per row once the buffer holds the longest (but for the growth of
///             std::string members and for problems).
/// Source      Y. Shafranovich, RFC 4180 (2005).
/// Example     examples/retail/main.cpp
template <class T>
class csv_reader {
    static_assert(reflected<T>,
        "driftless: csv_reader<T> needs the members of T: "
        "put BOOST_HANA_ADAPT_STRUCT(T, members...) at global scope behind it");
    static constexpr std::size_t width = detail::member_count<T>;
    static constexpr std::size_t missing = ~std::size_t{0};
    template <std::size_t I>
    using unwrap = detail::csv_unwrap<detail::member_t<I, T>>;

    static constexpr bool none_is_optional = []<std::size_t... I>(std::index_sequence<I...>) {
        return !(unwrap<I>::optional || ...);
    }(std::make_index_sequence<width>{});

    csv_options<T> options_;
    detail::csv_scanner scan_;
    std::vector<std::string> columns_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;  // three by column, in its order; the last: whole rows
    std::size_t slot_[width]{};  // member -> column
    bool in_order_ = none_is_optional;  // every member has a column, and they come in the order of the members
    std::uint64_t rows_ = 0;
    std::uint64_t problems_ = 0;

    [[noreturn]] void refuse(std::string sentence) const {
        throw error{error_code::malformed, scan_.name() + ": " + std::move(sentence)};
    }
    static std::string list(std::vector<std::string> const& names) {
        std::string all;
        for (std::string const& name : names) all += (all.empty() ? "" : ", ") + name;
        return all;
    }

    void check_mapping() const {
        std::vector<std::string> members;
        detail::for_each_member_index<T>(
            [&]<std::size_t I>() { members.emplace_back(detail::member_name<I, T>()); });
        for (auto const& [member, column] : options_.columns.entries()) {
            bool known = false;
            for (std::string const& one : members) known = known || one == member;
            if (!known)
                throw error{error_code::invalid_argument,
                    "csv_columns maps '" + member + "', but the members are " + list(members)};
        }
    }
    template <std::size_t I>
    void find_column() {
        static_assert(detail::csv_is_value<typename unwrap<I>::type>,
            "driftless: csv_reader<T> reads integers, float, double, bool, text, std::string, event_time, "
            "duration and std::optional of these: give T's other members another type");
        std::string name = detail::csv_column_name<T, I>();
        for (auto const& [member, column] : options_.columns.entries())
            if (member == detail::member_name<I, T>()) name = column;
        slot_[I] = missing;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (columns_[i] != name) continue;
            if (slot_[I] != missing) refuse("column '" + name + "' is there twice");
            slot_[I] = i;
        }
        if (slot_[I] == missing && !unwrap<I>::optional && !options_.defaults.declared(I)) {
            std::string const member{detail::member_name<I, T>()};
            std::string const hint = ": map one with csv_columns{{\"" + member + "\", ...}} or declare a csv_default";
            refuse("no column '" + name + "' for member '" + member + "'; the columns are " + list(columns_) + hint);
        }
    }
    void read_header() {
        check_mapping();
        if (!scan_.next()) refuse("the header line is missing: the file is empty");
        if (scan_.flaw() != nullptr) {
            csv_problem const problem = scan_.problem(scan_.flaw_at(), {}, scan_.flaw());
            throw error{error_code::malformed, problem.sentence()};
        }
        for (detail::csv_field& field : scan_.fields()) columns_.emplace_back(scan_.content(field));
        counts_.reset(new std::atomic<std::uint64_t>[3 * (columns_.size() + 1)]{});
        detail::for_each_member_index<T>([&]<std::size_t I>() { find_column<I>(); });
        for (std::size_t i = 0; i < width; ++i)
            in_order_ = in_order_ && slot_[i] != missing && (i == 0 || slot_[i - 1] < slot_[i]);
    }

    enum class count : std::size_t {
        empty,
        malformed,
        absent
    };
    void note(std::size_t column, count what) noexcept {
        counts_[3 * column + static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_relaxed);
    }
    bool report(csv_problem const& problem) {
        ++problems_;
        if (problem.column_name.empty()) note(columns_.size(), count::malformed);
        if (options_.strict) throw error{error_code::malformed, problem.sentence()};
        options_.on_problem(problem);
        return false;
    }
    bool report_column(std::size_t column, std::size_t at, std::string_view reason, count what = count::malformed) {
        if (column >= columns_.size()) return report(scan_.problem(at, {}, std::string{reason}));
        if (!columns_[column].empty()) note(column, what);
        return report(scan_.problem(at, columns_[column], "column '" + columns_[column] + "'" + std::string{reason}));
    }

    /// Members that can fail come first: positions in a problem are those of the untouched line.
    template <std::size_t I>
    bool fill_value(T& row) {
        using value_t = typename unwrap<I>::type;
        if constexpr (!detail::csv_is_text<value_t>) {
            auto& target = detail::member<I>(row);
            if (slot_[I] == missing) return fill_absent<I>(row);
            detail::csv_field const& field = scan_.fields()[slot_[I]];
            std::string_view const bytes = scan_.raw(field);
            std::size_t const at = field.begin - (field.quoted ? 1 : 0);
            if (bytes.empty()) {
                if (!unwrap<I>::optional && !options_.defaults.declared(I))
                    return report_column(slot_[I], at, " is empty and has no default", count::empty);
                return fill_absent<I>(row);
            }
            value_t value{};
            std::string reason;
            if (!detail::csv_parse(bytes, value, reason)) return report_column(slot_[I], at, ": " + reason);
            target = value;
        }
        return true;
    }
    template <std::size_t I>
    void fill_text(T& row) {
        using value_t = typename unwrap<I>::type;
        if constexpr (detail::csv_is_text<value_t>) {
            auto& target = detail::member<I>(row);
            std::string_view const bytes =
                slot_[I] == missing ? std::string_view{} : scan_.content(scan_.fields()[slot_[I]]);
            if (bytes.empty()) {
                fill_absent<I>(row);
            } else if constexpr (std::is_same_v<value_t, text>) {
                target = text{bytes};
            } else if constexpr (unwrap<I>::optional) {
                if (!target) target.emplace();
                target->assign(bytes);
            } else {
                target.assign(bytes);
            }
        }
    }
    template <std::size_t I>
    bool fill_absent(T& row) {
        auto& target = detail::member<I>(row);
        if (slot_[I] != missing) note(slot_[I], count::absent);
        if (options_.defaults.declared(I))
            target = detail::member<I>(options_.defaults.values());
        else
            target = detail::member_t<I, T>{};
        return true;
    }

    bool fill(T& row) {
        auto const& fields = scan_.fields();
        if (scan_.flaw() != nullptr) {
            bool const named = scan_.flaw_field() < columns_.size();
            return report_column(scan_.flaw_field(), scan_.flaw_at(), (named ? ": " : "") + std::string{scan_.flaw()});
        }
        if (fields.size() != columns_.size()) {
            bool const few = fields.size() < columns_.size();
            detail::csv_field const& field = few ? fields.back() : fields[columns_.size()];
            std::size_t const at = few ? field.end + (field.quoted ? 1 : 0) : field.begin - (field.quoted ? 1 : 0);
            std::string const expected = "expected " + std::to_string(columns_.size()) + " fields, found ";
            return report(scan_.problem(at, {}, expected + std::to_string(fields.size())));
        }
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            if (!(fill_value<I>(row) && ...)) return false;
            (fill_text<I>(row), ...);
            return true;
        }(std::make_index_sequence<width>{});
    }

    /// Reads a field that stands at `at`, of which there is nothing to say; what is behind it, or null.
    template <std::size_t I>
    DRIFTLESS_INLINE static char const* plain_field(char const* at, T& row) {
        using value_t = typename unwrap<I>::type;
        auto& target = detail::member<I>(row);
        if constexpr (unwrap<I>::optional) {
            return nullptr;
        } else if constexpr (std::is_integral_v<value_t> && !std::is_same_v<value_t, bool>) {
            return detail::csv_integer(at, target);
        } else if constexpr (detail::csv_is_time<value_t>) {
            std::int64_t ms = 0;
            std::int64_t ns = 0;
            at = detail::csv_integer(at, ms);
            if (__builtin_mul_overflow(ms, std::int64_t{1'000'000}, &ns)) return nullptr;
            target = value_t{ns};
            return at;
        } else {
            char const* end = detail::csv_stop(at);
            if (*end == '\n' && end != at && end[-1] == '\r') --end;
            std::string_view const bytes{at, static_cast<std::size_t>(end - at)};
            if (bytes.empty()) return nullptr;
            if constexpr (std::is_same_v<value_t, text>) {
                target = text{bytes};
            } else if constexpr (std::is_same_v<value_t, std::string>) {
                target.assign(bytes);
            } else {
                std::string reason;
                if (!detail::csv_parse(bytes, target, reason)) return nullptr;
            }
            return end;
        }
    }
    static char const* behind_line(char const* at) noexcept {
        if (*at == '\r') ++at;
        return *at == '\n' ? at + 1 : nullptr;
    }
    static char const* over_columns(char const* at, std::size_t count) noexcept {
        for (; count > 0 && at != nullptr; --count) {
            at = detail::csv_stop(at);
            at = *at == ',' ? at + 1 : nullptr;
        }
        return at;
    }
    /// From the field of a member to what is behind its comma, or its line.
    template <std::size_t I>
    DRIFTLESS_INLINE char const* plain_member(char const* at, T& row) const {
        std::size_t const unread = slot_[I] - (I == 0 ? 0 : slot_[I == 0 ? 0 : I - 1] + 1);
        if (unread != 0) at = over_columns(at, unread);
        if (at != nullptr) at = plain_field<I>(at, row);
        if (at == nullptr) return nullptr;
        if (I + 1 < width || slot_[I] + 1 < columns_.size()) return *at == ',' ? at + 1 : nullptr;
        return behind_line(at);
    }
    /// Most rows: whole in the buffer, no quotes, nothing empty that is read, members in the order of the columns. Cut
    /// and read in one go. False for any other: nothing has happened then, but to `row`.
    bool plain_row(T& row) {
        if (!in_order_) return false;
        std::string_view const bytes = scan_.ahead();
        char const* at = bytes.data();
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            static_cast<void>(((at = plain_member<I>(at, row)) && ...));
        }(std::make_index_sequence<width>{});
        if (std::size_t const last = slot_[width - 1] + 1; at != nullptr && last < columns_.size()) {
            at = over_columns(at, columns_.size() - last - 1);
            if (at != nullptr) at = behind_line(detail::csv_stop(at));
        }
        if (at == nullptr) return false;
        auto const size = static_cast<std::size_t>(at - bytes.data());
        if (size > bytes.size()) return false;  // the line feed is the one behind what has been read
        scan_.took(size);
        return true;
    }

public:
    /// Opens the input and reads the header line.
    explicit csv_reader(csv_input input, csv_options<T> options = {})
        : options_(std::move(options)), scan_(std::move(input), options_.chunk_bytes) {
        read_header();
    }
    static result<csv_reader> try_open(csv_input input, csv_options<T> options = {}) {
        return detail::capture([&] { return csv_reader{std::move(input), std::move(options)}; });
    }

    /// Reads the next well-formed row into `row`; false at the end, which leaves `row` unspecified.
    bool next(T& row) {
        if (plain_row(row)) [[likely]]
            return ++rows_, true;
        while (scan_.next()) {
            if (!fill(row)) continue;
            ++rows_;
            return true;
        }
        return false;
    }
    result<bool> try_next(T& row) {
        return detail::capture([&] { return next(row); });
    }

    /// Rows handed out so far.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    /// What was wrong with the fields so far, by column that a member reads, and of rows as a whole (`field` empty).
    /// May be called from any thread, also while rows are read.
    [[nodiscard]] std::vector<csv_field_counts> field_counts() const {
        std::vector<csv_field_counts> out;
        for (std::size_t i = 0; i <= columns_.size(); ++i) {
            auto const of = [&](count what) {
                return counts_[3 * i + static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
            };
            out.push_back({i < columns_.size() ? columns_[i] : std::string{}, of(count::empty), of(count::malformed),
                of(count::absent)});
        }
        return out;
    }
    /// Malformed lines so far.
    [[nodiscard]] std::uint64_t problems() const noexcept { return problems_; }
    /// The line on which the current row begins, from 1.
    [[nodiscard]] std::uint64_t line() const noexcept { return scan_.line(); }
    /// Bytes up to the end of the current row.
    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return scan_.bytes_read(); }
    /// Bytes of the whole input when it was opened; nullopt for a pipe or a terminal.
    [[nodiscard]] std::optional<std::uint64_t> bytes_total() const noexcept { return scan_.bytes_total(); }
};
}  // namespace driftless::inline v0
#endif
