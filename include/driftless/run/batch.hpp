// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_BATCH_HPP
#define DRIFTLESS_RUN_BATCH_HPP

#include <driftless/core/pipeline.hpp>
#include <driftless/core/result.hpp>
#include <driftless/core/services.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/results.hpp>
#include <driftless/run/threads.hpp>

#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Where a batch leaves no state.
struct no_state {};

/// Run over what the inputs hold now, as fast as possible, to the end.
///
/// Time        The watermark is exact: it comes from the block statistics of the log, nothing is refused as
///             late. A pipeline that is `as_declared` makes its declared watermark instead.
/// Threads     The type of `.threads`, deduced; a batch{} without it runs on one thread and compiles no shards. From 2
///             on, user functions, also those before the first aggregate, may be called by several threads at once
///             (thread_count).
/// State       With `.leave_state = "FOLDER"` (run/job.hpp) the run leaves a snapshot of what is open where the inputs
///             end: run(stream{.snapshots = "FOLDER"}, ...) goes on from there, at the exact offset.
template <class Threads = one_thread, class Leave = no_state>
struct batch {
    Threads threads{};                          ///< how many: a number; needs run/thread_pool.hpp
    error_policy on_error{};                    ///< what a throwing user function does to the run
    [[no_unique_address]] Leave leave_state{};  ///< a folder for the state that a stream goes on from
    answers_ref answers{};                      ///< where the answers to enrich are read and written: answers_in(log)
};

#if defined(__clang__) && __clang_major__ < 20
// When a template is instantiated, Clang 19 has forgotten which members the designators in it name: batch{.threads = 2}
// was a batch<one_thread>, and nothing said so. Here the types of what is given decide.
namespace detail {
template <class Given>
inline constexpr bool counts_threads =
    std::is_integral_v<Given> || std::is_same_v<Given, thread_count> || std::is_same_v<Given, one_thread>;
template <class Given>
inline constexpr bool leaves_state = !counts_threads<Given> && !std::is_same_v<Given, error_policy>
    && !std::is_same_v<Given, answers_ref> && !std::is_same_v<Given, no_state>;

template <class... Given>
struct batch_given {
    using threads = one_thread;
    using leave = no_state;
};
template <class First, class... Rest>
struct batch_given<First, Rest...> {
    using rest = batch_given<Rest...>;
    using threads = std::conditional_t<counts_threads<First>, First, typename rest::threads>;
    using leave = std::conditional_t<leaves_state<First>, First, typename rest::leave>;
};
}  // namespace detail
template <class... Given>
batch(Given...)
    -> batch<typename detail::batch_given<Given...>::threads, typename detail::batch_given<Given...>::leave>;
#endif

/// Runs a pipeline as a batch job.
///
/// inputs...   a log (memory_log) or a contiguous range for each from<T>: bound by name with bind(), or in
///             the order in which the pipeline names them
/// sink        to(f) or anything with write(pane) and, for changes, remove(key, window); side outputs
///             (late_to, divert_to) are bound by name
/// returns     without a sink a range of panes, `results`; with one the `report`
/// Errors      Throws driftless::error: a bad parameter, or what a user function threw (on_error). try_run returns
///             it in a result instead.
template <class Threads, pipeline P, class... Args>
    requires(!is_ill_formed<P>)
auto run(batch<Threads> mode, P const& p, Args&&... args) {
    auto const workers = detail::thread_count_of<Threads>{mode.threads}.start();
    results_of<output_of<P>> rows;
    constexpr bool threads = !std::is_same_v<Threads, one_thread>;
    detail::engine<detail::batch_mode<P, threads>, P, Args...> engine{p, &rows, mode.on_error, workers.get(),
        std::forward<Args>(args)...};
    engine.services().answers = mode.answers;
    engine.begin_transaction("job");
    engine.run_to_end([] {});
    engine.commit_transaction();
    if constexpr (detail::last_stage<P, Args...>::has_sink) {
        return engine.make_report();
    } else {
        rows.settle(engine.make_report());
        return rows;
    }
}
/// The sentence has been said at the `|`.
template <class Mode, class... Args>
int run(Mode const&, ill_formed, Args const&...) {
    return 0;
}
/// As run, with the error returned instead of thrown.
template <class Mode, class P, class... Args>
auto try_run(Mode const& mode, P const& p, Args&&... args) {
    return detail::capture([&] { return run(mode, p, std::forward<Args>(args)...); });
}
}  // namespace driftless::inline v0
#endif
