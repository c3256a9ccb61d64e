// SPDX-License-Identifier: BSL-1.0
// Pipelines as a user keeps them: inline constexpr in a header, lambdas and all. Included by two translation units.
#ifndef DRIFTLESS_TESTS_ODR_PIPELINES_HPP
#define DRIFTLESS_TESTS_ODR_PIPELINES_HPP
#include <driftless/driftless.hpp>

#include <cstdint>
#include <typeinfo>
#include <vector>

namespace odr_test {
struct order {
    driftless::text sku;
    std::int64_t cents;
    driftless::event_time at;
};
}  // namespace odr_test
BOOST_HANA_ADAPT_STRUCT(odr_test::order, sku, cents, at);

namespace odr_test {
using namespace driftless::literals;
inline constexpr auto revenue = driftless::from<order>("orders"_name)
    | driftless::assign_time<&order::at>(driftless::bounded_disorder{5_s})
    | driftless::filter([](order const& o) { return o.cents > 0; }) | driftless::key_by<&order::sku>()
    | driftless::window(driftless::tumbling{1_h}, driftless::allowed_lateness{2_h})
    | driftless::aggregate(driftless::count(), driftless::sum<&order::cents>());
inline constexpr auto total = driftless::from<int>() | driftless::map([](int n) { return 2 * n; })
    | driftless::aggregate(driftless::sum([](int n) { return n; }));

/// What a translation unit sees.
struct seen {
    void const* revenue;
    void const* total;
    std::type_info const* revenue_type;
    std::type_info const* total_type;
    std::uint64_t fingerprint;
    std::int64_t answer;
};
inline seen look() {
    auto const rows = driftless::run(driftless::batch{}, total, std::vector<int>{1, 2, 3});
    return {&revenue, &total, &typeid(revenue), &typeid(total), driftless::fingerprint(revenue), rows[0].value};
}
seen look_from_here();
seen look_from_there();
}  // namespace odr_test
#endif
