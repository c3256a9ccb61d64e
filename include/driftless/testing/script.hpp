// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_SCRIPT_HPP
#define DRIFTLESS_TESTING_SCRIPT_HPP

#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/snapshot_visitors.hpp>
#include <driftless/run/report.hpp>
#include <driftless/testing/steps.hpp>
#include <driftless/time/watermark_valve.hpp>

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

/// What came out of a script.
template <class Key, class Value>
class played {
public:
    using pane_type = pane<owned_t<Key>, owned_t<Value>>;

    std::vector<owned_t<Value>> records;  ///< the values of everything that was written, in order
    std::vector<pane_type> panes;         ///< the same as panes: every pane, also those corrected later
    std::vector<std::pair<owned_t<Key>, time_window>> removed;  ///< rows taken back, in order
    std::vector<pane_type> retracted;  ///< panes that the next one replaced, where they are retracting{}
    driftless::report report;

    /// What one step did: where its panes and removals lie, what it refused, and the watermark after it.
    struct step_result {
        std::size_t first_pane = 0;
        std::size_t pane_count = 0;
        std::size_t first_removed = 0;
        std::size_t removed_count = 0;
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

    void write(pane<Key, Value> const& row) {
        panes.push_back({to_owned(row.key), row.window, to_owned(row.value), row.info});
        records.push_back(to_owned(row.value));
    }
    void remove(Key const& key, time_window window) { removed.emplace_back(to_owned(key), window); }
    void retract(pane<Key, Value> const& row) {
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
template <class P>
struct source_element {
    using type = typename source_element<typename P::prev_type>::type;
};
template <class Root>
struct source_element<root_link<Root>> {
    using type = typename Root::element;
};
template <class T>
struct event_value {
    static constexpr bool is_event = false;
};
template <class T>
struct event_value<event<T>> {
    static constexpr bool is_event = true;
    using type = T;
};
}  // namespace detail

namespace detail {
/// Runs the steps one by one on an engine of its own. `Outputs` are what run() would be given besides the input.
template <class P, class T, class Sink, class... Outputs>
class player {
    using what = typename step<T>::what;
    using engine = driftless::detail::engine<streaming, P, std::vector<event<T>>&, Sink&, Outputs&...>;

    P const& pipeline_;
    std::tuple<Sink&, Outputs&...> outputs_;
    std::vector<event<T>> nothing_;
    std::optional<engine> run_;
    watermark_valve valve_;
    std::uint32_t partitions_;
    std::vector<std::uint64_t> offsets_;
    std::uint32_t current_ = 0;
    bool quiet_ = false;

public:
    player(P const& pipeline, std::uint32_t partitions, Sink& out, Outputs&... outputs)
        : pipeline_(pipeline),
          outputs_(out, outputs...),
          valve_(partitions),
          partitions_(partitions),
          offsets_(partitions) {
        start();
    }

    void play(step<T> const& next) {
        switch (next.kind) {
            case what::record: return push(next);
            case what::watermark: return move_watermark(next);
            case what::clock: return each([&](auto& chain) { chain.on_clock(next.to); });
            case what::idle: return moved(valve_.idle(next.partition));
            case what::active: return moved(valve_.resume(next.partition));
            case what::end_partition:
                each([&](auto& chain) { chain.on_partition_end(next.partition); });
                current_ = next.partition;  // whoever keeps a clock per partition has entered it
                return moved(valve_.end(next.partition));
            case what::pause: return each([](auto& chain) { chain.settle(); });
            case what::restore: return restore();
            case what::end: return run_->finish();
        }
    }
    [[nodiscard]] driftless::report make_report() { return run_->make_report(); }
    [[nodiscard]] event_time watermark() const noexcept { return valve_.output(); }

private:
    /// Calls `f(chain)`, then tells the chain that the source pauses.
    template <class F>
    void each(F&& f) {
        run_->each_chain([&](auto& chain) {
            f(chain);
            chain.on_chunk();
        });
    }
    void start() {
        std::apply([&](auto&... out) { run_.emplace(pipeline_, nullptr, error_policy{}, nullptr, nothing_, out...); },
            outputs_);
        // As a source does: all partitions are there before the first record.
        run_->each_chain([&](auto& chain) {
            for (auto p = partitions_; p-- > 0;) chain.on_partition(p);
        });
        current_ = 0;
    }
    void restore() {
        std::string bytes;
        run_->visit_state(driftless::detail::save_visitor{bytes});
        start();
        byte_reader saved{bytes};
        run_->visit_state(driftless::detail::load_visitor{saved});
        saved.expect_end();
        if (quiet_) each([](auto& chain) { chain.on_idle(true); });
    }
    void push(step<T> const& next) {
        each([&](auto& chain) {
            if (next.partition != current_) chain.on_partition(next.partition);
            auto const from = origin{offsets_[next.partition], next.partition, 0};
            driftless::detail::push(chain, context<>{.from = from}, *next.record);
        });
        current_ = next.partition;
        ++offsets_[next.partition];
    }
    void move_watermark(step<T> const& next) {
        if (next.partition != next.all) return moved(valve_.advance(next.partition, next.to));
        bool grown = false;
        for (std::uint32_t p = 0; p < partitions_; ++p) {
            if (!valve_.is_idle(p)) grown = valve_.advance(p, next.to) || grown;
        }
        moved(grown);
    }
    /// The valve has been told something. +inf is left to end_of_input{}.
    void moved(bool grown) {
        each([&](auto& chain) {
            if (grown && valve_.output() != event_time::max()) chain.on_watermark(valve_.output());
            if (quiet_ != valve_.quiet()) chain.on_idle(valve_.quiet());
        });
        quiet_ = valve_.quiet();
    }
};
}  // namespace detail

/// Runs a pipeline step by step, as a streaming job would: records and watermarks in the order given.
///
/// The pipeline begins with from<event<T>>() and has no assign_time: the script says what the watermark
/// is. Side outputs are bound as in run(). Nothing is flushed at the end of a script unless it says
/// end_of_input{}.
///
/// Time        Watermarks of partitions are combined by watermark_valve. A clock move is on_clock; when the last
///             active partition goes idle, and when one is active again, on_idle.
/// Errors      Throws invalid_argument for a script that cannot be (a watermark that goes back, a record at
///             +-inf, a step after the end).
template <class P, class T, class... Outputs>
auto play_script(P const& pipeline, script<T> const& steps, Outputs&&... outputs) {
    using in = output_of<P>;
    using sink = typename detail::played_for<in, typename in::record>::type;
    sink out;
    detail::player<P, T, sink, Outputs...> run{pipeline, steps.partitions(), out, outputs...};
    out.report = run.make_report();
    for (auto const& each : steps.steps()) {
        typename sink::step_result did{.first_pane = out.panes.size(), .first_removed = out.removed.size()};
        run.play(each);
        auto const books = run.make_report();
        for (std::size_t i = 0; i < reason_count; ++i) {
            auto const why = static_cast<reason>(i);
            did.refused[i] = books.refused(why) - out.report.refused(why);
        }
        did.pane_count = out.panes.size() - did.first_pane;
        did.removed_count = out.removed.size() - did.first_removed;
        did.watermark = each.kind == detail::step<T>::what::end ? event_time::max() : run.watermark();
        out.report = books;
        out.steps.push_back(did);
    }
    return out;
}
template <class P, class... Steps>
auto play(P const& pipeline, Steps... steps) {
    using element = detail::event_value<typename detail::source_element<P>::type>;
    static_assert(element::is_event,
        "driftless: play needs a pipeline that begins with from<event<T>>(): the script gives the times");
    return play_script(pipeline, script<typename element::type>{std::move(steps)...});
}
}  // namespace driftless::inline v0::testing
#endif
