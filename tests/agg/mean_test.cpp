// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/mean.hpp>

#include <driftless/agg/pack.hpp>
#include <driftless/testing/check_laws.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace driftless;

namespace {
struct order {
    std::int64_t cents;
};
template <class T, class A>
auto run(A function, std::vector<T> const& records) {
    detail::aggregate_pack<T, A> const pack{function};
    auto state = pack.init();
    for (auto const& record : records) pack.add(state, record);
    return pack.lower(state);
}
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

static_assert(detail::applied_function<decltype(mean()), int>::invertible);
static_assert(detail::applied_function<decltype(mean()), int>::combines == combine_class::exact);
static_assert(!detail::applied_function<decltype(mean()), float>::invertible);
static_assert(detail::applied_function<decltype(mean()), float>::combines == combine_class::sequential);

/// True if `mean` is nearest to sum / count: neither neighbour is nearer. All in 128 bits: mean * count against sum.
bool is_nearest(double mean, std::int64_t sum, std::int64_t count) {
    // Exact for |mean| in [2^-10, 2^60] and count < 2^20: mean and the gap are multiples of 2^-62.
    auto const error_of = [&](double candidate) {
        long double const product = static_cast<long double>(candidate) * static_cast<long double>(count);
        long double const rest =
            std::fma(static_cast<long double>(candidate), static_cast<long double>(count), -product);
        return std::fabs((product - static_cast<long double>(sum)) + rest);
    };
    long double const own = error_of(mean);
    return own <= error_of(std::nextafter(mean, -1e300)) && own <= error_of(std::nextafter(mean, 1e300));
}
}  // namespace

TEST_CASE("the mean of a member, of a function and of the records themselves", "[agg][mean]") {
    std::vector<order> const orders{{1}, {2}, {4}};
    CHECK(run(mean<&order::cents>(), orders) == 7.0 / 3);
    CHECK(run(mean(&order::cents), orders) == 7.0 / 3);
    CHECK(run(mean([](order const& o) { return o.cents * 3; }), orders) == 7.0);
    CHECK(run(mean(), std::vector<std::uint8_t>{255, 255, 254}) == 764.0 / 3);
}

TEST_CASE("a mean of integers does not overflow at the extremes", "[agg][mean]") {
    CHECK(run(mean(), std::vector{most, most, most}) == 0x1p63);
    CHECK(run(mean(), std::vector{least, least, least}) == -0x1p63);
    CHECK(run(mean(), std::vector{most, least}) == -0.5);
    CHECK(run(mean(), std::vector{most, least, std::int64_t{1}}) == 0);
    CHECK(run(mean(), std::vector{~std::uint64_t{0}, ~std::uint64_t{0}}) == 0x1p64);
}

TEST_CASE("a mean of integers is rounded once", "[agg][mean]") {
    // 2^53 + 1 is halfway between two doubles: ties go to even. A little more, below the 64th bit, goes up.
    std::int64_t const tie = (std::int64_t{1} << 53) + 1;
    CHECK(run(mean(), std::vector{tie}) == 0x1p53);
    CHECK(run(mean(), std::vector{tie + 2}) == 0x1p53 + 4);
    std::vector<std::int64_t> nearly(1001, tie);
    nearly[0] += 1;
    CHECK(run(mean(), nearly) == 0x1p53 + 2);
    nearly[0] -= 2;
    CHECK(run(mean(), nearly) == 0x1p53);
    // Far below the last bit of the quotient, and yet it breaks the tie.
    std::int64_t const count = (std::int64_t{1} << 40) + 1;
    CHECK(detail::divide(static_cast<detail::int128>(tie) * count, count) == 0x1p53);
    CHECK(detail::divide(static_cast<detail::int128>(tie) * count + 1, count) == 0x1p53 + 2);
    CHECK(detail::divide((detail::int128{1} << 100) + 1, 1) == 0x1p100);
    CHECK(detail::divide(1, most) == 0x1p-63);
    CHECK(detail::divide(-1, 3) == -1.0 / 3);
    CHECK(detail::divide(static_cast<detail::int128>(detail::uint128{1} << 127), 1) == -0x1p127);
    STATIC_REQUIRE(detail::divide(1, 10) == 0.1);
}

TEST_CASE("the mean of durations is the nearest nanosecond, ties to even", "[agg][mean]") {
    auto const of = [](auto... ns) { return run(mean(), std::vector<duration>{duration{ns}...}).ns(); };
    CHECK(of(1, 2) == 2);
    CHECK(of(2, 3) == 2);
    CHECK(of(-1, -2) == -2);
    CHECK(of(-2, -3) == -2);
    CHECK(of(0, 0, 1) == 0);
    CHECK(of(0, 1, 1) == 1);
    CHECK(of(most, most) == most);
    CHECK(of(least, least) == least);
}

TEST_CASE("a mean without records is NaN, also after all were taken back", "[agg][mean]") {
    detail::aggregate_pack<int, decltype(mean())> const pack{mean()};
    auto state = pack.init();
    CHECK(std::isnan(pack.lower(state)));
    pack.add(state, 5);
    pack.add(state, 7);
    pack.remove(state, 5);
    CHECK(pack.lower(state) == 7);
    pack.remove(state, 7);
    CHECK(std::isnan(pack.lower(state)));
}

TEST_CASE("a mean of floats is their sum in order, by their count", "[agg][mean]") {
    CHECK(run(mean(), std::vector{0.1, 0.2, 0.3}) == (0.1 + 0.2 + 0.3) / 3);
    CHECK(run(mean(), std::vector{1e300, 1e300, -1e300, -1e300}) == 0);
    CHECK(std::isinf(run(mean(), std::vector{1.7e308, 1.7e308})));
}

TEST_CASE("mean keeps its laws", "[agg][mean]") {
    CHECK(testing::check_laws(mean(), std::vector{most, least, std::int64_t{0}, most, std::int64_t{-1}})
            .sentence.empty());
    CHECK(testing::check_laws(mean(), std::vector{0.1, -0.0, 1e300}).sentence.empty());
    CHECK(testing::check_laws(mean(), std::vector{duration{1}, duration::max()}).sentence.empty());
}

TEST_CASE("no double is nearer to the true mean", "[agg][mean][property]") {
    property("mean", [] {
        auto const count = *rc::gen::inRange<std::int64_t>(1, 1000000);
        auto const sum_of = *rc::gen::inRange<std::int64_t>(count, most / 4);
        RC_ASSERT(is_nearest(detail::divide(sum_of, count), sum_of, count));
        RC_ASSERT(detail::divide(-sum_of, count) == -detail::divide(sum_of, count)); }, 1000);
}
