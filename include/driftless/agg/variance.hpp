// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_VARIANCE_HPP
#define DRIFTLESS_AGG_VARIANCE_HPP

#include <driftless/agg/detail/wide_square.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/agg/sum.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Count, sum and sum of squares of integers, all of them exact.
template <class V>
struct moments {
    std::int64_t count = 0;
    wide_sum sum{};
    wide_square squares{};

    void save(auto& out) const { out.write(count).write(sum).write(squares); }
    void load(auto& in) { in.read(count).read(sum).read(squares); }
    friend constexpr bool operator==(moments const&, moments const&) = default;
};
/// Floats, one after the other: count, mean and the sum of squared differences from it.
struct running_moments {
    std::int64_t count = 0;
    double mean = 0;
    double squares = 0;

    void save(auto& out) const { out.write(count).write(mean).write(squares); }
    void load(auto& in) { in.read(count).read(mean).read(squares); }
};
}  // namespace detail

/// Which variance: that of a sample, divided by n - 1, or of all there is, divided by n.
enum class variance_of : bool {
    sample,
    population
};

/// What variance() makes.
template <class Projection, variance_of Of>
struct variance_fn {
    static constexpr std::string_view kind = Of == variance_of::sample ? "variance" : "population_variance";
    [[no_unique_address]] Projection of;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;
    template <class T>
    static constexpr combine_class combines =
        std::floating_point<value_t<T>> ? combine_class::sequential : combine_class::exact;
    template <class T>
    using state_t = std::conditional_t<std::floating_point<value_t<T>>, detail::running_moments,
        detail::moments<value_t<T>>>;

    template <class T>
        requires detail::projects<Projection, T> && detail::summable<value_t<T>>
    constexpr state_t<T> init(type_of<T>) const noexcept {
        return {};
    }
    template <class T>
        requires detail::projects<Projection, T> && detail::summable<value_t<T>>
        && (!std::floating_point<value_t<T>>)
    constexpr auto lift(T const& record) const {
        state_t<T> one{};
        add(one, record);
        return one;
    }
    template <class V, class T>
    DRIFTLESS_INLINE constexpr void add(detail::moments<V>& into, T const& record) const
        noexcept(noexcept(of(record))) {
        auto const value = detail::widened(of(record));
        ++into.count;
        into.sum += value;
        into.squares.add(detail::magnitude_of(value));
    }
    template <class V, class T>
    constexpr void remove(detail::moments<V>& from, T const& record) const {
        auto const value = detail::widened(of(record));
        --from.count;
        from.sum -= value;
        from.squares.subtract(detail::magnitude_of(value));
    }
    /// Welford's step.
    template <class T>
    DRIFTLESS_INLINE constexpr void add(detail::running_moments& into, T const& record) const
        noexcept(noexcept(of(record))) {
        auto const value = static_cast<double>(of(record));
        double const away = value - into.mean;
        into.mean += away / static_cast<double>(++into.count);
        into.squares += away * (value - into.mean);
    }
    template <class V>
    constexpr void combine(detail::moments<V>& into, detail::moments<V> const& later) const noexcept {
        into.count += later.count;
        into.sum += later.sum;
        into.squares.add(later.squares);
    }
    template <class V>
    constexpr void inverse(detail::moments<V>& from, detail::moments<V> const& part) const noexcept {
        from.count -= part.count;
        from.sum -= part.sum;
        from.squares.subtract(part.squares);
    }
    template <class V>
    constexpr double lower(detail::moments<V> const& of_all) const noexcept {
        if (of_all.count <= least - 1) return std::numeric_limits<double>::quiet_NaN();
        // n * (sum of squares) - sum^2, exactly: no difference of large and almost equal roundings.
        auto const scaled = of_all.squares.times_less_square(
            static_cast<std::uint64_t>(of_all.count), detail::magnitude_of(of_all.sum.value()));
        return scaled / (static_cast<double>(of_all.count) * static_cast<double>(of_all.count - (least - 1)));
    }
    constexpr double lower(detail::running_moments const& of_all) const noexcept {
        if (of_all.count <= least - 1) return std::numeric_limits<double>::quiet_NaN();
        return of_all.squares / static_cast<double>(of_all.count - (least - 1));
    }

private:
    /// So many values it takes.
    static constexpr std::int64_t least = Of == variance_of::sample ? 2 : 1;
};

/// The sample variance of a member: the sum of squared differences from the mean, divided by n - 1.
///
/// Shape       integers, duration (in ns^2) and floats -> double. NaN of fewer than two values. Combine: exact for
///             integers and duration (invertible), sequential for floats. The variance of integers is computed from
///             exact sums and rounded four times or so at the end: it never is below 0, nor does it suffer from
///             cancellation.
/// State       48 bytes for integers (count, sum in 128 bits, sum of squares in 192), 24 for floats.
/// Errors      None. Floats may overflow to infinity, and then yield NaN.
/// Complexity  O(1) per record; wide multiplications per result.
/// Source      SQL:2003 VAR_SAMP, VAR_POP. Floats: B. P. Welford, "Note on a method for calculating corrected sums of
///             squares and products" (1962).
template <auto Member>
constexpr auto variance() {
    return variance_fn<detail::member_projection<Member>, variance_of::sample>{};
}
/// The sample variance of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto variance(F function) {
    using projection = decltype(detail::make_projection(function));
    return variance_fn<projection, variance_of::sample>{detail::make_projection(std::move(function))};
}
/// The sample variance of the records themselves, where they are numbers.
constexpr auto variance() { return variance_fn<detail::itself, variance_of::sample>{}; }

/// The population variance: divided by n; NaN of no value, 0 of one. As variance in everything else.
template <auto Member>
constexpr auto population_variance() {
    return variance_fn<detail::member_projection<Member>, variance_of::population>{};
}
template <class F>
constexpr auto population_variance(F function) {
    using projection = decltype(detail::make_projection(function));
    return variance_fn<projection, variance_of::population>{detail::make_projection(std::move(function))};
}
constexpr auto population_variance() { return variance_fn<detail::itself, variance_of::population>{}; }
}  // namespace driftless::inline v0
#endif
