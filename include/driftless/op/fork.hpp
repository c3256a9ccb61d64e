// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_FORK_HPP
#define DRIFTLESS_OP_FORK_HPP

#include <driftless/core/detail/fan_out.hpp>
#include <driftless/core/name.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/place.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Whether each operator accepts what the one before it yields.
template <class In, class... Ops>
inline constexpr bool chain_accepts = true;
template <class In, class Op, class... Rest>
inline constexpr bool chain_accepts<In, Op, Rest...> = [] {
    if constexpr (!Op::template accepts<In>) return false;
    else return chain_accepts<typename Op::template output_t<In>, Rest...>;
}();

template <class P>
constexpr P const& chain_on(P const& p) {
    return p;
}
template <class P, class Op, class... Rest>
constexpr auto chain_on(P const& p, Op const& op, Rest const&... rest) {
    return chain_on(link<P, Op>{p, op}, rest...);
}

/// Makes the stages of a branch before `next`, back to where it begins.
template <class Mode, class Begin, class P, class Next, class Builder>
constexpr auto bind_branch(P const& p, Next next, Builder& builder) {
    if constexpr (std::same_as<P, Begin>) {
        return next;
    } else {
        if constexpr (requires { p.op.validate(); }) p.op.validate();
        auto stage = p.op.template bind<typename P::input_t, Mode>(
            std::move(next), place<typename P::prev_type, Builder>{p.prev, builder, label_of<typename P::op_type>()});
        return bind_branch<Mode, Begin>(p.prev, std::move(stage), builder);
    }
}
}  // namespace detail

/// A branch of a fork. Made by branch().
template <class Name, class... Ops>
struct fork_branch {
    using name_type = Name;
    std::tuple<Ops...> ops;

    template <class In>
    static constexpr bool accepts = detail::chain_accepts<In, Ops...>;
    /// Says the sentence of the first operator that cannot stand there.
    template <class In>
    static constexpr void refuse() {
        refuse_first<In, Ops...>();
    }
    static constexpr bool shares = (requires { typename Ops::share_name; } || ...);
    template <template <class> class Trait>
    static constexpr bool any = (Trait<Ops>::value || ...);
    template <class In, class F>
    static constexpr void each_step(F const& f) {
        step<In, F, Ops...>(f);
    }
    template <class P>
    [[nodiscard]] constexpr auto pipeline_on(P const& p) const {
        return std::apply([&](Ops const&... op) { return detail::chain_on(p, op...); }, ops);
    }

private:
    template <class In>
    static constexpr void refuse_first() {}
    template <class In, class Op, class... Rest>
    static constexpr void refuse_first() {
        if constexpr (!Op::template accepts<In>) Op::template refuse<In>();
        else refuse_first<typename Op::template output_t<In>, Rest...>();
    }
    template <class In, class F>
    static constexpr void step(F const&) {}
    template <class In, class F, class Op, class... Rest>
    static constexpr void step(F const& f) {
        f.template operator()<Op, In>();
        step<typename Op::template output_t<In>, F, Rest...>(f);
    }
};

/// Lets each record go several ways. Made by fork().
template <class... Branches>
struct fork_op : operator_base<fork_op<Branches...>> {
    static constexpr std::string_view kind = "fork";
    static constexpr bool remembers = false;
    using is_fork = void;
    static constexpr bool keeps_record = true;
    static constexpr bool sees_order = true;  // what a branch does with the order is its own affair

    std::tuple<Branches...> branches;

    constexpr explicit fork_op(Branches... all) : branches(std::move(all)...) {}

    constexpr void describe(auto&& parameter) const { (parameter("output", Branches::name_type::value), ...); }

    static constexpr bool shares = (Branches::shares || ...);
    template <class In>
    static constexpr bool accepts = !shares && (Branches::template accepts<In> && ...);
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {
        static_assert(!shares,
            "driftless: fork has a branch with share(...) in it: put the share before the fork, where all can use it");
        if constexpr (!shares) (refuse_branch<In, Branches>(), ...);
    }
    template <template <class> class Trait>
    static constexpr bool any_in_branches = (Branches::template any<Trait> || ...);
    /// Calls f.template operator()<Op, In>() for the operators of all branches.
    template <class In, class F>
    static constexpr void each_step(F const& f) {
        (Branches::template each_step<In>(f), ...);
    }
    /// Calls f(pipeline, name) for each branch, as a pipeline that begins with `prev`.
    template <class P, class F>
    void each_branch(P const& prev, F const& f) const {
        std::apply([&](Branches const&... each) { (f(each.pipeline_on(prev), Branches::name_type::value), ...); },
            branches);
    }

    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        return std::apply(
            [&](Branches const&... each) {
                return detail::fan_out<decltype(chain_of<Mode>(each, at))..., Next>{
                    chain_of<Mode>(each, at)..., std::move(next)};
            },
            branches);
    }

private:
    template <class In, class Branch>
    static constexpr void refuse_branch() {
        if constexpr (!Branch::template accepts<In>) Branch::template refuse<In>();
    }
    template <class Mode, class Branch, class Place>
    static constexpr auto chain_of(Branch const& branch, Place const& at) {
        auto const whole = branch.pipeline_on(at.upstream);
        auto last = at.template side_output<typename Branch::name_type, output_of<decltype(whole)>>();
        using begin = std::remove_cvref_t<decltype(at.upstream)>;
        return detail::bind_branch<Mode, begin>(whole, std::move(last), at.builder);
    }
};

/// A branch of a fork: the operators that continue it, and the name of the output that it leads to.
template <class Name, class... Ops>
constexpr auto branch(Name, Ops... operators) {
    static_assert((detail::operator_description<Ops> && ...),
        "driftless: branch takes operators, such as filter(f), key_by<&T::m>(), aggregate(count()): a pipeline that "
        "begins with from<T>() is no branch");
    return fork_branch<Name, Ops...>{std::tuple<Ops...>{std::move(operators)...}};
}

/// Lets each record go through all branches, and on: one input, several results.
///
/// Shape       stream -> the same stream. Each branch is a pipeline of its own, from here on, whose rows go to the
///             output that is bound to its name: bind("name"_name, sink). A record goes through the branches in their
///             order, then on; watermarks and all else likewise. What stands before the fork is computed once.
/// State       That of the operators in the branches, part of the snapshot.
/// Batch       The same; a branch that asks for a declared watermark (as_declared, process) asks it for the whole
///             pipeline.
/// Errors      Compile time: an operator that cannot stand where it stands, with its own sentence; a name that nothing
///             is bound to; share in a branch.
/// Complexity  Nothing but the calls.
/// Example     examples/fraud_alert.cpp
template <class... Branches>
    requires(sizeof...(Branches) > 0)
constexpr auto fork(Branches... branches) {
    return fork_op<Branches...>{std::move(branches)...};
}
}  // namespace driftless::inline v0
#endif
