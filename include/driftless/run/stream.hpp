// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_STREAM_HPP
#define DRIFTLESS_RUN_STREAM_HPP

#include <driftless/core/services.hpp>
#include <driftless/run/journal.hpp>
#include <driftless/run/rate_limit.hpp>
#include <driftless/run/snapshot_options.hpp>
#include <driftless/run/threads.hpp>

#include <cstdint>
#include <string_view>

namespace driftless::inline v0 {

/// When a stream run comes back by itself.
enum class until : std::uint8_t {
    stopped,     ///< when stop() is called: it follows the inputs for ever
    end_of_log,  ///< at the present end of the inputs, with everything kept open: a pause
    drained,     ///< at the present end of the inputs, which is taken as the end for good
};
/// Pauses at the end of the inputs as it is when the run starts: what is open stays open, no watermark
/// +inf; a later run goes on, and both together equal one run.
inline constexpr until end_of_log = until::end_of_log;
/// Ends at the end of the inputs as it is when the run starts: the watermark +inf fires what is open.
inline constexpr until drained = until::drained;

/// What happens while every input is idle (`idle_after`): stream{.when_quiet = on_quiet::close_after(5_min)}.
struct quiet_policy {
    enum class action : std::uint8_t {
        hold,
        advance,
        close
    };
    action what = action::hold;
    duration after{};
    duration by{};
};
namespace on_quiet {
/// The watermark stays where it is (default).
inline constexpr quiet_policy hold{};
/// The watermark moves on as the clock does, in steps of `idle_after` at least.
inline constexpr quiet_policy advance_with_clock{quiet_policy::action::advance, {}, {}};
/// When all have been idle for so long, the watermark moves on by as much, or by what is said, once: open windows of
/// that size are closed.
constexpr quiet_policy close_after(duration quiet, duration by) noexcept {
    return {quiet_policy::action::close, quiet, by};
}
constexpr quiet_policy close_after(duration quiet) noexcept { return close_after(quiet, quiet); }
}  // namespace on_quiet

/// Run over the inputs while they grow.
///
/// Time        The watermark is the declared one (assign_time), record by record: the same whatever the
///             poll size, pace or chunking.
/// Threads     From 2 on, user functions, also those before the first aggregate, may be called by several threads at
///             once (thread_count).
struct stream {
    thread_count threads{};          ///< how many; needs run/thread_pool.hpp
    error_policy on_error{};         ///< what a throwing user function does to the run
    std::string_view snapshots{};    ///< a folder for snapshots: a start takes the newest up; empty: none are kept
    driftless::until until = driftless::until::stopped;
    event_time (*clock)() = nullptr; ///< processing time, where something asks it; without one, the system's clock
    /// A partition that has been read to its end, and stayed there for so long by the clock, is idle: it holds neither
    /// the watermark nor the merge until it has records again. 0: none ever is.
    duration idle_after{};
    quiet_policy when_quiet{};       ///< what happens while all of them are idle
    rate_limit limits{};             ///< how fast it reads, all inputs together, by `clock`
    rate_limit partition_limits{};   ///< how fast it reads each partition; one that waits holds the merge
    journal_ref journal{};           ///< where decisions are written: journal_in(log); else beside the snapshots
    driftless::snapshot_options snapshot_options{};  ///< how often, how many, under which name
    answers_ref answers{};  ///< where answers to enrich are written: answers_in(log); else beside the snapshots
};
}  // namespace driftless::inline v0
#endif
