// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_SHARE_HPP
#define DRIFTLESS_OP_SHARE_HPP

#include <driftless/core/operator.hpp>

#include <string_view>

namespace driftless::inline v0 {

/// Ends a sub-pipeline that is computed once. Made by share().
template <class Name>
struct share_op : operator_base<share_op<Name>> {
    static constexpr std::string_view kind = "share";
    static constexpr bool remembers = false;
    static constexpr bool keeps_record = true;
    using share_name = Name;

    constexpr void describe(auto&& parameter) const { parameter("name", Name::value); }

    template <class In>
    static constexpr bool accepts = true;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {}
    // No bind: the job computes what stands before once and hands it to every use (run/detail/graph.hpp).
};

/// Names a sub-pipeline that is used in several places of one job, so that it is computed once.
///
/// Shape       stream -> the same stream; every use gets every row, in order, uses in pipeline order.
/// State       None of its own; what stands before it exists once per job.
/// Errors      Compile time: two shares of one name with other types. When the job starts: two shares of
///             one name with other parameters.
/// Example     examples/count_events.cpp
template <class Name>
constexpr auto share(Name) {
    return share_op<Name>{};
}
}  // namespace driftless::inline v0
#endif
