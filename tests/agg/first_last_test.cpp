// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/first_last.hpp>

#include <driftless/agg/collect.hpp>
#include <driftless/testing/check_laws.hpp>
#include <agg/run_over.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace first_last_test {
struct visit {
    driftless::text user;
    std::int32_t page;
    driftless::event_time at;
};
struct plain {
    int a;
    int b;
};
struct borrowed {  // text that nobody can see: it is not adapted
    driftless::text user;
};
}  // namespace first_last_test
BOOST_HANA_ADAPT_STRUCT(first_last_test::visit, user, page, at);

using namespace agg_tests;
using first_last_test::plain;
using first_last_test::visit;

namespace {
static_assert(class_of<decltype(first()), int> == combine_class::ordered);
static_assert(class_of<decltype(arg_max<&visit::page>()), visit> == combine_class::ordered);
static_assert(class_of<decltype(collect()), int> == combine_class::ordered);
static_assert(!can_remove<decltype(last()), int> && !can_remove<decltype(collect()), int>);
static_assert(aggregate_function<decltype(first()), plain>);  // nothing borrowed: kept as it is
static_assert(!aggregate_function<decltype(arg_min([](plain const& p) { return p; })), plain>);  // no order
std::vector<visit> const visits{{"bob", 1, event_time{5}}, {"ann", 2, event_time{3}},
    {"a user with a long name", 3, event_time{9}}, {"cid", 4, event_time{3}}, {"dan", 5, event_time{9}}};
/// The page of what a function chose.
template <class A>
std::int32_t page(A const& function) {
    auto const state = state_over(function, visits);
    return pack_of<A, visit>{function}.lower(state).page;
}
}  // namespace

TEST_CASE("first and last in the order of the log, and by time", "[agg][first_last]") {
    CHECK(run_over(first<&visit::user>(), visits) == "bob");
    CHECK(run_over(last<&visit::user>(), visits) == "dan");
    CHECK(run_over(first(&visit::page), visits) == 1);
    CHECK(run_over(last([](visit const& v) { return -v.page; }), visits) == -5);
    CHECK(page(first()) == 1);
    CHECK(page(last()) == 5);
    CHECK(run_over(first<&visit::page, &visit::at>(), visits) == 2);  // of two at 3 the first in the log
    CHECK(run_over(last<&visit::page, &visit::at>(), visits) == 5);   // of two at 9 the last
    CHECK(run_over(first(&visit::user, &visit::at), visits) == "ann");
    CHECK(run_over(last([](visit const& v) { return v.page; }, &visit::at), visits) == 5);
    CHECK(run_over(first(), std::vector{7, 8}) == 7);
}
TEST_CASE("arg_min and arg_max choose the first of several in the log", "[agg][arg_extreme]") {
    CHECK(page(arg_min<&visit::at>()) == 2);
    CHECK(page(arg_max<&visit::at>()) == 3);
    CHECK(run_over(arg_max<&visit::at, &visit::user>(), visits) == "a user with a long name");
    CHECK(run_over(arg_min<&visit::user, &visit::page>(), visits) == 3);
    CHECK(run_over(arg_max(&visit::page, &visit::user), visits) == "dan");
    CHECK(page(arg_min([](visit const& v) { return -v.page; })) == 5);
    double const nan = std::numeric_limits<double>::quiet_NaN();
    auto const itself = [](double v) { return v; };
    CHECK(run_over(arg_max(itself), std::vector{nan, 1.0, nan, 2.0}) == 2);
    CHECK(run_over(arg_min(itself), std::vector{nan, 1.0, nan, 2.0}) == 1);
}
TEST_CASE("collect keeps all values in order", "[agg][collect]") {
    CHECK(run_over(collect(), std::vector{3, 1, 3}) == std::vector{3, 1, 3});
    CHECK(run_over(collect<&visit::page>(), visits) == std::vector{1, 2, 3, 4, 5});
    CHECK(run_over(collect<&visit::user>(), visits)
        == std::vector<std::string>{"bob", "ann", "a user with a long name", "cid", "dan"});
    CHECK(run_over(collect(), std::vector<int>{}).empty());
    auto const state = state_over(collect(), visits);
    CHECK(pack_of<decltype(collect()), visit>{collect()}.lower(state)[2].user == "a user with a long name");
}
TEST_CASE("what is kept of a record owns its text: the source may die after the push", "[agg][first_last]") {
    driftless::detail::aggregate_pack<visit, decltype(first()), decltype(last<&visit::user>()),
        decltype(arg_max<&visit::page>()), decltype(collect())> const pack{
        first(), last<&visit::user>(), arg_max<&visit::page>(), collect()};
    auto state = pack.init();
    for (int i = 0; i < 50; ++i) {
        std::string const name = (i % 2 == 0 ? "" : "a name that no small string can hold ") + std::to_string(i);
        auto const block = std::make_unique<char[]>(name.size());
        std::memcpy(block.get(), name.data(), name.size());
        pack.add(state, visit{text{block.get(), name.size()}, (i * 7) % 50, {}});
        std::memset(block.get(), 'z', name.size());
    }
    auto const copy = state;  // texts in results point into the state that was lowered
    auto const [one, user, most, all] = pack.lower(copy);
    CHECK(one.user == "0");
    CHECK(user == "a name that no small string can hold 49");
    CHECK(most.user == "a name that no small string can hold 7");
    REQUIRE(all.size() == 50);
    CHECK(all[7].user == most.user);
}
TEST_CASE("first, last, arg_min, arg_max and collect keep their laws", "[agg][first_last][collect]") {
    auto const check = [](auto const& function) {
        CHECK(testing::check_laws(function, visits).sentence.empty());
    };
    check(first());
    check(last());
    check(first<&visit::user>());
    check(last<&visit::page>());
    check(first<&visit::user, &visit::at>());
    check(last<&visit::user, &visit::at>());
    check(arg_min<&visit::at>());
    check(arg_max<&visit::user>());
    check(collect());
    check(collect<&visit::page>());
    check(collect<&visit::user>());
}
TEST_CASE("arg_min and arg_max agree with the algorithms of the standard library", "[agg][arg_extreme][property]") {
    property("arg_min, arg_max", [](std::vector<std::pair<std::int8_t, std::int32_t>> const& in) {
        RC_PRE(!in.empty());
        using pair = std::pair<std::int8_t, std::int32_t>;
        auto const by_first = [](pair const& a, pair const& b) { return a.first < b.first; };
        auto const by = [](pair const& p) { return p.first; };
        auto const of = [](pair const& p) { return p.second; };
        RC_ASSERT(run_over(arg_min(by, of), in) == std::min_element(in.begin(), in.end(), by_first)->second);
        RC_ASSERT(run_over(arg_max(by, of), in) == std::max_element(in.begin(), in.end(), by_first)->second);
        auto const latest = std::max_element(in.rbegin(), in.rend(), by_first)->second;
        RC_ASSERT(run_over(last(of, by), in) == latest);
        RC_ASSERT(testing::check_laws(last(of, by), in).ok);
    });
}
