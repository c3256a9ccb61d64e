// SPDX-License-Identifier: BSL-1.0
// expect: driftless: distinct over changes is about whole rows: put map(...) to the member before it
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
using row = pane<unkeyed, std::int64_t>;
constexpr auto counts = bids | window(tumbling{1_s}, allowed_lateness{1_s}) | aggregate(count());
int main() { [[maybe_unused]] auto p = counts | distinct<&row::value>(); }
