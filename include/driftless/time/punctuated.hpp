// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_PUNCTUATED_HPP
#define DRIFTLESS_TIME_PUNCTUATED_HPP

#include <driftless/core/projection.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/watermark.hpp>

#include <concepts>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// An event_time, or something that may hold one: std::optional<event_time>, a pointer to one.
template <class V>
concept maybe_time = std::same_as<V, event_time> || requires(V const& v) {
    static_cast<bool>(v);
    { *v } -> std::convertible_to<event_time>;
};
}  // namespace detail

/// Records that say the watermark themselves. Made by punctuated().
template <class F>
struct punctuated_strategy {
    using is_watermark_strategy = void;
    using partition_state = no_partition_state;
    [[no_unique_address]] F mark_of;

    template <class T>
    static constexpr bool fits = [] {
        if constexpr (detail::projects<F, T>) return detail::maybe_time<detail::projected_t<F, T>>;
        else return false;
    }();
    template <class T>
    constexpr event_time mark(no_partition_state&, event_time, T const& record) const
        noexcept(noexcept(mark_of(record))) {
        auto const& said = mark_of(record);
        if constexpr (std::same_as<detail::projected_t<F, T>, event_time>) return said;
        else return said ? event_time{*said} : event_time::min();
    }
    [[nodiscard]] constexpr event_time watermark_at(event_time said) const noexcept { return said; }
    [[nodiscard]] constexpr event_time reached_at(event_time watermark) const noexcept { return watermark; }
    void validate() const {}
    constexpr void describe(auto&& parameter) const { parameter("strategy", std::string_view{"punctuated"}); }
};

/// The promise is in the records: a member, or a function of the record, says from which time on more may come.
///
/// Time        A record that says w makes the watermark of its partition w, exclusive, after the record itself; it
///             never goes back. -inf, an empty optional and +inf say nothing. Until a partition has said something it
///             holds the watermark at -inf.
/// Errors      Compile time: a member or function that yields neither event_time nor std::optional<event_time>. Run
///             time: a function that throws is subject to on_error, and its record is left out.
/// Source      P. Tucker et al., "Exploiting Punctuation Semantics in Continuous Data Streams" (TKDE 2003).
template <auto Member>
constexpr auto punctuated() {
    return punctuated_strategy<detail::member_projection<Member>>{};
}
template <class F>
constexpr auto punctuated(F function) {
    return punctuated_strategy<decltype(detail::make_projection(function))>{
        detail::make_projection(std::move(function))};
}
}  // namespace driftless::inline v0
#endif
