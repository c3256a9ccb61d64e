// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/value_pool.hpp>

#include <driftless/core/text.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <string>

using namespace driftless;

TEST_CASE("a value_pool keeps text of its own, also when it moves it", "[state][value_pool]") {
    value_pool<text, int> pool;
    std::map<std::uint32_t, std::string> expected;
    std::mt19937 random{7};
    std::size_t most = 0;
    for (int i = 0; i < 60'000; ++i) {
        auto const n = random();
        std::string borrowed(n % 40, static_cast<char>('a' + n % 26));
        if (expected.size() > 100 || (n % 3 == 0 && !expected.empty())) {
            auto const at = std::next(expected.begin(), static_cast<std::ptrdiff_t>(n % expected.size()));
            if (n % 2 == 0) {
                pool.set(at->first, text{borrowed});
                at->second = borrowed;
            } else {
                pool.drop(at->first);
                expected.erase(at);
            }
        } else {
            expected[pool.hold(text{borrowed}, i)] = borrowed;
        }
        borrowed.assign(borrowed.size(), '#');
        most = std::max(most, pool.bytes());
        if (i % 500 == 0) {
            for (auto const& [at, value] : expected) REQUIRE(pool[at].str() == value);
        }
    }
    CHECK(pool.size() == expected.size());
    CHECK(most < 101 * (sizeof(text) + 64));
}

TEST_CASE("a value_pool uses places again", "[state][value_pool]") {
    value_pool<int, char> pool;
    auto const a = pool.hold(1, 'a');
    auto const b = pool.hold(2, 'b');
    pool.drop(a);
    auto const c = pool.hold(3, 'c');
    CHECK(c == a);
    CHECK(pool[b] == 2);
    CHECK(pool.beside(c) == 'c');
    CHECK(pool.size() == 2);
}
