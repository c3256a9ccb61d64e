// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_SCRIPT_HPP
#define DRIFTLESS_TESTING_SCRIPT_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/snapshot_visitors.hpp>
#include <driftless/run/report.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing {

/// The event time that lies `since_epoch` after the epoch: at(10_s).
[[nodiscard]] constexpr event_time at(duration since_epoch) noexcept { return event_time{since_epoch.ns()}; }

/// A step of a script: the watermark is now `to`; it is exclusive, and a script never takes it back.
struct watermark {
    event_time to;
    explicit constexpr watermark(event_time t) : to(t) {}
};
/// A step: the input ends, the watermark goes to +inf.
struct end_of_input {};
/// A step: all state is saved, the stages are thrown away, new ones take the state up.
struct snapshot_and_restore {};

namespace detail {
template <class T>
struct step {
    enum class what : std::uint8_t {
        record,
        watermark,
        restore,
        end
    };
    what kind;
    std::optional<event<T>> record{};
    event_time to{};

    step(event<T> r) : kind(what::record), record(std::move(r)) {  // NOLINT(google-explicit-constructor)
        if (record->at.is_infinite()) refuse("a record has the event time -inf or +inf");
    }
    step(testing::watermark w) : kind(what::watermark), to(w.to) {  // NOLINT(google-explicit-constructor)
        if (to == event_time::max()) refuse("a watermark is +inf: end the input with end_of_input{}");
    }
    step(snapshot_and_restore) : kind(what::restore) {}  // NOLINT(google-explicit-constructor)
    step(end_of_input) : kind(what::end) {}              // NOLINT(google-explicit-constructor)

    [[noreturn]] static void refuse(char const* why) {
        throw error{error_code::invalid_argument, std::string{"this script cannot be: "} + why};
    }
};
}  // namespace detail

/// What a script is made of, checked when it is built: watermarks do not go back, nothing follows the end.
template <class T>
class script {
    std::vector<detail::step<T>> steps_;

public:
    script() = default;
    template <class... Steps>
        requires(sizeof...(Steps) > 0)
    explicit script(Steps... steps) {
        (add(detail::step<T>(std::move(steps))), ...);
    }
    void add(detail::step<T> next) {
        using what = typename detail::step<T>::what;
        if (!steps_.empty() && steps_.back().kind == what::end) next.refuse("something follows end_of_input");
        if (next.kind == what::watermark) {
            for (auto const& each : steps_) {
                if (each.kind == what::watermark && next.to < each.to) next.refuse("a watermark goes back");
            }
        }
        steps_.push_back(std::move(next));
    }
    [[nodiscard]] std::vector<detail::step<T>> const& steps() const noexcept { return steps_; }
};

/// What came out of a script.
template <class Key, class Value>
class played {
public:
    using pane_type = pane<owned_t<Key>, owned_t<Value>>;

    std::vector<owned_t<Value>> records;  ///< the values of everything that was written, in order
    std::vector<pane_type> panes;         ///< the same as panes: every pane, also those corrected later
    std::vector<std::pair<owned_t<Key>, time_window>> removed;  ///< rows taken back, in order
    driftless::report report;

    [[nodiscard]] std::uint64_t refused(reason why) const noexcept { return report.refused(why); }

    void write(pane<Key, Value> const& row) {
        panes.push_back({to_owned(row.key), row.window, to_owned(row.value), row.info});
        records.push_back(to_owned(row.value));
    }
    void remove(Key const& key, time_window window) { removed.emplace_back(to_owned(key), window); }
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

/// Runs a pipeline step by step, as a streaming job would: records and watermarks in the order given.
///
/// The pipeline begins with from<event<T>>() and has no assign_time: the script says what the watermark
/// is. Side outputs are bound as in run(). Nothing is flushed at the end of a script unless it says
/// end_of_input{}.
///
/// Errors      Throws invalid_argument for a script that cannot be (a watermark that goes back, a record at
///             +-inf, a step after the end).
template <class P, class T, class... Outputs>
auto play_script(P const& pipeline, script<T> const& steps, Outputs&&... outputs) {
    using in = output_of<P>;
    using sink = typename detail::played_for<in, typename in::record>::type;
    using what = typename detail::step<T>::what;
    using engine = driftless::detail::engine<streaming, P, std::vector<event<T>>&, sink&, Outputs&...>;
    sink out;
    std::vector<event<T>> nothing;
    std::optional<engine> run;
    run.emplace(pipeline, nullptr, error_policy{}, nullptr, nothing, out, outputs...);
    std::uint64_t offset = 0;
    for (auto const& each : steps.steps()) {
        if (each.kind == what::restore) {
            std::string bytes;
            run->visit_state(driftless::detail::save_visitor{bytes});
            run.emplace(pipeline, nullptr, error_policy{}, nullptr, nothing, out, outputs...);
            byte_reader saved{bytes};
            run->visit_state(driftless::detail::load_visitor{saved});
            saved.expect_end();
            continue;
        }
        if (each.kind == what::end) {
            run->finish();
            continue;
        }
        run->each_chain([&](auto& chain) {
            if (each.kind == what::watermark) {
                chain.on_watermark(each.to);
            } else {
                driftless::detail::push(chain, context<>{.from = {offset++, 0, 0}}, *each.record);
            }
            chain.on_chunk();
        });
    }
    out.report = run->make_report();
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
