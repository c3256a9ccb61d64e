// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_READ_TOGETHER_HPP
#define DRIFTLESS_VIEW_READ_TOGETHER_HPP

#include <driftless/core/error.hpp>
#include <driftless/view/served_at.hpp>

#include <optional>
#include <string>
#include <thread>
#include <tuple>

namespace driftless::inline v0 {
namespace detail {
template <class First, class... More>
[[nodiscard]] bool at_one_frontier(First const& first, More const&... more) {
    return (first.at().same_frontier(more.at()) && ...);
}
}  // namespace detail

/// Snapshots of several views over one and the same prefix of the inputs: auto const [a, b] = read_together(x, y).
///
/// Shape       The views are sinks of one job, or of jobs over the same inputs that have come equally far: a job shows
///             them one after the other, and who comes in between asks again.
/// Errors      error_code::mismatch where that does not help: the views are of jobs that stand at different places.
/// Threads     Any.
template <class... Views>
[[nodiscard]] auto try_read_together(Views const&... views) {
    static_assert(sizeof...(Views) > 1, "driftless: read_together(a, b, ...) reads several views");
    constexpr int tries = 10'000;
    using all = std::tuple<typename Views::snapshot_type...>;
    std::optional<all> out;
    for (int i = 0; i < tries; ++i) {
        out.emplace(all{views.snapshot()...});
        bool const together = std::apply([](auto const&... each) { return detail::at_one_frontier(each...); }, *out);
        if (together) return out;
        if (i > 100) std::this_thread::yield();
    }
    out.reset();
    return out;
}
template <class... Views>
[[nodiscard]] auto read_together(Views const&... views) {
    auto out = try_read_together(views...);
    if (out) return *std::move(out);
    std::string where;
    auto const say = [&](auto const& each) {
        where += (where.empty() ? "" : ", ") + each.options().name + " at epoch " + std::to_string(each.at().epoch);
    };
    (say(views), ...);
    throw error{error_code::mismatch,
        "these views do not come to one frontier: " + where + ": read views together that one job writes"};
}
}  // namespace driftless::inline v0
#endif
