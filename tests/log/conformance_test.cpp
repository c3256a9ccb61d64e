// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <memory>
#include <type_traits>

using log_conformance::reading;
using log_conformance::visit;

namespace {
using namespace driftless;

template <class Record, class Layout>
struct in_memory {
    using log = memory_log<Record, Layout>;
    std::unique_ptr<log> it;
    log& make(std::uint32_t partitions) {
        it = std::make_unique<log>(partitions);
        return *it;
    }
    log& reopen() { return *it; }
};

/// What differs between the ways to keep a file log.
struct plain {
    static void set(file_log_options&) {}
};
struct small_segments_in_front {  // no thread, and a new file every few blocks
    static void set(file_log_options& options) {
        options.background = false;
        options.durable = on_close;
        options.segment_bytes = 20'000;
        options.block_bytes = 4096;
    }
};
struct synced_deltas {
    static void set(file_log_options& options) {
        options.deltas = true;
        options.segment_bytes = 100'000;
        options.durable = every(duration{1'000'000});
    }
};

template <class Record, class Layout, class Options>
struct in_files {
    using log = file_log<Record, Layout>;
    static constexpr bool flushes_by_time = std::is_same_v<Options, synced_deltas>;
    std::unique_ptr<test::temporary_folder> folder = std::make_unique<test::temporary_folder>();
    std::unique_ptr<log> it;
    log& make(std::uint32_t partitions) {
        file_log_options options{.partitions = partitions};
        Options::set(options);
        it.reset();
        it = std::make_unique<log>(folder->path() + "/log", options);
        return *it;
    }
    log& reopen() { return make(7); }  // partitions are what they were
};

/// Everything that is sealed moves, all the time or when the log is opened again.
template <class Record, class Layout, bool AllTheTime>
struct in_two_tiers {
    using log = tiered_log<file_log<Record, Layout>>;
    static constexpr bool flushes_by_time = true;
    std::unique_ptr<test::temporary_folder> folder = std::make_unique<test::temporary_folder>();
    std::unique_ptr<log> it;
    log& make(std::uint32_t partitions) {
        file_log_options options{.partitions = partitions};
        small_segments_in_front::set(options);
        options.segment_bytes = 100'000;
        options.durable = every(duration{1'000'000});
        tiering how{.hot_bytes = 0};
        if (AllTheTime) how.interval = duration{1'000'000};
        it.reset();
        it = std::make_unique<log>(folder->path() + "/log", cold_folder{folder->path() + "/cold"}, how, options);
        return *it;
    }
    log& reopen() {
        auto& out = make(7);
        out.move();
        return out;
    }
};
}  // namespace

DRIFTLESS_LOG_CONFORMANCE((in_memory<reading, rows>), (in_memory<visit, rows>), (in_memory<reading, columns>),
    (in_memory<visit, columns>), (in_files<reading, rows, plain>), (in_files<reading, rows, small_segments_in_front>),
    (in_files<reading, packed, small_segments_in_front>), (in_files<reading, columns, plain>),
    (in_files<reading, columns, synced_deltas>), (in_files<visit, packed, plain>),
    (in_files<visit, packed, synced_deltas>), (in_files<visit, columns, small_segments_in_front>),
    (in_files<visit, columns, synced_deltas>), (in_two_tiers<reading, rows, true>),
    (in_two_tiers<visit, packed, true>), (in_two_tiers<reading, columns, false>),
    (in_two_tiers<visit, columns, false>))
