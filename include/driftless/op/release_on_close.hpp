// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_RELEASE_ON_CLOSE_HPP
#define DRIFTLESS_OP_RELEASE_ON_CLOSE_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/release_stage.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/window.hpp>
#include <driftless/state/bound.hpp>

#include <concepts>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// The windows of a stream are those of each record by itself, and say nothing else.
template <class Window>
inline constexpr bool windows_close_alone = true;
template <class Window>
    requires(Window::assigned && !Window::carried)
inline constexpr bool windows_close_alone<Window> =
    !Window::windowing::triggered && !Window::windowing::stamps
    && (assigns_one<typename Window::windowing::assigner_type>
        || assigns_several<typename Window::windowing::assigner_type>);
}  // namespace detail

/// Hands records on when their windows close. Made by release_on_close().
template <bool Unbounded>
struct release_on_close_op : operator_base<release_on_close_op<Unbounded>> {
    static constexpr std::string_view kind = "release_on_close";
    using is_stateful = void;

    template <class In>
    static constexpr bool watermark_bounds = !In::window::assigned || detail::closes_windows<typename In::window>;
    template <class In>
    static constexpr bool kept = encodable<typename In::record> && std::default_initializable<typename In::record>;
    template <class In>
    static constexpr bool accepts = timestamped<In> && !changelog<In> && kept<In>
        && detail::windows_close_alone<typename In::window> && (Unbounded || watermark_bounds<In>);

    template <class Window>
    struct carried {
        using type = Window;
    };
    template <class Window>
        requires Window::assigned
    struct carried<Window> {
        using type = carried_window<typename Window::windowing>;
    };
    template <class In>
    using output_t = typename In::template with_window<typename carried<typename In::window>::type>;
    template <class In>
    static constexpr void refuse() {
        static_assert(timestamped<In>,
            "driftless: release_on_close needs records with an event time: put assign_time<&T::at>(...) before it");
        static_assert(!changelog<In>,
            "driftless: release_on_close needs records, and its input yields changes: put it before the aggregate");
        static_assert(detail::windows_close_alone<typename In::window>,
            "driftless: release_on_close needs windows that a record has by itself and that the watermark closes: "
            "write tumbling or sliding in the window(...) before it, without triggers and pane options");
        static_assert(Unbounded || watermark_bounds<In>,
            "driftless: release_on_close keeps every record of window(global{}) until the input ends: name other "
            "windows, or say release_on_close(unbounded_state{})");
        static_assert(kept<In>,
            "driftless: release_on_close keeps records, and this one has no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
    }
    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        auto late = detail::late_output<In>(at);
        if constexpr (In::window::assigned) {
            auto const& windowing = *detail::windowing_of(at.upstream);
            using wait = detail::wait_for_window<typename In::window::windowing, In::window::carried>;
            return detail::release_stage<In, wait, Mode::exact, decltype(late), Next>{
                std::move(next), wait{windowing}, windowing.lateness(), std::move(late), at.label};
        } else {
            return detail::release_stage<In, detail::wait_for_time, Mode::exact, decltype(late), Next>{
                std::move(next), {}, duration{}, std::move(late), at.label};
        }
    }
};

/// Holds each record until the watermark closes the window it lies in, and hands it on then, as a row of that window.
///
/// Shape       record stream -> the same records, each once per window of window(...), with that window; by (window
///             end, window start), within a window by event time, within one time in the order of the input. Keys do
///             not matter. Without a window(...) each record stands for its own instant: sorted_by_time().
/// Time        A window [s, e) closes when watermark >= e + allowed lateness, and by the same predicate refuses
///             records. What comes out has event time e - 1 ns, as other rows of windows do, and the watermark goes on
///             less the allowed lateness, so that nothing is late behind it.
/// State       Every record of the windows that have not closed, with its key and a copy of its text; part of the
///             snapshot. Not sharded: the order is one for all keys. In window(global{}) it is unbounded_state{}.
/// Batch       The same rows in the same order; with the exact watermark nothing is late and lateness is left out.
/// Errors      Compile time: records without event time or codec, changes, sessions, triggers. Run time: refusals
///             `late`, per (record, window), sent to late_to.
/// Complexity  Per record and window O(1) where they come in order, else O(log held); no allocation in steady state.
/// Source      RisingWave, EMIT ON WINDOW CLOSE.
/// Example     examples/in_order.cpp
constexpr release_on_close_op<false> release_on_close() { return {}; }
constexpr release_on_close_op<true> release_on_close(unbounded_state) { return {}; }
}  // namespace driftless::inline v0
#endif
