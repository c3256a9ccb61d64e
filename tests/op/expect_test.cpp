// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/expect.hpp>

#include <driftless/op/from.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct positive {
    bool operator()(int n) const {
        if (n == 13) throw std::runtime_error("unlucky");
        return n > 0;
    }
};
constexpr auto counted = from<int>() | expect("positive"_name, positive{});
constexpr auto diverted = from<int>() | expect("positive"_name, positive{}, divert_to{"bad"_name});
constexpr auto failing = from<int>() | expect("positive"_name, positive{}, fail_on_violation{});
auto values(auto const& out) {
    std::vector<int> all;
    for (auto const& row : out) all.push_back(row.value);
    return all;
}
static_assert(operator_on<decltype(expect("x"_name, positive{})), int>);
static_assert(!operator_on<decltype(expect("x"_name, positive{})), std::string>);
}  // namespace

TEST_CASE("expect counts violations and passes every record on", "[op][expect]") {
    auto const out = run(batch{}, counted, std::vector{1, 0, -1, 2});
    CHECK(values(out) == std::vector{1, 0, -1, 2});
    auto const* const books = out.report().stage("positive");
    REQUIRE(books != nullptr);
    CHECK(books->violations == 2);
    CHECK(books->applied == 4);
    CHECK(books->refusals() == 0);
    CHECK(out.report().violations() == 2);
}

TEST_CASE("expect diverts what violates it: every record goes one way, and both are counted", "[op][expect][oracle]") {
    std::mt19937 random{4};
    std::vector<int> in(100);
    std::vector<int> good;
    std::vector<int> bad;
    for (auto& n : in) {
        n = static_cast<int>(random() % 12) - 6;
        (n > 0 ? good : bad).push_back(n);
    }
    std::vector<int> other_way;
    auto divert = to([&](int n) { other_way.push_back(n); });
    auto const out = run(batch{}, diverted, in, bind("bad"_name, divert));
    CHECK(values(out) == good);
    CHECK(other_way == bad);
    CHECK(out.report().refused(reason::violated) == bad.size());
    CHECK(out.report().stage("positive")->applied == good.size());
    CHECK(out.report().stage("positive")->in() == in.size());
}

TEST_CASE("expect(..., fail_on_violation{}) stops the run, unless on_error says otherwise", "[op][expect]") {
    std::vector<int> const in{1, -1, 2};
    auto const failed = try_run(batch{}, failing, in);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code() == error_code::expectation);
    CHECK(failed.error().offset() == 1);
    CHECK(std::string{failed.error().what()}.find("'positive'") != std::string::npos);

    auto const skipped = run(batch{.on_error = on_error::skip}, failing, in);
    CHECK(values(skipped) == std::vector{1, 2});
    CHECK(skipped.report().stage("positive")->refusals(reason::violated) == 1);
    CHECK(skipped.report().stage("positive")->in() == 3);
}

TEST_CASE("a predicate that throws leaves its record out, and the books still balance", "[op][expect]") {
    auto const out = run(batch{.on_error = on_error::skip}, counted, std::vector{1, 13, 2});
    CHECK(values(out) == std::vector{1, 2});
    CHECK(out.report().failures == 1);
    CHECK(out.report().stage("positive")->in() == 3);
    CHECK(out.report().stage("positive")->refusals(reason::failed) == 1);
    CHECK_THROWS_AS(run(batch{}, counted, std::vector{13}), error);
}
