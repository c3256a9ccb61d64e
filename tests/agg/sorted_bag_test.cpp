// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/detail/sorted_bag.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <random>
#include <set>
#include <vector>

namespace {
struct less {
    bool operator()(int a, int b) const noexcept { return a < b; }
};
}  // namespace

TEST_CASE("a sorted bag is a multiset, whatever its size", "[agg][sorted_bag]") {
    std::mt19937 random{3};
    driftless::detail::sorted_bag<int, less> bag;
    std::multiset<int> want;
    auto const same = [&] {
        std::vector<int> all;
        bag.each_while([&](int value) {
            all.push_back(value);
            return true;
        });
        return all == std::vector<int>{want.begin(), want.end()} && bag.size() == want.size();
    };
    for (unsigned const range : {7u, 1000u, 100'000u}) {
        for (int round = 0; round < 6000; ++round) {
            auto const value = static_cast<int>(random() % range);
            // Grows, shrinks, and ends empty.
            if (random() % 6000 > static_cast<unsigned>(round)) {
                bag.insert(value);
                want.insert(value);
            } else {
                auto const there = want.find(value);
                REQUIRE(bag.erase(value) == (there != want.end()));
                if (there != want.end()) want.erase(there);
            }
            REQUIRE((bag.find(value) != nullptr) == want.contains(value));
            if (round % 500 == 0) REQUIRE(same());
            if (!want.empty()) REQUIRE((bag.front() == *want.begin() && bag.back() == *want.rbegin()));
        }
        REQUIRE(same());
        std::size_t i = 0;
        for (int const value : want) REQUIRE(bag[i++] == value);
        while (!want.empty()) {
            REQUIRE(bag.erase(*want.begin()));
            want.erase(want.begin());
        }
        REQUIRE(bag.empty());
    }
}
