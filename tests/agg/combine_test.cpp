// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/agg/combine.hpp>

#include <driftless/agg/pack.hpp>
#include <driftless/testing/check_laws.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;

namespace {
template <class T, class A>
auto run(A function, std::vector<T> const& records) {
    detail::aggregate_pack<T, A> const pack{function};
    auto state = pack.init();
    for (auto const& record : records) pack.add(state, record);
    return to_owned(pack.lower(state));  // text in a result points into the state
}
struct reading {
    text sensor;
    int value;
};
auto last = [](int, int later) { return later; };
auto longer = [](text a, text b) { return b.size() > a.size() ? b : a; };
auto join = [](std::string& into, std::string const& later) { into += later; };

static_assert(detail::applied_function<decltype(combine(last)), int>::combines == combine_class::ordered);
static_assert(!detail::applied_function<decltype(combine(last)), int>::invertible);
static_assert(!aggregate_function<decltype(combine(last)), std::string>);
static_assert(std::is_same_v<detail::applied_function<decltype(combine(longer)), text>::result, text>);
}  // namespace

TEST_CASE("combine reduces records in log order", "[agg][combine]") {
    CHECK(run(combine(last), std::vector{3, 1, 2}) == 2);
    CHECK(run(combine([](int a, int b) { return a * b; }), std::vector{2, 3, 7}) == 42);
    CHECK(run(combine(join), std::vector<std::string>{"a", "b", "c"}) == "abc");
}

TEST_CASE("combine lifts a member or a function of the record first", "[agg][combine]") {
    std::vector<reading> const readings{{"a", 3}, {"abc", 9}, {"xyz", 4}};
    CHECK(run(combine(&reading::value, last), readings) == 4);
    CHECK(run(combine([](reading const& r) { return r.value * 2; }, last), readings) == 8);
    CHECK(run(combine(&reading::sensor, longer), readings) == "abc");
    CHECK(run(combine([](reading const& r) { return r.sensor.str(); }, join), readings) == "aabcxyz");
}

TEST_CASE("combine owns text: the source may die after the push", "[agg][combine]") {
    detail::aggregate_pack<text, decltype(combine(longer))> const pack{combine(longer)};
    auto state = pack.init();
    for (std::size_t size : {20u, 60u, 40u}) {
        std::string dies(size, 'q');
        pack.add(state, dies);
        dies.assign(size, 'z');
    }
    CHECK(pack.lower(state).str() == std::string(60, 'q'));
}

TEST_CASE("a part without records changes nothing", "[agg][combine]") {
    detail::aggregate_pack<int, decltype(combine(last))> const pack{combine(last)};
    auto some = pack.init();
    pack.add(some, 5);
    pack.combine(some, pack.init());
    CHECK(pack.lower(some) == 5);
    auto none = pack.init();
    pack.combine(none, some);
    CHECK(pack.lower(none) == 5);
}

TEST_CASE("combine is as lawful as its function", "[agg][combine]") {
    CHECK(testing::check_laws(combine(last), std::vector{1, 2, 3}).sentence.empty());
    CHECK(testing::check_laws(combine(longer), std::vector<text>{"a", "bb", "cc", ""}).sentence.empty());
    auto const minus = [](int a, int b) { return a - b; };
    auto const report = testing::check_laws(combine(minus), std::vector{1, 2, 3});
    CHECK_FALSE(report.ok);
    CHECK(report.sentence.find("combine is not associative") != std::string::npos);
}
