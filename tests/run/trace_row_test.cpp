// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/trace_row.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/time/session.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace trace_row_test {
struct buy {
    text who;
    std::int64_t cents;
    std::int64_t id;
    event_time at;
};
}  // namespace trace_row_test
BOOST_HANA_ADAPT_STRUCT(trace_row_test::buy, who, cents, id, at);

namespace {
using trace_row_test::buy;
using kind = row_record::kind;
event_time sec(std::int64_t n) { return event_time{n * 1'000'000'000}; }

auto bought() { return from<buy>() | assign_time<&buy::at>(bounded_disorder{2_s}); }
std::string shown(std::vector<row_record> const& all) {
    std::string out;
    for (auto const& each : all) {
        out += std::to_string(each.from.offset);
        out += each.what == kind::in_time ? "" : each.what == kind::late ? "late"
                                                                         : "refused";
        out += ' ';
    }
    return out;
}
struct log_of {
    memory_log<buy> log;
    explicit log_of(std::vector<buy> const& all) {
        for (auto const& each : all) log.append(each);
    }
};
time_window between(std::int64_t from, std::int64_t to) { return {sec(from), sec(to)}; }
}  // namespace

TEST_CASE("trace_row names the records of one key and window, the late and the refused ones", "[run][trace]") {
    log_of const made({{"ann", 1, 0, sec(1)}, {"bob", 1, 1, sec(2)}, {"ann", 0, 2, sec(3)}, {"ann", 5, 3, sec(9)},
        {"ann", 5, 4, sec(11)}, {"bob", 1, 5, sec(13)}, {"ann", 2, 6, sec(4)}, {"bob", 1, 7, sec(40)},
        {"ann", 2, 8, sec(5)}});
    auto const& log = made.log;
    auto const p = bought() | filter([](buy const& b) { return b.cents > 0; }) | key_by<&buy::who>()
        | window(tumbling{10_s}, allowed_lateness{5_s}) | aggregate(sum<&buy::cents>()).id("spent"_name);
    CHECK(shown(trace_row(stream{}, p, text{"ann"}, between(0, 10), log)) == "0 3 6late 8refused ");
    CHECK(shown(trace_row(stream{}, p, std::string{"ann"}, between(10, 20), log)) == "4 ");
    CHECK(shown(trace_row(stream{}, p, text{"bob"}, between(0, 10), log)) == "1 ");
    CHECK(trace_row(stream{}, p, text{"eve"}, between(0, 10), log).empty());
    auto const found = trace_row(stream{}, p, text{"ann"}, between(0, 10), log);
    CHECK(found[3].why == reason::late);
    CHECK(found[3].stage.id == "spent");
    CHECK(found[3].at == sec(5));
    CHECK(found[3].str() == "partition 0, offset 8: 1970-01-01T00:00:05Z, refused as late");
}

TEST_CASE("trace_row asks each of several windows, and sessions that have grown", "[run][trace]") {
    log_of const made({{"ann", 1, 0, sec(1)}, {"ann", 1, 1, sec(6)}, {"ann", 1, 2, sec(12)}, {"ann", 1, 3, sec(14)},
        {"bob", 1, 4, sec(30)}, {"ann", 1, 5, sec(31)}});
    auto const& log = made.log;
    auto const slides = bought() | key_by<&buy::who>() | window(sliding{10_s, 5_s}) | aggregate(sum<&buy::cents>());
    CHECK(shown(trace_row(stream{}, slides, text{"ann"}, between(0, 10), log)) == "0 1 ");
    CHECK(shown(trace_row(stream{}, slides, text{"ann"}, between(5, 15), log)) == "1 2 3 ");
    auto const sessions = bought() | key_by<&buy::who>() | window(session{7_s}) | aggregate(sum<&buy::cents>());
    CHECK(shown(trace_row(stream{}, sessions, text{"ann"}, between(1, 21), log)) == "0 1 2 3 ");
    CHECK(shown(trace_row(stream{}, sessions, text{"ann"}, between(31, 38), log)) == "5 ");
    auto const total = from<buy>() | key_by<&buy::who>() | aggregate(sum<&buy::cents>(), unbounded_state{});
    CHECK(shown(trace_row(stream{}, total, text{"ann"}, {}, log)) == "0 1 2 3 5 ");
}

TEST_CASE("what a dedup drops before the key is no record of the row", "[run][trace]") {
    log_of const made({{"ann", 1, 7, sec(1)}, {"ann", 1, 7, sec(2)}, {"ann", 1, 8, sec(3)}});
    auto const& log = made.log;
    auto const p = bought() | dedup<&buy::id>(1_h) | key_by<&buy::who>() | window(tumbling{10_s})
        | aggregate(sum<&buy::cents>());
    CHECK(shown(trace_row(stream{}, p, text{"ann"}, between(0, 10), log)) == "0 2 ");
}
