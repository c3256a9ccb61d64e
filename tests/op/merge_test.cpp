// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/merge.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
using events = std::vector<event<int>>;
auto one(auto name, duration bound) {
    return from<event<int>>(name) | assign_time(bounded_disorder{bound}, as_declared);
}
auto values(auto const& out) {
    std::vector<int> all;
    for (auto const& row : out) all.push_back(row.value);
    return all;
}
constexpr auto both = merge(from<event<int>>("a"_name), from<event<int>>("b"_name));
}  // namespace

TEST_CASE("merge takes the earliest head, ties by input, and every record once", "[op][merge][oracle]") {
    std::mt19937 random{6};
    for (int round = 0; round < 20; ++round) {
        events in[2];
        int serial = 0;
        for (auto& input : in) {
            for (auto n = random() % 8; n != 0; --n) {
                input.push_back({serial++, event_time{static_cast<std::int64_t>(random() % 10) - 5}});
            }
        }
        std::vector<int> want;
        std::size_t next[2] = {};
        while (next[0] < in[0].size() || next[1] < in[1].size()) {
            std::size_t take = 1;
            if (next[1] == in[1].size() || (next[0] < in[0].size() && in[0][next[0]].at <= in[1][next[1]].at)) take = 0;
            want.push_back(in[take][next[take]++].value);
        }
        CHECK(values(run(batch{}, both, bind("a"_name, in[0]), bind("b"_name, in[1]))) == want);
    }
}

TEST_CASE("the watermark of a merge is the least of its inputs'", "[op][merge]") {
    auto const pipe = merge(one("a"_name, {}), one("b"_name, 5_ns)) | window(tumbling{10_ns}) | aggregate(count());
    auto const late = [&](events const& a, events const& b) {
        auto const out = run(batch{}, pipe, bind("a"_name, a), bind("b"_name, b));
        CHECK(out.report().stage("aggregate")->in() == a.size() + b.size());
        return out.report().refused(reason::late);
    };
    event<int> const early{1, event_time{1}};
    // The heads are merged by time, so that a's late record waits behind its 20.
    CHECK(late({{1, event_time{20}}, early}, {{1, event_time{14}}, {1, event_time{30}}}) == 0);  // b: 14 - 5 = 9
    CHECK(late({{1, event_time{20}}, early}, {{1, event_time{15}}, {1, event_time{30}}}) == 1);  // b: 15 - 5 = 10
    // An input that has not reported holds the watermark back.
    CHECK(late({{1, event_time{20}}, early}, {{1, event_time{50}}}) == 0);
}

TEST_CASE("merge with an empty input is the other input", "[op][merge]") {
    events const a{{1, event_time{3}}, {2, event_time{1}}};
    CHECK(values(run(batch{}, both, bind("a"_name, a), bind("b"_name, events{}))) == std::vector{1, 2});
    CHECK(values(run(batch{}, both, bind("a"_name, events{}), bind("b"_name, a))) == std::vector{1, 2});
    CHECK(run(batch{}, both, bind("a"_name, events{}), bind("b"_name, events{})).empty());
}
