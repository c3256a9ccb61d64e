// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_LOG_DOOR_HPP
#define DRIFTLESS_LOG_DETAIL_LOG_DOOR_HPP

#include <driftless/log/detail/segment_list.hpp>

#include <cstdint>
#include <utility>

namespace driftless::inline v0::detail {

/// The way into a file_log for what moves or rewrites its segments.
struct log_door {
    /// Calls f(segments of the writer) while nothing is written to files, nor removed.
    template <class Log, class F>
    static void with_segments(Log& log, std::uint32_t p, F&& f) {
        log.writer(p).with_segments(std::forward<F>(f));
    }
    /// The block that holds an offset, of segments that lie elsewhere; nothing if no record behind it is left there.
    template <class Log>
    static auto find(Log const& log, segment_list& segments, std::uint64_t from) {
        return log.records_.find(segments, from);
    }
    /// Of a tiered log: calls f(something is cold) while nothing is moved, brought back or removed.
    template <class Log, class F>
    static auto while_nothing_moves(Log& log, F&& f) {
        return log.while_nothing_moves(std::forward<F>(f));
    }
    /// Errors      mismatch if the log cannot read these segments.
    template <class Log>
    static void require_readable(Log const& log, segment_list& segments) {
        log.records_.require_readable(segments);
    }
    /// Calls f(record) for the records of a block, of the schema of its segment.
    template <class Log, class F>
    static void for_each_record(Log const& log, segment_header const& header, stored_block const& block, F&& f) {
        log.records_.for_each_record(header, block, std::forward<F>(f));
    }
    template <class Log>
    static event_time now(Log const& log) {
        return log.options_.clock();
    }
    template <class Log>
    static auto clock(Log const& log) {
        return log.options_.clock;
    }
};
}  // namespace driftless::inline v0::detail
#endif
