// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTS_IO_SMALL_LOG_HPP
#define DRIFTLESS_TESTS_IO_SMALL_LOG_HPP

#include <driftless/log/file_log_options.hpp>
#include <driftless/testing/memory_files.hpp>

#include <cstdint>

namespace test {
/// A log for sinks, in memory and the same bytes each time: nothing is durable but what a transaction makes so.
inline driftless::file_log_options small_log(driftless::testing::memory_files& files, std::uint32_t partitions = 1) {
    driftless::file_log_options out;
    out.partitions = partitions;
    out.background = false;
    out.durable = driftless::on_close;
    out.block_bytes = 1024;
    out.files = &files;
    out.clock = +[] { return driftless::event_time{7}; };
    out.id = {3, 4};
    return out;
}
}  // namespace test
#endif
