// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/job_status.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
dl::event_time at(std::int64_t seconds) { return dl::event_time{} + seconds * 1_s; }
dl::report some(std::uint64_t records) {
    dl::report out;
    out.records = records;
    dl::partition_report p{"orders", 0, records, records, records + 1'500};
    p.progress = at(3'600);
    p.lag = 90_s;
    p.holds = true;
    out.partitions = {p, {"orders", 1, 0, 0, 0}};
    out.partitions[1].holds_merge = true;
    dl::stage_report s{dl::account{.label = {"aggregate", "per page"}, .applied = 1'000}};
    s.refuse(dl::reason::late, 7);
    s.rows_out = 12;
    s.state_bytes = 65'536;
    out.stages = {s};
    out.state_bytes = 65'536;
    return out;
}
}  // namespace

TEST_CASE("the status of a job is a few lines for people", "[run][status]") {
    dl::job_status status;
    static_cast<void>(status.lines(some(1'000'000), at(10)));
    std::vector<std::string> const expected{
        "1,500,000 records, 250,000/s, lag 1,500 (90 s), late 7, state 64 KiB",
        "  input orders partition 0: offset 1,500,000 of 1,501,500, at 1970-01-01T01:00:00Z, holds the watermark",
        "  input orders partition 1: offset 0 of 0, holds the others",
        "  aggregate 'per page': in 1,007 out 12, refused 7, state 64 KiB",
    };
    CHECK(status.lines(some(1'500'000), at(12)) == expected);
    CHECK(status.line(some(1'500'100), at(14)) == "1,500,100 records, 50/s, lag 1,500 (90 s), late 7, state 64 KiB");
    // Another run, or a clock that stands still: the rate is the last one.
    CHECK(status.line(some(10), at(15)).starts_with("10 records, 50/s"));
    auto kept = some(20);
    kept.keeps_snapshots = true;
    kept.warnings = {"look at this"};
    kept.has_failed = true;
    auto lines = status.lines(kept, at(16));
    REQUIRE(lines.size() == 7);
    CHECK(lines[0].starts_with("20 records, 10/s"));
    CHECK(lines[4] == "  no snapshot yet");
    CHECK(lines[5] == "  warning: look at this");
    CHECK(lines[6] == "  FAILED: an error has ended the job");
    kept.snapshots = {3, 2, 9, at(6), 1500_us, 1'600'000};
    CHECK(status.lines(kept, at(16))[4] == "  snapshot 9, 10 s old, took 1.5 ms, 1.5 MiB, 2 FAILED");
    auto const line = status.line(kept, at(16));
    CHECK(line.ends_with("snapshot 9, 10 s old, took 1.5 ms, 1.5 MiB, 2 FAILED, 1 warnings, FAILED"));
}

TEST_CASE("spans, bytes and counts are rounded for people", "[run][status]") {
    using dl::detail::bytes_text;
    using dl::detail::counted_text;
    using dl::detail::span_text;
    CHECK(counted_text(0) == "0");
    CHECK(counted_text(999) == "999");
    CHECK(counted_text(1'000) == "1,000");
    CHECK(counted_text(12'345'678) == "12,345,678");
    CHECK(bytes_text(1'023) == "1023 B");
    CHECK(bytes_text(1'024) == "1.0 KiB");
    CHECK(bytes_text(10 * 1'024 * 1'024) == "10 MiB");
    CHECK(span_text(1_ns) == "0.0 us");
    CHECK(span_text(999_ms) == "999 ms");
    CHECK(span_text(119_s) == "119 s");
    CHECK(span_text(2_min) == "2.0 min");
    CHECK(span_text(47_h) == "47 h");
    CHECK(span_text(48_h) == "2.0 d");
    CHECK(span_text(-(3_s)) == "-3.0 s");
}

TEST_CASE("a frame replaces the one before, line by line, and is never wider than the terminal", "[run][status]") {
    dl::status_screen screen;
    CHECK(screen.frame({"one", "two"}, 80) == "one\ntwo\n");
    CHECK(screen.frame({"three"}, 80) == "\x1b[2A\r\x1b[Jthree\n");
    CHECK(screen.frame({"a\xc3\xa4o\x1b[2Jx", "\xff"}, 4) == "\x1b[1A\r\x1b[Ja\xc3\xa4o \n \n");
    screen.leave();
    CHECK(screen.frame({"four"}, 3) == "fou\n");
}
