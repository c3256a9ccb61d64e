// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_SCRIPT_HPP
#define DRIFTLESS_TESTING_SCRIPT_HPP

#include <driftless/core/pane.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/report.hpp>
#include <driftless/testing/detail/player.hpp>
#include <driftless/testing/play_mode.hpp>
#include <driftless/testing/steps.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing {

/// What a sink is told.
enum class told : std::uint8_t {
    write,    ///< a pane
    remove,   ///< the row of a (key, window) is taken back
    retract,  ///< the pane that the next one replaces, where panes are retracting{}
};

/// What came out of a script.
template <class Key, class Value>
class played {
public:
    using pane_type = pane<owned_t<Key>, owned_t<Value>>;

    std::vector<owned_t<Value>> records;  ///< the values of everything that was written, in order
    std::vector<pane_type> panes;         ///< the same as panes: every pane, also those corrected later
    std::vector<std::pair<owned_t<Key>, time_window>> removed;  ///< rows taken back, in order
    std::vector<pane_type> retracted;  ///< panes that the next one replaced, where they are retracting{}
    std::vector<told> calls;           ///< which of the three each call was, in order
    driftless::report report;
    /// After so many restores the state saved itself to other bytes than it had been read from.
    std::size_t changed_by_restore = 0;

    /// What one step did: where its panes and removals lie, what it refused, and the watermark after it.
    struct step_result {
        std::size_t first_pane = 0;
        std::size_t pane_count = 0;
        std::size_t first_removed = 0;
        std::size_t removed_count = 0;
        std::size_t call_count = 0;
        std::array<std::uint64_t, reason_count> refused{};
        event_time watermark = event_time::min();
    };
    std::vector<step_result> steps;  ///< one per step of the script, in order

    [[nodiscard]] std::uint64_t refused(reason why) const noexcept { return report.refused(why); }
    /// What step `i` (from 0) refused: of a record, in how many windows.
    [[nodiscard]] std::uint64_t refused(reason why, std::size_t i) const {
        return steps.at(i).refused[static_cast<std::size_t>(why)];
    }
    /// The steps that refused something for this reason.
    [[nodiscard]] std::vector<std::size_t> steps_that_refused(reason why) const {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (refused(why, i) != 0) out.push_back(i);
        }
        return out;
    }
    /// The panes, or their values, that came out at step `i`.
    [[nodiscard]] std::vector<pane_type> panes_at(std::size_t i) const {
        auto const from = panes.begin() + static_cast<std::ptrdiff_t>(steps.at(i).first_pane);
        return {from, from + static_cast<std::ptrdiff_t>(steps[i].pane_count)};
    }
    [[nodiscard]] std::vector<owned_t<Value>> values_at(std::size_t i) const {
        auto const from = records.begin() + static_cast<std::ptrdiff_t>(steps.at(i).first_pane);
        return {from, from + static_cast<std::ptrdiff_t>(steps[i].pane_count)};
    }
    /// All panes of one timing.
    [[nodiscard]] std::vector<pane_type> panes_of(timing when) const {
        std::vector<pane_type> out;
        for (auto const& each : panes) {
            if (each.info.timing == when) out.push_back(each);
        }
        return out;
    }

    /// Everything that came out, in order: f(step, told, pane). Of a row that is removed the pane has key and window.
    template <class F>
    void each_call(F f) const {
        auto pane_at = panes.begin();
        auto removed_at = removed.begin();
        auto retracted_at = retracted.begin();
        auto call = calls.begin();
        for (std::size_t step = 0; step < steps.size(); ++step) {
            for (auto left = steps[step].call_count; left != 0; --left, ++call) {
                switch (*call) {
                    case told::write: f(step, *call, *pane_at++); break;
                    case told::retract: f(step, *call, *retracted_at++); break;
                    case told::remove:
                        f(step, *call, pane_type{removed_at->first, removed_at->second, {}, {}});
                        ++removed_at;
                }
            }
        }
    }

    void write(pane<Key, Value> const& row) {
        calls.push_back(told::write);
        panes.push_back({to_owned(row.key), row.window, to_owned(row.value), row.info});
        records.push_back(to_owned(row.value));
    }
    void remove(Key const& key, time_window window) {
        calls.push_back(told::remove);
        removed.emplace_back(to_owned(key), window);
    }
    void retract(pane<Key, Value> const& row) {
        calls.push_back(told::retract);
        retracted.push_back({to_owned(row.key), row.window, to_owned(row.value), row.info});
    }
};

namespace detail {
template <class In, class Record>
struct played_for {
    using type = played<typename In::key, Record>;
};
template <class In, class Key, class Value>
    requires std::is_same_v<typename In::key, Key>
struct played_for<In, pane<Key, Value>> {
    using type = played<Key, Value>;
};
}  // namespace detail

/// Runs a pipeline step by step, as a streaming job would: records and watermarks in the order given.
///
/// The pipeline begins with from<event<T>>(); or with from<T>() and an assign_time that reads T, which then is given
/// the values of the events, and makes the watermarks itself. Side outputs are bound as in run(). Nothing is flushed
/// at the end of a script unless it says end_of_input{}. With a play_mode it runs on several threads, is restored from
/// a snapshot after each step, or pauses rarely; in the end the same has come out.
///
/// Time        Watermarks of partitions are combined by watermark_valve. A clock move is on_clock; when the last
///             active partition goes idle, and when one is active again, on_idle.
/// Errors      Throws invalid_argument for a script that cannot be (a watermark that goes back, a record at
///             +-inf, a step after the end), and for an event whose time is not the one that assign_time<&T::m> finds.
template <class P, class T, class... Outputs>
auto play_script(play_mode const& mode, P const& pipeline, script<T> const& steps, Outputs&&... outputs) {
    using in = output_of<P>;
    using sink = typename detail::played_for<in, typename in::record>::type;
    sink out;
    auto const workers = mode.threads.start();
    detail::player<P, T, sink, Outputs...> run{
        {workers.get(), mode.chunk}, pipeline, steps.partitions(), out, outputs...};
    out.report = run.make_report();
    for (auto const& each : steps.steps()) {
        typename sink::step_result did{.first_pane = out.panes.size(), .first_removed = out.removed.size()};
        auto const calls = out.calls.size();
        bool const last = each.kind == detail::step<T>::what::end;
        run.play(each);
        if (mode.restoring && !last) run.restore();
        auto const books = run.make_report();
        for (std::size_t i = 0; i < reason_count; ++i) {
            auto const why = static_cast<reason>(i);
            did.refused[i] = books.refused(why) - out.report.refused(why);
        }
        did.pane_count = out.panes.size() - did.first_pane;
        did.removed_count = out.removed.size() - did.first_removed;
        did.call_count = out.calls.size() - calls;
        did.watermark = last ? event_time::max() : run.watermark();
        out.report = books;
        out.steps.push_back(did);
    }
    out.changed_by_restore = run.changed_by_restore();
    return out;
}
template <class P, class T, class... Outputs>
    requires pipeline<P>
auto play_script(P const& pipeline, script<T> const& steps, Outputs&&... outputs) {
    return play_script(play_mode{}, pipeline, steps, std::forward<Outputs>(outputs)...);
}
template <class P, class... Steps>
auto play(play_mode const& mode, P const& pipeline, Steps... steps) {
    static_assert(detail::has_event_times<P>,
        "driftless: play needs a pipeline that begins with from<event<T>>(), so that the script gives the times, or "
        "one with assign_time(...)");
    using value = typename detail::event_value<typename detail::source_element<P>::type>::type;
    return play_script(mode, pipeline, script<value>{std::move(steps)...});
}
template <class P, class... Steps>
    requires pipeline<P>
auto play(P const& pipeline, Steps... steps) {
    return play(play_mode{}, pipeline, std::move(steps)...);
}
}  // namespace driftless::inline v0::testing
#endif
