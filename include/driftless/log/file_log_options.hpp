// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_FILE_LOG_OPTIONS_HPP
#define DRIFTLESS_LOG_FILE_LOG_OPTIONS_HPP

#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/log/compressor.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/durability.hpp>
#include <driftless/log/retention.hpp>

#include <cstddef>
#include <cstdint>

namespace driftless::inline v0 {

/// What a file log may do.
enum class log_access : std::uint8_t {
    append,  ///< read and write; makes the log if there is none; one at a time, whatever the process
    read,    ///< read only; the log must exist, and may grow meanwhile
};

/// What a reader sees.
enum class log_visibility : std::uint8_t {
    committed,  ///< all that was appended, transactions once they are committed; a loss of power may take it back
    durable,    ///< what a loss of power would leave
};

/// How a file log is opened. What says "when made" is kept by the log, and not looked at later.
struct file_log_options {
    log_access access = log_access::append;
    log_visibility visible = log_visibility::committed;    ///< to a log opened to read
    std::uint32_t partitions = 1;                          ///< when made
    durability durable = every(duration{100'000'000});
    bool background = true;                                ///< a thread of its own writes and syncs
    std::uint64_t segment_bytes = std::uint64_t{64} << 20; ///< a segment that has so many is full
    duration segment_age = duration::max();                ///< as is one that was begun so long ago
    std::size_t block_bytes = std::size_t{64} * 1024;      ///< of a block, before it is compressed
    compression compressed = compression::none;
    bool deltas = false;                                   ///< integer columns as differences of neighbours
    retention retain{};                                    ///< what is removed when a segment begins; see retain()
    std::size_t spare_segments = 0;                        ///< files of removed segments kept to be written again
    duration producer_age = duration{604'800'000'000'000}; ///< producers silent for so long are forgotten
    file_system* files = nullptr;                          ///< null: real_files()
    event_time (*clock)() = nullptr;                       ///< null: the system's
    log_id id{};                                           ///< when made; zero: a random one
};
}  // namespace driftless::inline v0
#endif
