// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_READ_RANGE_HPP
#define DRIFTLESS_LOG_READ_RANGE_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/block_offsets.hpp>
#include <driftless/log/partition_offset.hpp>
#include <driftless/log/readable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace driftless::inline v0 {

/// The offsets [from, to) of a partition; `to` may lie behind its end.
struct offset_range {
    std::uint64_t from = 0;
    std::uint64_t to = std::numeric_limits<std::uint64_t>::max();
};

/// What reading a range took.
struct range_report {
    std::uint64_t records = 0;         ///< handed to the function
    std::uint64_t blocks_read = 0;     ///< of which records were looked at
    std::uint64_t blocks_skipped = 0;  ///< of which only the bounds were
};

/// What a range is read with: f(record), or f(partition_offset, record). The record is borrowed for the call.
template <class F, class T>
concept range_function =
    std::is_invocable_v<F&, T const&> || std::is_invocable_v<F&, partition_offset const&, T const&>;

namespace detail {
inline constexpr std::size_t no_field = ~std::size_t{0};

/// The index of a member as blocks count them; no_field if they cannot know it.
template <class T>
std::size_t field_of(event_time T::* time) {
    std::size_t found = no_field;
    if constexpr (is_event<T>) {
        T const sample{};
        if (&(sample.*time) == &sample.at) found = 0;
    } else if constexpr (reflected<T>) {
        T const sample{};
        for_each_member_index<T>([&]<std::size_t I>() {
            void const* const there = &member<I>(sample);
            if (there == static_cast<void const*>(&(sample.*time))) found = I;
        });
    }
    return found;
}

template <class F, class T>
DRIFTLESS_INLINE void call_with(F& f, partition_offset const& at, T const& record) {
    if constexpr (std::is_invocable_v<F&, partition_offset const&, T const&>) f(at, record);
    else f(record);
}

/// Hands records that fit out, of the blocks that may have some.
template <class Log, class F, class MayHold, class Fits>
void read_part(Log const& log, std::uint32_t p, offset_range range, F& f, range_report& report,
    MayHold const& may_hold, Fits const& fits) {
    using record = typename Log::value_type;
    range.to = std::min<std::uint64_t>(range.to, log.end_offset(p));
    for (auto at = range.from; at < range.to;) {
        auto const block = log.read(p, at);
        auto const n = records_below(block, at, range.to);
        if (may_hold(block)) {
            ++report.blocks_read;
            block.each(0, n, [&](std::size_t i, record const& each) {
                if (!fits(each)) return;
                ++report.records;
                call_with(f, {p, offset_in(block, at, i)}, each);
            });
        } else {
            ++report.blocks_skipped;
        }
        at = next_behind(block, at);
    }
}
template <class Log>
void require_partition(Log const& log, std::uint32_t p) {
    if (p < log.partitions()) return;
    throw error{error_code::invalid_argument,
        "there is no partition " + std::to_string(p) + ", the log has " + std::to_string(log.partitions())
            + ", numbered from 0"};
}
}  // namespace detail

/// Calls f with the records of an offset range of a partition, in order.
///
/// Shape       [from, to) as far as it lies before the end of the partition at the time of the call.
/// Errors      driftless::error: not_there (`from` lies before the begin of the partition), invalid_argument (no such
///             partition), those of the log, and what f throws; f has then had the records before.
/// Threads     As the log; it may be appended to meanwhile.
/// Complexity  O(records in the range), and the blocks that hold them.
template <readable_log Log, range_function<typename Log::value_type> F>
range_report read_offsets(Log const& log, std::uint32_t p, offset_range const& range, F&& f) {
    detail::require_partition(log, p);
    std::uint64_t const begin = log.begin_offset(p);
    if (range.from < begin && range.from < range.to) {
        throw error{error_code::not_there,
            "partition " + std::to_string(p) + " begins at " + std::to_string(begin)
                + ", what was before has been removed: read from begin_offset() on",
            {}, range.from};
    }
    range_report out;
    detail::read_part(
        log, p, range, f, out, [](auto const&) { return true; }, [](auto const&) { return true; });
    return out;
}

/// Calls f with the records of a partition, or of all, whose event time lies in [times.start, times.end).
///
///     read_times(log, &sale::at, {from, to}, [&](sale const& one) { ... });
///
/// Shape       All of them and no other, whatever their disorder: partition by partition, each in offset order, as far
///             as it went at the time of the call.
/// Time        By the member, an event_time of the record or `at` of event<T>; the start belongs to the range, the end
///             does not.
/// Errors      As read_offsets. A block whose bounds lie outside is not looked at: damage there is not noticed.
/// Threads     As the log; it may be appended to meanwhile.
/// Complexity  O(blocks), and O(records) of those whose bounds meet the range; of all where the log has no bounds for
///             the member (a struct that is not adapted).
template <readable_log Log, range_function<typename Log::value_type> F>
range_report read_times(
    Log const& log, std::uint32_t p, event_time Log::value_type::* time, time_window const& times, F&& f) {
    detail::require_partition(log, p);
    auto const field = detail::field_of(time);
    auto const may_hold = [&](auto const& block) {
        if (field == detail::no_field) return true;
        time_bounds const bounds = block.bounds(field);
        return !bounds.known || (times.start <= bounds.greatest && bounds.least < times.end);
    };
    range_report out;
    if (times.start < times.end) {
        detail::read_part(log, p, {log.begin_offset(p)}, f, out, may_hold,
            [&](typename Log::value_type const& each) { return times.contains(each.*time); });
    }
    return out;
}
template <readable_log Log, range_function<typename Log::value_type> F>
range_report read_times(Log const& log, event_time Log::value_type::* time, time_window const& times, F&& f) {
    range_report out;
    for (std::uint32_t p = 0; p < log.partitions(); ++p) {
        auto const part = read_times(log, p, time, times, f);
        out.records += part.records;
        out.blocks_read += part.blocks_read;
        out.blocks_skipped += part.blocks_skipped;
    }
    return out;
}
}  // namespace driftless::inline v0
#endif
