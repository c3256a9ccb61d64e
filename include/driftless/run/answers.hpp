// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_ANSWERS_HPP
#define DRIFTLESS_RUN_ANSWERS_HPP

#include <driftless/core/answer_source.hpp>
#include <driftless/core/services.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>

BOOST_HANA_ADAPT_STRUCT(
    driftless::answer_entry, operator_name, nth, record_hash, offset, input, partition, failed, bytes);

namespace driftless::inline v0 {

/// Keeps the answers to enrich in partition 0 of a log of answer_entry: stream{.answers = answers_in(log)}, or batch.
///
/// Time        An answer is appended before its record is handed on, in the order of the records. A run that starts
///             with answers in its log (those behind its snapshot, if it has one) takes them and makes no call for
///             them. So does a batch over what a stream has read, and the other way round. Of a failure that ended
///             the job nothing is written down.
/// Durability  That of the log: after a crash an answer that was lost is asked for anew. What stands before a snapshot
///             is synced before the snapshot counts.
/// Errors      When a snapshot has read further than the log goes, or an answer is of another record (mismatch).
template <class Log>
constexpr answers_ref answers_in(Log& log) noexcept {
    return {&log, [](void* to, answer_entry const& entry) { static_cast<Log*>(to)->append(entry); },
        [](void const* of) { return std::uint64_t{static_cast<Log const*>(of)->end_offset(0)}; },
        [](void const* of, std::uint64_t offset) -> answer_entry {
            auto const block = static_cast<Log const*>(of)->read(0, offset);
            return block[0];
        },
        [](void* of) {
            if constexpr (requires { static_cast<Log*>(of)->sync(); }) static_cast<Log*>(of)->sync();
        }};
}

namespace detail {
/// Until nothing is waited for any more, or nothing of what is there goes on: `poll` hands on what can.
template <class Poll>
void wait_for_answers(run_services& services, Poll&& poll) {
    while (auto* const asking = services.waiting()) {
        auto const before = services.answers_handed_on;
        asking->wait_for_all();
        poll();
        if (services.answers_handed_on == before) return;
    }
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
