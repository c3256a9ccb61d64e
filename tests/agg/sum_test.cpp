// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/sum.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/pack.hpp>
#include <driftless/testing/check_laws.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace driftless;

namespace {
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::uint64_t most_unsigned = std::numeric_limits<std::uint64_t>::max();

template <class T, class Pack>
error_code lowering_fails_with(Pack const& pack, T const& state) {
    try {
        static_cast<void>(pack.lower(state));
    } catch (error const& e) {
        return e.code();
    }
    return error_code::none;
}
static_assert(!aggregate_function<decltype(sum()), std::string>);
static_assert(!aggregate_function<decltype(sum()), bool>);
template <class V>
using sum_pack = detail::aggregate_pack<V, decltype(sum())>;
}  // namespace

TEST_CASE("a sum past the greatest int64 is an overflow when lowered, and recovers when summed back", "[agg][sum]") {
    sum_pack<std::int64_t> const pack{sum()};
    auto state = pack.init();
    pack.add(state, most);
    CHECK(pack.lower(state) == most);
    pack.add(state, 1);
    CHECK(lowering_fails_with(pack, state) == error_code::overflow);
    for (int i = 0; i < 1000; ++i) pack.add(state, most);
    CHECK(lowering_fails_with(pack, state) == error_code::overflow);
    for (int i = 0; i < 1000; ++i) pack.remove(state, most);
    CHECK(lowering_fails_with(pack, state) == error_code::overflow);
    pack.add(state, -1);
    CHECK(pack.lower(state) == most);
}

TEST_CASE("a sum past the least int64 is an overflow as well", "[agg][sum]") {
    sum_pack<std::int64_t> const pack{sum()};
    auto state = pack.init();
    pack.add(state, least);
    CHECK(pack.lower(state) == least);
    pack.add(state, -1);
    CHECK(lowering_fails_with(pack, state) == error_code::overflow);
    pack.remove(state, -1);
    CHECK(pack.lower(state) == least);
}

TEST_CASE("a sum of unsigned numbers is unsigned: 2^64 - 1 fits, 2^64 and -1 do not", "[agg][sum]") {
    sum_pack<std::uint64_t> const pack{sum()};
    auto state = pack.init();
    pack.add(state, most_unsigned);
    CHECK(pack.lower(state) == most_unsigned);
    pack.add(state, 1);
    CHECK(lowering_fails_with(pack, state) == error_code::overflow);
    auto below = pack.init();
    pack.remove(below, 1);  // a changelog may take away first
    CHECK(lowering_fails_with(pack, below) == error_code::overflow);
    pack.add(below, 1);
    CHECK(pack.lower(below) == 0);
}

TEST_CASE("a sum of durations saturates nowhere on the way", "[agg][sum]") {
    sum_pack<duration> const pack{sum()};
    auto state = pack.init();
    pack.add(state, duration::max());
    pack.add(state, duration::max());
    CHECK(lowering_fails_with(pack, state) == error_code::overflow);
    pack.add(state, duration::min());
    pack.add(state, duration{1});
    CHECK(pack.lower(state) == duration::max());
}

TEST_CASE("count and sum keep their laws", "[agg][count][sum]") {
    std::vector<std::int64_t> const edges{most, least, 0, -1, 1, most, least};
    CHECK(testing::check_laws(count(), edges).sentence.empty());
    CHECK(testing::check_laws(sum(), edges).sentence.empty());
    CHECK(testing::check_laws(sum(), std::vector<std::uint64_t>{most_unsigned, 0, 1}).sentence.empty());
    CHECK(testing::check_laws(sum(), std::vector{1.5, -0.0, 1e300, 1e300}).sentence.empty());
    CHECK(testing::check_laws(sum(), std::vector<std::int64_t>{}).sentence.empty());
}

TEST_CASE("the state of a sum is 16 bytes in a snapshot, the lowest first", "[agg][sum][golden]") {
    // Red is right only with a new snapshot format.
    sum_pack<std::int64_t> const pack{sum()};
    auto state = pack.init();
    pack.add(state, -2);
    CHECK(encode(state) == "\xfe" + std::string(15, '\xff'));
}
