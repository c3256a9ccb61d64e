// SPDX-License-Identifier: BSL-1.0
#include <driftless/driftless.hpp>
#include <driftless/io/directory_sink.hpp>
#include <log/log_conformance.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using log_conformance::reading;
using log_conformance::visit;

namespace {
inline constexpr auto readings_per_sensor = from<reading>() | assign_time<&reading::at>(bounded_disorder{10_ms})
    | filter([](reading const& one) { return one.good; }) | key_by<&reading::sensor>() | window(tumbling{1_s})
    | aggregate(count(), sum<&reading::value>());
inline constexpr auto visits_per_page = from<visit>() | assign_time<&visit::at>(bounded_disorder{10_ms})
    | key_by<&visit::page>() | window(tumbling{1_s}) | aggregate(count(), max<&visit::status>());

/// Everything that tells two results apart.
template <class Results>
auto rows_of(Results const& results) {
    using row = std::remove_cvref_t<decltype(*results.begin())>;
    std::vector<std::tuple<decltype(row::key), std::int64_t, decltype(row::value)>> out;
    for (auto const& each : results) out.emplace_back(each.key, each.window.start.ns(), each.value);
    return out;
}

template <class Record, class Layout, class Pipeline>
void files_answer_as_memory(Pipeline const& pipeline) {
    constexpr std::uint64_t count = 12'000;
    memory_log<Record> memory{2};
    test::temporary_folder const folder;
    file_log_options options{.partitions = 2, .segment_bytes = 60'000, .block_bytes = 4096, .deltas = true};
    {
        file_log<Record, Layout> log{folder.path() + "/log", options};
        for (std::uint32_t p = 0; p < 2; ++p) {
            log_conformance::append_some(memory, 0, count, p);
            log_conformance::append_some(log, 0, count, p);
        }
        auto const expected = rows_of(run(batch{}, pipeline, memory));
        CHECK(expected.size() > 50);
        CHECK(rows_of(run(batch{}, pipeline, log)) == expected);  // the end of it is still in memory
        CHECK(rows_of(run(stream{.until = drained}, pipeline, log)) == expected);
    }
    options.access = log_access::read;
    file_log<Record, Layout> const log{folder.path() + "/log", options};
    auto const expected = rows_of(run(batch{}, pipeline, memory));
    auto const as_batch = run(batch{}, pipeline, log);
    CHECK(as_batch.report().records == 2 * count);
    CHECK(rows_of(as_batch) == expected);
    CHECK(rows_of(run(stream{.until = drained}, pipeline, log)) == expected);
}

/// The records of [from, end) of each partition of a log, appended one by one.
template <class Log>
void copy_into(memory_log<reading>& to, Log const& log) {
    for (std::uint32_t p = 0; p < 2; ++p) {
        for (auto at = log.begin_offset(p); at < log.end_offset(p);) {
            auto const block = log.read(p, at);
            block.each(0, block.size(), [&](std::size_t, reading const& each) { to.append(each, p); });
            at += block.size();
        }
    }
}
/// However records came into a log, and whatever was removed in front of them: both modes see the same ones.
template <class Layout>
void the_way_in_does_not_matter() {
    test::temporary_folder const folder;
    file_log_options options{.partitions = 2, .segment_bytes = 40'000, .block_bytes = 4096};
    auto const record = [](std::uint64_t i) { return log_conformance::make_record(static_cast<reading*>(nullptr), i); };
    file_log<reading, Layout> log{folder.path() + "/log", options};
    for (std::uint64_t i = 0; i < 9'000; i += 300) {
        auto both = log.begin();
        std::vector<reading> batch;
        for (std::uint64_t j = i; j < i + 100; ++j) both.append(record(j), j % 2);
        for (std::uint64_t j = i + 100; j < i + 200; ++j) batch.push_back(record(j));
        if (i % 900 == 0) both.abort();
        both.commit();
        log.append_once(1 + i, 0, batch, i % 2);
        log.append_once(1 + i, 0, batch, i % 2);  // sent again
        for (std::uint64_t j = i + 200; j < i + 300; ++j) log.append(record(j), j % 2);
    }
    log.trim(0, 2'000);
    CHECK(log.begin_offset(0) > 0);
    memory_log<reading> memory{2};
    copy_into(memory, log);
    auto const expected = rows_of(run(batch{}, readings_per_sensor, memory));
    CHECK(expected.size() > 20);
    CHECK(rows_of(run(batch{}, readings_per_sensor, log)) == expected);
    CHECK(rows_of(run(stream{.until = drained}, readings_per_sensor, log)) == expected);
    log.close();
    options.access = log_access::read;
    options.visible = log_visibility::durable;
    file_log<reading, Layout> const again{folder.path() + "/log", options};
    CHECK(rows_of(run(batch{}, readings_per_sensor, again)) == expected);
    CHECK(rows_of(run(stream{.until = drained}, readings_per_sensor, again)) == expected);
}
}  // namespace

TEST_CASE("a job over a file log answers as over memory, in both modes and every layout", "[log][file_log][job]") {
    files_answer_as_memory<reading, rows>(readings_per_sensor);
    files_answer_as_memory<reading, packed>(readings_per_sensor);
    files_answer_as_memory<reading, columns>(readings_per_sensor);
    files_answer_as_memory<visit, packed>(visits_per_page);
    files_answer_as_memory<visit, columns>(visits_per_page);
}

TEST_CASE("a job sees the same records whatever way they came into the log", "[log][file_log][job][transaction]") {
    the_way_in_does_not_matter<rows>();
    the_way_in_does_not_matter<columns>();
}

namespace {
/// What a job has read that follows `log` while `appending` appends, when both are done; `wanted` if it is woken.
template <class Mode, class Log, class Sink>
std::uint64_t read_while(Mode mode, Log const& log, Sink& sink, std::uint64_t wanted, auto&& appending) {
    job running{mode, from<reading>() | filter([](reading const&) { return true; }), log, sink};
    std::jthread const following{[&] { running.run(); }};
    appending(running);
    // Longer than any machine takes; one that sleeps for ever is stopped then.
    for (int i = 0; i < 1000 && running.metrics().records < wanted; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    auto const got = running.metrics().records;
    running.stop();
    return got;
}
}  // namespace

TEST_CASE("a job that follows a log opened to read sees what its writer appends", "[log][file_log][job]") {
    test::temporary_folder const folder;
    file_log<reading> writer{folder.path() + "/log"};
    log_conformance::append_some(writer, 0, 100);
    writer.flush();
    file_log<reading> const log{folder.path() + "/log", {.access = log_access::read}};
    auto nobody = to([](reading const&) {});
    auto const got = read_while(stream{}, log, nobody, 200, [&](auto& running) {
        while (running.metrics().records < 100) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::milliseconds{30});  // it sleeps
        log_conformance::append_some(writer, 100, 200);
        writer.flush();
    });
    CHECK(got == 200);
}

TEST_CASE("a job that commits reads what has become durable, though nobody appends more", "[log][file_log][job]") {
    test::temporary_folder const folder;
    file_log<reading> log{folder.path() + "/log", {.durable = every(200_ms)}};
    std::string const state = folder.path() + "/state";
    directory_sink<reading> files{folder.path() + "/out"};
    stream mode{.snapshots = state};
    mode.snapshot_options = {.every = {}, .records = 1'000, .logic_version = "1"};
    auto const got = read_while(mode, log, files, 100, [&](auto&) {
        std::this_thread::sleep_for(std::chrono::milliseconds{30});
        log_conformance::append_some(log, 0, 100);
    });
    CHECK(got == 100);
}
