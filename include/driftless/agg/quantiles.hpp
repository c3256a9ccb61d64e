// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_QUANTILES_HPP
#define DRIFTLESS_AGG_QUANTILES_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/projection.hpp>

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// How many numbers lie in each cell. A cell is a power of two cut into 128 equal parts, on either side of 0: what the
/// first 19 bits of a double say. So a number finds its cell without a logarithm, and everywhere the same.
///
/// Source      C. Masson, J. E. Rim, H. K. Lee, "DDSketch" (VLDB 2019); the linear parts: G. Tene, HdrHistogram.
class quantile_cells {
    static constexpr int kept_bits = 7;
    static constexpr int dropped = 52 - kept_bits;

    struct cell {
        std::int32_t at;
        std::int64_t count;

        void save(auto& out) const { out.write(at).write(count); }
        void load(auto& in) { in.read(at).read(count); }
    };
    std::vector<cell> cells_;  // ascending, none with 0 in it
    std::int64_t count_ = 0;

public:
    [[nodiscard]] std::int64_t count() const noexcept { return count_; }
    void change(double value, std::int64_t by) { change(cell_of(value), by); }
    void change_all(quantile_cells const& other, std::int64_t sign) {
        if (&other == this) return change_all(quantile_cells{other}, sign);
        for (auto const& each : other.cells_) change(each.at, sign * each.count);
    }
    /// The value that so many are at most as great as: the middle of its cell.
    [[nodiscard]] double at_rank(std::int64_t rank) const noexcept {
        std::int64_t below = 0;
        for (auto const& each : cells_) {
            below += each.count;
            if (below >= rank) return middle_of(each.at);
        }
        return std::numeric_limits<double>::quiet_NaN();
    }
    void save(auto& out) const { out.write(cells_); }
    void load(auto& in) {
        in.read(cells_);
        count_ = 0;
        for (auto const& each : cells_) count_ += each.count;
    }

private:
    void change(std::int32_t at, std::int64_t by) {
        count_ += by;
        std::size_t low = 0;
        std::size_t high = cells_.size();
        while (low < high) {
            auto const middle = (low + high) / 2;
            if (cells_[middle].at < at) low = middle + 1;
            else high = middle;
        }
        auto const place = cells_.begin() + static_cast<std::ptrdiff_t>(low);
        if (place == cells_.end() || place->at != at) {
            if (by != 0) cells_.insert(place, cell{at, by});
        } else {
            place->count += by;
            if (place->count == 0) cells_.erase(place);
        }
    }
    /// In the order of the values: below 0 for negative ones, 0 for 0 and what is subnormal; NaN last.
    static std::int32_t cell_of(double value) noexcept {
        auto const bits = std::bit_cast<std::uint64_t>(value);
        auto const size = bits & ~(std::uint64_t{1} << 63);
        if (size > std::uint64_t{0x7ff} << 52) return std::numeric_limits<std::int32_t>::max();
        if (size < std::uint64_t{1} << 52) return 0;
        auto const at = static_cast<std::int32_t>(size >> dropped);
        return bits >> 63 != 0 ? -at : at;
    }
    static double middle_of(std::int32_t at) noexcept {
        if (at == std::numeric_limits<std::int32_t>::max()) return std::numeric_limits<double>::quiet_NaN();
        if (at == 0) return 0;
        auto const size = static_cast<std::uint64_t>(at < 0 ? -at : at) << dropped;
        bool const infinite = size >= std::uint64_t{0x7ff} << 52;
        auto const middle = std::bit_cast<double>(infinite ? size : size | std::uint64_t{1} << (dropped - 1));
        return at < 0 ? -middle : middle;
    }
};
}  // namespace detail

/// What quantiles() makes.
template <class Projection, std::size_t N>
struct quantiles_fn {
    static constexpr std::string_view kind = "quantiles";
    static constexpr combine_class combines = combine_class::exact;
    [[no_unique_address]] Projection of;
    std::array<double, N> asked;

    template <class T>
    static constexpr bool fits = [] {
        if constexpr (detail::projects<Projection, T>) return detail::summable<detail::projected_t<Projection, T>>;
        else return false;
    }();
    template <class T>
        requires fits<T>
    detail::quantile_cells init(type_of<T>) const noexcept {
        return {};
    }
    template <class T>
        requires fits<T>
    detail::quantile_cells lift(T const& record) const {
        detail::quantile_cells one;
        add(one, record);
        return one;
    }
    template <class T>
        requires fits<T>
    void add(detail::quantile_cells& into, T const& record) const {
        into.change(static_cast<double>(detail::widened(of(record))), 1);
    }
    template <class T>
        requires fits<T>
    void remove(detail::quantile_cells& from, T const& record) const {
        from.change(static_cast<double>(detail::widened(of(record))), -1);
    }
    void combine(detail::quantile_cells& into, detail::quantile_cells const& later) const {
        into.change_all(later, 1);
    }
    void inverse(detail::quantile_cells& from, detail::quantile_cells const& part) const {
        from.change_all(part, -1);
    }
    std::array<double, N> lower(detail::quantile_cells const& of_all) const noexcept {
        std::array<double, N> out{};
        auto const n = of_all.count();
        for (std::size_t i = 0; i < N; ++i) {
            auto const exact = asked[i] * static_cast<double>(n);
            auto rank = static_cast<std::int64_t>(exact);
            if (static_cast<double>(rank) < exact) ++rank;
            out[i] = of_all.at_rank(rank < 1 ? 1 : rank > n ? n
                                                            : rank);
        }
        return out;
    }
    constexpr void describe(auto&& parameter) const {
        // To a millionth: plans hold no floats.
        // NOLINTNEXTLINE(bugprone-incorrect-roundings): they are not negative
        for (double const each : asked) parameter("ppm", static_cast<std::int64_t>(each * 1e6 + 0.5));
    }
};

/// Quantiles of a member, each with a relative error of at most 1/256: `quantiles<&T::ms>(0.5, 0.99)`.
///
/// Shape       integers, floats, duration (in ns) -> std::array<double, N>, one for each that is asked for. The
///             quantile q of n values is that of rank ceil(q n), from 1: 0 asks for the least, 1 for the greatest. What
///             comes out is the middle of the cell in which it lies, which is at most 0.4 % away from it. Subnormal
///             numbers count as 0; NaN ranks last. NaN of no records. Combine: exact. Invertible.
/// State       16 bytes for each cell that has something in it: 128 cells per power of two, so 1,300 from a
///             microsecond to a millisecond if they are all met.
/// Errors      Compile time: values that are no numbers. Run time: std::bad_alloc.
/// Complexity  O(log cells) per record, O(cells) for a new one and per result.
/// Source      C. Masson, J. E. Rim, H. K. Lee, "DDSketch" (VLDB 2019), with the cells of G. Tene's HdrHistogram, which
///             need no logarithm.
template <auto Member, std::same_as<double>... Q>
    requires(sizeof...(Q) > 0)
constexpr auto quantiles(Q... asked) {
    return quantiles_fn<detail::member_projection<Member>, sizeof...(Q)>{{}, {asked...}};
}
/// Of a function of the record, or of a run-time member pointer.
template <class F, std::same_as<double>... Q>
    requires(sizeof...(Q) > 0 && !std::same_as<F, double>)
constexpr auto quantiles(F function, Q... asked) {
    return quantiles_fn<decltype(detail::make_projection(function)), sizeof...(Q)>{
        detail::make_projection(std::move(function)), {asked...}};
}
/// Of the records themselves, where they are numbers.
template <std::same_as<double>... Q>
    requires(sizeof...(Q) > 0)
constexpr auto quantiles(Q... asked) {
    return quantiles_fn<detail::itself, sizeof...(Q)>{{}, {asked...}};
}
}  // namespace driftless::inline v0
#endif
