// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_JOURNAL_HPP
#define DRIFTLESS_RUN_JOURNAL_HPP

#include <driftless/core/time.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>

namespace driftless::inline v0 {

/// What the world decided while a job ran, and where: what a replay has to be told to give the same output.
struct journal_entry {
    /// What was decided.
    enum class kind : std::uint8_t {
        idle,    ///< the partition had been at its end for `idle_after`: it leaves the watermark and the merge
        active,  ///< it has records again
        moved,   ///< all were idle: the watermark moved on by `time_ns` (on_quiet)
        clock,   ///< processing time is now `time_ns`: told where a pipeline asks for it
        cut,     ///< a run ends the partition at `offset` (end_of_log): it holds nobody until all have been read so far
        answers, ///< `offset` records went on from the enrich number `input`, counted from the end of the pipeline
    };
    std::uint64_t position = 0;   ///< after so many records of all inputs, in the order in which they are merged
    std::uint64_t offset = 0;     ///< of the next record of the partition
    std::uint32_t input = 0;
    std::uint32_t partition = 0;
    std::uint8_t what = 0;
    std::int64_t time_ns = 0;

    friend bool operator==(journal_entry const&, journal_entry const&) = default;
};

/// Where a job keeps its journal, type erased. Made by journal_in(); without one nothing is written down.
struct journal_ref {
    void* log = nullptr;
    void (*append)(void*, journal_entry const&) = nullptr;
    std::uint64_t (*size)(void const*) = nullptr;
    journal_entry (*read)(void const*, std::uint64_t) = nullptr;
    void (*sync)(void*) = nullptr;
};

/// Keeps the journal of a job in partition 0 of a log of journal_entry: stream{.journal = journal_in(log)}.
///
/// Time        An entry is appended before it takes effect. A job that starts with entries in its journal (those behind
///             its snapshot, if it has one) takes what they say at their positions and decides for itself behind them.
/// Durability  That of the log: after a crash an entry that was lost is decided anew. What stands before a snapshot
///             in stream::snapshots is synced before the snapshot counts.
/// Errors      When a snapshot has read further than the journal goes, or an entry does not fit the inputs (mismatch).
template <class Log>
constexpr journal_ref journal_in(Log& log) noexcept {
    return {&log, [](void* to, journal_entry const& entry) { static_cast<Log*>(to)->append(entry); },
        [](void const* of) { return std::uint64_t{static_cast<Log const*>(of)->end_offset(0)}; },
        [](void const* of, std::uint64_t offset) -> journal_entry {
            return static_cast<Log const*>(of)->read(0, offset)[0];
        },
        [](void* of) {
            if constexpr (requires { static_cast<Log*>(of)->sync(); }) static_cast<Log*>(of)->sync();
        }};
}
}  // namespace driftless::inline v0
BOOST_HANA_ADAPT_STRUCT(driftless::journal_entry, position, offset, input, partition, what, time_ns);
#endif
