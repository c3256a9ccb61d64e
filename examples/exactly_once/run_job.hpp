// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_EXACTLY_ONCE_RUN_JOB_HPP
#define EXAMPLES_EXACTLY_ONCE_RUN_JOB_HPP

#include "feeder.hpp"
#include "payments.hpp"

#include "../support/watch.hpp"

#include <driftless/driftless.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <thread>

namespace payments {
inline constexpr char const* stopped = "exactly_once: stopped, with a snapshot: start it again to go on\n";

/// Follows the log while the feeder fills it, and ends with its end; false if it was interrupted on the way. Both sinks
/// take part in each snapshot, so that they show the same payments.
template <class Totals, class Late>
bool run_job(payment_log& log, std::string const& snapshots, feeder& feed, std::atomic<bool>& stop, Totals& totals,
    Late& late) {
    dl::job job{dl::stream{.snapshots = snapshots,
                    .snapshot_options = {.every = 200_ms, .job = "payments", .logic_version = "1"}},
        totals_per_minute, log, dl::bind("late"_name, late), totals};
    for (auto const& each : job.metrics().warnings) std::cerr << "exactly_once: " << each << '\n';

    support::watch status{watched};
    status.follow(job);
    std::exception_ptr failed;
    {
        std::jthread const feeding{[&] {
            try {
                feed.run();
            } catch (...) {
                failed = std::current_exception();
            }
            feed.done = true;
            job.stop();
        }};
        std::jthread const watching{[&] {
            while (!interrupted && !feed.done && !stop) std::this_thread::sleep_for(std::chrono::milliseconds{10});
            if (interrupted) job.stop();
        }};
        try {
            job.run();  // leaves a snapshot
        } catch (...) {
            stop = true;
            throw;
        }
        for (int tries = 0; interrupted && !feed.done; ++tries) {
            // It waits for input that may never come. Nothing is lost: all of it is in the snapshot and the log.
            if (tries == 50) {
                status.stop();
                std::fputs(stopped, stderr);
                std::_Exit(3);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }
    if (failed) std::rethrow_exception(failed);
    if (interrupted) return false;
    job.drain();
    status.stop();
    return true;
}
}  // namespace payments
#endif
