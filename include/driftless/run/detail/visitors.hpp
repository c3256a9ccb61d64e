// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_VISITORS_HPP
#define DRIFTLESS_RUN_DETAIL_VISITORS_HPP

#include <driftless/core/account.hpp>
#include <driftless/run/report.hpp>

#include <string_view>
#include <type_traits>

// What is done with the state of the stages: visit_state(visitor) shows it every (name, member).

namespace driftless::inline v0::detail {
/// Collects the books of all stages.
struct report_visitor {
    report& into;

    template <class T>
    void operator()(std::string_view, T& member) {
        if constexpr (std::is_same_v<T, account>) {
            into.stages.push_back(member);
        } else if constexpr (requires { member.books(); }) {
            into.stages.push_back(member.books());
            into.state_bytes += member.state_bytes();
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
