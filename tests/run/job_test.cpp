// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/job.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace job_test {
struct hit {
    text page;
    std::int64_t bytes;
    event_time at;
};
}  // namespace job_test
BOOST_HANA_ADAPT_STRUCT(job_test::hit, page, bytes, at);
using job_test::hit;

namespace {
auto hits_per(duration size) {
    return from<hit>() | assign_time<&hit::at>(bounded_disorder{2_s}) | key_by<&hit::page>() | window(tumbling{size})
        | aggregate(count(), sum<&hit::bytes>());
}
using pipeline_t = decltype(hits_per(10_s));

/// Writes down every row, in order. May be told to throw.
struct lines {
    std::vector<std::string> all{};
    std::atomic<std::size_t> written{0};
    std::size_t throw_at = ~std::size_t{0};
    void write(pane<text, std::tuple<std::int64_t, std::int64_t>> const& row) {
        if (all.size() == throw_at) throw error{error_code::io, "the disk is full"};
        all.push_back(row.key.str() + ' ' + std::to_string(row.window.start.ms()) + ' '
            + std::to_string(std::get<0>(row.value)) + ' ' + std::to_string(std::get<1>(row.value)));
        written.fetch_add(1);
        written.notify_all();
    }
    void wait_for(std::size_t n) {
        for (auto seen = written.load(); seen < n; seen = written.load()) written.wait(seen);
    }
};
using job_t = job<stream, pipeline_t, memory_log<hit>&, lines&>;

hit nth(std::int64_t i) {
    static char const* const pages[] = {"/", "/a", "/b", "/about"};
    return {text{pages[i * 7 % 4]}, i, event_time{i * 1'000'000'000 - i * 3 % 2 * 1'500'000'000}};
}
void append(memory_log<hit>& log, std::int64_t from, std::int64_t to) {
    for (auto i = from; i < to; ++i) log.append(nth(i));
}
/// What one run over n records says.
std::vector<std::string> in_one_run(std::int64_t n) {
    memory_log<hit> log;
    append(log, 0, n);
    lines out;
    static_cast<void>(run(stream{.until = drained}, hits_per(10_s), log, out));
    return out.all;
}
error_code code_of(auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem.code();
    }
    return error_code::none;
}
struct folder {
    std::string path;
    folder() {
        std::string made = (std::filesystem::temp_directory_path() / "driftless-job-XXXXXX").string();
        path = ::mkdtemp(made.data());
    }
    ~folder() { std::filesystem::remove_all(path); }
};
}  // namespace

TEST_CASE("after drain a job is asked in vain: code stopped", "[run][job]") {
    memory_log<hit> log;
    append(log, 0, 5);
    lines out;
    job_t job{stream{}, hits_per(10_s), log, out};
    job.drain();
    CHECK(out.all == in_one_run(5));
    CHECK(code_of([&] { job.poll(); }) == error_code::stopped);
    CHECK(code_of([&] { job.drain(); }) == error_code::stopped);
    CHECK(code_of([&] { static_cast<void>(job.snapshot()); }) == error_code::stopped);
    CHECK(out.all == in_one_run(5));
}

TEST_CASE("a sink that throws fails the job with the sink's error", "[run][job]") {
    memory_log<hit> log;
    append(log, 0, 100);
    for (auto const threads : {1, 3}) {
        lines out{.throw_at = 2};
        job_t job{stream{.threads = threads, .on_error = on_error::skip}, hits_per(10_s), log, out};
        CHECK(code_of([&] { job.poll(); }) == error_code::io);
        CHECK(code_of([&] { job.poll(); }) == error_code::stopped);
        CHECK(out.all.size() == 2);
        CHECK(job.metrics().failures == 0);  // it is not a record's failure
    }
}

TEST_CASE("run follows the log while it grows, and comes back when another thread stops it", "[run][job][threads]") {
    auto const expected = in_one_run(400);
    auto const closed = [] {  // what can be said before the end
        memory_log<hit> log;
        append(log, 0, 400);
        lines out;
        run(stream{.until = end_of_log}, hits_per(10_s), log, out);
        return out.all.size();
    }();
    for (auto const threads : {1, 2}) {
        memory_log<hit> log;
        lines out;
        job_t job{stream{.threads = threads}, hits_per(10_s), log, out};
        std::atomic<bool> watching{true};
        std::thread runner{[&] { job.run(); }};
        std::thread watcher{[&] {
            std::uint64_t before = 0;
            while (watching.load()) {
                auto const now = job.metrics();
                if (now.records < before) std::abort();
                before = now.records;
                if (now.stage("aggregate") == nullptr || now.stage("aggregate")->in() != now.records) std::abort();
                std::this_thread::yield();
            }
        }};
        append(log, 0, 100);
        out.wait_for(8);  // windows of the first 80 s: run() has woken up by itself
        append(log, 100, 101);
        append(log, 101, 400);
        out.wait_for(closed);
        job.stop();
        runner.join();
        watching = false;
        watcher.join();
        job.drain();  // what run() had not read yet, too
        CHECK(out.all == expected);
        CHECK(job.metrics().records == 400);
    }
}

TEST_CASE("stop before run: run comes back at once, and the next one runs", "[run][job]") {
    memory_log<hit> log;
    append(log, 0, 50);
    lines out;
    job_t job{stream{}, hits_per(10_s), log, out};
    job.stop();
    job.run();
    CHECK(job.metrics().records == 0);
    std::thread stopper{[&] {
        out.wait_for(1);
        job.stop();
    }};
    job.run();
    stopper.join();
    CHECK(job.metrics().records == 50);
}

TEST_CASE("a stop that nobody waited for takes nothing away from drain", "[run][job]") {
    memory_log<hit> log;
    append(log, 0, 40'000);
    auto const expected = in_one_run(40'000);
    {
        lines out;
        job_t job{stream{}, hits_per(10_s), log, out};
        job.stop();
        job.drain();
        CHECK(job.metrics().records == 40'000);
        CHECK((out.all == expected));
    }
    lines out;
    job_t job{stream{.until = drained}, hits_per(10_s), log, out};
    job.stop();
    job.run();
    // Stopped or read to the end: an answer that is given is the whole answer.
    if (job.metrics().records != 40'000) job.drain();
    CHECK((out.all == expected));
}

TEST_CASE("a pause at the end of the log and a resume equal one run", "[run][job]") {
    auto const expected = in_one_run(100);
    memory_log<hit> log;
    lines out;
    job_t job{stream{.until = end_of_log}, hits_per(10_s), log, out};
    job.run();
    append(log, 0, 33);
    job.run();
    auto const open = out.all.size();
    job.run();
    CHECK(out.all.size() == open);  // nothing new: nothing said
    append(log, 33, 100);
    job.run();
    job.drain();
    CHECK(out.all == expected);
}

TEST_CASE("a pause leaves a snapshot, and another job goes on from it", "[run][job]") {
    auto const expected = in_one_run(100);
    folder const at;
    auto const snapshots = at.path + "/state";
    memory_log<hit> log;
    lines out;
    for (auto const threads : {1, 3, 2}) {
        append(log, static_cast<std::int64_t>(log.end_offset()), static_cast<std::int64_t>(log.end_offset()) + 25);
        run(stream{.threads = threads, .snapshots = snapshots, .until = end_of_log}, hits_per(10_s), log, out);
    }
    append(log, 75, 100);
    auto const made = run(stream{.snapshots = snapshots, .until = drained}, hits_per(10_s), log, out);
    CHECK(out.all == expected);
    CHECK(made.records == 100);
    CHECK(made.stage("aggregate")->in() == 100);
}

TEST_CASE("a job that cannot take up its snapshot leaves nothing behind in the log", "[run][job]") {
    folder const at;
    { std::ofstream{at.path + "/snapshot"} << "this is not a snapshot"; }
    memory_log<hit> log;
    lines out;
    for (int i = 0; i < 3; ++i) {
        CHECK(code_of([&] { job_t job{stream{.snapshots = at.path}, hits_per(10_s), log, out}; }) != error_code::none);
    }
    append(log, 0, 10);  // wakes those who subscribed: under the address sanitizer nobody may be gone
    CHECK(log.end_offset() == 10);
}

TEST_CASE("a damaged snapshot is refused, whichever byte is damaged or missing", "[run][job]") {
    memory_log<hit> log;
    append(log, 0, 30);
    lines out;
    job_t first{stream{}, hits_per(10_s), log, out};
    first.poll(20);
    auto const whole = first.snapshot();
    CHECK(whole == first.snapshot());
    auto const restored = [&](std::string const& bytes) {
        job_t other{stream{}, hits_per(10_s), log, out};
        return code_of([&] { other.restore(bytes); });
    };
    CHECK(restored(whole) == error_code::none);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (int const mask : {1, 0x80, 0xff}) {
            auto damaged = whole;
            damaged[i] = static_cast<char>(damaged[i] ^ mask);
            auto const code = restored(damaged);
            if (code != error_code::malformed && code != error_code::mismatch) FAIL_CHECK("byte " << i << " " << mask);
        }
        if (restored(whole.substr(0, i)) == error_code::none) FAIL_CHECK("cut to " << i << " bytes");
    }
    CHECK(restored(whole + '\0') != error_code::none);
}

TEST_CASE("a snapshot of another pipeline, of a longer log or of other partitions is a mismatch", "[run][job]") {
    memory_log<hit> log;
    append(log, 0, 30);
    lines out;
    job_t first{stream{}, hits_per(10_s), log, out};
    first.poll(20);
    auto const state = first.snapshot();
    auto const into = [&](duration size, memory_log<hit>& input) {
        job_t other{stream{}, hits_per(size), input, out};
        return code_of([&] { other.restore(state); });
    };
    memory_log<hit> shorter;
    append(shorter, 0, 19);
    memory_log<hit> wider{2};
    append(wider, 0, 30);
    CHECK(into(20_s, log) == error_code::mismatch);
    CHECK(into(10_s, shorter) == error_code::mismatch);
    CHECK(into(10_s, wider) == error_code::mismatch);
    append(shorter, 19, 20);
    CHECK(into(10_s, shorter) == error_code::none);
}

TEST_CASE("metrics: the books as of the last chunk", "[run][job]") {
    memory_log<hit> log;
    append(log, 0, 30);
    log.append(hit{"/late", 1, event_time{0}});
    lines out;
    job_t job{stream{}, hits_per(10_s), log, out};
    CHECK(job.metrics().records == 0);
    CHECK(job.poll(10) == 10);
    CHECK(job.metrics().records == 10);
    CHECK(job.poll(0) == 0);
    CHECK(job.poll() == 21);
    CHECK(job.poll() == 0);
    auto const now = job.metrics();
    CHECK(now.stage("aggregate")->in() == 31);
    CHECK(now.refused(reason::late) == 1);
    CHECK(now.state_bytes > 0);
}
