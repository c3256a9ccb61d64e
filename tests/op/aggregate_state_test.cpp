// SPDX-License-Identifier: BSL-1.0
// What an aggregate keeps: borrowed keys, bounds, functions that throw, no key, no window.
#include <driftless/op/aggregate.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/tap.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct word {
    text key;
    int n;
};
}  // namespace

TEST_CASE("text keys are copied: their buffers may change after the push", "[op][aggregate][text]") {
    // Long and short keys; the tap overwrites the bytes of all earlier records before the next is pushed.
    std::vector<std::array<char, 40>> buffers(200);
    std::vector<word> in;
    std::map<std::string, std::int64_t> want;
    std::mt19937 random{8};
    for (auto& buffer : buffers) {
        auto const n = random() % 30;
        std::size_t const size = n % 3 == 0 ? 2 : 30;
        buffer.fill('x');
        std::memcpy(buffer.data(), std::to_string(10 + n).data(), 2);
        in.push_back({text{buffer.data(), size}, static_cast<int>(in.size())});
        ++want[in.back().key.str()];
    }
    auto const pipe = from<word>() | tap([&](word const& now) {
        for (int i = 0; i < now.n; ++i) buffers[static_cast<std::size_t>(i)].fill('?');
    }) | key_by<&word::key>()
        | aggregate(count(), unbounded_state{});
    auto const out = run(batch{}, pipe, in);
    CHECK(out.size() == want.size());
    for (auto const& row : out) CHECK(want[row.key] == row.value);
}

TEST_CASE(
    "max_keys refuses new keys, keeps old ones, and makes room when a window closes", "[op][aggregate][capacity]") {
    auto const pipe = from<event<int>>() | key_by([](int n) { return n; }) | window(tumbling{10_ns})
        | aggregate(count(), max_keys{2});
    using events = std::vector<event<int>>;
    auto const out =
        run(batch{}, pipe, events{{1, event_time{0}}, {2, event_time{1}}, {3, event_time{2}}, {1, event_time{3}}});
    CHECK(out.size() == 2);
    CHECK(out.report().refused(reason::capacity) == 1);
    CHECK(out.report().stage("aggregate")->in() == 4);

    events const two_windows{{1, event_time{0}}, {1, event_time{10}}, {2, event_time{10}}};
    CHECK(run(batch{}, pipe, two_windows).report().refused(reason::capacity) == 1);  // an entry per key and window
}

TEST_CASE("a record that a function refuses by throwing is in no part of the result", "[op][aggregate][on_error]") {
    auto const pipe = from<event<int>>() | key_by([](int n) { return n / 100; }) | window(tumbling{10_ns})
        | aggregate(count(), sum([](int n) {
              if (n % 100 == 13) throw std::runtime_error("unlucky");
              return std::int64_t{n};
          }));
    std::vector<event<int>> const in{{1, event_time{0}}, {13, event_time{0}}, {2, event_time{0}}, {113, event_time{0}}};
    auto const out = run(batch{.on_error = on_error::skip}, pipe, in);
    REQUIRE(out.size() == 1);  // key 1 has no record that counts
    CHECK(std::get<1>(out[0].value) == 3);
    CHECK(std::get<0>(out[0].value) == 2);
    auto const* const books = out.report().stage("aggregate");
    CHECK(books->applied == 2);
    CHECK(books->refusals(reason::failed) == 2);
    CHECK(out.report().failures == 2);
    CHECK_THROWS_AS(run(batch{}, pipe, in), error);
}

TEST_CASE(
    "without key and window there is one row, when the input ends, unless there was no record", "[op][aggregate]") {
    struct row {
        std::int64_t count;
        std::int64_t sum;
    };
    auto const pipe = from<std::int64_t>() | aggregate<row>(count(), sum());
    auto const out = run(batch{}, pipe, std::vector<std::int64_t>{1, -5, 2});
    REQUIRE(out.size() == 1);
    CHECK(out[0].value.count == 3);
    CHECK(out[0].value.sum == -2);
    CHECK(run(batch{}, pipe, std::vector<std::int64_t>{}).empty());

    // A sum that does not fit goes to on_error; it never wraps.
    std::vector<std::int64_t> const large(2, std::numeric_limits<std::int64_t>::max());
    auto const failed = try_run(batch{}, pipe, large);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code() == error_code::overflow);
    auto const skipped = run(batch{.on_error = on_error::skip}, pipe, large);
    CHECK(skipped.empty());
    CHECK(skipped.report().failures == 1);
}
