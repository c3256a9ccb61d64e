// SPDX-License-Identifier: BSL-1.0
// A second aggregate over the changes of the first one.
#include <driftless/op/aggregate.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct visit {
    int user;
    text page;
};
using events = std::vector<event<visit>>;
using per_user = pane<int, std::int64_t>;

/// How many users have n visits in a window, for each n, and the sum of their numbers.
auto histogram(duration size, duration lateness) {
    return from<event<visit>>() | assign_time(bounded_disorder{}, as_declared) | key_by<&visit::user>()
        | window(tumbling{size}, allowed_lateness{lateness}) | aggregate(count())
        | key_by([](per_user const& row) { return row.value; }) | aggregate(count(), sum([](per_user const& row) {
              if (row.key == 3 && row.value == 2) throw std::runtime_error("unlucky");
              return row.key;
          }));
}
}  // namespace

TEST_CASE("late corrections never count twice, and a group whose rows have all gone is deleted",
    "[op][aggregate][oracle]") {
    property("histogram", [] {
        auto const size = *rc::gen::inRange<std::int64_t>(1, 9);
        auto const lateness = *rc::gen::inRange<std::int64_t>(0, 30);
        auto const in = *rc::gen::container<std::vector<std::pair<int, int>>>(
            rc::gen::pair(rc::gen::inRange(0, 3), rc::gen::inRange(-20, 20)));
        events log;
        std::map<std::pair<std::int64_t, int>, std::int64_t> visits;
        std::int64_t newest = std::numeric_limits<std::int64_t>::min() / 2;
        for (auto const& [user, at] : in) {
            log.push_back({{user, "p"}, event_time{at}});
            std::int64_t end = at + 1;
            while ((end % size + size) % size != 0) ++end;
            if (newest < end + lateness) ++visits[{end, user}];
            newest = std::max<std::int64_t>(newest, at);
        }
        std::map<std::pair<std::int64_t, std::int64_t>, std::tuple<std::int64_t, std::int64_t>> want;
        for (auto const& [where, n] : visits) {
            auto& [users, sum] = want[{where.first, n}];
            ++users;
            sum += where.second;
        }
        auto const out = run(batch{}, histogram(duration{size}, duration{lateness}), log);
        decltype(want) got;
        for (auto const& row : out)
            got[{row.window.end.ns(), row.key}] = {std::get<0>(row.value), std::get<1>(row.value)};
        RC_ASSERT(got == want);
        RC_ASSERT(out.size() == want.size());
    });
}

TEST_CASE("a row that the second aggregate refused is not taken back from it", "[op][aggregate][on_error]") {
    // User 3 has 1 visit, then 2 (refused), then 3.
    event<visit> const once{{3, "p"}, event_time{1}};
    events const in{once, {{1, "p"}, event_time{50}}, once, once};
    auto const out = run(batch{.on_error = on_error::skip}, histogram(10_ns, 1000_ns), in);
    REQUIRE(out.size() == 2);
    CHECK(out[0].key == 3);
    CHECK(std::get<1>(out[0].value) == 3);
    CHECK(out[1].key == 1);
}

TEST_CASE("the old row of a correction is the row as it was, also where results borrow from the state",
    "[op][aggregate][text]") {
    // Users by the first page they saw, in the order of the alphabet: pages short and long.
    auto const pipe = from<event<visit>>() | assign_time(bounded_disorder{}, as_declared) | key_by<&visit::user>()
        | window(tumbling{10_ns}, allowed_lateness{1000_ns}) | aggregate(min<&visit::page>())
        | key_by([](pane<int, text> const& row) { return row.value; }) | aggregate(count());
    for (std::string const tail : {"", " with a name that no small string holds"}) {
        std::string const a = "a" + tail;
        std::string const b = "b" + tail;
        events const in{
            {{1, b}, event_time{1}}, {{2, b}, event_time{1}}, {{1, b}, event_time{50}}, {{1, a}, event_time{2}}};
        std::map<std::pair<std::int64_t, std::string>, std::int64_t> got;
        for (auto const& row : run(batch{}, pipe, in)) got[{row.window.end.ns(), row.key}] = row.value;
        CHECK(got == decltype(got){{{10, a}, 1}, {{10, b}, 1}, {{60, b}, 1}});
    }
}
