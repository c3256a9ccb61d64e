// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_TRANSACTIONAL_SINK_HPP
#define DRIFTLESS_CORE_TRANSACTIONAL_SINK_HPP

#include <concepts>
#include <cstdint>
#include <string>

namespace driftless::inline v0 {

/// How often a row reaches a sink when its job fails and starts again.
enum class delivery : std::uint8_t {
    at_least_once,   ///< what came behind the last snapshot comes again
    idempotent,      ///< it comes again and changes nothing: rows are replaced by key, or known by their number
    exactly_once,    ///< what came behind the last snapshot was never seen: the sink takes part in snapshots
};

/// Where a job starts, for its sinks.
struct sink_position {
    std::string job;             ///< the name of the job: several may share a target
    std::uint64_t snapshot = 0;  ///< the last snapshot that was completed; 0: the job starts at the beginning
    std::uint64_t taken_by = 0;  ///< the instance of the job that took it
    std::uint64_t instance = 0;  ///< this one's number, above all before it
};

/// A sink that takes part in the snapshots of its job, in two phases, so that it shows what a run without failures
/// would have written: nothing lost, nothing twice.
///
/// recover(at)   once, before the first write: of the transactions that were prepared for at.job, those up to
///               at.snapshot by at.taken_by are committed; all others, and what was written and never prepared, are
///               given up
/// prepare(n)    what was written since the last prepare is transaction n: durable when it returns, and seen by nobody.
///               n grows, not always by one; may be called with nothing written
/// commit(n)     the snapshot n is complete: all that was prepared up to n is shown, at once where the target can. For
///               an n that was committed before, nothing happens
/// committed()   the greatest n committed for the job, 0 before the first; known after recover
///
/// Delivery    exactly_once: the manifest of the snapshot, written between the two phases, decides for all sinks of a
///             job.
/// Errors      recover throws mismatch where committed() > at.snapshot: the snapshots are older than the sink. A sink
///             that throws has failed, and the job with it; the next start recovers.
/// Threads     The thread that runs the job.
/// Source      J. Gray, "Notes on Data Base Operating Systems" (1978), two-phase commit; Flink's two-phase sinks.
template <class S>
concept transactional_sink = requires(S& sink, std::uint64_t n, sink_position const& at) {
    sink.recover(at);
    sink.prepare(n);
    sink.commit(n);
    { sink.committed() } -> std::convertible_to<std::uint64_t>;
};

/// What a sink promises, by its type: what its member `delivers` says; without one transactional sinks exactly once,
/// and others nothing more than at least once.
template <class S>
inline constexpr delivery delivery_of = delivery::at_least_once;
template <class S>
    requires(transactional_sink<S> && !requires { S::delivers; })
inline constexpr delivery delivery_of<S> = delivery::exactly_once;
template <class S>
    requires requires { S::delivers; }
inline constexpr delivery delivery_of<S> = S::delivers;
}  // namespace driftless::inline v0
#endif
