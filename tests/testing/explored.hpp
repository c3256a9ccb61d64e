// SPDX-License-Identifier: BSL-1.0
// Records and checks for the tests of testing::explore.
#ifndef DRIFTLESS_TESTS_TESTING_EXPLORED_HPP
#define DRIFTLESS_TESTS_TESTING_EXPLORED_HPP

#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/testing/explore.hpp>
#include <driftless/time/presets.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace explore_test {
using namespace driftless;
using testing::at, testing::drift, testing::explore;

struct sale {
    std::int32_t item;
    std::int64_t cents;
    event_time at;
};

/// Seconds 0 to 39, three items, several records at some times.
inline std::vector<sale> sales() {
    std::vector<sale> out;
    for (std::int64_t i = 0; i < 60; ++i) {
        out.push_back({static_cast<std::int32_t>(i * 7 % 3), i, at(duration{i * 2 / 3 * 1'000'000'000})});
    }
    return out;
}
inline std::vector<event<sale>> events() {
    std::vector<event<sale>> out;
    for (auto const& each : sales()) out.push_back({each, each.at});
    return out;
}
constexpr auto by_item = from<event<sale>>() | key_by<&sale::item>();

/// The sentence says it, and the script alone shows the drift.
template <class T>
void check_found(testing::exploration<T> const& found, drift kind, std::size_t most_steps) {
    INFO(found.sentence);
    CHECK_FALSE(found);
    CHECK(found.kind == kind);
    CHECK(found.script.steps().size() <= most_steps);
    CHECK(found.sentence.find(to_string(kind)) != std::string::npos);
    CHECK(found.sentence.find("play(") != std::string::npos);
}
template <class T>
void check_sound(testing::exploration<T> const& found) {
    INFO(found.sentence);
    CHECK(found);
    CHECK(found.sentence.empty());
    CHECK(found.scripts == 300);
    CHECK(found.compared >= 300);
}
}  // namespace explore_test
BOOST_HANA_ADAPT_STRUCT(explore_test::sale, item, cents, at);
#endif
