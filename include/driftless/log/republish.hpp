// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_REPUBLISH_HPP
#define DRIFTLESS_LOG_REPUBLISH_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/log/detail/block_offsets.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/log/readable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace driftless::inline v0 {

/// What republish() took.
struct republished {
    std::uint64_t added = 0;    ///< records that were new to the hot log
    std::uint64_t skipped = 0;  ///< that it had from an earlier call
};

namespace detail {
/// The number under which the records of a log are sent on.
inline std::uint64_t republisher_of(log_id id) {
    std::uint64_t const parts[] = {id.high, id.low};
    return std::max<std::uint64_t>(xxh3_64(parts, sizeof parts), 1);
}
}  // namespace detail

/// Appends a range of offsets of one log to another one, each record once, however often it is called: after an error,
/// after a crash, with a range that was sent in part.
///
/// Shape       The records of [from, to) of partition p, in order, to partition p of the hot log, behind what it holds;
///             offsets are the hot log's. To have a cold range at its own offsets again, see tiered_log::bring_back.
/// State       The hot log knows how far the cold one was sent, as it knows any producer (append_once), for its
///             producer_age. Ranges of a partition are sent in order: each may overlap, repeat or go on from the last.
/// Errors      invalid_argument if offsets between what was sent and the range are left out; not_there if the range
///             begins before the cold log; unsupported if offsets in it are missing, as after compact_by_key; those of
///             both logs.
/// Threads     As append_once, one call at a time.
/// Complexity  O(records in the range that are new).
template <readable_log Cold, class Hot>
republished republish(Cold const& cold, Hot& hot, offset_range range, std::uint32_t p = 0) {
    detail::require_partition(cold, p);
    detail::require_partition(hot, p);
    auto const producer = detail::republisher_of(cold.id());
    republished out;
    range.to = std::min<std::uint64_t>(range.to, cold.end_offset(p));
    if (std::optional<std::uint64_t> const sent = hot.next_sequence(producer, p)) {
        if (range.from > *sent) {
            throw error{error_code::invalid_argument,
                "the log was sent on up to offset " + std::to_string(*sent) + ", and the range begins with "
                    + std::to_string(range.from) + ": begin it no later than that",
                hot.path(), *sent};
        }
        if (*sent >= range.to) {
            out.skipped = range.to > range.from ? range.to - range.from : 0;
            return out;
        }
        out.skipped = *sent - range.from;
        range.from = *sent;
    }
    if (range.from < cold.begin_offset(p)) {
        throw error{error_code::not_there, "the range begins before the log that is to be sent on", cold.path(),
            range.from};
    }
    std::vector<typename Hot::value_type> batch;
    for (auto at = range.from; at < range.to;) {
        auto const block = cold.read(p, at);
        auto const n = detail::records_below(block, at, range.to);
        if (n == 0 || detail::offset_in(block, at, 0) != at || detail::offset_in(block, at, n - 1) != at + n - 1) {
            throw error{error_code::unsupported,
                "offsets in the range have no records, as after compact_by_key: such a range cannot be sent on once "
                "and no more",
                cold.path(), at};
        }
        batch.clear();  // text in it points into the block
        block.each(0, n, [&](std::size_t, typename Cold::value_type const& each) { batch.push_back(each); });
        out.added += hot.append_once(producer, at, batch, p).added;
        at += n;
    }
    return out;
}
}  // namespace driftless::inline v0
#endif
