// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_LAMBDA_OPTIONS_HPP
#define DRIFTLESS_VIEW_LAMBDA_OPTIONS_HPP

#include <driftless/core/services.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/run/rate_limit.hpp>
#include <driftless/run/threads.hpp>
#include <driftless/view/lambda_answer.hpp>
#include <driftless/view/verdict.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/view_options.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// What readers are given when the speed layer has failed, until a batch brings a new one.
enum class when_speed_fails : std::uint8_t {
    serve_stale,  ///< what it had said last, marked stale
    batch_only,   ///< the batch layer as of T
};

/// How a lambda_coordinator works.
struct lambda_options {
    duration every{};           ///< a batch begins so long after T was published, by the clock; 0: never by time
    std::uint64_t records = 0;  ///< and when so many records have come since T; 0: never by number
    duration retry_after{60'000'000'000};  ///< so long after one that failed it is tried again
    std::size_t chunk = 65536;  ///< records that the batch reads at most in one poll()
    thread_count threads{};     ///< of either layer; needs run/thread_pool.hpp from 2 on
    error_policy on_error{};    ///< what a throwing user function does, in either layer
    lambda_mode mode = lambda_mode::merged;  ///< what readers are given first; batch_only: the speed layer does not run
    when_speed_fails speed_failure = when_speed_fails::serve_stale;
    freshness fresh{};          ///< of the speed layer: when merged answers are stale, or an error
    /// Rows of the speed layer are dropped so long behind its watermark, by the end of their window; duration::max():
    /// only when a T covers them. An answer that lacks them says so: expired().
    duration keep_speed = duration::max();
    std::size_t keep = 0;       ///< so many earlier T stay in the folder
    std::size_t samples = 5;    ///< rows that a disagreement shows
    std::string logic_version{};  ///< of the functions in the pipeline, which nobody can look into; else the build id
    std::string git_hash{};     ///< of the program, for its builds
    std::string name = "lambda";      ///< in errors
    file_system* files = nullptr;     ///< where the folder is; null: on the disk
    event_time (*clock)() = nullptr;  ///< null: the system's
};

/// What a lambda_coordinator is doing.
enum class lambda_phase : std::uint8_t {
    serving,   ///< no batch runs
    batch,     ///< a batch reads its records, up to the next T
    catch_up,  ///< it has: the speed layer that starts from there reads what the present one has read
};
constexpr std::string_view to_string(lambda_phase of) noexcept {
    constexpr std::string_view names[] = {"serving", "batch", "catch up"};
    return names[static_cast<std::size_t>(of)];
}

/// How a lambda_coordinator does: a copy, as of the last poll().
struct lambda_report {
    lambda_phase phase = lambda_phase::serving;
    batch_contract contract;            ///< T; number 0: none yet
    std::uint64_t speed_records = 0;    ///< read by the speed layer since T
    std::uint64_t lag = 0;              ///< records in the logs that it has not read
    std::uint64_t batches = 0;          ///< that were published, by this object
    std::uint64_t batch_failures = 0;
    std::string batch_failure{};        ///< the last one; empty if the last batch was published
    std::uint64_t speed_failures = 0;
    std::string speed_failure{};        ///< of the present speed layer; empty: it runs
    std::uint64_t corrections = 0;      ///< rows that the last T changed for readers
    /// The last T: rows that the speed layer (left) and the batch (right) both had, over the very same records. Nothing
    /// until there was such an overlap. drift() is the share that disagreed; samples shows some.
    std::optional<reconciliation> overlap;
    std::uint64_t overlap_rows = 0;     ///< compared in all
    std::uint64_t overlap_disagreeing = 0;  ///< and found different
};
}  // namespace driftless::inline v0
#endif
