// SPDX-License-Identifier: BSL-1.0
#include <driftless/adapt/sqlite_query.hpp>

#include <driftless/view/validate.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using Catch::Matchers::Contains;

namespace sqlite_query_test {
struct line {
    text shop;
    event_time day;
    std::int64_t cents;
};
struct everything {
    bool yes;
    std::int8_t small;
    std::uint32_t wide;
    double real;
    std::optional<std::int32_t> maybe;
    time_window span;
    std::string name;
};
}  // namespace sqlite_query_test
BOOST_HANA_ADAPT_STRUCT(sqlite_query_test::line, shop, day, cents);
BOOST_HANA_ADAPT_STRUCT(sqlite_query_test::everything, yes, small, wide, real, maybe, span, name);

namespace {
using sqlite_query_test::everything;
using sqlite_query_test::line;

std::string made(test::temporary_folder const& in, std::vector<std::string> const& statements) {
    auto path = in.path() + "/ledger.db";
    driftless::detail::sqlite_database into{path, true, 5_s};
    for (auto const& each : statements) into.run(each);
    return path;
}
}  // namespace

TEST_CASE("the rows of an SQLite query are a source of truth", "[adapt][sqlite_query]") {
    test::temporary_folder const folder;
    auto const path = made(folder,
        {"create table lines (shop text, day_ns integer, cents integer)",
            "insert into lines values ('a', 0, 100), ('b', 0, 50), ('a', 86400000000000, 7), ('a', 0, 20)"});
    auto const ledger = rows_of<std::string, std::int64_t>([&](auto const& row) {
        auto const n = query_sqlite<line>(path,
            "select shop, day_ns, sum(cents) from lines group by shop, day_ns",
            [&](line const& each) { row(each.shop, time_window{each.day, each.day + 1_d}, each.cents); });
        CHECK(n == 3);
    });
    auto const candidate_with = [&](std::int64_t cents) {
        row_set<std::string, std::int64_t> out;
        out.add(std::string{"a"}, time_window{event_time{}, event_time{} + 1_d}, cents);
        out.add(std::string{"b"}, time_window{event_time{}, event_time{} + 1_d}, std::int64_t{50});
        out.add(std::string{"a"}, time_window{event_time{} + 1_d, event_time{} + 2_d}, std::int64_t{7});
        return std::move(out).finish();
    };
    validation<std::string, std::int64_t> checks;
    checks.agrees_with("ledger", ledger);
    CHECK(checks.run(candidate_with(120)).passed());
    auto const found = checks.run(candidate_with(121));
    CHECK_FALSE(found.passed());
    CHECK(found.verdicts[0].samples.at(0).right == "120");
}

TEST_CASE("a query reads all types of columns", "[adapt][sqlite_query]") {
    test::temporary_folder const folder;
    auto const path = made(folder, {"create table t (x)", "insert into t values (1)"});
    std::vector<everything> all;
    query_sqlite<everything>(path,
        "select 1, -128, 4294967295, 2.5, 7, 10, 20, 'x' union all select 0, 127, 0, null, null, 30, 40, ''",
        [&](everything const& each) { all.push_back(each); });
    REQUIRE(all.size() == 2);
    CHECK(all[0].yes);
    CHECK(all[0].small == -128);
    CHECK(all[0].wide == 4294967295);
    CHECK(all[0].real == 2.5);
    CHECK(all[0].maybe == 7);
    CHECK(all[0].span == time_window{event_time{10}, event_time{20}});
    CHECK(all[0].name == "x");
    CHECK(std::isnan(all[1].real));
    CHECK_FALSE(all[1].maybe);
    std::vector<std::int64_t> numbers;
    query_sqlite<std::int64_t>(path, "select x from t", [&](std::int64_t n) { numbers.push_back(n); });
    CHECK(numbers == std::vector<std::int64_t>{1});
}

TEST_CASE("what a query yields and a row cannot hold is refused with its place", "[adapt][sqlite_query]") {
    test::temporary_folder const folder;
    auto const path = made(folder, {"create table t (x)", "insert into t values (1)"});
    auto const refused = [&](std::string const& sql, char const* sentence) {
        try {
            query_sqlite<line>(path, sql, [](line const&) {});
            FAIL("nothing was refused: " << sql);
        } catch (error const& problem) {
            CHECK(problem.path() == path);
            CHECK_THAT(problem.what(), Contains(sentence));
            return problem.code();
        }
        return error_code::none;
    };
    CHECK(refused("select 'a', 1", "yields 2 columns, and a row has 3") == error_code::malformed);
    CHECK(refused("select 'a', 1, '12x'", "row 1 of the query has a text in column 'cents', which is to be an integer")
        == error_code::malformed);
    CHECK(refused("select 'a', 1, 2 union all select 'b', null, 3", "row 2 of the query has NULL in column 'day'")
        == error_code::malformed);
    CHECK(refused("select 5, 1, 2", "an integer in column 'shop', which is to be a text") == error_code::malformed);
    CHECK(refused("select 'a', 1, 2.5", "a real number in column 'cents'") == error_code::malformed);
    CHECK(refused("select nonsense", "while asking \"select nonsense\"") == error_code::io);
    CHECK_THROWS_WITH(query_sqlite<std::int8_t>(path, "select 128", [](std::int8_t) {}),
        Contains("has 128 in column 'value', which is out of its range"));
    CHECK_THROWS_WITH(query_sqlite<bool>(path, "select 2", [](bool) {}), Contains("out of its range"));
    CHECK_THROWS_AS(query_sqlite<bool>(folder.path() + "/none.db", "select 1", [](bool) {}), error);
}
