// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_TRACED_WINDOWS_HPP
#define DRIFTLESS_RUN_DETAIL_TRACED_WINDOWS_HPP

#include <driftless/core/time.hpp>
#include <driftless/time/window.hpp>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace driftless::inline v0::detail {
/// Where there is no window(...) upstream.
struct no_windows_upstream {};
template <class Windowing>
auto const* with_type(Windowing const* of) {
    if constexpr (std::is_void_v<Windowing>) return static_cast<no_windows_upstream const*>(nullptr);
    else return of;
}

/// The windows that an operator puts a record of the stream In into, by their ends; of a session, that of the record
/// alone. None where it is not known beforehand.
template <class In, class Windowing, class Ctx, class T>
[[nodiscard]] std::vector<time_window> traced_windows(Windowing const* windowing, Ctx const& ctx, T const& record) {
    std::vector<time_window> out;
    if constexpr (In::window::carried) {
        out.push_back(ctx.window);
    } else if constexpr (In::window::assigned) {
        using assigner = std::remove_cvref_t<decltype(windowing->assigner)>;
        if constexpr (merging_windows<assigner>) {
            out.push_back(windowing->assigner.proto_window(ctx.at, record));
        } else if constexpr (assigns_one<assigner> || assigns_several<assigner>) {
            each_window(windowing->assigner, ctx.at, [&](time_window const& each) { out.push_back(each); });
            std::sort(out.begin(), out.end(), [](time_window const& a, time_window const& b) { return a.end < b.end; });
        }
    }
    return out;
}
/// `row` is that window, or a session that has grown from it.
[[nodiscard]] inline bool covers_window(time_window const& row, time_window const& own) noexcept {
    return row == own || (row.start <= own.start && own.end <= row.end);
}
}  // namespace driftless::inline v0::detail
#endif
