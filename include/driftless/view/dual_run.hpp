// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DUAL_RUN_HPP
#define DRIFTLESS_VIEW_DUAL_RUN_HPP

#include <driftless/codec/key_bytes.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/results.hpp>
#include <driftless/run/stream.hpp>
#include <driftless/view/detail/log_from.hpp>
#include <driftless/view/drift_watch.hpp>
#include <driftless/view/row_set.hpp>
#include <driftless/view/view.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How a dual run goes.
struct dual_run_options {
    drift_watch_options watch{.name = "dual_run"};  ///< how often both are compared, what is tolerated
    stream mode{};                                  ///< of the stream: clock, idle inputs, snapshots, threads
};

/// A pipeline as a stream that follows its logs, and as a batch over what the stream has read: whether they agree.
/// Made by dual_run().
///
/// Shape       Compared are the rows of windows that the watermark of the stream has passed, and rows of tables and
///             what is made of them: what it has said of them is to be what a batch over the very same records says.
///             On the left stands the batch, on the right the stream.
/// Time        poll() reads on, and compares when that is due by the clock of options.watch (without one, that of the
///             stream).
/// Laws        Zero for every pipeline of which the log alone decides the answer (is_replayable<P>), as long as nothing
///             was refused as late: refused() says how much was; the batch has it.
/// State       The rows of the stream; while it compares, those of both.
/// Errors      Those of the stream come out of poll(); those of the batch are a `failure` of the comparison.
/// Threads     As drift_watch: one polls.
/// Complexity  A comparison is a batch over all that the stream has read: choose `every` accordingly.
template <class P, class... Logs>
class dual_runner {
    using row = typename results_of<output_of<P>>::value_type;
    using key_type = decltype(row::key);
    using value_type = decltype(row::value);
    using rows = row_set<key_type, value_type>;
    using view_type = view<key_type, value_type>;
    using job_type = job<stream, P, Logs const&..., view_type&>;

    P pipeline_;
    std::tuple<Logs const*...> logs_;
    error_policy on_error_;
    view_type shown_;
    job_type job_;
    drift_watch<key_type, value_type> watch_;

public:
    dual_runner(dual_run_options options, P const& pipeline, Logs const&... logs)
        : pipeline_(pipeline),
          logs_(&logs...),
          on_error_(options.mode.on_error),
          job_(options.mode, pipeline_, logs..., shown_),
          watch_([this] { return of_batch(std::index_sequence_for<Logs...>{}); }, [this] { return of_stream(); },
              by_clock(std::move(options.watch), options.mode)) {}

    /// Reads on, at most `max` records; compares if that is due. Returns how many were read.
    std::size_t poll(std::size_t max = 16384) {
        auto const read = job_.poll(max);
        watch_.poll();
        return read;
    }
    /// Compares now.
    void compare() { watch_.compare_now(); }

    /// The numbers, the history, the callbacks: see drift_watch. It compares what is there when it is polled.
    [[nodiscard]] drift_watch<key_type, value_type>& drift() noexcept { return watch_; }
    [[nodiscard]] drift_watch<key_type, value_type> const& drift() const noexcept { return watch_; }
    /// What the stream has refused as late: what may make it say something else than the batch.
    [[nodiscard]] std::uint64_t refused() const { return job_.metrics().refused(reason::late); }
    /// The rows of the stream, to be read by any thread.
    [[nodiscard]] view_type const& rows_of_stream() const noexcept { return shown_; }

private:
    static drift_watch_options by_clock(drift_watch_options watch, stream const& mode) {
        if (watch.clock == nullptr) watch.clock = mode.clock;
        return watch;
    }
    /// Rows of tables, and what is made of them, are told as they change; others when the watermark is there.
    static constexpr bool tells_changes = changelog<output_of<P>> && !output_of<P>::window::assigned;
    [[nodiscard]] bool is_said(time_window const& window) const {
        return tells_changes || window.end <= shown_.at().watermark;
    }
    rows of_stream() const {
        rows out;
        shown_.snapshot().for_each([&](auto const& each) {
            if (is_said(each.window)) out.add(each.key, each.window, each.value);
        });
        return std::move(out).finish();
    }
    template <std::size_t... I>
    rows of_batch(std::index_sequence<I...>) {
        std::vector<std::uint64_t> ends[sizeof...(Logs)];
        job_.each_position([&](std::string_view, auto const& log, std::uint32_t p, std::uint64_t next) {
            auto const take = [&](auto const* one, std::vector<std::uint64_t>& end) {
                if (static_cast<void const*>(one) != static_cast<void const*>(&log) || end.size() != p) return;
                end.push_back(next);
            };
            (take(std::get<I>(logs_), ends[I]), ...);
        });
        rows out;
        for (auto const& each : driftless::run(batch{.on_error = on_error_}, pipeline_,
                 detail::log_from<Logs>{*std::get<I>(logs_), {}, ends[I]}...)) {
            if (is_said(each.window)) out.add(each.key, each.window, each.value);
        }
        return std::move(out).finish();
    }
};

/// Runs a pipeline as a stream over its logs, and compares it with the batch over what it has read, again and again.
///
///     auto both = dl::dual_run({.watch = {.every = 1_h}}, revenue, orders);
///     both.drift().on_result([](dl::drift_point const& at, dl::reconciliation const& found) { ... });
///     while (running) both.poll();
///
/// logs        in the order in which the pipeline names its inputs; they outlive the run
/// Errors      Compile time: a pipeline without rows. Those of a job.
template <pipeline P, readable_log... Logs>
[[nodiscard]] auto dual_run(dual_run_options options, P const& pipeline, Logs const&... logs) {
    if constexpr (is_ill_formed<P>) {
        return 0;  // the sentence has been said at the |
    } else {
        using out = output_of<P>;
        constexpr bool has_rows = !std::is_same_v<typename out::key, unkeyed> || out::window::assigned;
        static_assert(has_rows,
            "driftless: dual_run compares rows by key and window: end the pipeline in an aggregate, a table or a join "
            "of tables");
        if constexpr (has_rows) return dual_runner<P, Logs...>{std::move(options), pipeline, logs...};
        else return 0;
    }
}
template <pipeline P, readable_log... Logs>
[[nodiscard]] auto dual_run(P const& pipeline, Logs const&... logs) {
    return dual_run(dual_run_options{}, pipeline, logs...);
}
}  // namespace driftless::inline v0
#endif
