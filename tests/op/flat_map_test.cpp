// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/flat_map.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at;

namespace {
/// n, n - 1, ..., 1; throws after the second row of 13.
struct countdown {
    void operator()(int n, auto out) const {
        for (int left = n; left > 0; --left) {
            if (n == 13 && left == 11) throw std::runtime_error("half way");
            out(left);
        }
    }
};
constexpr auto countdowns = from<int>() | flat_map<int>(countdown{});
auto values(auto const& out) {
    std::vector<int> all;
    for (auto const& row : out) all.push_back(row.value);
    return all;
}
static_assert(operator_on<decltype(flat_map<int>(countdown{})), int>);
static_assert(!operator_on<decltype(flat_map<int>(countdown{})), std::string>);
}  // namespace

TEST_CASE("flat_map hands on any number of rows per record, in the order of the calls", "[op][flat_map][oracle]") {
    std::mt19937 random{3};
    std::vector<int> in(50);
    std::vector<int> want;
    for (auto& n : in) {
        n = static_cast<int>(random() % 6);
        for (int left = n; left > 0; --left) want.push_back(left);
    }
    CHECK(values(run(batch{}, countdowns, in)) == want);
    CHECK(run(batch{}, countdowns, std::vector<int>{0, 0}).empty());
}

TEST_CASE("what flat_map had handed on before its function threw stays", "[op][flat_map]") {
    std::vector<int> const in{1, 13, 2};
    auto const skipped = run(batch{.on_error = on_error::skip}, countdowns, in);
    CHECK(values(skipped) == std::vector{1, 13, 12, 2, 1});
    CHECK(skipped.report().failures == 1);
    auto const failed = try_run(batch{}, countdowns, in);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().offset() == 1);
}

TEST_CASE("what throws downstream of flat_map is not flat_map's failure", "[op][flat_map]") {
    auto const sink = [](pane<unkeyed, int> const& row) {
        if (row.value == 2) throw std::logic_error("the sink is full");
    };
    CHECK_THROWS_AS(run(batch{.on_error = on_error::skip}, countdowns, std::vector{3}, to(sink)), std::logic_error);
}

TEST_CASE("flat_map over changes takes the rows of the old row back", "[op][flat_map][changes]") {
    // Each key becomes one row per record it has; then those are counted: late records must not count twice.
    auto const pipe = from<event<int>>() | key_by([](int n) { return n; })
        | window(tumbling{10_s}, allowed_lateness{100_s}) | aggregate(count())
        | flat_map<int>([](pane<int, std::int64_t> const& row, auto out) {
              for (std::int64_t i = 0; i < row.value; ++i) out(row.key);
          })
        | key_by([](int n) { return n % 2; }) | aggregate(count(), sum());
    auto const run = testing::play(pipe, event{1, at(1_s)}, event{2, at(1_s)}, testing::watermark(at(10_s)),
        event{1, at(2_s)}, event{3, at(2_s)}, testing::end_of_input{});
    std::map<int, std::tuple<std::int64_t, std::int64_t>> last;
    for (auto const& row : run.panes) last[row.key] = row.value;
    CHECK(last.at(0) == std::tuple<std::int64_t, std::int64_t>{1, 2});
    CHECK(last.at(1) == std::tuple<std::int64_t, std::int64_t>{3, 5});
}
