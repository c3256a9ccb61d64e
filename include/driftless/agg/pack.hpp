// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_PACK_HPP
#define DRIFTLESS_AGG_PACK_HPP

#include <driftless/agg/function.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/flat.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// The I-th value of a pack. A base class per value lays them out flat, as the members of one struct
/// would be: trivially copyable if all are, and without the padding of nested pairs.
template <std::size_t I, class V>
struct pack_leaf {
    [[no_unique_address]] V value;
};
template <std::size_t I, class V>
DRIFTLESS_INLINE constexpr V& leaf(pack_leaf<I, V>& of) noexcept {
    return of.value;
}
template <std::size_t I, class V>
DRIFTLESS_INLINE constexpr V const& leaf(pack_leaf<I, V> const& of) noexcept {
    return of.value;
}

template <class Indices, class... V>
struct pack_values;
template <std::size_t... I, class... V>
struct pack_values<std::index_sequence<I...>, V...> : pack_leaf<I, V>... {
    static constexpr std::size_t flat_size = flat_sum<V...>;
    void save(auto& out) const
        requires(encodable<V> && ...)
    {
        (out.write(leaf<I>(*this)), ...);
    }
    /// Into a state that init() made.
    void load(auto& in)
        requires(encodable<V> && ...)
    {
        (in.read(leaf<I>(*this)), ...);
    }
};

template <class S, class... R>
concept made_of_braces = requires(R... results) { S{static_cast<R&&>(results)...}; };
struct any_value {
    template <class V>
    operator V() const;  // NOLINT(google-explicit-constructor): only ever asked about
};
/// S{results...} compiles without narrowing, and leaves no member over.
template <class S, class... R>
concept row_of = made_of_braces<S, R...> && !made_of_braces<S, R..., any_value>;

template <class Row, class... R>
struct pack_result {
    using type = Row;
};
template <class... R>
struct pack_result<void, R...> {
    using type = std::tuple<R...>;
};
template <class R>
struct pack_result<void, R> {
    using type = R;
};

/// What stands for the state of a function that a pack of some of its functions leaves out.
template <std::size_t I>
struct left_out_state {};

/// Its state is the number of records.
template <class A>
concept counting_function = requires { typename A::counts_records; };

template <class Row, class T, class Indices, class... A>
class basic_aggregate_pack;

/// Several aggregates over the records of one group, as if they were one.
///
/// Shape       One aggregate yields its result, several a std::tuple, in order; with a Row that struct.
/// State       The states side by side; trivially copyable if all of them are.
/// Errors      Those of the functions. A Row that does not fit is a sentence at compile time.
/// Complexity  One inlined call per aggregate and record.
template <class Row, class T, std::size_t... I, class... A>
class basic_aggregate_pack<Row, T, std::index_sequence<I...>, A...> {
    static_assert(sizeof...(A) > 0, "driftless: aggregate needs at least one function, such as count()");
    using indices = std::index_sequence<I...>;
    [[no_unique_address]] pack_values<indices, applied_function<A, T>...> functions_;

public:
    using record_type = T;
    using state = pack_values<indices, typename applied_function<A, T>::state...>;
    using burst = pack_values<indices, typename applied_function<A, T>::burst...>;
    using result = typename pack_result<Row, typename applied_function<A, T>::result...>::type;

    /// True if the row type, if there is one, takes the results.
    static constexpr bool row_fits = [] {
        if constexpr (std::is_void_v<Row>) return true;
        else return row_of<Row, typename applied_function<A, T>::result...>;
    }();
    static_assert(row_fits, "driftless: aggregate<S>(...) needs a struct with one member per aggregate, in order");

    static constexpr std::size_t size = sizeof...(A);
    /// True if every aggregate can take a record out again (remove), or a whole part (inverse).
    static constexpr bool invertible = (applied_function<A, T>::invertible && ...);
    static constexpr bool subtractable = (applied_function<A, T>::subtractable && ...);
    /// True if states can be combined at all; how freely, says `combines`: what the weakest promises.
    static constexpr bool combinable = (applied_function<A, T>::combinable && ...);
    static constexpr combine_class combines = [] {
        auto weakest = combine_class::exact;
        ((weakest = weakest < applied_function<A, T>::combines ? applied_function<A, T>::combines : weakest), ...);
        return weakest;
    }();
    /// True if one of the aggregates counts the records; records_in(state) then says how many there are.
    static constexpr bool counts_records = (counting_function<A> || ...);
    /// True if no add throws.
    static constexpr bool adds_are_safe = (applied_function<A, T>::add_is_safe && ...);
    /// The names of the aggregates, in order: for plans and fingerprints.
    static constexpr std::string_view kinds[] = {applied_function<A, T>::kind...};

    constexpr explicit basic_aggregate_pack(A... functions)
        : functions_{pack_leaf<I, applied_function<A, T>>{applied_function<A, T>{std::move(functions)}}...} {}

    [[nodiscard]] DRIFTLESS_INLINE constexpr state init() const {
        return state{pack_leaf<I, typename applied_function<A, T>::state>{leaf<I>(functions_).init()}...};
    }
    DRIFTLESS_INLINE constexpr void add(state& into, T const& record) const {
        if constexpr (unsafe_adds == 0) {
            (leaf<I>(functions_).add(leaf<I>(into), record), ...);
        } else {
            // What may throw goes first, so that a record is in all states or, if it throws, in none.
            add_unsafe<0>(into, record);
            (add_if<applied_function<A, T>::add_is_safe, I>(into, record), ...);
        }
    }
    /// What a tight loop over one group does instead of add: into the burst where a function has one.
    [[nodiscard]] constexpr burst init_burst() const {
        return burst{pack_leaf<I, typename applied_function<A, T>::burst>{leaf<I>(functions_).init_burst()}...};
    }
    DRIFTLESS_INLINE constexpr void add(state& into, burst& tight, T const& record) const {
        if constexpr (unsafe_adds == 0) (add_tight<I>(into, tight, record), ...);
        else add(into, record);
    }
    DRIFTLESS_INLINE constexpr void absorb(
        [[maybe_unused]] state& into, [[maybe_unused]] burst& tight, [[maybe_unused]] std::int64_t records) const {
        // Where an add may throw, all records went into the states themselves.
        if constexpr (unsafe_adds == 0) (absorb_one<I>(into, tight, records), ...);
    }
    DRIFTLESS_INLINE constexpr void remove(state& from, T const& record) const
        requires invertible
    {
        (leaf<I>(functions_).remove(leaf<I>(from), record), ...);
    }
    DRIFTLESS_INLINE constexpr void combine(state& into, state const& later) const
        requires combinable
    {
        (leaf<I>(functions_).combine(leaf<I>(into), leaf<I>(later)), ...);
    }
    DRIFTLESS_INLINE constexpr void inverse(state& from, state const& part) const
        requires subtractable
    {
        (leaf<I>(functions_).inverse(leaf<I>(from), leaf<I>(part)), ...);
    }
    /// The same for the functions alone that are, or are not, subtractable: what cannot be taken out again is kept
    /// beside the rest where states come and go (op/detail/sliding_totals.hpp).
    using remainder = pack_values<indices,
        std::conditional_t<applied_function<A, T>::subtractable, left_out_state<I>,
            typename applied_function<A, T>::state>...>;
    [[nodiscard]] DRIFTLESS_INLINE static constexpr remainder remainder_of(state const& of) {
        return remainder{rest_of<applied_function<A, T>::subtractable, I>(of)...};
    }
    DRIFTLESS_INLINE constexpr void combine_subtractable(state& into, state const& later) const
        requires combinable
    {
        (combine_if<applied_function<A, T>::subtractable, I>(into, later), ...);
    }
    DRIFTLESS_INLINE constexpr void inverse_subtractable(state& from, state const& part) const
        requires combinable
    {
        (inverse_if<applied_function<A, T>::subtractable, I>(from, part), ...);
    }
    /// Either may be a state or a remainder.
    DRIFTLESS_INLINE constexpr void combine_remainder(auto& into, auto const& later) const
        requires combinable
    {
        (combine_if<!applied_function<A, T>::subtractable, I>(into, later), ...);
    }
    DRIFTLESS_INLINE static constexpr void copy_remainder(auto& into, auto const& from) {
        (copy_if<!applied_function<A, T>::subtractable, I>(into, from), ...);
    }
    [[nodiscard]] static constexpr auto records_in(state const& of) noexcept
        requires counts_records
    {
        return leaf<first_count>(of);
    }
    /// The result may borrow from the state (min over text): it is for the push that follows.
    [[nodiscard]] DRIFTLESS_INLINE constexpr result lower(state const& of) const {
        if constexpr (row_fits) return result{leaf<I>(functions_).lower(leaf<I>(of))...};
    }

    /// A state is a value for the codec, if all parts are: encodable<state>.
    static void save(state const& of, auto& out) { out.write(of); }
    /// `into` comes from init().
    static void load(state& into, auto& in) { in.read(into); }

private:
    static constexpr std::size_t first_count = [] {
        bool const counts[] = {counting_function<A>...};
        std::size_t at = 0;
        while (at < size && !counts[at]) ++at;
        return at < size ? at : 0;
    }();
    static constexpr std::size_t unsafe_adds = (std::size_t{!applied_function<A, T>::add_is_safe} + ...);
    template <std::size_t N>
    using function_t = std::tuple_element_t<N, std::tuple<applied_function<A, T>...>>;

    template <std::size_t N>
    DRIFTLESS_INLINE constexpr void add_tight(state& into, burst& tight, T const& record) const {
        if constexpr (function_t<N>::bursts) leaf<N>(functions_).add(leaf<N>(tight), record);
        else leaf<N>(functions_).add(leaf<N>(into), record);
    }
    template <std::size_t N>
    DRIFTLESS_INLINE constexpr void absorb_one(state& into, burst& tight, std::int64_t records) const {
        if constexpr (function_t<N>::bursts) {
            leaf<N>(functions_).absorb(leaf<N>(into), leaf<N>(tight), records);
            leaf<N>(tight) = leaf<N>(functions_).init_burst();
        }
    }
    template <bool LeftOut, std::size_t N>
    DRIFTLESS_INLINE static constexpr auto rest_of([[maybe_unused]] state const& of) {
        if constexpr (LeftOut) return pack_leaf<N, left_out_state<N>>{};
        else return pack_leaf<N, typename function_t<N>::state>{leaf<N>(of)};
    }
    template <bool If, std::size_t N>
    DRIFTLESS_INLINE constexpr void combine_if(
        [[maybe_unused]] auto& into, [[maybe_unused]] auto const& later) const {
        if constexpr (If) leaf<N>(functions_).combine(leaf<N>(into), leaf<N>(later));
    }
    template <bool If, std::size_t N>
    DRIFTLESS_INLINE constexpr void inverse_if(
        [[maybe_unused]] auto& from, [[maybe_unused]] auto const& part) const {
        if constexpr (If) leaf<N>(functions_).inverse(leaf<N>(from), leaf<N>(part));
    }
    template <bool If, std::size_t N>
    DRIFTLESS_INLINE static constexpr void copy_if([[maybe_unused]] auto& into, [[maybe_unused]] auto const& from) {
        if constexpr (If) leaf<N>(into) = leaf<N>(from);
    }
    template <bool If, std::size_t N>
    DRIFTLESS_INLINE constexpr void add_if(state& into, T const& record) const {
        if constexpr (If) leaf<N>(functions_).add(leaf<N>(into), record);
    }
    /// Adds to the functions from N on that may throw; if one does, the earlier ones are put back.
    template <std::size_t N>
    DRIFTLESS_INLINE constexpr void add_unsafe(state& into, T const& record) const {
        if constexpr (N < size) {
            if constexpr (function_t<N>::add_is_safe) {
                add_unsafe<N + 1>(into, record);
            } else if constexpr (unsafe_adds == 1) {
                leaf<N>(functions_).add(leaf<N>(into), record);
            } else if constexpr (function_t<N>::invertible
                && !std::is_trivially_copyable_v<typename function_t<N>::state>) {
                leaf<N>(functions_).add(leaf<N>(into), record);
                try {
                    add_unsafe<N + 1>(into, record);
                } catch (...) {
                    leaf<N>(functions_).remove(leaf<N>(into), record);
                    throw;
                }
            } else {
                auto before = leaf<N>(into);
                leaf<N>(functions_).add(leaf<N>(into), record);
                try {
                    add_unsafe<N + 1>(into, record);
                } catch (...) {
                    leaf<N>(into) = std::move(before);
                    throw;
                }
            }
        }
    }
};

/// The aggregates A over records T; into a struct Row with one member per aggregate.
template <class T, class... A>
using aggregate_pack = basic_aggregate_pack<void, T, std::index_sequence_for<A...>, A...>;
template <class Row, class T, class... A>
using aggregate_pack_into = basic_aggregate_pack<Row, T, std::index_sequence_for<A...>, A...>;
}  // namespace driftless::inline v0::detail
#endif
