// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_ILL_FORMED_HPP
#define DRIFTLESS_CORE_ILL_FORMED_HPP

#include <driftless/core/operator.hpp>

#include <type_traits>

namespace driftless::inline v0 {

/// What `|` yields when an operator refuses its input: the sentence has been said, and everything
/// that follows (further operators, run, explain) is absorbed, so that there is one error.
struct ill_formed {
    using is_pipeline = void;
    template <class... Anything>
    constexpr ill_formed id(Anything const&...) const {
        return {};
    }
};

/// What a pipeline is once an operator could not follow.
template <class P>
concept is_ill_formed = std::is_same<P, ill_formed>::value;

template <class Op>
    requires detail::operator_description<Op>
constexpr ill_formed operator|(ill_formed, Op const&) {
    return {};
}
}  // namespace driftless::inline v0
#endif
