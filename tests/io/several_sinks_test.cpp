// SPDX-License-Identifier: BSL-1.0
// Sinks of one job are committed together, whatever kills it: files, a log, a sink of a test, and calls.
#include <driftless/core/transactional_sink.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/io/directory_sink.hpp>
#include <driftless/io/into.hpp>
#include <driftless/io/log_sink.hpp>
#include <driftless/io/outbox.hpp>
#include <driftless/io/outbox_sink.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/fork.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/staged_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using test::staged_rows;
using testing::fault;
using testing::memory_files;

namespace several_sinks {
struct sale {
    text shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace several_sinks
BOOST_HANA_ADAPT_STRUCT(several_sinks::sale, shop, cents, at);
using several_sinks::sale;

namespace {
using totals = std::tuple<std::int64_t, std::int64_t>;

sale nth(std::int64_t i) {
    static char const* const shops[] = {"north", "south", "east"};
    return {text{shops[i * 7 % 3]}, i, event_time{i * 1'000'000'000}};
}
auto totals_of() { return aggregate(count(), sum<&sale::cents>()); }
template <std::int64_t N>
auto each_of() {
    return filter([](sale const& s) { return s.cents % N == 0; });
}
auto four_ways() {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s})
        | fork(branch("files"_name, key_by<&sale::shop>(), window(tumbling{10_s}), totals_of()),
            branch("log"_name, each_of<2>()),
            branch("staged"_name, key_by<&sale::shop>(), window(tumbling{20_s}), totals_of()),
            branch("calls"_name, each_of<9>()));
}
file_log_options options(memory_files& files) {
    file_log_options out;
    out.background = false;
    out.block_bytes = 1024;
    out.files = &files;
    out.clock = [] { return event_time{7}; };
    out.id = {3, 4};
    return out;
}
/// What the world sees.
struct world {
    std::string files, log, staged;
    std::size_t calls = 0;

    friend bool operator==(world const&, world const&) = default;
};
world seen(memory_files& files) {
    world out;
    for (auto const& part : directory_parts("files", files)) {
        auto const bytes = read_whole_file(part.path, files).value();
        out.files += bytes.substr(bytes.find('\n') + 1);
    }
    {
        file_log<sale> log{"log", options(files)};
        for (auto from = log.begin_offset(0); from < log.end_offset(0);) {
            auto const block = log.read(0, from);
            for (std::size_t i = 0; i < block.size(); ++i) {
                out.log += block[i].shop.str() + std::to_string(block[i].cents) + ' ';
            }
            from += block.size();
        }
    }
    out.staged = staged_rows{files, "staged"}.shown();
    for (auto const& part : directory_parts("calls", files)) {
        driftless::detail::effect_reader from{files, part.path, fingerprint_of_schema<sale>()};
        while (from.next()) ++out.calls;
    }
    return out;
}
/// One start of the job, to the end of its input.
void start(memory_files& files, memory_log<sale> const& sales, std::uint64_t every) {
    file_log<sale> log{"log", options(files)};
    log_sink to_log{log};
    directory_sink<pane<text, totals>> to_files{"files", {.files = &files}};
    outbox_sink<sale> to_calls{"calls", {.files = &files}};
    staged_rows to_staged{files, "staged"};
    stream mode{.snapshots = "state", .until = drained};
    mode.snapshot_options = {.every = {}, .records = every, .keep = 1, .files = &files};
    job running{mode, four_ways(), sales, bind("log"_name, to_log), bind("files"_name, to_files),
        bind("staged"_name, to_staged), bind("calls"_name, to_calls)};
    running.run();
}
void make_folders(memory_files& files) {
    for (auto const* const each : {"state", "files", "calls", "log", "staged"}) files.make_folder(each);
    files.sync_folder("");
}
}  // namespace

static_assert(delivery_of<staged_rows> == delivery::exactly_once);
static_assert(delivery_of<decltype(to([](sale const&) {}))> == delivery::at_least_once);
static_assert(delivery_of<append_sink<std::vector<sale>>> == delivery::at_least_once);
static_assert(!transactional_sink<append_sink<std::vector<sale>>>);

TEST_CASE("several sinks of one job show the same prefix, whatever the snapshots", "[io][sink]") {
    memory_log<sale> sales;
    for (std::int64_t i = 0; i < 60; ++i) sales.append(nth(i));
    memory_files whole;
    make_folders(whole);
    start(whole, sales, 0);
    auto const expected = seen(whole);
    CHECK(expected.calls == 7);
    CHECK(expected.log.find("north0 ") == 0);
    CHECK(!expected.files.empty());
    CHECK(!expected.staged.empty());
    for (std::uint64_t const every : {1U, 7U, 59U}) {
        memory_files files;
        make_folders(files);
        start(files, sales, every);
        CHECK(seen(files) == expected);
    }
}

TEST_CASE("several sinks of one job, killed at file operations, are committed together", "[io][sink]") {
    memory_log<sale> sales;
    for (std::int64_t i = 0; i < 60; ++i) sales.append(nth(i));
    memory_files whole;
    make_folders(whole);
    start(whole, sales, 25);
    auto const expected = seen(whole);
    // After each snapshot: what all of them show then.
    std::vector<world> after(1);
    for (std::uint64_t records : {25U, 50U}) {
        memory_files files;
        make_folders(files);
        memory_log<sale> prefix;
        for (std::uint64_t i = 0; i < records; ++i) prefix.append(nth(static_cast<std::int64_t>(i)));
        file_log<sale> log{"log", options(files)};
        log_sink to_log{log};
        directory_sink<pane<text, totals>> to_files{"files", {.files = &files}};
        outbox_sink<sale> to_calls{"calls", {.files = &files}};
        staged_rows to_staged{files, "staged"};
        stream mode{.snapshots = "state", .until = end_of_log};
        mode.snapshot_options = {.every = {}, .files = &files};
        job running{mode, four_ways(), prefix, bind("log"_name, to_log), bind("files"_name, to_files),
            bind("staged"_name, to_staged), bind("calls"_name, to_calls)};
        running.run();
        log.close();
        after.push_back(seen(files));
    }
    after.push_back(expected);
    auto const is_one_of = [&](auto world::* member, auto const& value) {
        for (std::size_t i = 0; i < after.size(); ++i) {
            if (after[i].*member == value) return i;
        }
        return after.size();
    };
    std::uint64_t runs = 0;
    for (auto const what : {fault::cut, fault::after}) {
        for (bool const power : {false, true}) {
            for (std::uint64_t nth_operation = 1;; nth_operation += power ? 3 : 1) {
                memory_files files;
                make_folders(files);
                files.inject(nth_operation, what);
                bool failed = false;
                try {
                    start(files, sales, 25);
                } catch (error const&) {
                    failed = true;
                }
                if (power) files.lose_power(nth_operation);
                else files.restart();
                if (!failed) break;
                ++runs;
                auto const now = seen(files);
                // Each shows what it shows behind a snapshot, and no two are further apart than one.
                std::size_t const at[] = {is_one_of(&world::files, now.files), is_one_of(&world::staged, now.staged),
                    is_one_of(&world::calls, now.calls)};
                for (auto const each : at) {
                    if (each == after.size()) FAIL("operation " << nth_operation << ": rows of no snapshot");
                    for (auto const other : at) {
                        if (each > other + 1) FAIL("operation " << nth_operation << ": further apart than one");
                    }
                }
                start(files, sales, 25);
                if (seen(files) != expected) FAIL("operation " << nth_operation << ", power " << power);
            }
        }
    }
    CHECK(runs > 200);
}
