// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_FUNCTION_HPP
#define DRIFTLESS_AGG_FUNCTION_HPP

#include <driftless/core/config.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// What an aggregate promises of its combine, and so where it may be cut into parts.
///
/// exact       Any order, any cut: integers, min, max, sets, sketches.
/// ordered     Associative in log order: collect, first, last. May be cut, not shuffled.
/// sequential  One record after the other: floating sums, mean of floats, fold. Never cut.
///
/// A (key, window) always takes its records in log order, so that all three give the same bytes in
/// batch and in streaming.
enum class combine_class : std::uint8_t {
    exact,
    ordered,
    sequential
};

constexpr std::string_view to_string(combine_class c) noexcept {
    return c == combine_class::exact ? "exact" : c == combine_class::ordered ? "ordered"
                                                                             : "sequential";
}

/// A type as a value, to pass to init().
template <class T>
struct type_of {};

namespace detail {
template <class A, class T>
concept has_init = requires(A const& a) { a.init(type_of<T>{}); };
template <class A, class T, class S>
concept has_add = requires(A const& a, S& state, T const& record) { a.add(state, record); };
template <class A, class T, class S>
concept has_remove = requires(A const& a, S& state, T const& record) { a.remove(state, record); };
template <class A, class S>
concept has_combine = requires(A const& a, S& into, S const& later) { a.combine(into, later); };
template <class A, class S>
concept has_inverse = requires(A const& a, S& state, S const& part) { a.inverse(state, part); };
template <class A, class T, class S>
concept has_burst =
    requires(A const& a, S& state, T const& record) { a.absorb(state, a.init_burst(type_of<T>{}), std::int64_t{1}); };
template <class A, class S>
concept has_lower = requires(A const& a, S const& state) { a.lower(state); };

template <class A, class T>
concept lifts = requires(A const& a, T const& record) {
    { a.lift(record) } -> std::copyable;
};
template <class A, class T>
concept starts = requires(A const& a) {
    { a.init(type_of<T>{}) } -> std::copyable;
};
template <class A, class T>
using lifted_t = std::remove_cvref_t<decltype(std::declval<A const&>().lift(std::declval<T const&>()))>;
template <class A, class T>
using initial_t = std::remove_cvref_t<decltype(std::declval<A const&>().init(type_of<T>{}))>;
}  // namespace detail

/// The first form of an aggregate function: the parts of a group can be combined. See aggregate_function.
template <class A, class T>
concept combinable_function = detail::lifts<A, T> && detail::has_combine<A, detail::lifted_t<A, T>>
    && detail::has_lower<A, detail::lifted_t<A, T>>;

/// The second form: one record after the other, never in parts. See aggregate_function.
template <class A, class T>
concept sequential_function = !combinable_function<A, T> && detail::starts<A, T>
    && detail::has_add<A, T, detail::initial_t<A, T>> && detail::has_lower<A, detail::initial_t<A, T>>
    && !detail::has_combine<A, detail::initial_t<A, T>>;  // combinable, but T has no lift

/// An aggregate function `A` over records T. This is the door for users' own. It has one of two forms.
///
/// Combinable (count, sum, min...):
///   auto lift(T const&) const -> state                       the state of one record
///   void combine(state& into, state const& later) const      `later` follows `into` in log order
///   auto lower(state const&) const -> result                 may throw: overflow goes to on_error
/// and, where it can:
///   auto init(type_of<T>) const -> state                     the state of no record (identity)
///   void add(state& into, T const&) const                    combine(into, lift(record)), faster
///   void inverse(state& from, state const& part) const       takes `part` out again
///   void remove(state& from, T const&) const                 inverse(from, lift(record)), faster
///   auto init_burst(type_of<T>) const -> burst               a state for a tight loop over one group, which becomes
///   void add(burst& into, T const&) const noexcept           SIMD code if nothing in it branches or carries; after
///   void absorb(state& into, burst const& of,                2^21 records at most it is absorbed (exact only)
///               std::int64_t records) const noexcept
///
/// Sequential (fold): init, add and lower as above; neither lift nor combine.
///
/// Either says about itself:
///   static constexpr std::string_view kind                   its name in plans and fingerprints; else "aggregate"
///   static constexpr combine_class combines                  (or a template over T); else sequential: what is
///                                                            not promised is not relied on
///   using needs_records = void                               lower() has no meaning for the state of no record
///
/// A state owns what it keeps (std::string, not text): it outlives the push. It needs a codec to be
/// part of a snapshot. A result may borrow from the state it was lowered from. `testing::check_laws`
/// checks associativity, identity and inverse.
template <class A, class T>
concept aggregate_function = combinable_function<A, T> || sequential_function<A, T>;

namespace detail {
template <class A, class T, bool Combinable>
struct kept_state {
    using inner = lifted_t<A, T>;
    static constexpr bool has_identity = has_init<A, T>;
};
template <class A, class T>
struct kept_state<A, T, false> {
    using inner = initial_t<A, T>;
    static constexpr bool has_identity = true;
};

/// Its result over no records has no meaning.
template <class A>
concept needs_records = requires { typename A::needs_records; };

/// The burst of a function that has none: its state takes the records itself.
struct no_burst {};

/// One aggregate over one record type, with what it leaves out filled in from what it has.
template <class A, class T>
class applied_function {
    static_assert(aggregate_function<A, T>);
    [[no_unique_address]] A function_;
    using kept = kept_state<A, T, combinable_function<A, T>>;
    using inner = typename kept::inner;
    static constexpr bool has_identity = kept::has_identity;

public:
    /// Without an identity "no record yet" is a state of its own.
    using state = std::conditional_t<has_identity, inner, std::optional<inner>>;
    using result = std::remove_cvref_t<decltype(std::declval<A const&>().lower(std::declval<inner const&>()))>;

    /// True if there is a state of no record that lower takes.
    static constexpr bool starts_empty = has_identity;
    /// True if parts can be combined at all; how freely, says `combines`.
    static constexpr bool combinable = combinable_function<A, T>;
    /// True if a record, and a part, can be taken out again.
    static constexpr bool invertible =
        combinable && has_identity && (has_remove<A, T, inner> || has_inverse<A, inner>);
    static constexpr bool subtractable = combinable && has_identity && has_inverse<A, inner>;
    static constexpr combine_class combines = [] {
        if constexpr (!combinable) return combine_class::sequential;
        else if constexpr (requires { combine_class{A::combines}; }) return A::combines;  // first: GCC 12
        else if constexpr (requires { A::template combines<T>; }) return A::template combines<T>;
        else return combine_class::sequential;
    }();
    /// True if add never throws: a member is read, numbers are added.
    static constexpr bool add_is_safe = [] {
        if constexpr (has_identity && has_add<A, T, inner>) {
            return noexcept(std::declval<A const&>().add(std::declval<inner&>(), std::declval<T const&>()));
        } else {
            return false;
        }
    }();
    /// True if the function has a state for tight loops.
    static constexpr bool bursts = combines == combine_class::exact && has_identity && has_burst<A, T, inner>;
    static constexpr auto burst_of([[maybe_unused]] A const& function) {
        if constexpr (bursts) return function.init_burst(type_of<T>{});
        else return no_burst{};
    }
    using burst = decltype(burst_of(std::declval<A const&>()));
    static constexpr std::string_view kind = [] {
        if constexpr (requires { A::kind; }) return std::string_view{A::kind};
        else return std::string_view{"aggregate"};
    }();

    constexpr explicit applied_function(A function) : function_(std::move(function)) {}

    [[nodiscard]] constexpr state init() const {
        if constexpr (has_identity) return function_.init(type_of<T>{});
        else return state{};
    }
    DRIFTLESS_INLINE constexpr void add(state& into, T const& record) const {
        if constexpr (!has_identity) {
            if (into.has_value()) add_to(*into, record);
            else into.emplace(function_.lift(record));
        } else {
            add_to(into, record);
        }
    }
    [[nodiscard]] constexpr burst init_burst() const { return burst_of(function_); }
    DRIFTLESS_INLINE constexpr void add(burst& into, T const& record) const noexcept
        requires bursts
    {
        function_.add(into, record);
    }
    DRIFTLESS_INLINE constexpr void absorb(state& into, burst const& of, std::int64_t records) const noexcept
        requires bursts
    {
        function_.absorb(into, of, records);
    }
    DRIFTLESS_INLINE constexpr void remove(state& from, T const& record) const
        requires invertible
    {
        if constexpr (has_remove<A, T, inner>) function_.remove(from, record);
        else function_.inverse(from, function_.lift(record));
    }
    constexpr void combine(state& into, state const& later) const
        requires combinable
    {
        if constexpr (has_identity) {
            function_.combine(into, later);
        } else if (later.has_value()) {
            if (into.has_value()) function_.combine(*into, *later);
            else into = later;
        }
    }
    constexpr void inverse(state& from, state const& part) const
        requires subtractable
    {
        function_.inverse(from, part);
    }
    [[nodiscard]] DRIFTLESS_INLINE constexpr result lower(state const& of) const {
        if constexpr (has_identity) {
            return function_.lower(of);
        } else {
            DRIFTLESS_ASSERT(of.has_value(), "driftless: an aggregate without init() has no result over no records");
            return function_.lower(*of);
        }
    }

private:
    DRIFTLESS_INLINE constexpr void add_to(inner& into, T const& record) const {
        if constexpr (has_add<A, T, inner>) function_.add(into, record);
        else function_.combine(into, function_.lift(record));
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
