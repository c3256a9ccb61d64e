// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/map.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct half {
    std::int64_t operator()(std::int64_t n) const {
        if (n == 13) throw std::runtime_error("unlucky");
        return n / 2;
    }
};
constexpr auto halves = from<std::int64_t>() | map(half{});
auto values(auto const& out) {
    std::vector<std::int64_t> all;
    for (auto const& row : out) all.push_back(row.value);
    return all;
}
/// One row per window of 10 ns, corrected by each record that comes up to 1000 ns late.
auto sums() {
    return from<event<std::int64_t>>() | assign_time(bounded_disorder{}, as_declared)
        | window(tumbling{10_ns}, allowed_lateness{1000_ns}) | aggregate(sum());
}

static_assert(operator_on<decltype(map(half{})), std::int64_t> && !operator_on<decltype(map(half{})), std::string>);
constexpr auto returns_nothing = [](int) {};
static_assert(!operator_on<decltype(map(returns_nothing)), int>);
}  // namespace

TEST_CASE("map calls its function once per record and keeps their order", "[op][map][oracle]") {
    std::mt19937 random{1};
    std::vector<std::int64_t> in(200);
    for (auto& n : in) n = static_cast<std::int64_t>(random() % 1000) - 500;
    std::erase(in, 13);
    std::vector<std::int64_t> want;
    for (auto const n : in) want.push_back(n / 2);
    CHECK(values(run(batch{}, halves, in)) == want);
    CHECK(run(batch{}, halves, std::vector<std::int64_t>{}).empty());
}

TEST_CASE("a map function that throws is subject to on_error", "[op][map]") {
    std::vector<std::int64_t> const in{2, 13, 4};
    auto const skipped = run(batch{.on_error = on_error::skip}, halves, in);
    CHECK(values(skipped) == std::vector<std::int64_t>{1, 2});
    CHECK(skipped.report().failures == 1);
    CHECK(skipped.report().refused(reason::failed) == 1);

    std::vector<dead_letter> letters;
    auto receive = [&](dead_letter const& letter) { letters.push_back(letter); };
    CHECK(values(run(batch{.on_error = on_error::dead_letter(receive)}, halves, in))
        == std::vector<std::int64_t>{1, 2});
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].offset == 1);
    CHECK(letters[0].operator_name == "map");
    CHECK(letters[0].why.find("unlucky") != std::string::npos);

    auto failed = try_run(batch{}, halves, in);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code() == error_code::user_function);
    CHECK(failed.error().offset() == 1);
}

TEST_CASE("map over changes maps both sides, and a side it cannot map is absent", "[op][map][changes]") {
    auto const pipe = sums() | map([](pane<unkeyed, std::int64_t> const& row) { return half{}(row.value); });
    auto const final_rows = [&](std::vector<event<std::int64_t>> const& in) {
        return values(run(batch{.on_error = on_error::skip}, pipe, in));
    };
    event<std::int64_t> const first{4, event_time{1}};
    event<std::int64_t> const fires{100, event_time{50}};
    CHECK(final_rows({first, fires, {6, event_time{2}}}) == std::vector<std::int64_t>{5, 50});
    // 4, then 13, which throws: the row 2 is taken back ...
    CHECK(final_rows({first, fires, {9, event_time{2}}}) == std::vector<std::int64_t>{50});
    // ... and comes again with the next value.
    CHECK(final_rows({first, fires, {9, event_time{2}}, {1, event_time{3}}}) == std::vector<std::int64_t>{7, 50});
}
