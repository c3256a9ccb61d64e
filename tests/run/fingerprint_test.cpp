// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/fingerprint.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace fingerprint_test {
struct order {
    text sku;
    std::int64_t cents;
    std::int64_t refund;
    event_time at;
};
/// Laid out and named like order, but another type.
struct same_order {
    text sku;
    std::int64_t cents;
    std::int64_t refund;
    event_time at;
};
struct narrow_order {
    text sku;
    std::int32_t cents;
    std::int64_t refund;
    event_time at;
};
}  // namespace fingerprint_test
BOOST_HANA_ADAPT_STRUCT(fingerprint_test::order, sku, cents, refund, at);
BOOST_HANA_ADAPT_STRUCT(fingerprint_test::same_order, sku, cents, refund, at);
BOOST_HANA_ADAPT_STRUCT(fingerprint_test::narrow_order, sku, cents, refund, at);
using namespace fingerprint_test;

namespace {
constexpr auto positive = [](auto const& o) { return o.cents > 0; };
template <class T>
constexpr auto timed(duration bound = 5_s) {
    return from<T>("orders"_name) | assign_time<&T::at>(bounded_disorder{bound});
}
template <class T = order>
constexpr auto revenue(tumbling windows = {1_h}, allowed_lateness lateness = {2_h}) {
    return timed<T>() | filter(positive) | key_by<&T::sku>() | window(windows, lateness)
        | aggregate(count(), sum<&T::cents>());
}
}  // namespace

// Right to go red: when the canonical bytes change on purpose, together with the number in their heading;
// snapshots and views kept under the old fingerprints are then strangers to the new library.
TEST_CASE("fingerprints are pinned", "[run][fingerprint][golden]") {
    CHECK(fingerprint(from<int>()) == 0x8adae68a721c44f1);
    CHECK(fingerprint(timed<order>()) == 0x1a1618cacba6ea86);
    CHECK(fingerprint(revenue()) == 0xd95b21f8bd2620b0);
    auto const clean = timed<order>() | share("clean"_name);
    CHECK(fingerprint(merge(clean, clean | filter(positive))) == 0xee8c8d54f3ae27b3);
    CHECK(fingerprint(ill_formed{}) == 0);
}

TEST_CASE("the bytes of a fingerprint are pinned", "[run][fingerprint][golden]") {
    auto const number = [](char n) { return n + std::string(7, '\0'); };
    CHECK(driftless::detail::canonical_plan{plan_of(from<int>("a"_name))}.bytes()
        == "driftless plan 1\n" + number(1) + number(4) + "from" + number(0) + number(1) + number(4) + "name"
            + number(3) + "\"a\"" + number(3) + "i32" + number(0) + number(0) + number(0) + number(0));
}

TEST_CASE("what a pipeline means decides its fingerprint", "[run][fingerprint]") {
    std::map<std::uint64_t, std::string> seen;
    auto const differs = [&](std::string what, std::uint64_t print) {
        auto const [at, is_new] = seen.emplace(print, what);
        INFO(what << " has the fingerprint of " << at->second);
        CHECK(is_new);
    };
    auto const keyed_orders = timed<order>() | key_by<&order::sku>();
    auto const hourly = keyed_orders | window(tumbling{1_h});
    auto const id = [](order const& o) { return o; };

    differs("the pipeline", fingerprint(revenue()));
    differs("another window size", fingerprint(revenue({2_h})));
    differs("another window offset", fingerprint(revenue({1_h, 1_min})));
    differs("another lateness", fingerprint(revenue({1_h}, {3_h})));
    differs("another schema", fingerprint(revenue<narrow_order>()));
    differs("an id", fingerprint(revenue().id("revenue"_name)));
    differs("another id", fingerprint(revenue().id("income"_name)));
    differs("something after it", fingerprint(revenue() | filter([](auto const&) { return true; })));
    differs("another bound", fingerprint(timed<order>(6_s)));
    differs("no key", fingerprint(timed<order>()));
    differs("another source", fingerprint(from<order>("others"_name) | assign_time<&order::at>(bounded_disorder{5_s})));
    differs("an unnamed source", fingerprint(from<order>() | assign_time<&order::at>(bounded_disorder{5_s})));
    differs("as declared",
        fingerprint(from<order>("orders"_name) | assign_time<&order::at>(bounded_disorder{5_s}, as_declared)));
    differs("one key", fingerprint(keyed_orders));
    differs("another key", fingerprint(timed<order>() | key_by<&order::cents>()));
    differs("another key of one type", fingerprint(timed<order>() | key_by<&order::refund>()));
    differs("a key by function", fingerprint(timed<order>() | key_by([](order const& o) { return o.cents; })));
    differs("one aggregate", fingerprint(hourly | aggregate(sum<&order::cents>())));
    differs("another aggregate", fingerprint(hourly | aggregate(max<&order::cents>())));
    differs("another member", fingerprint(hourly | aggregate(sum<&order::refund>())));
    differs("a bound of keys", fingerprint(hourly | aggregate(sum<&order::cents>(), max_keys{10})));
    differs("another bound of keys", fingerprint(hourly | aggregate(sum<&order::cents>(), max_keys{11})));
    differs("a late output", fingerprint(hourly | late_to("late"_name) | aggregate(sum<&order::cents>())));
    differs("filter, then map", fingerprint(timed<order>() | filter(positive) | map(id)));
    differs("map, then filter", fingerprint(timed<order>() | map(id) | filter(positive)));
    differs("a merge", fingerprint(merge(timed<order>(), from<order>("b"_name) | assign_time<&order::at>())));
    differs("its inputs exchanged",
        fingerprint(merge(from<order>("b"_name) | assign_time<&order::at>(), timed<order>())));
    differs("what is computed twice", fingerprint(merge(timed<order>(), timed<order>())));
    differs("... and once", fingerprint(merge(timed<order>() | share("t"_name), timed<order>() | share("t"_name))));
}

TEST_CASE("what compilers make up does not decide the fingerprint", "[run][fingerprint]") {
    CHECK(fingerprint(revenue()) == fingerprint(revenue<same_order>()));  // the name of a class
    CHECK(fingerprint(timed<order>() | filter(positive))
        == fingerprint(timed<order>() | filter([](order const&) { return false; })));  // a lambda
    CHECK(fingerprint(timed<order>() | key_by<&order::sku>()) == fingerprint(timed<order>() | key_by(&order::sku)));
    auto const sku_and_cents = fingerprint(timed<order>() | key_by(&order::sku, &order::cents));
    CHECK(fingerprint(timed<order>() | key_by<&order::sku, &order::cents>()) == sku_and_cents);
    CHECK(fingerprint(timed<order>() | key_by(&order::sku, &order::refund)) != sku_and_cents);
    CHECK(fingerprint(timed<order>() | key_by(&order::cents, &order::sku)) != sku_and_cents);
    CHECK(fingerprint(from<order>() | aggregate(sum<&order::cents>()))
        == fingerprint(from<order>() | aggregate(sum(&order::cents))));
}

TEST_CASE("two shares of one name with other parameters are refused when the job starts", "[run][share]") {
    std::vector<order> const input{{"a", 1, 0, event_time{1}}};
    auto const both = [](duration a, duration b) {
        return merge(timed<order>(a) | share("t"_name), timed<order>(b) | share("t"_name)) | aggregate(count());
    };
    CHECK(run(batch{}, both(5_s, 5_s), input).size() == 1);
    try {
        static_cast<void>(run(batch{}, both(5_s, 6_s), input));
        FAIL("it ran");
    } catch (error const& e) {
        CHECK(e.code() == error_code::mismatch);
    }
}
