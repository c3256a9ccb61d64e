// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/detail/wide_sum.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace driftless;
using detail::int128;
using detail::wide_sum;

namespace {
template <class V>
V near_the_ends(std::mt19937_64& random) {
    auto const near = static_cast<V>(random() % 4);
    switch (random() % 5) {
        case 0: return static_cast<V>(std::numeric_limits<V>::max() - near);
        case 1: return static_cast<V>(std::numeric_limits<V>::min() + near);
        case 2: return near;
        case 3: return static_cast<V>(0 - near);
        default: return static_cast<V>(random());
    }
}
}  // namespace

TEMPLATE_TEST_CASE("a wide_sum is the sum in 128 bits, of what is added and taken back", "[agg][wide_sum]", std::int8_t,
    std::uint8_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937_64 random{seed};
        wide_sum sum;
        wide_sum parts[2];
        int128 expected = 0;
        for (int i = 0; i < 500; ++i) {
            auto const value = near_the_ends<TestType>(random);
            if (random() % 3 != 0) {
                sum += value;
                parts[i % 2] += value;
                expected += value;
            } else {
                sum -= value;
                parts[i % 2] -= value;
                expected -= value;
            }
            REQUIRE((sum.value() == expected));
            REQUIRE((wide_sum{expected} == sum));
        }
        auto both = parts[0];
        both += parts[1];
        CHECK((both == sum));
        both -= parts[1];
        CHECK((both == parts[0]));
    }
}

TEMPLATE_TEST_CASE("the sum of a burst is the sum in 128 bits", "[agg][wide_sum]", std::int8_t, std::uint16_t,
    std::int32_t, std::uint32_t, std::int64_t, std::uint64_t) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937_64 random{seed};
        detail::burst_sum<sizeof(TestType) == 8> burst;
        int128 expected = 0;
        for (int i = 0; i < 1000; ++i) {
            auto const value = near_the_ends<TestType>(random);
            burst += value;
            expected += value;
        }
        CHECK((burst.sum().value() == expected));
    }
}
