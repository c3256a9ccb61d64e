// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/trigger.hpp>

#include <boost/hana/adapt_struct.hpp>
using namespace driftless;
using namespace driftless::literals;
struct bid {
    int user;
    int cents;
};
BOOST_HANA_ADAPT_STRUCT(bid, user, cents);
struct plain {
    int cents;
};
constexpr auto bids = from<event<bid>>();
#include <driftless/run/batch.hpp>
#include <vector>
constexpr auto counts = bids | key_by<&bid::user>() | window(tumbling{1_s}) | aggregate(count());
constexpr auto count_of = map([](pane<int, std::int64_t> const& row) { return row.value; });
std::vector<event<bid>> const none;
int main() { static_cast<void>(run(batch{}, counts | top(3) | count_of, none)); }
