// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/log_sink.hpp>

#include <driftless/log/file_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <io/sink_conformance.hpp>
#include <io/small_log.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace {
using namespace driftless;
using namespace sink_conformance;
using logged = logged_row<std::int64_t, std::int64_t>;


template <std::uint32_t Partitions>
struct log_subject {
    memory_files files;
    std::optional<file_log<logged>> log;

    void open() { log.emplace("log", test::small_log(files, Partitions)); }
    void close() { log.reset(); }
    auto sink(std::string name = "out") {
        // Rows have no job in them: the build tells the sinks of a test apart.
        return std::make_unique<log_sink<file_log<logged>>>(*log, sink_options{name, name == "late" ? 1U : 0U});
    }
    template <class F>
    void each_row(F&& f) {
        for (std::uint32_t p = 0; p < log->partitions(); ++p) {
            for (auto from = log->begin_offset(p); from < log->end_offset(p);) {
                auto const block = log->read(p, from);
                block.each(0, block.size(), [&](std::size_t, logged const& each) { f(p, each); });
                from += block.size();
            }
        }
    }
    /// Two jobs in one log: those of `job.1` have the value 2.
    lines seen(std::string const& job = "job", std::string const& name = "out") {
        lines out;
        bool const two = log->files().exists("log/sinks/job.1.out.committed");
        each_row([&](std::uint32_t, logged const& each) {
            if (each.version.build != (name == "late" ? 1U : 0U)) return;
            if (two && (each.value == 2) != (job == "job.1")) return;
            out.push_back(line(each.key, each.value));
        });
        return out;
    }
    std::size_t leftovers() { return log->prepared().size() + log->unfinished().size(); }
};
}  // namespace

static_assert(transactional_sink<log_sink<file_log<logged>>>);
static_assert(delivery_of<log_sink<file_log<logged>>> == delivery::exactly_once);

TEST_CASE("a log sink is transactional", "[io][sink]") { all_of_it<log_subject<1>>(); }
TEST_CASE("a log sink over partitions is transactional", "[io][sink]") { all_of_it<log_subject<2>>(); }

TEST_CASE("a log sink numbers the rows of its job, whatever the restarts", "[io][sink]") {
    std::vector<std::pair<std::int64_t, std::int64_t>> input;
    for (std::int64_t i = 0; i < 40; ++i) input.emplace_back(i % 3, i);
    log_subject<1> subject;
    for (std::uint64_t const end : {7U, 8U, 25U, 40U}) {
        subject.open();
        small_job job{subject, input};
        job.run(10, end, end != 25);  // not all that was written is committed
        subject.close();
        subject.files.restart();
    }
    subject.open();
    std::uint64_t next = 0;
    subject.each_row([&](std::uint32_t, logged const& each) { CHECK(each.version.sequence == next++); });
    CHECK(next == 40);
}

TEST_CASE("a log sink counts the rows that are shown at a restart, and no others", "[io][sink]") {
    for (std::uint64_t const snapshot : {1U, 2U, 3U}) {
        log_subject<1> subject;
        subject.open();
        auto sink = subject.sink();
        sink->recover(at(0, 0, 1));
        put(*sink, 0);
        put(*sink, 1);
        sink->prepare(1);
        put(*sink, 2);
        sink->prepare(2);
        put(*sink, 3);
        sink->prepare(3);
        put(*sink, 4);
        sink->commit(1);
        if (snapshot > 1) sink = subject.sink();
        sink->recover(at(snapshot, 1, 2));
        put(*sink, 5);
        sink->prepare(4);
        sink->commit(4);
        std::uint64_t next = 0;
        subject.each_row([&](std::uint32_t, logged const& each) {
            CHECK(each.version.sequence == next++);
            if (each.value == 5) CHECK(each.version.sequence == snapshot + 1);
        });
        CHECK(next == snapshot + 2);
        auto const books = read_whole_file("log/sinks/job.out.committed", subject.files).value();
        CHECK(static_cast<std::uint64_t>(books[8]) == snapshot + 2);
    }
}

TEST_CASE("a log sink remembers what it committed in a log that had transactions before", "[io][sink]") {
    log_subject<1> subject;
    subject.open();
    {
        auto one = subject.log->begin();
        one.append(logged{});
        one.prepare("theirs");
        subject.log->abort_prepared("theirs");
        auto const sink = subject.sink();
        sink->recover(at(0, 0, 1));
        put(*sink, 1);
        sink->prepare(1);
        sink->commit(1);
    }
    subject.close();
    subject.files.lose_power(0);
    subject.open();
    CHECK(subject.seen() == numbers({1}));
    CHECK_THROWS_AS(subject.sink()->recover(at(0, 0, 2)), error);
}

TEST_CASE("a log sink goes on with a commit that failed in the same process", "[io][sink]") {
    std::uint64_t unfinished = 0;
    for (std::uint64_t nth = 1; nth < 20; ++nth) {
        log_subject<2> subject;
        subject.open();
        auto sink = subject.sink();
        sink->recover(at(0, 0, 1));
        for (std::int64_t i = 0; i < 8; ++i) sink->write(made(i, i));
        sink->prepare(1);
        subject.files.inject(nth, fault::fail);
        try {
            sink->commit(1);
        } catch (error const&) {
            unfinished += subject.log->unfinished().size();
        }
        subject.files.inject(0, fault::fail);
        try {
            sink->recover(at(1, 1, 2));
        } catch (error const&) {  // after a failed sync the log has to be opened anew
            subject.close();
            subject.open();
            sink = subject.sink();
            sink->recover(at(1, 1, 3));
        }
        CHECK(subject.leftovers() == 0);
        put(*sink, 100);
        sink->prepare(2);
        sink->commit(2);
        lines expected;
        for (std::int64_t i = 0; i < 8; ++i) expected.push_back(line(i, i));
        expected.push_back(line(0, 100));
        auto found = subject.seen();
        std::sort(found.begin(), found.end());
        std::sort(expected.begin(), expected.end());
        CHECK(found == expected);
    }
    CHECK(unfinished > 0);
}

TEST_CASE("a log sink keeps removals and retractions", "[io][sink]") {
    log_subject<1> subject;
    subject.open();
    log_sink sink{*subject.log, {.build = 5}};
    sink.recover({});
    sink.write(made(1, 10));
    sink.retract(made(1, 10));
    sink.write(made(1, 11));
    sink.remove(std::int64_t{1}, hour(1));
    CHECK(sink.open_rows() == 4);
    sink.prepare(1);
    sink.commit(1);
    CHECK(sink.open_rows() == 0);
    std::vector<logged> rows;
    subject.each_row([&](std::uint32_t, logged const& each) { rows.push_back(each); });
    REQUIRE(rows.size() == 4);
    CHECK(rows[0] == logged{1, hour(1), 10, {}, row_kind::written, {5, 0}});
    CHECK(rows[1] == logged{1, hour(1), 10, {}, row_kind::retracted, {5, 1}});
    CHECK(rows[2] == logged{1, hour(1), 11, {}, row_kind::written, {5, 2}});
    CHECK(rows[3].kind == row_kind::removed);
    CHECK(rows[3].key == 1);
    CHECK(rows[3].window == hour(1));
}

TEST_CASE("a log sink writes rows of one key to one partition", "[io][sink]") {
    log_subject<2> subject;
    subject.open();
    log_sink sink{*subject.log};
    sink.recover({});
    for (std::int64_t i = 0; i < 100; ++i) sink.write(made(i % 10, i));
    sink.prepare(1);
    sink.commit(1);
    std::uint64_t in[2]{};
    subject.each_row([&](std::uint32_t p, logged const& each) {
        ++in[p];
        CHECK(p == partition_of(each.key, 2));
    });
    CHECK(in[0] + in[1] == 100);
    CHECK(in[0] > 0);
    CHECK(in[1] > 0);
}

TEST_CASE("a log sink writes plain records and values as they are, and owns text", "[io][sink]") {
    memory_files files;
    file_log<std::string, packed> log{"words", test::small_log(files, 3)};
    auto const by_size = [](std::string const& word, std::uint32_t n) {
        return static_cast<std::uint32_t>(word.size()) % n;
    };
    log_sink sink{log, {}, by_size};
    sink.recover({});
    {
        std::string gone = "alpha";
        sink.write_record(driftless::text{gone});
        gone = "beta!";
        sink.write(pane<std::int64_t, driftless::text>{1, {}, driftless::text{gone}, {}});
    }
    sink.prepare(1);
    sink.commit(1);
    REQUIRE(log.end_offset(2) == 2);
    CHECK(log.read(2, 0)[0] == "alpha");
    CHECK(log.read(2, 0)[1] == "beta!");
}

TEST_CASE("what a log sink has written down of its progress is checked", "[io][sink]") {
    log_subject<1> subject;
    subject.open();
    auto const sink = subject.sink();
    sink->recover(at(0, 0, 1));
    sink->prepare(1);
    sink->commit(1);
    auto const path = std::string{"log/sinks/job.out.committed"};
    auto const bytes = read_whole_file(path, subject.files).value();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto damaged = bytes;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        subject.files.open(path, open_mode::write)->write_at(0, damaged);
        try {
            subject.sink()->recover(at(1, 1, 2));
            FAIL("byte " << i);
        } catch (error const& why) {
            CHECK(why.code() == error_code::corrupt);
            CHECK(why.path() == path);
        }
    }
}
