// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/where.hpp>

#include <driftless/agg/arg_extreme.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/distinct.hpp>
#include <driftless/agg/first_last.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/agg/mean.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/pack.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/driftless.hpp>
#include <driftless/testing/check_laws.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace where_test {
struct sale {
    text shop;
    std::int64_t cents;
    bool online;
    event_time at;
};
}  // namespace where_test
BOOST_HANA_ADAPT_STRUCT(where_test::sale, shop, cents, online, at);

namespace {
using where_test::sale;

template <class T, class A>
auto run_one(A function, std::vector<T> const& records) {
    driftless::detail::aggregate_pack<T, A> const pack{function};
    auto state = pack.init();
    for (auto const& record : records) pack.add(state, record);
    return pack.lower(state);
}
constexpr auto is_odd = [](std::int64_t n) noexcept { return n % 2 != 0; };
std::vector<std::int64_t> const some{4, 7, 1, 7, 10};
std::vector<std::int64_t> const even{2, 4};

template <class A, class T>
using applied = driftless::detail::applied_function<A, T>;
static_assert(applied<decltype(where(is_odd, count())), std::int64_t>::combines == combine_class::exact);
static_assert(applied<decltype(where(is_odd, count())), std::int64_t>::subtractable);
static_assert(applied<decltype(where(is_odd, count())), std::int64_t>::add_is_safe);
static_assert(!applied<decltype(where(is_odd, first())), std::int64_t>::invertible);
static_assert(applied<decltype(where(is_odd, first())), std::int64_t>::combines == combine_class::ordered);
using folded = decltype(where(is_odd, fold(0, [](int n, std::int64_t) { return n; })));
static_assert(!applied<folded, std::int64_t>::combinable);

/// Without init: it has no state of no record.
struct least_of_own {
    static constexpr auto combines = combine_class::exact;
    std::int64_t lift(std::int64_t n) const { return n; }
    void combine(std::int64_t& into, std::int64_t later) const { into = std::min(into, later); }
    std::int64_t lower(std::int64_t n) const { return n; }
};

/// Sales of which some are taken back: behind it everything counts over changes.
constexpr auto per_shop = from<sale>() | assign_time<&sale::at>(bounded_disorder{1_s}) | key_by<&sale::at>()
    | table(unbounded_state{}) | key_by<&sale::shop>()
    | aggregate(count(), where<&sale::online>(count()), where<&sale::online>(sum<&sale::cents>()),
        where<&sale::online>(max<&sale::cents>()), where<&sale::online>(distinct<&sale::cents>()), unbounded_state{});
}  // namespace

TEST_CASE("what does not hold is not in the aggregate", "[agg][where]") {
    CHECK(run_one(where(is_odd, count()), some) == 3);
    CHECK(run_one(where(is_odd, sum()), some) == 15);
    CHECK(run_one(where(is_odd, distinct()), some) == 2);
    CHECK(run_one(where(is_odd, min()), some) == std::optional<std::int64_t>{1});
    CHECK(run_one(where(is_odd, mean()), some) == 5.0);
    auto const digits = fold(std::int64_t{0}, [](std::int64_t s, std::int64_t n) { return 10 * s + n; });
    CHECK(run_one(where(is_odd, digits), some) == 717);
    CHECK(run_one(where(is_odd, where([](std::int64_t n) { return n > 1; }, count())), some) == 2);
}

TEST_CASE("what has no result over no records yields nothing where none held", "[agg][where]") {
    CHECK(run_one(where(is_odd, first()), some) == std::optional<std::int64_t>{7});
    CHECK(run_one(where(is_odd, last()), some) == std::optional<std::int64_t>{7});
    CHECK(run_one(where(is_odd, first()), even) == std::nullopt);
    CHECK(run_one(where(is_odd, min()), even) == std::nullopt);
    CHECK(run_one(where(is_odd, least_of_own{}), some) == std::optional<std::int64_t>{1});
    CHECK(run_one(where(is_odd, least_of_own{}), even) == std::nullopt);
    CHECK(run_one(where(is_odd, count()), even) == 0);
    CHECK(run_one(where(is_odd, sum()), even) == 0);
}

TEST_CASE("the laws of what it is made of hold", "[agg][where][property]") {
    property("associative, identity, inverse", [](std::vector<std::int32_t> const& raw) {
        std::vector<std::int64_t> const in(raw.begin(), raw.end());
        RC_ASSERT(testing::check_laws(where(is_odd, count()), in).sentence.empty());
        RC_ASSERT(testing::check_laws(where(is_odd, sum()), in).sentence.empty());
        RC_ASSERT(testing::check_laws(where(is_odd, distinct()), in).sentence.empty());
        RC_ASSERT(testing::check_laws(where(is_odd, first()), in).sentence.empty());
        RC_ASSERT(testing::check_laws(where(is_odd, last()), in).sentence.empty());
        RC_ASSERT(testing::check_laws(where(is_odd, min()), in).sentence.empty());
        RC_ASSERT(testing::check_laws(where(is_odd, least_of_own{}), in).sentence.empty()); }, 60);
}

TEST_CASE("rows that are taken back leave the aggregate iff they were in it", "[agg][where]") {
    // The table has one row per time: a later sale of a time replaces the earlier one.
    std::vector<sale> sales;
    std::uint64_t seed = 7;
    for (int i = 0; i < 400; ++i) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        auto const r = seed >> 33U;
        sales.push_back({r % 3 == 0 ? "a" : "b", static_cast<std::int64_t>(r / 7 % 9), r / 64 % 2 == 0,
            event_time{} + static_cast<std::int64_t>(r / 128 % 60) * 1_ms});
    }
    std::map<event_time, sale> rows;
    for (auto const& one : sales) rows[one.at] = one;
    std::size_t seen = 0;
    for (auto const& [shop, window, got, info] : driftless::run(batch{}, per_shop, sales)) {
        std::int64_t all = 0, online = 0, cents = 0;
        std::optional<std::int64_t> most;
        std::set<std::int64_t> different;
        for (auto const& [at, one] : rows) {
            if (one.shop.view() != shop) continue;
            ++all;
            if (!one.online) continue;
            ++online;
            cents += one.cents;
            most = std::max(most.value_or(one.cents), one.cents);
            different.insert(one.cents);
        }
        CHECK(got == std::tuple{all, online, cents, most, static_cast<std::int64_t>(different.size())});
        ++seen;
    }
    CHECK(seen == 2);
}

TEST_CASE("where by a member, in windows, on threads and as a stream", "[agg][where][equivalence]") {
    constexpr auto pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{20_ms}) | key_by<&sale::shop>()
        | window(sliding{20_ms, 5_ms})
        | aggregate(where<&sale::online>(count()), where<&sale::online>(first<&sale::cents>()), sum<&sale::cents>());
    std::vector<sale> sales;
    for (int i = 0; i < 300; ++i) {
        sales.push_back({i % 4 == 0 ? "a" : "b", i % 11, i % 5 < 2, event_time{} + (i ^ 3) * 1_ms});
    }
    auto const once = driftless::run(batch{}, pipeline, sales);
    auto const threads = driftless::run(batch{.threads = 2}, pipeline, sales);
    auto const streamed = driftless::run(stream{.until = drained}, pipeline, sales);
    REQUIRE(once.size() > 60);
    REQUIRE(threads.size() == once.size());
    REQUIRE(streamed.size() == once.size());
    for (std::size_t i = 0; i < once.size(); ++i) {
        CHECK(once[i].value == threads[i].value);
        CHECK(once[i].value == streamed[i].value);
        std::int64_t online = 0, cents = 0;
        std::optional<std::int64_t> first;
        for (auto const& one : sales) {
            bool const inside = one.at >= once[i].window.start && one.at < once[i].window.end;
            if (one.shop.view() != once[i].key || !inside) continue;
            cents += one.cents;
            if (!one.online) continue;
            ++online;
            if (!first) first = one.cents;
        }
        CHECK(once[i].value == std::tuple{online, first, cents});
    }
}
