// SPDX-License-Identifier: BSL-1.0
// What the tests of aggregate functions share.
#ifndef DRIFTLESS_TESTS_AGG_RUN_OVER_HPP
#define DRIFTLESS_TESTS_AGG_RUN_OVER_HPP
#include <driftless/agg/pack.hpp>
#include <driftless/codec/owned.hpp>

#include <vector>

namespace agg_tests {
using namespace driftless;
template <class A, class T>
using pack_of = driftless::detail::aggregate_pack<T, A>;

/// The state of a function over records.
template <class A, class T>
auto state_over(A const& function, std::vector<T> const& records) {
    pack_of<A, T> const pack{function};
    auto state = pack.init();
    for (auto const& record : records) pack.add(state, record);
    return state;
}
/// Its result, owned: text in a result points into the state.
template <class A, class T>
auto run_over(A const& function, std::vector<T> const& records) {
    auto const state = state_over(function, records);
    return to_owned(pack_of<A, T>{function}.lower(state));
}
template <class A, class T>
constexpr auto class_of = driftless::detail::applied_function<A, T>::combines;
template <class A, class T>
constexpr bool can_remove = driftless::detail::applied_function<A, T>::invertible;
}  // namespace agg_tests
#endif
