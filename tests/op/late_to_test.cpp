// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/late_to.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at;

namespace {
struct hit {
    int user;
    int page;
};
using to_late = decltype(late_to("late"_name));
static_assert(!operator_on<to_late, hit>);  // without a time nothing can be refused
static_assert(operator_on<to_late, event<hit>>);
static_assert(
    !operator_on<to_late, output_of<decltype(from<event<hit>>() | window(tumbling{1_s}) | aggregate(count()))>>);
static_assert(operator_on<to_late, output_of<decltype(from<event<hit>>() | window(tumbling{1_s}))>>);
}  // namespace

TEST_CASE("late_to gets each refused record as it was, once, and no other", "[op][late_to][oracle]") {
    auto const pipe = from<event<hit>>() | key_by<&hit::user>() | window(tumbling{10_s}, allowed_lateness{5_s})
        | late_to("late"_name) | aggregate(count());
    std::vector<pane<int, hit>> late;
    auto sink = to([&](pane<int, hit> const& row) { late.push_back(row); });
    auto output = bind("late"_name, sink);

    testing::script<hit> steps;
    std::vector<int> want;
    std::uint64_t records = 0;
    unsigned seed = 7;
    std::int64_t now = -30;
    for (int page = 0; page < 200; ++page) {
        seed = seed * 1664525 + 1013904223;
        std::int64_t const s = now + static_cast<std::int64_t>(seed >> 24) % 40 - 25;
        steps.add(event{hit{page % 3, page}, event_time::from_ms(s * 1000)});
        ++records;
        std::int64_t end = s - (s % 10 + 10) % 10 + 10;
        if (page != 0 && now >= end + 5) want.push_back(page);
        if (page % 2 == 0) steps.add(testing::watermark(event_time::from_ms(++now * 1000)));
        if (page == 0) continue;
    }
    auto const out = testing::play_script(pipe, steps, output);
    std::vector<int> pages;
    for (auto const& row : late) {
        pages.push_back(row.value.page);
        CHECK(row.key == row.value.user);
    }
    CHECK(pages == want);
    CHECK_FALSE(want.empty());
    CHECK(out.refused(reason::late) == want.size());
    CHECK(out.report.stage("aggregate")->in() == records);
}
