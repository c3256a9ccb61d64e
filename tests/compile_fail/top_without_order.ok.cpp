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
int main() { [[maybe_unused]] auto p = bids | window(tumbling{1_s}) | top<&bid::cents>(3); }
