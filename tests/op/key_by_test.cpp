// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/key_by.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct sale {
    text country;
    int shop;
    std::int64_t cents;
};
text const& country_of(sale const& s) {
    if (s.shop == 13) throw std::runtime_error("unlucky");
    return s.country;
}
constexpr auto by_function = from<sale>() | key_by(&country_of) | aggregate(sum<&sale::cents>(), unbounded_state{});

template <class P>
using key_of_stream = typename output_of<P>::key;
static_assert(std::is_same_v<key_of_stream<decltype(from<sale>() | key_by<&sale::country>())>, text>);
static_assert(std::is_same_v<key_of_stream<decltype(from<sale>() | key_by<&sale::country, &sale::shop>())>,
    std::tuple<text, int>>);
static_assert(std::is_same_v<key_of_stream<decltype(by_function)>, text>);  // without its reference
static_assert(!operator_on<decltype(key_by<&sale::shop>()), int>);
struct no_canonical_bytes {
    int* where;
};
constexpr auto bad_key = [](int) { return no_canonical_bytes{nullptr}; };
static_assert(!operator_on<decltype(key_by(bad_key)), int>);
}  // namespace

TEST_CASE("several members make a tuple key, and each of its values a group", "[op][key_by][oracle]") {
    char const* const countries[] = {"", "de", "deu", "fr"};
    std::mt19937 random{5};
    std::vector<sale> in;
    std::map<std::pair<std::string, int>, std::int64_t> want;
    for (int i = 0; i < 300; ++i) {
        sale const s{
            countries[random() % 4], static_cast<int>(random() % 3) - 1, static_cast<std::int64_t>(random() % 100)};
        in.push_back(s);
        want[{s.country.str(), s.shop}] += s.cents;
    }
    auto const out = run(batch{},
        from<sale>() | key_by<&sale::country, &sale::shop>() | aggregate(sum<&sale::cents>(), unbounded_state{}), in);
    CHECK(out.size() == want.size());
    for (auto const& row : out) CHECK(want.at({std::get<0>(row.key), std::get<1>(row.key)}) == row.value);
}

TEST_CASE("a key function that throws is subject to on_error, also one that returns a reference", "[op][key_by]") {
    std::vector<sale> const in{{"de", 1, 5}, {"fr", 13, 7}, {"de", 2, 1}};
    auto const out = run(batch{.on_error = on_error::skip}, by_function, in);
    REQUIRE(out.size() == 1);
    CHECK(out[0].key == "de");
    CHECK(out[0].value == 6);
    CHECK(out.report().failures == 1);
    auto const failed = try_run(batch{}, by_function, in);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().offset() == 1);
}

namespace {
/// Sums per window of 10 ns, corrected by late records; grouped by their last digit.
auto grouped() {
    using row = pane<unkeyed, std::int64_t>;
    return from<event<std::int64_t>>() | assign_time(bounded_disorder{}, as_declared)
        | window(tumbling{10_ns}, allowed_lateness{1000_ns}) | aggregate(sum()) | key_by([](row const& r) {
              if (r.value == 13) throw std::runtime_error("unlucky");
              return r.value % 10;
          })
        | aggregate(sum([](row const& r) { return r.value; }));
}
}  // namespace

TEST_CASE("a row whose key changes leaves the old key before it joins the new one", "[op][key_by][changes]") {
    std::string story;
    auto sink =
        to([&](auto const& row) { story += "+" + std::to_string(row.key) + "=" + std::to_string(row.value) + " "; },
            [&](std::int64_t key, time_window) { story += "-" + std::to_string(key) + " "; });
    using events = std::vector<event<std::int64_t>>;
    auto const play = [&](events const& in) {
        story.clear();
        run(batch{.on_error = on_error::skip}, grouped(), in, sink);
        return story;
    };
    event<std::int64_t> const four{4, event_time{1}};
    event<std::int64_t> const fires{100, event_time{50}};
    CHECK(play({four, fires, {10, event_time{2}}}) == "+4=4 +4=14 +0=100 ");
    CHECK(play({four, fires, {1, event_time{2}}}) == "+4=4 -4 +5=5 +0=100 ");
    // A key that cannot be had is no key: the row leaves, and comes back when its key is known.
    CHECK(play({four, fires, {9, event_time{2}}}) == "+4=4 -4 +0=100 ");
    CHECK(play({four, fires, {9, event_time{2}}, {1, event_time{2}}}) == "+4=4 -4 +4=14 +0=100 ");
}
