// SPDX-License-Identifier: BSL-1.0
// min, max, top_k, quantiles, variance and exact_sum over rows that are corrected.
#include <driftless/op/aggregate.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct visit {
    int user;
};
using events = std::vector<event<visit>>;
using per_user = pane<int, std::int64_t>;
constexpr auto visits_of = [](per_user const& row) { return row.value; };
constexpr auto as_double = [](per_user const& row) { return static_cast<double>(row.value) / 10; };

/// Of the visits per user in a window: the fewest, the most, the three greatest, the median, the sum of tenths.
auto spread(duration size, duration lateness) {
    return from<event<visit>>() | assign_time(bounded_disorder{}, as_declared) | key_by<&visit::user>()
        | window(tumbling{size}, allowed_lateness{lateness}) | aggregate(count())
        | key_by([](per_user const&) { return 0; })
        | aggregate(min(visits_of), max(visits_of), top_k(visits_of, 3), quantiles(visits_of, 0.5),
            variance(visits_of), exact_sum(as_double));
}
}  // namespace

TEST_CASE("aggregates over corrected rows are those of the rows as they are in the end", "[op][aggregate][oracle]") {
    property("spread", [] {
        auto const size = *rc::gen::inRange<std::int64_t>(1, 9);
        auto const lateness = *rc::gen::inRange<std::int64_t>(0, 30);
        auto const in = *rc::gen::container<std::vector<std::pair<int, int>>>(
            rc::gen::pair(rc::gen::inRange(0, 5), rc::gen::inRange(-20, 20)));
        events log;
        std::map<std::int64_t, std::map<int, std::int64_t>> visits;
        std::int64_t newest = std::numeric_limits<std::int64_t>::min() / 2;
        for (auto const& [user, at] : in) {
            log.push_back({{user}, event_time{at}});
            std::int64_t end = at + 1;
            while ((end % size + size) % size != 0) ++end;
            if (newest < end + lateness) ++visits[end][user];
            newest = std::max<std::int64_t>(newest, at);
        }
        auto const out = run(batch{}, spread(duration{size}, duration{lateness}), log);
        RC_ASSERT(out.size() == visits.size());
        for (auto const& row : out) {
            std::vector<std::int64_t> of;
            for (auto const& [user, n] : visits[row.window.end.ns()]) of.push_back(n);
            std::sort(of.begin(), of.end(), std::greater{});
            auto const& [least, most, best, middle, varies, sum] = row.value;
            RC_ASSERT(least == of.back());
            RC_ASSERT(most == of.front());
            auto three = of;
            three.resize(std::min<std::size_t>(of.size(), 3));
            RC_ASSERT(best == three);
            auto const median = static_cast<double>(of[of.size() / 2]);
            RC_ASSERT(std::abs(middle[0] - median) <= median / 256);
            std::int64_t all = 0;
            for (auto const n : of) all += n;
            RC_ASSERT(std::abs(sum - static_cast<double>(all) / 10) < 1e-9);
            RC_ASSERT((of.size() < 2) == (varies != varies));
        }
    });
}
