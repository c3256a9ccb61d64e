// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/detail/multiset.hpp>

#include <driftless/agg/distinct.hpp>
#include <driftless/agg/pack.hpp>
#include <driftless/testing/check_laws.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;

namespace {
template <class T>
using distinct_pack = detail::aggregate_pack<T, decltype(distinct())>;
template <class T>
auto filled(std::vector<T> const& records) {
    distinct_pack<T> const pack{distinct()};
    auto state = pack.init();
    for (auto const& record : records) pack.add(state, record);
    return state;
}
/// Values whose canonical hashes crowd at the end of the table, so that they wrap around.
std::vector<std::int64_t> crowded(std::size_t count, std::uint64_t step) {
    std::vector<std::int64_t> values;
    for (std::uint64_t i = 0; i < count; ++i)
        values.push_back(static_cast<std::int64_t>(unmix64(~std::uint64_t{0} - i * step)));
    return values;
}
}  // namespace

TEST_CASE("values whose hashes crowd at the end of the table wrap around and stay in order", "[agg][distinct]") {
    for (std::uint64_t const step : {std::uint64_t{1}, std::uint64_t{1} << 54, std::uint64_t{1} << 57}) {
        auto values = crowded(200, step);
        values.push_back(0);  // hash 0: its home is the front, where the wrapped ones are
        for (std::int64_t near = 0; near < 5; ++near)
            values.push_back(static_cast<std::int64_t>(unmix64(static_cast<std::uint64_t>(near) << 50)));
        std::set<std::int64_t> const oracle(values.begin(), values.end());
        CHECK(distinct_pack<std::int64_t>{distinct()}.lower(filled(values))
            == static_cast<std::int64_t>(oracle.size()));
        CHECK(testing::check_laws(distinct(), std::vector<std::int64_t>(values.end() - 30, values.end()))
                .sentence.empty());
        std::mt19937 random{1};
        auto const bytes = encode(filled(values));
        for (int i = 0; i < 5; ++i) {
            std::shuffle(values.begin(), values.end(), random);
            CHECK(encode(filled(values)) == bytes);
        }
        distinct_pack<std::int64_t> const pack{distinct()};
        auto state = filled(values);
        for (std::size_t i = 0; i + 1 < values.size(); ++i) pack.remove(state, values[i]);
        CHECK(pack.lower(state) == 1);
    }
}

TEST_CASE("equal sets encode to equal bytes, whatever they went through", "[agg][distinct]") {
    std::vector<std::string> names;
    for (int i = 0; i < 500; ++i) names.push_back("name " + std::to_string(i * i));
    std::vector<std::string> const few(names.begin(), names.begin() + 5);
    distinct_pack<std::string> const pack{distinct()};
    auto state = filled(names);  // grown to 500, shrunk to 5
    for (std::size_t i = names.size(); i > 5; --i) pack.remove(state, names[i - 1]);
    CHECK(encode(state) == encode(filled(few)));
    std::vector<std::string> const backwards(few.rbegin(), few.rend());
    CHECK(encode(state) == encode(filled(backwards)));
}

namespace {
// Additions, removals, and parts combined or taken out, against counts in a std::map.
template <class Key>
bool agrees_with_a_map(std::vector<std::pair<int, int>> const& steps, Key (*key_of)(int)) {
    using pack_t = distinct_pack<Key>;
    pack_t const pack{distinct()};
    auto state = pack.init();
    std::map<Key, int> oracle;
    for (auto const& [what, which] : steps) {
        if (what < 10) {
            Key const key = key_of(which);
            if (what < 7) pack.add(state, key);
            else pack.remove(state, key);
            oracle[key] += what < 7 ? 1 : -1;
        } else {
            auto part = pack.init();
            for (int n = 0; n < which / 4; ++n) {
                Key const key = key_of((which + n * n) % 120);
                pack.add(part, key);
                oracle[key] += what == 10 ? 1 : -1;
            }
            if (what == 10) pack.combine(state, part);
            else pack.inverse(state, part);
        }
    }
    std::int64_t there = 0;
    for (auto const& [key, times] : oracle) there += times > 0 ? 1 : 0;
    if (pack.lower(state) != there) return false;
    auto rebuilt = pack.init();  // from the oracle, so in another order
    for (auto at = oracle.rbegin(); at != oracle.rend(); ++at) {
        for (int n = 0; n < at->second; ++n) pack.add(rebuilt, at->first);
        for (int n = 0; n > at->second; --n) pack.remove(rebuilt, at->first);
    }
    auto const bytes = encode(state);
    auto loaded = pack.init();
    byte_reader reader{bytes};
    pack_t::load(loaded, reader);
    return encode(rebuilt) == bytes && encode(loaded) == bytes && reader.at_end() && pack.lower(loaded) == there;
}
}  // namespace

TEST_CASE(
    "distinct agrees with a map of counts, through add, remove, combine and inverse", "[agg][distinct][property]") {
    property("distinct", [] {
        auto const steps = *rc::gen::scale(4, rc::gen::container<std::vector<std::pair<int, int>>>(
                                                  rc::gen::pair(rc::gen::inRange(0, 12), rc::gen::inRange(0, 120))));
        RC_ASSERT(agrees_with_a_map<std::int32_t>(steps, [](int i) { return i - 60; }));
        RC_ASSERT(agrees_with_a_map<std::string>(
            steps, [](int i) { return std::string(static_cast<std::size_t>(i / 3), 'x') + std::to_string(i % 3); }));
        RC_ASSERT(agrees_with_a_map<std::int64_t>(steps, [](int i) {  // at either end of the table
            auto const n = static_cast<std::uint64_t>(i);
            return static_cast<std::int64_t>(unmix64(i % 2 == 0 ? ~std::uint64_t{0} - n : n));
        }));
        auto const tuples = agrees_with_a_map<std::tuple<std::string, int>>(steps, [](int i) {
            return std::tuple{std::string(static_cast<std::size_t>(i % 20), 'y'), i / 40};
        });
        RC_ASSERT(tuples); }, 200);
}
