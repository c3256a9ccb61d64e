// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_GRAPH_HPP
#define DRIFTLESS_RUN_DETAIL_GRAPH_HPP

#include <driftless/core/detail/fan_out.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/detail/counted_stage.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

// From a description to stages. Chains are made from the end to the beginning; where a chain reaches a
// source or a share it becomes a `head`, and heads of one name are joined: a source is read once, a
// shared sub-pipeline is computed once.

namespace driftless::inline v0::detail {
/// A chain that waits for what comes before it: a source, or a shared sub-pipeline P.
template <class P, class Chain>
struct head {
    using pipeline_type = P;
    using chain_type = Chain;
    P const* pipeline;
    Chain chain;
};

template <class P>
concept ends_in_share = requires { typename P::op_type::share_name; };
template <class P>
concept begins_with_fan_in = requires { typename P::op_type::is_fan_in; };

template <class Op>
DRIFTLESS_INLINE void validate(Op const& op) {
    if constexpr (requires { op.validate(); }) op.validate();
}

/// The inputs of a fan-in group by the same windows: what follows it asks the first one only.
template <class FanIn>
void validate_windows(FanIn const& fan_in) {
    if constexpr (FanIn::output::window::assigned) {
        auto const* const first = windowing_of(fan_in.first_input());
        if constexpr (std::equality_comparable<std::remove_cvref_t<decltype(*first)>>) {
            std::apply(
                [&](auto const&... input) {
                    if (((*windowing_of(input) == *first) && ...)) return;
                    throw error{error_code::invalid_argument,
                        std::string{FanIn::kind} +
                            " needs inputs with the same windows, and theirs have other "
                            "sizes, offsets or lateness: put window(...) after it"};
                },
                fan_in.inputs);
        }
    }
}

template <class Op>
concept keeps_state = requires { typename Op::is_stateful; };
/// What the operator of P hands on to `next` is counted, if it keeps state.
template <class P, class Next>
constexpr auto counted(Next next) {
    if constexpr (keeps_state<typename P::op_type>)
        return counted_stage<Next>{std::move(next), label_of<typename P::op_type>()};
    else return next;
}

/// The node of a fan-in before `next`, owned by the job. One that makes records has a stage of its own.
template <class Mode, class P, class Next, class Builder>
constexpr auto* make_node(P const& p, Next next, Builder& builder) {
    using op = typename P::op_type;
    if constexpr (requires { typename op::makes_records; }) {
        auto stage = p.op.template bind<Mode>(
            counted<P>(std::move(next)), place<P, Builder>{p, builder, label_of<op>()});
        return builder.template own<typename op::template node_t<decltype(stage)>>(std::move(stage));
    } else {
        return builder.template own<typename op::template node_t<Next>>(std::move(next));
    }
}

/// Makes the stages of P before `next`: a tuple of heads.
template <class Mode, class P, class Next, class Builder>
constexpr auto make_chain(P const& p, Next next, Builder& builder) {
    validate(p.op);
    if constexpr (begins_with_fan_in<P>) {
        validate_windows(p.op);
        auto* const made = make_node<Mode>(p, std::move(next), builder);
        using node = std::remove_pointer_t<decltype(made)>;
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple_cat(make_chain<Mode>(
                std::get<I>(p.op.inputs), typename P::op_type::template port_t<node, I>{made}, builder)...);
        }(std::make_index_sequence<std::tuple_size_v<decltype(p.op.inputs)>>{});
    } else if constexpr (is_root<P> || ends_in_share<P>) {
        return std::tuple<head<P, Next>>{head<P, Next>{&p, std::move(next)}};
    } else if constexpr (requires { typename Mode::watches; }) {
        return make_chain<Mode>(p.prev, Mode::watched(p, std::move(next), builder), builder);
    } else {
        auto stage = p.op.template bind<typename P::input_t, Mode>(counted<P>(std::move(next)),
            place<typename P::prev_type, Builder>{p.prev, builder, label_of<typename P::op_type>()});
        return make_chain<Mode>(p.prev, std::move(stage), builder);
    }
}

/// What a head waits for, as a type: heads with the same one are joined.
template <class P>
struct head_name {
    using type = typename P::op_type::name_type;
};
template <ends_in_share P>
struct head_name<P> {
    using type = typename P::op_type::share_name;
};
template <class Head>
inline constexpr bool is_share = ends_in_share<typename Head::pipeline_type>;
template <class A, class B>
inline constexpr bool same_head = is_share<A> == is_share<B>
    && std::is_same_v<typename head_name<typename A::pipeline_type>::type,
        typename head_name<typename B::pipeline_type>::type>;

/// The chain of a head, or nothing: which of the two is known at compile time.
template <bool Take, class Head>
constexpr auto chain_if(Head& h) {
    if constexpr (Take) return std::tuple<typename Head::chain_type>{std::move(h.chain)};
    else return std::tuple<>{};
}
template <bool Take, class Head>
constexpr auto head_if(Head& h) {
    if constexpr (Take) return std::tuple<Head>{std::move(h)};
    else return std::tuple<>{};
}

/// Joins the heads that wait for the same as the first: (joined head, the others).
template <class Builder, class First, class... Rest>
constexpr auto join_first(Builder& builder, First first, Rest... rest) {
    using p = typename First::pipeline_type;
    auto const check = [&]<class Other>(Other const& other) {
        if constexpr (same_head<First, Other>) {
            if constexpr (is_share<First>) {
                static_assert(std::is_same_v<p, typename Other::pipeline_type>,
                    "driftless: two shares have one name and are not the same pipeline: give them two names");
                builder.require_same(*first.pipeline, *other.pipeline);
            } else {
                static_assert(std::is_same_v<p, typename Other::pipeline_type>,
                    "driftless: two inputs have one name and not the same record type: give them two names");
                static_assert(head_name<p>::type::named,
                    "driftless: a pipeline with several inputs names them: from<T>(\"orders\"_name)");
            }
        }
    };
    (check(rest), ...);
    auto chains = std::tuple_cat(std::tuple<typename First::chain_type>{std::move(first.chain)},
        chain_if<same_head<First, Rest>>(rest)...);
    auto others = std::tuple_cat(head_if<!same_head<First, Rest>>(rest)...);
    auto joined = std::apply(
        []<class... C>(C&... chain) {
            if constexpr (sizeof...(C) == 1) return (std::move(chain), ...);
            else return fan_out<C...>{std::move(chain)...};
        },
        chains);
    return std::pair{head<p, decltype(joined)>{first.pipeline, std::move(joined)}, std::move(others)};
}

/// True if the pipeline before this share contains a share that another head waits for: then that
/// one's heads are not all known yet.
template <class P, class Name>
constexpr bool contains_share() {
    if constexpr (begins_with_fan_in<P>) {
        return []<class... I>(std::tuple<I...> const*) {
            return (contains_share<I, Name>() || ...);
        }(static_cast<decltype(P::op_type::inputs) const*>(nullptr));
    } else if constexpr (is_root<P>) {
        return false;
    } else if constexpr (ends_in_share<P>) {
        return std::is_same_v<typename P::op_type::share_name, Name> || contains_share<typename P::prev_type, Name>();
    } else {
        return contains_share<typename P::prev_type, Name>();
    }
}

/// Joins all heads: a tuple of heads, one per input, in pipeline order.
template <class Mode, class Builder, class... Done, class... Heads>
constexpr auto join_heads(Builder& builder, std::tuple<Done...> done, std::tuple<Heads...> heads) {
    if constexpr (sizeof...(Heads) == 0) {
        return done;
    } else if constexpr (sizeof...(Heads) == 1 && !(is_share<Heads> || ...)) {
        return std::tuple_cat(std::move(done), std::move(heads));
    } else {
        auto [first, rest] = std::apply(
            [&](Heads&... h) { return join_first(builder, std::move(h)...); }, heads);
        using first_t = decltype(first);
        using p = typename first_t::pipeline_type;
        if constexpr (!is_share<first_t>) {
            // A source: a share that is still open may read it too, so shares go first.
            constexpr bool open_shares = []<class... R>(std::tuple<R...> const*) {
                return (is_share<R> || ...);
            }(static_cast<decltype(rest)*>(nullptr));
            if constexpr (open_shares) {
                return join_heads<Mode>(builder, std::move(done),
                    std::tuple_cat(std::move(rest), std::tuple<first_t>{std::move(first)}));
            } else {
                return join_heads<Mode>(builder, std::tuple_cat(std::move(done), std::tuple<first_t>{std::move(first)}),
                    std::move(rest));
            }
        } else {
            using name = typename head_name<p>::type;
            constexpr bool inside_another = []<class... R>(std::tuple<R...> const*) {
                return ((is_share<R> && contains_share<typename R::pipeline_type, name>()) || ...);
            }(static_cast<decltype(rest)*>(nullptr));
            if constexpr (inside_another) {
                return join_heads<Mode>(builder, std::move(done),
                    std::tuple_cat(std::move(rest), std::tuple<first_t>{std::move(first)}));
            } else {
                auto before = make_chain<Mode>(first.pipeline->prev, std::move(first.chain), builder);
                return join_heads<Mode>(builder, std::move(done), std::tuple_cat(std::move(before), std::move(rest)));
            }
        }
    }
}

/// The stages of a whole pipeline before `last`: a tuple of heads, one per input.
template <class Mode, class P, class Last, class Builder>
constexpr auto make_graph(P const& p, Last last, Builder& builder) {
    auto heads = make_chain<Mode>(p, std::move(last), builder);
    constexpr bool one_source = []<class... Head>(std::tuple<Head...> const*) {
        return sizeof...(Head) == 1 && !(is_share<Head> || ...);
    }(static_cast<decltype(heads) const*>(nullptr));
    if constexpr (one_source) return heads;  // the usual pipeline has nothing to join
    else return join_heads<Mode>(builder, std::tuple<>{}, std::move(heads));
}

/// True if any operator of the pipeline has `Trait`.
template <template <class> class Trait, class P>
constexpr bool any_operator() {
    if constexpr (Trait<typename P::op_type>::value) {
        return true;
    } else if constexpr (requires { requires P::op_type::template any_in_branches<Trait>; }) {
        return true;
    } else if constexpr (begins_with_fan_in<P>) {
        return []<class... I>(std::tuple<I...> const*) {
            return (any_operator<Trait, I>() || ...);
        }(static_cast<decltype(P::op_type::inputs) const*>(nullptr));
    } else if constexpr (is_root<P>) {
        return false;
    } else {
        return any_operator<Trait, typename P::prev_type>();
    }
}
}  // namespace driftless::inline v0::detail
#endif
