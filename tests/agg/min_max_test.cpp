// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/agg/min_max.hpp>

#include <driftless/agg/pack.hpp>
#include <driftless/testing/check_laws.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct order {
    text sku;
    std::int64_t cents;
    event_time at;
    double weight;
};
template <class T, class A>
auto run(A function, std::vector<T> const& records) {
    driftless::detail::aggregate_pack<T, A> const pack{function};
    auto state = pack.init();
    for (auto const& record : records) pack.add(state, record);
    return to_owned(pack.lower(state));  // text in a result points into the state
}
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

template <class A, class T>
constexpr bool is_exact = driftless::detail::applied_function<A, T>::combines == combine_class::exact;
using least = decltype(min());
static_assert(is_exact<least, int> && is_exact<least, double> && is_exact<least, text> && is_exact<least, event_time>);
static_assert(is_exact<least, std::tuple<int, text>> && !is_exact<least, std::tuple<int, double>>);
static_assert(!driftless::detail::applied_function<least, int>::invertible);
static_assert(std::is_same_v<driftless::detail::applied_function<least, text>::result, text>);
static_assert(!aggregate_function<least, order>);  // has no order
static_assert(std::is_trivially_copyable_v<driftless::detail::aggregate_pack<int, least>::state>);

/// Ordered by rank alone: equal ones may differ.
struct ranked {
    int rank = 0;
    int name = 0;
    void save(auto& out) const { out.write(rank).write(name); }
    void load(auto& in) { in.read(rank).read(name); }
    [[maybe_unused]] friend bool operator==(ranked a, ranked b) { return a.rank == b.rank; }
    friend auto operator<=>(ranked a, ranked b) { return a.rank <=> b.rank; }
};
static_assert(driftless::detail::applied_function<least, ranked>::combines == combine_class::ordered);
}  // namespace

TEST_CASE("min and max find the extremes of a member, a function and the records themselves", "[agg][min_max]") {
    std::vector<order> const orders{
        {"b", 5, event_time{7}, 1}, {"a", -5, event_time{9}, 2}, {"c", 0, event_time{-1}, 3}};
    CHECK(run(min<&order::cents>(), orders) == -5);
    CHECK(run(max<&order::cents>(), orders) == 5);
    CHECK(run(min(&order::at), orders) == event_time{-1});
    CHECK(run(max<&order::at>(), orders) == event_time{9});
    CHECK(run(min<&order::sku>(), orders) == "a");
    CHECK(run(max([](order const& o) { return -o.cents; }), orders) == 5);
    CHECK(run(min(), std::vector<std::uint64_t>{~std::uint64_t{0}, 1}) == 1);
    constexpr auto limits = std::numeric_limits<std::int64_t>{};
    CHECK(run(min(), std::vector{limits.max()}) == limits.max());  // no sentinel stands for "none"
    CHECK(run(max(), std::vector{limits.min()}) == limits.min());
    CHECK(run(min(), std::vector{true, false}) == false);
    CHECK(run(max(), std::vector{1_s, 2_s}) == 2_s);
}

TEST_CASE("min over text owns its bytes: the source may die after the push", "[agg][min_max]") {
    driftless::detail::aggregate_pack<order, decltype(min<&order::sku>()), decltype(max<&order::sku>())> const pack{
        min<&order::sku>(), max<&order::sku>()};
    auto state = pack.init();
    for (char const* name :
        {"melon, long enough to be on the heap", "apple, long enough to be on the heap", "pear", ""}) {
        std::size_t const size = std::strlen(name);
        auto const block = std::make_unique<char[]>(size + 1);  // to the byte, so that sanitizers see it
        std::memcpy(block.get(), name, size);
        pack.add(state, order{text{block.get(), size}, 0, {}, 0});
        std::memset(block.get(), 'z', size);
    }
    auto const [lowest, highest] = pack.lower(state);
    CHECK(lowest.str().empty());
    CHECK(highest.str() == "pear");
}

TEST_CASE("min over a tuple with text owns it as well", "[agg][min_max]") {
    auto const key = [](order const& o) { return std::tuple{o.sku, o.cents}; };
    driftless::detail::aggregate_pack<order, decltype(min(key))> const pack{min(key)};
    auto state = pack.init();
    {
        std::string const dies = "apple, long enough to be on the heap";
        pack.add(state, order{dies, 2, {}, 0});
        pack.add(state, order{dies, 1, {}, 0});
    }
    CHECK(std::get<0>(pack.lower(state)) == text{"apple, long enough to be on the heap"});
    CHECK(std::get<1>(pack.lower(state)) == 1);
}

TEST_CASE("NaN loses against every number, for min as for max, wherever it stands", "[agg][min_max]") {
    std::vector<std::vector<double>> const lists{{not_a_number, 1, 2}, {1, not_a_number, 2}, {1, 2, not_a_number},
        {not_a_number, 2, not_a_number, 1, not_a_number}};
    for (auto const& list : lists) {
        CHECK(run(min(), list) == 1);
        CHECK(run(max(), list) == 2);
    }
    CHECK(run(min(), std::vector{not_a_number, inf}) == inf);
    CHECK(run(max(), std::vector{-inf, not_a_number}) == -inf);
    CHECK(run(max(), std::vector{std::numeric_limits<float>::quiet_NaN(), 1.f}) == 1.f);
}

TEST_CASE("NaN alone comes out as one NaN, whatever its bits", "[agg][min_max]") {
    double const odd = std::bit_cast<double>(std::uint64_t{0xfff0000000000123});
    REQUIRE(std::isnan(odd));
    CHECK(bits(run(min(), std::vector{odd})) == bits(not_a_number));
    CHECK(bits(run(max(), std::vector{odd, -not_a_number})) == bits(not_a_number));
}

TEST_CASE("-0.0 is less than 0.0 whichever comes first", "[agg][min_max]") {
    CHECK(bits(run(min(), std::vector{0.0, -0.0})) == bits(-0.0));
    CHECK(bits(run(min(), std::vector{-0.0, 0.0})) == bits(-0.0));
    CHECK(bits(run(max(), std::vector{0.0, -0.0})) == bits(0.0));
    CHECK(bits(run(max(), std::vector{-0.0, 0.0})) == bits(0.0));
}

TEST_CASE("of equal values that differ the earlier one is kept", "[agg][min_max]") {
    std::vector<ranked> const list{{1, 10}, {1, 20}, {0, 30}, {0, 40}};
    CHECK(run(min(), list).name == 30);
    CHECK(run(max(), list).name == 10);
    CHECK(testing::check_laws(min(), list).sentence.empty());
    CHECK(testing::check_laws(max(), list).sentence.empty());
}

TEST_CASE("min and max keep their laws", "[agg][min_max]") {
    std::vector<double> const floats{
        1, not_a_number, -0.0, 0.0, -inf, inf, std::bit_cast<double>(std::uint64_t{0x7ff0000000000001}), 1};
    CHECK(testing::check_laws(min(), floats).sentence.empty());
    CHECK(testing::check_laws(max(), floats).sentence.empty());
    std::vector<text> const texts{"", "b", "a", "ab", "b"};
    CHECK(testing::check_laws(min(), texts).sentence.empty());
    CHECK(testing::check_laws(max(), texts).sentence.empty());
}

TEST_CASE("min and max agree with a plain loop", "[agg][min_max][property]") {
    property("min, max", [](std::vector<std::int32_t> const& in) {
        RC_PRE(!in.empty());
        RC_ASSERT(run(min(), in) == *std::min_element(in.begin(), in.end()));
        RC_ASSERT(run(max(), in) == *std::max_element(in.begin(), in.end()));
        RC_ASSERT(testing::check_laws(max(), in).ok);
    });
}
