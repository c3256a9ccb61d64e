// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_QUIET_REPLAY_HPP
#define DRIFTLESS_RUN_DETAIL_QUIET_REPLAY_HPP

#include <driftless/core/time.hpp>
#include <driftless/run/answers.hpp>
#include <driftless/run/detail/decisions.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/run/stream.hpp>

#include <cstddef>
#include <limits>

namespace driftless::inline v0::detail {
/// Reads what the inputs hold now as a stream that was there had it: what the clock and idle inputs had to say comes
/// from the journal of `mode`, where there is one.
template <class P, class Engine>
void replay_quietly(Engine& run, stream mode) {
    if (mode.clock == nullptr) mode.clock = [] { return event_time::min(); };
    decisions<Engine, told_the_clock<P>> watch{run, mode};
    watch.begin_cut();
    while (watch.poll(std::numeric_limits<std::size_t>::max(), true, event_time::min()) != 0) {}
    wait_for_answers(run.services(), [&] { watch.poll(0, true, event_time::min()); });
}
}  // namespace driftless::inline v0::detail
#endif
