// SPDX-License-Identifier: BSL-1.0
// expect: dedup with newest() knows no windows
#include <driftless/op/dedup_newest.hpp>

#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
using namespace driftless;
using namespace driftless::literals;
struct order {
    std::int64_t id;
    text version;
    std::int32_t number;
};
BOOST_HANA_ADAPT_STRUCT(order, id, version, number);
constexpr auto in_hours = from<event<order>>() | window(tumbling{1_h});
constexpr auto orders = from<event<order>>();
int main() { [[maybe_unused]] auto p = in_hours | dedup<&order::id>(1_h, newest<&order::number>()); }
