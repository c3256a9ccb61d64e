// SPDX-License-Identifier: BSL-1.0
// expect: driftless: distinct needs a record, a member or a function of it with canonical bytes
#include <driftless/agg/count.hpp>
#include <driftless/op/distinct.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/session.hpp>

#include <boost/hana/adapt_struct.hpp>
using namespace driftless;
using namespace driftless::literals;
struct bid {
    int user;
    int cents;
};
BOOST_HANA_ADAPT_STRUCT(bid, user, cents);
struct plain {
    int* cents;
};
constexpr auto bids = from<event<bid>>();
int main() {
    [[maybe_unused]] auto p = from<event<plain>>() | window(tumbling{1_s})
        | distinct([](plain const& each) { return each; });
}
