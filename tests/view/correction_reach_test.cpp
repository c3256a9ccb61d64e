// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/detail/correction_reach.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/punctuated.hpp>
#include <driftless/time/session.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>

using namespace driftless;
using namespace driftless::literals;

namespace reach_test {
struct sale {
    std::int64_t shop, cents;
    event_time at;
};
}  // namespace reach_test
BOOST_HANA_ADAPT_STRUCT(reach_test::sale, shop, cents, at);

namespace {
using reach_test::sale;
using driftless::detail::reach_of;
event_time second(std::int64_t n) { return event_time{n * 1'000'000'000}; }
std::int64_t value_of(pane<std::int64_t, std::int64_t> const& row) { return row.value; }
constexpr auto nobody_knows = event_time::min();

auto timed() { return from<sale>() | assign_time<&sale::at>(bounded_disorder{1_s}); }
auto per_shop(auto before, auto... windows) {
    return before | key_by<&sale::shop>() | window(windows...) | aggregate(sum<&sale::cents>());
}
}  // namespace

TEST_CASE("a correction reaches back to the first window that ends behind its time", "[view][correct]") {
    auto const tumbles = reach_of(per_shop(timed(), tumbling{10_s}), second(603));
    CHECK(tumbles.windowed);
    CHECK(tumbles.first == second(600));
    CHECK(tumbles.settled == second(603));
    CHECK(reach_of(per_shop(timed(), tumbling{10_s}), second(600)).first == second(600));  // [590, 600) ends with it
    CHECK(reach_of(per_shop(timed(), tumbling{10_s, 4_s}), second(603)).first == second(594));
    auto const slides = reach_of(per_shop(timed(), sliding{60_s, 20_s}, allowed_lateness{5_s}), second(603));
    CHECK(slides.first == second(560));
    CHECK(slides.settled == second(608));
    CHECK(reach_of(per_shop(timed(), sliding{5_s, 20_s}), second(610)).first == second(610));  // between two windows
    auto const of_filtered = timed() | filter([](sale const& s) { return s.cents > 0; })
        | map([](sale const& s) { return s; });
    CHECK(reach_of(per_shop(of_filtered, tumbling{10_s}), second(603)).first == second(600));
}

TEST_CASE("windows of windows reach back through all of them", "[view][correct]") {
    auto const minutes = per_shop(timed(), tumbling{60_s}, allowed_lateness{7_s});
    auto const hours = minutes | window(tumbling{3600_s}, allowed_lateness{9_s}) | aggregate(sum(value_of));
    auto const found = reach_of(hours, second(3700));
    CHECK(found.first == second(3600));
    CHECK(found.settled == second(3716));
    auto const odd = minutes | window(tumbling{100_s}) | aggregate(sum(value_of));
    CHECK(reach_of(odd, second(750)).first == second(660));  // [700, 800) has the minute [660, 720)
}

TEST_CASE("where state may have been made by the old logic, nobody knows how far a correction reaches",
    "[view][correct]") {
    auto const s = session{5_s};
    auto const sessions = reach_of(per_shop(timed(), s, allowed_lateness{3_s}), second(603));
    CHECK(sessions.windowed);
    CHECK(sessions.first == nobody_knows);
    CHECK(sessions.settled >= second(606));
    CHECK(reach_of(per_shop(timed() | dedup<&sale::cents>(1_h), tumbling{10_s}), second(603)).first == nobody_knows);
    CHECK(reach_of(per_shop(merge(timed(), from<sale>("more"_name) | assign_time<&sale::at>(bounded_disorder{1_s})),
                       tumbling{10_s}, allowed_lateness{3_s}),
              second(603))
              .first
        == nobody_knows);
    // What was left out before it had a time is no part of what the job knows.
    auto const filtered = from<sale>() | filter([](sale const& x) { return x.cents > 0; })
        | assign_time<&sale::at>(bounded_disorder{1_s});
    CHECK(reach_of(per_shop(filtered, tumbling{10_s}), second(603)).first == nobody_knows);
    auto const by_function = from<sale>() | assign_time([](sale const& x) { return x.at; }, bounded_disorder{1_s});
    CHECK(reach_of(per_shop(by_function, tumbling{10_s}), second(603)).first == nobody_knows);
    auto const marks = from<sale>() | assign_time<&sale::at>(punctuated<&sale::at>());
    CHECK(reach_of(per_shop(marks, tumbling{10_s}), second(603)).first == nobody_knows);
    CHECK(reach_of(per_shop(timed() | assign_time<&sale::at>(bounded_disorder{9_s}), tumbling{10_s}), second(603)).first
        == nobody_knows);
}

TEST_CASE("rows without windows that close cannot be corrected from a time on", "[view][correct]") {
    CHECK(!reach_of(timed() | key_by<&sale::shop>() | aggregate(sum<&sale::cents>(), unbounded_state{}), second(1))
            .windowed);
    auto const for_ever = timed() | key_by<&sale::shop>() | window(global{});
    CHECK(!reach_of(for_ever | aggregate(sum<&sale::cents>(), unbounded_state{}), second(1)).windowed);
}
