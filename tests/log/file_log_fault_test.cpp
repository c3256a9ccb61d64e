// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/file_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// What a file log has acknowledged is there afterwards, whatever goes wrong, and what it hands out is what was
// appended. The files are in memory: every fault comes at the same place each time.

using namespace driftless;
using log_conformance::reading;
using log_conformance::visit;
using testing::fault;
using testing::memory_files;

namespace {
// All of this runs on one thread, where the thread sanitizer has nothing to find and takes minutes: every 16th place.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DRIFTLESS_TEST_STRIDE 16
#endif
#elif defined(__SANITIZE_THREAD__)
#define DRIFTLESS_TEST_STRIDE 16
#endif
#ifdef DRIFTLESS_TEST_STRIDE
template <class Log>
std::uint64_t const stride = DRIFTLESS_TEST_STRIDE;
#else
// The layouts differ in what is in a block: every operation is gone through for one of them, and by the long suites.
template <class Log>
std::uint64_t const stride = std::is_same_v<Log, file_log<reading, rows>> || test::slow() ? 1 : 5;
#endif

event_time still() { return event_time{1'000}; }

template <class Record>
Record numbered(std::uint64_t i) {
    return log_conformance::make_record(static_cast<Record const*>(nullptr), i);
}

file_log_options small_in(memory_files& files, durability durable) {
    file_log_options out;
    out.durable = durable;
    out.background = false;  // one thread: the nth operation is always the same one
    out.segment_bytes = 1'200;  // several are full between two syncs
    out.block_bytes = 1'024;
    out.files = &files;
    out.clock = &still;
    out.id = {1, 2};
    return out;
}

/// How far a run came.
struct progress_of_run {
    std::uint64_t attempted = 0;     // given to append(); more cannot be there
    std::uint64_t acknowledged = 0;  // promised to be durable; fewer must not be there
};

constexpr std::uint64_t batch_size = 17;
constexpr std::uint64_t batches = 12;

/// Appends and syncs, then closes; every segment, index and folder operation of a log occurs.
template <class Log>
void append_and_sync(memory_files& files, durability durable, progress_of_run& out) {
    using record = typename Log::value_type;
    Log log{"log", small_in(files, durable)};
    for (std::uint64_t b = 0; b < batches; ++b) {
        for (std::uint64_t i = 0; i < batch_size; ++i) {
            out.attempted = b * batch_size + i + 1;
            log.append(numbered<record>(b * batch_size + i));
            if (durable == every_batch) out.acknowledged = out.attempted;
        }
        if (b % 4 == 3) {
            log.sync();
            out.acknowledged = out.attempted;
        }
    }
    log.close();
    out.acknowledged = out.attempted;
}

/// Every record of partition 0 is what make_record says; returns how many there are.
template <class Log>
std::uint64_t check_all(Log const& log) {
    auto const end = log.end_offset();
    std::uint64_t wrong = 0;
    for (std::uint64_t at = 0; at < end;) {
        auto const block = log.read(0, at);
        if (block.size() == 0) FAIL("a block without records");
        block.each(0, block.size(), [&](std::size_t i, auto const& each) {
            wrong += !(each == numbered<typename Log::value_type>(at + i));
        });
        at += block.size();
    }
    CHECK(wrong == 0);
    return end;
}

enum class end_by : std::uint8_t {
    going_on,  // the process lives and opens the log again
    crash,
    loss_of_power
};

/// Makes the nth operation of a run go wrong, ends it, and looks at what is left. False if there were fewer operations.
template <class Log>
bool nth_operation_goes_wrong(
    std::uint64_t nth, fault what, end_by how, std::uint64_t seed, durability durable) {
    memory_files files;
    progress_of_run run;
    files.inject(nth, what);
    bool failed = false;
    try {
        append_and_sync<Log>(files, durable, run);
    } catch (error const& problem) {
        failed = true;
        CHECK((problem.code() == error_code::io || problem.code() == error_code::stopped));
    }
    if (!failed && files.operations() < nth) return false;
    files.inject(0, what);
    if (how == end_by::loss_of_power) files.lose_power(seed);
    else if (how == end_by::crash) files.restart();

    INFO("fault " << static_cast<int>(what) << ", end by " << static_cast<int>(how));
    INFO("durable on close: " << (durable == on_close));
    INFO("operation " << nth << ", seed " << seed);
    INFO("acknowledged " << run.acknowledged << " of " << run.attempted);
    std::uint64_t there = 0;
    {
        Log again{"log", small_in(files, durable)};
        there = check_all(again);
        CHECK(there >= run.acknowledged);
        CHECK(there <= run.attempted);
        for (std::uint64_t i = there; i < there + 60; ++i) again.append(numbered<typename Log::value_type>(i));
        again.close();
    }
    auto options = small_in(files, durable);
    options.access = log_access::read;
    Log const reader{"log", options};
    auto const finally = check_all(reader);
    CHECK(finally == there + 60);
    return true;
}

template <class Log>
void every_operation_goes_wrong(fault what, end_by how, std::uint64_t seeds, durability durable) {
    std::uint64_t nth = 1;
    for (bool more = true; more; nth += stride<Log>) {
        for (std::uint64_t seed = 0; seed < seeds && more; ++seed) {
            more = nth_operation_goes_wrong<Log>(nth, what, how, seed, durable);
        }
    }
    CHECK(nth > 40);  // else the run did next to nothing
}

std::uint64_t const power_seeds = test::slow() ? 16 : 2;

template <class Log>
void every_fault_everywhere() {
    for (auto const durable : {every_batch, on_close}) {
        every_operation_goes_wrong<Log>(fault::fail, end_by::going_on, 1, durable);
        every_operation_goes_wrong<Log>(fault::cut, end_by::crash, 1, durable);
        every_operation_goes_wrong<Log>(fault::after, end_by::crash, 1, durable);
        every_operation_goes_wrong<Log>(fault::cut, end_by::loss_of_power, power_seeds, durable);
        every_operation_goes_wrong<Log>(fault::after, end_by::loss_of_power, power_seeds, durable);
    }
}

/// A small closed log, and the paths of all its files.
template <class Log>
std::vector<std::string> make_small(memory_files& files, std::uint64_t records) {
    {
        auto options = small_in(files, on_close);
        options.deltas = true;
        Log log{"log", options};
        for (std::uint64_t i = 0; i < records; ++i) log.append(numbered<typename Log::value_type>(i));
    }
    std::vector<std::string> out;
    for (auto const& each : files.list("log")) {
        auto const path = "log/" + each.name;
        if (!each.folder) out.push_back(path);
        for (auto const& inner : files.list(path)) out.push_back(path + "/" + inner.name);
    }
    return out;
}

/// Opens to read: all records as they were, or an error that says where; true for an error. Anything else fails.
template <class Log>
bool whole_or_error(memory_files& files, std::uint64_t records) {
    auto options = small_in(files, on_close);
    options.access = log_access::read;
    try {
        Log const log{"log", options};
        auto const there = check_all(log);
        CHECK(there == records);
        return false;
    } catch (error const& problem) {
        CHECK(!problem.path().empty());
        CHECK(std::string_view{problem.what()}.size() > 30);
        return true;
    }
}

template <class Log>
void every_bit_flipped() {
    constexpr std::uint64_t records = 40;
    memory_files files;
    for (auto const& path : make_small<Log>(files, records)) {
        auto const file = files.open(path, open_mode::write);
        auto const size = file->size();
        std::uint64_t refused = 0;
        for (std::uint64_t at = 0; at < size; at += stride<Log>) {
            char byte = 0;
            file->read_at(at, &byte, 1);
            for (int bit = 0; bit < 8; ++bit) {
                char const flipped = static_cast<char>(byte ^ (1 << bit));
                file->write_at(at, {&flipped, 1});
                INFO(path << ", byte " << at << ", bit " << bit);
                refused += whole_or_error<Log>(files, records);
            }
            file->write_at(at, {&byte, 1});
        }
        // An index can be made anew, and a seal that is gone takes no record with it; the rest must be missed.
        if (path.ends_with(".segment")) CHECK(refused > size / stride<Log> * 6);
    }
    CHECK(!whole_or_error<Log>(files, records));
}

template <class Log>
void every_truncation() {
    constexpr std::uint64_t records = 40;
    memory_files files;
    for (auto const& path : make_small<Log>(files, records)) {
        auto const file = files.open(path, open_mode::write);
        std::string bytes(static_cast<std::size_t>(file->size()), '\0');
        file->read_at(0, bytes.data(), bytes.size());
        for (auto size = bytes.size(); size > 0;) {
            size -= std::min<std::size_t>(size, stride<Log>);
            file->truncate(size);
            INFO(path << " cut to " << size << " of " << bytes.size());
            whole_or_error<Log>(files, records);
        }
        file->write_at(0, bytes);
    }
    CHECK(!whole_or_error<Log>(files, records));
}
}  // namespace

TEMPLATE_TEST_CASE("what was acknowledged is there after any operation has failed", "[log][file_log][fault]",
    (file_log<reading, rows>), (file_log<visit, packed>), (file_log<visit, columns>)) {
    every_fault_everywhere<TestType>();
}

TEMPLATE_TEST_CASE("a flipped bit anywhere gives the same records or an error", "[log][file_log][fault]",
    (file_log<reading, rows>), (file_log<visit, packed>), (file_log<visit, columns>)) {
    every_bit_flipped<TestType>();
}

TEMPLATE_TEST_CASE("a closed log cut short anywhere gives the same records or an error", "[log][file_log][fault]",
    (file_log<reading, rows>), (file_log<visit, packed>), (file_log<visit, columns>)) {
    every_truncation<TestType>();
}
