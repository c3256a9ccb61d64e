// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_COLUMNS_ON_DISK_HPP
#define DRIFTLESS_LOG_DETAIL_COLUMNS_ON_DISK_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/log/detail/block_maker.hpp>
#include <driftless/log/detail/ends.hpp>
#include <driftless/log/detail/record_loop.hpp>
#include <driftless/log/detail/row_type.hpp>
#include <driftless/log/detail/stored_block.hpp>
#include <driftless/log/layout.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// How a member lies in its column.
enum class column_kind : std::uint8_t {
    fixed,    // one after the other, as in memory
    text,     // a table of ends, then the bytes
    encoded,  // the same with the codec's bytes
};
template <class M>
inline constexpr column_kind column_kind_of = row_type<M> ? column_kind::fixed
    : shape_of<M> == value_shape::text                    ? column_kind::text
                                                          : column_kind::encoded;

/// Integers and times, which are often near their neighbours.
template <class M>
inline constexpr bool has_deltas = sizeof(M) <= 8 && sizeof(M) > 1
    && (shape_of<M> == value_shape::integer || shape_of<M> == value_shape::time || shape_of<M> == value_shape::span);

/// A column that is being filled. Nothing moves while it has records: readers look at it.
template <class M, column_kind = column_kind_of<M>>
class column_maker {
    aligned_bytes values_;
    std::string packed_;

public:
    explicit column_maker(std::size_t records, std::size_t) : values_(records * sizeof(M)) {}
    /// The room that a value asks for beyond its place.
    static std::size_t extra(M const&, std::string&) noexcept { return 0; }
    [[nodiscard]] bool fits(std::size_t, std::size_t) const noexcept { return true; }
    void grow(std::size_t) {}
    void add(std::size_t n, M const& value, std::string const&) {
        auto* const at = values_.data() + n * sizeof(M);
        std::memcpy(at, &value, sizeof(M));
        clear_row_gaps<M>(at);
    }
    [[nodiscard]] char const* values() const noexcept { return values_.data(); }
    [[nodiscard]] std::uint32_t const* ends() const noexcept { return nullptr; }
    part_source source(std::size_t n, block_limits const& limits) {
        std::string_view const plain{values_.data(), n * sizeof(M)};
        if constexpr (has_deltas<M>) {
            if (limits.deltas) {
                packed_.clear();
                // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): bytes, n numbers of them
                pack_deltas<typename unsigned_of_size<sizeof(M)>::type>(plain.data(), n, packed_);
                if (packed_.size() < plain.size()) return {packed_, packing::delta};
            }
        } else {
            static_cast<void>(limits);
        }
        return {plain};
    }
};
template <class M, column_kind Kind>
    requires(Kind != column_kind::fixed)
class column_maker<M, Kind> {
    std::vector<std::uint32_t> ends_;
    std::string bytes_;  // of the size it may have; how much is used, the ends say
    std::string part_;

public:
    explicit column_maker(std::size_t records, std::size_t bytes) : ends_(records), bytes_(bytes, '\0') {}
    static std::size_t extra(M const& value, std::string& scratch) {
        if constexpr (Kind == column_kind::text) {
            return value.size();
        } else {
            scratch.clear();
            byte_writer{scratch}.write(value);
            return scratch.size();
        }
    }
    [[nodiscard]] bool fits(std::size_t n, std::size_t more) const noexcept { return more <= bytes_.size() - used(n); }
    void grow(std::size_t size) {
        if (bytes_.size() < size) bytes_.resize(size);
    }
    void add(std::size_t n, M const& value, std::string const& scratch) {
        auto const before = used(n);
        std::string_view bytes{scratch};
        if constexpr (Kind == column_kind::text) bytes = {value.data(), value.size()};
        if (!bytes.empty()) std::memcpy(bytes_.data() + before, bytes.data(), bytes.size());
        ends_[n] = static_cast<std::uint32_t>(before + bytes.size());
    }
    [[nodiscard]] char const* values() const noexcept { return bytes_.data(); }
    [[nodiscard]] std::uint32_t const* ends() const noexcept { return ends_.data(); }
    part_source source(std::size_t n, block_limits const&) {
        part_.assign(as_bytes(ends_.data(), n));
        part_.append(bytes_, 0, used(n));
        return {part_, packing::ends};
    }

private:
    [[nodiscard]] std::size_t used(std::size_t n) const noexcept { return n == 0 ? 0 : ends_[n - 1]; }
};

/// Where the values of a column are; ends is null for those of one size.
struct column_place {
    char const* values = nullptr;
    std::uint32_t const* ends = nullptr;
};

template <class T, class Indices = std::make_index_sequence<member_count<T>>>
struct column_makers;
template <class T, std::size_t... I>
struct column_makers<T, std::index_sequence<I...>> {
    using type = std::tuple<column_maker<member_t<I, T>>...>;
    static type make(std::size_t records, std::size_t bytes) {
        return type{(static_cast<void>(I), make_one<I>(records, bytes))...};
    }
    static constexpr std::size_t bytes_per_record =
        (std::size_t{0} + ... + (column_kind_of<member_t<I, T>> == column_kind::fixed ? sizeof(member_t<I, T>) : 16));

private:
    template <std::size_t J>
    static column_maker<member_t<J, T>> make_one(std::size_t records, std::size_t bytes) {
        return column_maker<member_t<J, T>>{records, bytes};
    }
};

/// Fills blocks with one column per member.
template <class T>
class block_maker<columns, T> : public block_maker_base<T> {
    using base = block_maker_base<T>;
    static constexpr std::size_t members = member_count<T>;
    using makers = column_makers<T>;

    std::size_t room_;
    typename makers::type columns_;
    std::array<std::string, members> scratch_;

public:
    static constexpr auto kind = layout_kind::columns;
    static_assert(reflected<T>,
        "driftless: the columns layout needs to know the members: BOOST_HANA_ADAPT_STRUCT(T, ...)");
    static_assert(block_header_size(bounded_time_fields<T>, members) < 65536,
        "driftless: the columns layout takes about 2700 members at most: use packed");

    explicit block_maker(block_limits const& limits)
        : base(limits),
          room_(limits.bytes / makers::bytes_per_record < 16 ? 16 : limits.bytes / makers::bytes_per_record),
          columns_(makers::make(room_, limits.bytes)) {}

    /// False, and nothing done, if the block is full.
    ///
    /// Errors      invalid_argument for a record that is too large; those of the codec.
    bool add(T const& record) {
        auto const n = this->size_.load(std::memory_order_relaxed);
        if (n == room_) return false;
        // First what may throw: then all columns grow, or none.
        std::array<std::size_t, members> extra;
        bool fits = true;
        std::size_t sum = 0;
        for_each_member_index<T>([&]<std::size_t I>() {
            extra[I] = std::get<I>(columns_).extra(member<I>(record), scratch_[I]);
            fits = fits && std::get<I>(columns_).fits(n, extra[I]);
            sum += extra[I];
        });
        if (!fits) {
            if (n != 0) return false;
            if (sum > max_record_size) throw_too_large(sum);
            for_each_member_index<T>([&]<std::size_t I>() { std::get<I>(columns_).grow(extra[I]); });
        }
        for_each_member_index<T>([&]<std::size_t I>() {
            std::get<I>(columns_).add(n, member<I>(record), scratch_[I]);
        });
        this->note_times(record);
        this->publish(n + 1);
        return true;
    }
    [[nodiscard]] std::array<column_place, members> places() const noexcept {
        std::array<column_place, members> out;
        for_each_member_index<T>([&]<std::size_t I>() {
            out[I] = {std::get<I>(columns_).values(), std::get<I>(columns_).ends()};
        });
        return out;
    }

    std::string_view finish(block_header header, std::uint64_t seed) override {
        std::array<part_source, members> parts;
        auto const n = this->size();
        for_each_member_index<T>([&]<std::size_t I>() { parts[I] = std::get<I>(columns_).source(n, this->limits_); });
        return this->seal(header, seed, parts.data(), members, nullptr, 0);
    }
};

/// Records of a block: of a file, or still being filled. A column is checked, decompressed and looked at only if
/// somebody reads it.
///
/// How: where a column is, a function tells that the compiler takes for pure. It checks the column the first time. If
/// the program does not use the values, the compiler drops the loads of them, and then the call. A pure function must
/// not throw, so it leaves what it found, and whoever is about to hand out records looks behind a compiler barrier.
template <class T>
class block_records<columns, T> {
    static constexpr std::size_t members = member_count<T>;
    using places = std::array<column_place, members>;

    mutable places places_{};
    mutable std::array<aligned_bytes, members> rooms_;
    mutable std::exception_ptr failed_;
    stored_block stored_;
    std::size_t records_ = 0;

public:
    explicit block_records(block_maker<columns, T> const& made) : places_(made.places()) {}
    explicit block_records(stored_block stored)
        : stored_(std::move(stored)), records_(stored_.raw.header().records) {}

    /// Errors      of stored_block::load, for the columns that are used; malformed where a value is not what its type
    ///             says.
    [[nodiscard]] DRIFTLESS_INLINE T operator[](std::size_t i) const {
        auto const local = needed();
        T out{};
        fill(out, local, i);
        return out;
    }
    /// The same of a record whose columns have been handed out before: without looking whether they are intact.
    [[nodiscard]] DRIFTLESS_INLINE T peek(std::size_t i) const {
        T out{};
        fill(out, found(), i);
        return out;
    }
    template <class F>
    DRIFTLESS_INLINE void each(std::size_t first, std::size_t from, std::size_t to, F&& f) const {
        auto const local = needed();
        if constexpr (std::is_trivially_copyable_v<T>) {
            record_loop<F, false>(from, to, [&](std::size_t i) DRIFTLESS_INLINE_LAMBDA {
                T record{};
                fill(record, local, first + i);
                f(i, std::as_const(record));
            });
        } else {
            T scratch{};  // strings keep their room from record to record
            for (std::size_t i = from; i < to; ++i) {
                fill(scratch, local, first + i);
                f(i, std::as_const(scratch));
            }
        }
    }

private:
    DRIFTLESS_INLINE places found() const {
        places out;
        melt_each_member_index<T>([&]<std::size_t I>() DRIFTLESS_INLINE_LAMBDA {
            auto const& known = places_[I];
            out[I] = known.values != nullptr ? known : *place<I>(*this);
        });
        return out;
    }
    DRIFTLESS_INLINE places needed() const {
        auto const out = found();
        asm volatile("" ::: "memory");  // the calls come before the look at what they found
        if (failed_ != nullptr) std::rethrow_exception(failed_);
        return out;
    }
    DRIFTLESS_INLINE static void fill(T& out, places const& from, std::size_t i) {
        melt_each_member_index<T>([&]<std::size_t I>() DRIFTLESS_INLINE_LAMBDA {
            using member_type = member_t<I, T>;
            constexpr auto kind = column_kind_of<member_type>;
            auto const& column = from[I];
            if constexpr (kind == column_kind::fixed) {
                std::memcpy(&member<I>(out), column.values + i * sizeof(member_type), sizeof(member_type));
            } else {
                auto const begin = i == 0 ? 0 : column.ends[i - 1];
                auto const* const at = column.values + begin;
                auto const size = column.ends[i] - begin;
                if constexpr (kind == column_kind::encoded) {
                    byte_reader reader{{at, size}};
                    reader.read(member<I>(out));
                    reader.expect_end();
                } else if constexpr (std::is_same_v<member_type, std::string>) {
                    member<I>(out).assign(at, size);
                } else {
                    member<I>(out) = member_type{at, size};
                }
            }
        });
    }
    template <std::size_t I>
    [[gnu::pure]] DRIFTLESS_NOINLINE static column_place const* place(block_records const& of) noexcept {
        try {
            of.template load<I>();
        } catch (...) {
            of.failed_ = std::current_exception();
        }
        column_place const* at = &of.places_[I];
        asm("" : "+r"(at));  // a compiler that knew the address would keep what it read there before the call
        return at;
    }
    template <std::size_t I>
    void load() const {
        using member_type = member_t<I, T>;
        auto& room = rooms_[I];
        auto bytes = stored_.load(I, room);
        auto const how = stored_.raw.part(I).how;
        if constexpr (column_kind_of<member_type> == column_kind::fixed) {
            if constexpr (has_deltas<member_type>) {
                if (how == packing::delta) {
                    aligned_bytes values{records_ * sizeof(member_type)};
                    if (!unpack_deltas<typename unsigned_of_size<sizeof(member_type)>::type>(
                            bytes, records_, values.data())) {
                        stored_.malformed("a column of differences is not as long as it says");
                    }
                    room = std::move(values);
                    bytes = {room.data(), records_ * sizeof(member_type)};
                }
            }
            if (how != packing::plain && !(has_deltas<member_type> && how == packing::delta)) {
                stored_.malformed("a column is packed in a way that does not fit it");
            }
            if (bytes.size() != records_ * sizeof(member_type)) stored_.malformed("a column is not as long as it says");
            places_[I] = {bytes.data(), nullptr};  // NOLINT(bugprone-suspicious-stringview-data-usage): bytes
        } else {
            auto const table = records_ * sizeof(std::uint32_t);
            if (how != packing::ends || bytes.size() < table
                || !are_ends(bytes.substr(0, table), records_, bytes.size() - table)) {
                stored_.malformed("the ends of the values in a column are wrong");
            }
            places_[I] = {bytes.data() + table, reinterpret_cast<std::uint32_t const*>(bytes.data())};
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
