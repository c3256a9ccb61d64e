// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_CSV_ROWS_HPP
#define DRIFTLESS_IO_CSV_ROWS_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/io/csv_writer.hpp>
#include <driftless/io/detail/csv_value.hpp>
#include <driftless/io/logged_row.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {

template <class T>
consteval bool find_csv_row() {
    using inner = typename csv_unwrap<T>::type;
    constexpr auto shape = shape_of<T>;
    if constexpr (csv_is_value<inner>) return true;
    else if constexpr (has_parts<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (find_csv_row<part_t<I, T>>() && ...);
        }(std::make_index_sequence<part_count<T>>{});
    else
        return shape == value_shape::enumeration || shape == value_shape::window || shape == value_shape::empty
            || std::is_same_v<T, std::string_view>;
}
/// Types that become columns: what csv_writer writes, enums (as numbers), time_window (two columns), and pair, tuple
/// and reflected structs of these.
template <class T>
inline constexpr bool is_csv_row = find_csv_row<T>();

template <class T>
inline constexpr bool is_csv_field = csv_is_value<typename csv_unwrap<T>::type> || std::is_same_v<T, std::string_view>;

/// An open end is an empty field.
inline std::optional<event_time> csv_bound(event_time at) {
    return at.is_infinite() ? std::nullopt : std::optional<event_time>{at};
}

/// The fields of a value, flat, as a tuple.
template <class T>
auto csv_fields(T const& value) {
    constexpr auto shape = shape_of<T>;
    if constexpr (is_csv_field<T>) return std::tuple<T const&>{value};
    else if constexpr (shape == value_shape::enumeration)
        return std::tuple{static_cast<std::conditional_t<std::is_signed_v<std::underlying_type_t<T>>, long long,
            unsigned long long>>(value)};
    else if constexpr (shape == value_shape::window) return std::tuple{csv_bound(value.start), csv_bound(value.end)};
    else if constexpr (shape == value_shape::empty) return std::tuple<>{};
    else
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple_cat(csv_fields(part<I>(value))...);
        }(std::make_index_sequence<part_count<T>>{});
}

/// The names of these columns. `inside`: below the name of what they are a part of.
template <class T>
void add_csv_columns(std::vector<std::string>& out, std::string const& name, bool inside) {
    constexpr auto shape = shape_of<T>;
    if constexpr (is_csv_field<T>) {
        bool const time = csv_is_time<typename csv_unwrap<T>::type>;
        out.push_back(time && !name.ends_with("_ms") ? name + "_ms" : name);
    } else if constexpr (shape == value_shape::enumeration) {
        out.push_back(name);
    } else if constexpr (shape == value_shape::window) {
        out.push_back(name + "_start_ms");
        out.push_back(name + "_end_ms");
    } else if constexpr (has_parts<T>) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            auto const add = [&]<std::size_t At>() {
                if constexpr (shape == value_shape::reflected) {
                    std::string const own{member_name<At, T>()};
                    add_csv_columns<part_t<At, T>>(out, inside ? name + "_" + own : own, true);
                } else {
                    add_csv_columns<part_t<At, T>>(out, name + "_" + std::to_string(At + 1), true);
                }
            };
            (add.template operator()<I>(), ...);
        }(std::make_index_sequence<part_count<T>>{});
    }
}

constexpr std::string_view row_kind_name(row_kind kind) noexcept {
    return kind == row_kind::written ? "written" : kind == row_kind::removed ? "removed"
                                                                             : "retracted";
}
}  // namespace detail

/// Rows as CSV, for a directory_sink: a line each, under a header line in each part.
///
/// Columns     Of a pane key, window, value: members by their names, nested ones as outer_inner, of tuples value_1,
///             value_2; a lone key or value is called `key` or `value`; the window is window_start_ms and
///             window_end_ms, empty where it has no such end. Of a logged_row also kind (written, removed, retracted),
///             build and sequence. Of a plain record its members. As csv_reader<T> finds them.
/// Types       As csv_writer's: times are whole milliseconds. Enums are numbers.
/// Errors      error{invalid_argument} when the sink is made: a wrong number of names, or a column that is there twice.
///             Compile time: a value that is no column is one sentence.
/// Complexity  O(bytes), no allocation per row once the buffer is large enough.
/// Source      As csv_writer.
struct csv_rows {
    std::vector<std::string> key_columns{};    ///< other names for the columns of the key; all or none
    std::vector<std::string> value_columns{};  ///< and of the value
    bool window_columns = true;                ///< false: they are left out, for pipelines without windows

    static constexpr std::string_view extension = "csv";

    /// What a part begins with.
    template <class Row>
    void begin(std::string& out) const {
        std::vector<std::string> names;
        if constexpr (is_logged_row<Row> || is_pane<Row>) {
            require<decltype(Row::key)>();
            require<decltype(Row::value)>();
            add_named<decltype(Row::key)>(names, "key", key_columns);
            if (window_columns) detail::add_csv_columns<time_window>(names, "window", false);
            add_named<decltype(Row::value)>(names, "value", value_columns);
            if constexpr (is_logged_row<Row>) names.insert(names.end(), {"kind", "build", "sequence"});
        } else {
            require<Row>();
            add_named<Row>(names, "value", value_columns);
        }
        for (std::size_t i = 0; i < names.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (names[i] != names[j]) continue;
                throw error{error_code::invalid_argument,
                    "csv_rows has two columns `" + names[i] + "`: name them with .key_columns or .value_columns"};
            }
        }
        if (names.empty()) throw error{error_code::invalid_argument, "csv_rows has no column: these rows say nothing"};
        csv_writer{out}.write_row(names[0]);
        for (std::size_t i = 1; i < names.size(); ++i) {
            out.back() = ',';
            csv_writer{out}.write_row(names[i]);
        }
    }
    template <class Row>
    void write(std::string& out, Row const& row) const {
        if constexpr (is_logged_row<Row>) {
            auto const last = std::tuple{detail::row_kind_name(row.kind), row.version.build, row.version.sequence};
            put(out, row, last);
        } else if constexpr (is_pane<Row>) {
            put(out, row, std::tuple<>{});
        } else {
            put_fields(out, detail::csv_fields(row));
        }
    }

private:
    template <class T>
    static constexpr void require() {
        static_assert(detail::is_csv_row<T>,
            "driftless: csv_rows writes numbers, bool, enums, text, strings, event_time, duration, std::optional of "
            "these, and structs and tuples of them: map the other members first, or write json_lines");
    }
    template <class T>
    static void add_named(
        std::vector<std::string>& names, std::string const& called, std::vector<std::string> const& instead) {
        std::vector<std::string> own;
        detail::add_csv_columns<T>(own, called, false);
        if (!instead.empty() && instead.size() != own.size()) {
            throw error{error_code::invalid_argument,
                "csv_rows is given " + std::to_string(instead.size()) + " names for the columns of the " + called
                    + ", which has " + std::to_string(own.size())};
        }
        auto const& used = instead.empty() ? own : instead;
        names.insert(names.end(), used.begin(), used.end());
    }
    template <class Row, class Last>
    void put(std::string& out, Row const& row, Last const& last) const {
        auto key = detail::csv_fields(row.key);
        auto value = detail::csv_fields(row.value);
        if (window_columns) put_fields(out, std::tuple_cat(key, detail::csv_fields(row.window), value, last));
        else put_fields(out, std::tuple_cat(key, value, last));
    }
    template <class Fields>
    static void put_fields(std::string& out, Fields const& fields) {
        csv_writer to{out};
        if constexpr (std::tuple_size_v<Fields> != 0)
            std::apply([&](auto const&... each) { to.write_row(each...); }, fields);
    }
};
}  // namespace driftless::inline v0
#endif
