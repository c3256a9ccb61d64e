// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/properties.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/window.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <string_view>

using namespace driftless;
using namespace driftless::literals;

namespace properties_test {
struct order {
    text sku;
    std::int64_t cents;
    double price;
    event_time at;
};
/// A user's operator that asks the clock.
struct now_and_then : operator_base<now_and_then> {
    static constexpr std::string_view kind = "now_and_then";
    static constexpr bool replayable = false;
    template <class In>
    static constexpr bool accepts = true;
    template <class In>
    using output_t = In;
};
/// A user's stateful operator that promises nothing.
struct remembers : operator_base<remembers> {
    static constexpr std::string_view kind = "remembers";
    using is_stateful = void;
    template <class In>
    static constexpr bool accepts = true;
    template <class In>
    using output_t = In;
};
}  // namespace properties_test
BOOST_HANA_ADAPT_STRUCT(properties_test::order, sku, cents, price, at);
using namespace properties_test;

namespace {
constexpr auto timed = from<order>("orders"_name) | assign_time<&order::at>(bounded_disorder{5_s});
constexpr auto keyed_orders = timed | key_by<&order::sku>();
constexpr auto hourly = keyed_orders | window(tumbling{1_h});
constexpr auto corrected = keyed_orders | window(tumbling{1_h}, allowed_lateness{2_h});
constexpr auto declared = from<order>() | assign_time<&order::at>(bounded_disorder{5_s}, as_declared);

constexpr auto counts = hourly | aggregate(count());
constexpr auto corrected_counts = corrected | aggregate(count());
constexpr auto prices = hourly | aggregate(count(), sum<&order::price>());
constexpr auto folded = hourly | aggregate(fold(0, [](int n, order const&) { return n + 1; }));
constexpr auto joined_up = hourly
    | aggregate(combine([](order const& o) { return std::string{o.sku.view()}; },
        [](std::string a, std::string const& b) { return a + b; }));
constexpr auto twice = counts | key_by([](auto const&) { return 0; }) | aggregate(count());
constexpr auto by_merge = merge(timed, from<order>("more"_name) | assign_time<&order::at>()) | key_by<&order::sku>()
    | window(tumbling{1_h}) | aggregate(count());

// is_replayable
static_assert(is_replayable<decltype(counts)>);
static_assert(!is_replayable<decltype(timed | now_and_then{} | filter([](order const&) { return true; }))>);
static_assert(!is_replayable<decltype(merge(timed, timed | now_and_then{}))>);

// is_order_free
static_assert(is_order_free<decltype(counts)>);
static_assert(is_order_free<decltype(counts | map([](auto const& row) { return row.value; }))>);
static_assert(is_order_free<decltype(by_merge)>);
static_assert(is_order_free<decltype(twice)>);
static_assert(!is_order_free<decltype(timed)>);  // the result shows the order
static_assert(!is_order_free<decltype(prices)>);
static_assert(!is_order_free<decltype(folded)>);
static_assert(!is_order_free<decltype(joined_up)>);
static_assert(!is_order_free<decltype(prices | key_by([](auto const&) { return 0; }) | aggregate(count()))>);
static_assert(!is_order_free<decltype(declared | window(tumbling{1_h}) | aggregate(count()))>);
static_assert(!is_order_free<decltype(timed | remembers{})>);
static_assert(!is_order_free<decltype(merge(counts, prices | map([](auto const& row) {
    return pane<text, std::int64_t>{row.key, row.window, 0, {}};
})))>);

// single_pane
static_assert(single_pane<decltype(counts)>);
static_assert(single_pane<decltype(timed)>);
static_assert(!single_pane<decltype(corrected_counts)>);
static_assert(!single_pane<decltype(merge(corrected_counts, corrected_counts))>);
static_assert(!single_pane<decltype(corrected_counts | map([](auto const& row) { return row.value; }))>);

// state_bound
static_assert(state_bound<decltype(timed)> == state_class::stateless);
static_assert(state_bound<decltype(counts)> == state_class::windowed);
static_assert(state_bound<decltype(twice)> == state_class::windowed);  // regroups inside the window
static_assert(state_bound<decltype(keyed_orders | aggregate(count(), max_keys{7}))> == state_class::max_keys);
static_assert(state_bound<decltype(keyed_orders | aggregate(count(), unbounded_state{}))> == state_class::unbounded);
static_assert(state_bound<decltype(timed | aggregate(count()))> == state_class::max_keys);  // one entry
static_assert(state_bound<decltype(keyed_orders | window(global{}) | aggregate(count(), unbounded_state{}))>
    == state_class::unbounded);
static_assert(state_bound<decltype(keyed_orders | window(global{}) | aggregate(count(), max_keys{7}))>
    == state_class::max_keys);
static_assert(state_bound<decltype(keyed_orders | remembers{})> == state_class::unbounded);
static_assert(state_bound<decltype(keyed_orders | aggregate(count(), unbounded_state{}) | window(tumbling{1_h})
                  | aggregate(count()))>
    == state_class::unbounded);  // the weakest counts
static_assert(state_bound<decltype(merge(keyed_orders | aggregate(count(), unbounded_state{}),
                  keyed_orders | aggregate(count(), max_keys{7})))>
    == state_class::unbounded);

// lambda_additive
static_assert(lambda_additive<decltype(counts)>);
static_assert(lambda_additive<decltype(counts | map([](auto const& row) { return row.value; }))>);
static_assert(lambda_additive<decltype(corrected_counts)>);
static_assert(lambda_additive<decltype(joined_up)>);  // ordered is enough
static_assert(lambda_additive<decltype(by_merge)>);
static_assert(!lambda_additive<decltype(timed)>);  // nothing to add
static_assert(!lambda_additive<decltype(prices)>);
static_assert(!lambda_additive<decltype(folded)>);
static_assert(!lambda_additive<decltype(twice)>);  // its first aggregate would show half windows twice
static_assert(!lambda_additive<decltype(counts | remembers{})>);
static_assert(!lambda_additive<decltype(merge(counts, counts))>);

// An ill-formed pipeline has had its sentence.
static_assert(is_replayable<ill_formed> && is_order_free<ill_formed> && single_pane<ill_formed>
    && lambda_additive<ill_formed> && state_bound<ill_formed> == state_class::stateless);
}  // namespace

TEST_CASE("properties may be asked of a const pipeline, a reference, and operators with an id", "[run][properties]") {
    auto const named = hourly | aggregate(count()).id("hourly"_name);
    CHECK(lambda_additive<decltype(named)>);
    CHECK(lambda_additive<decltype((named))>);
    CHECK(state_bound<decltype(named)> == state_class::windowed);
    CHECK(lambda_additive<decltype(timed | share("timed"_name) | aggregate(count()))>);
}

TEST_CASE("state classes have names", "[run][properties]") {
    CHECK(to_string(state_class::stateless) == "stateless");
    CHECK(to_string(state_class::windowed) == "windowed");
    CHECK(to_string(state_class::max_keys) == "max_keys");
    CHECK(to_string(state_class::unbounded) == "unbounded");
}
