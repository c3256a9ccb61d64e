// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_STREAM_HPP
#define DRIFTLESS_RUN_STREAM_HPP

#include <driftless/core/services.hpp>
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

/// Run over the inputs while they grow.
///
/// Time        The watermark is the declared one (assign_time), record by record: the same whatever the
///             poll size, pace or chunking.
struct stream {
    thread_count threads{};          ///< shards of keyed state; needs run/thread_pool.hpp from 2 on
    error_policy on_error{};         ///< what a throwing user function does to the run
    std::string_view snapshots{};    ///< a folder for the snapshot that a pause leaves and a start takes up
    driftless::until until = driftless::until::stopped;
    event_time (*clock)() = nullptr; ///< processing time, for triggers that ask it; without one, the system's clock
};
}  // namespace driftless::inline v0
#endif
