// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_CORRECTION_REACH_HPP
#define DRIFTLESS_VIEW_DETAIL_CORRECTION_REACH_HPP

#include <driftless/core/pipeline.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/detail/order_free.hpp>
#include <driftless/time/watermark.hpp>
#include <driftless/time/window.hpp>

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// What the rows of windows that end behind a time are made of, as the type and the parameters of a pipeline say.
struct correction_reach {
    bool windowed = false;  ///< its rows have windows that the watermark closes
    /// No record before it has a part in such a row, and a job that has read none at or behind it keeps nothing that
    /// has; -inf: nobody knows.
    event_time first = event_time::min();
    /// From this watermark on the other rows do not change any more.
    event_time settled = event_time::max();
};

/// From the end of the pipeline to its source: which records, and how long behind.
class reach_finder {
public:
    bool known = true;
    bool timed = false;  // the member that says the time of a record is named behind the source
    event_time first;
    duration behind{};

    explicit reach_finder(event_time from) : first(from) {}

    template <class P>
    void look(P const& p) {
        using op = typename P::op_type;
        if constexpr (is_root<P>) {
            if constexpr (requires { typename op::is_fan_in; }) {
                known = false;
                look_at_all(p.op);
            }
        } else {
            if constexpr (is_windowing<op>::value) look_at_windows(p.op);
            else if constexpr (assigns_time<op>) timed = !std::exchange(has_time_, true) && tells_newest<P>();
            else if constexpr (!keeps_windows_alone<op, typename P::input_t>()) known = false;
            look(p.prev);
        }
    }

private:
    bool has_time_ = false;  // assign_time has been seen

    /// What the job knows of the newest time of a partition is that of all records that came: no function stands before
    /// it, which a correction may have changed.
    template <class P>
    static consteval bool tells_newest() {
        using op = typename P::op_type;
        using strategy = std::remove_cvref_t<decltype(std::declval<op const&>().strategy)>;
        using function = typename op::time_function;
        constexpr bool named = names_member<function> || std::is_same_v<function, time_as_given>;
        constexpr bool marks = std::is_same_v<strategy, bounded_disorder> || std::is_same_v<strategy, monotone>;
        return named && marks && is_root<typename P::prev_type>;
    }
    /// It keeps nothing but what stands in windows that the watermark closes.
    template <class Op, class In>
    static consteval bool keeps_windows_alone() {
        if constexpr (requires { typename Op::is_fork; }) return false;
        else if constexpr (!requires { typename Op::is_stateful; }) return !may_remember<Op>::value;
        else return requires { typename Op::functions; } && closes_windows<typename In::window>;
    }
    template <class Windowing>
    void look_at_windows(Windowing const& of) {
        using assigner = typename Windowing::assigner_type;
        behind = behind + of.kept_behind_end();
        if constexpr (closed_by_watermark<assigner> && (assigns_one<assigner> || assigns_several<assigner>)) {
            auto least = first;
            each_window(of.assigner, first, [&](time_window const& each) { least = std::min(least, each.start); });
            first = least;
        } else {
            known = false;  // a session may have begun at any time
        }
    }
    template <class FanIn>
    void look_at_all(FanIn const& of) {
        if constexpr (requires { of.inputs; }) {
            auto longest = behind;
            std::apply(
                [&](auto const&... input) {
                    ([&] {
                        reach_finder one{first};
                        one.look(input);
                        longest = std::max(longest, behind + one.behind);
                    }(),
                        ...);
                },
                of.inputs);
            behind = longest;
        }
    }
};

template <class P>
correction_reach reach_of(P const& p, event_time from) {
    correction_reach out;
    out.windowed = closes_windows<typename output_of<P>::window>;
    reach_finder found{from};
    found.look(p);
    if (found.known && found.timed) out.first = found.first;
    out.settled = from + found.behind;
    return out;
}
}  // namespace driftless::inline v0::detail
#endif
