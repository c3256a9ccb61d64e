// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_LOG_TOOL_PRINT_RECORDS_HPP
#define EXAMPLES_LOG_TOOL_PRINT_RECORDS_HPP

#include <driftless/log/untyped_log.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace log_tool {
/// Prints the records [from, to) of a partition, a line of JSON each, at most `limit`; returns how many.
std::uint64_t print_records(driftless::untyped_log& log, std::uint32_t partition, std::uint64_t from, std::uint64_t to,
    std::uint64_t limit);

/// The partitions that an option names: one, or all.
struct partition_range {
    std::uint32_t first;
    std::uint32_t end;
};
/// Errors      usage_error if the log has no such partition.
partition_range partitions_of(driftless::untyped_log const& log, std::optional<std::uint64_t> asked);
}  // namespace log_tool
#endif
