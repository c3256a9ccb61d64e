// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_LAMBDA_ADDITIVE_HPP
#define DRIFTLESS_VIEW_LAMBDA_ADDITIVE_HPP

#include <driftless/agg/function.hpp>
#include <driftless/agg/pack.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/run/properties.hpp>

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// The functions of an aggregate as one function whose result is their state: what can still be combined.
template <class Pack>
struct accumulator_of {
    static constexpr std::string_view kind = "accumulator";
    static constexpr combine_class combines = Pack::combines;
    using record = typename Pack::record_type;
    using state = typename Pack::state;
    [[no_unique_address]] Pack pack;

    constexpr state init(type_of<record>) const { return pack.init(); }
    constexpr state lift(record const& of) const {
        auto out = pack.init();
        pack.add(out, of);
        return out;
    }
    constexpr void add(state& into, record const& of) const { pack.add(into, of); }
    constexpr void combine(state& into, state const& later) const { pack.combine(into, later); }
    constexpr state lower(state const& of) const { return of; }
};

/// Rows are states of an aggregate: the answer is that of both layers combined.
template <class Pack>
struct added_rows {
    using stored = typename Pack::state;
    using shown = owned_t<typename Pack::result>;
    static constexpr bool adds = true;
    Pack pack;
    [[nodiscard]] shown show(stored const& of) const { return to_owned(pack.lower(of)); }
    [[nodiscard]] stored sum(stored before, stored const& later) const {
        pack.combine(before, later);
        return before;
    }
};

template <class P>
concept ends_in_aggregate = requires { typename P::op_type::functions; };

template <class Part>
constexpr auto option_or_none(Part const& part) {
    if constexpr (aggregate_option<Part>) return std::tuple<Part>{part};
    else return std::tuple<>{};
}
template <class Part>
constexpr auto function_or_none(Part const& part) {
    if constexpr (aggregate_option<Part>) return std::tuple<>{};
    else return std::tuple<Part>{part};
}
template <class P>
using pack_of = typename P::op_type::template pack_t<typename P::input_t>;

template <class P>
constexpr auto pack_in(P const& p) {
    auto const functions = std::apply([](auto const&... each) { return std::tuple_cat(function_or_none(each)...); },
        p.op.parameters);
    return std::apply([](auto const&... f) { return pack_of<P>{f...}; }, functions);
}
/// P, whose rows are the states of its aggregate.
template <class P>
constexpr auto with_accumulators(P const& p) {
    auto const options = std::apply([](auto const&... each) { return std::tuple_cat(option_or_none(each)...); },
        p.op.parameters);
    return std::apply(
        [&](auto const&... each) {
            return p.prev | aggregate(accumulator_of<pack_of<P>>{pack_in(p)}, each...);
        },
        options);
}
}  // namespace detail

/// What add_layers() makes.
template <class P>
struct added_layers {
    P pipeline;
};

/// Says to a lambda_coordinator that its layers are to be added:
///
///     dl::lambda_coordinator shop{"views/revenue", {.every = 24_h}, dl::add_layers(revenue), orders};
///
/// Shape       The speed layer begins at T with empty state and has the records behind it only; the answer for a key
///             and window combines the accumulators of both layers: exactly, since no record is in both.
/// Time        The speed layer makes its own watermark from T on: a record that a job which had read all before it
///             would refuse as late may be in it.
/// State       Views keep the states of the functions in place of their results. No state of the pipeline is left at T.
/// Errors      Compile time: where accumulators do not add up (lambda_additive<P> does not hold): several stateful
///             operators (dedup, joins, a second aggregate), sessions, functions that take records one by one.
template <class P>
constexpr auto add_layers(P const& p) {
    constexpr bool adds = [] {
        if constexpr (lambda_additive<P>) return detail::ends_in_aggregate<P>;
        else return false;
    }();
    static_assert(adds,
        "driftless: add_layers adds the accumulators of one aggregate over the records before T and behind it, and "
        "this pipeline has none that add up: it needs a single aggregate at its end, in windows that T does not cut "
        "(no sessions), of functions that combine (no fold, no sums of floats), and no other stateful operator (dedup, "
        "distinct, join) before it; leave add_layers out, and the speed layer starts from the state at T instead");
    if constexpr (adds) return added_layers<P>{p};
    else return p;
}
}  // namespace driftless::inline v0
#endif
