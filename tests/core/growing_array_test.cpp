// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/detail/growing_array.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using driftless::detail::growing_array;

TEST_CASE("a growing array keeps its elements as a std::vector does", "[core][growing_array]") {
    growing_array<std::string> array;
    std::vector<std::string> expected;
    for (int i = 0; i < 1000; ++i) {
        auto const value = std::string(40, 'x') + std::to_string(i);
        array.push_back(value);
        expected.push_back(value);
        if (i % 7 == 3) {
            array.pop_back();
            expected.pop_back();
        }
    }
    CHECK(std::vector<std::string>(array.begin(), array.end()) == expected);
    CHECK(array.back() == expected.back());
    auto const* const place = array.begin();
    array.clear();
    CHECK(array.empty());
    array.push_back("again");
    CHECK(array.begin() == place);  // the memory was kept
}

TEST_CASE("a growing array that is moved leaves nothing behind and loses nothing", "[core][growing_array]") {
    growing_array<std::string> first;
    first.push_back(std::string(40, 'a'));
    growing_array<std::string> second{std::move(first)};
    REQUIRE(second.size() == 1);
    CHECK(first.empty());  // NOLINT(bugprone-use-after-move): promised
    growing_array<std::string> third;
    third = std::move(second);
    REQUIRE(third.size() == 1);
    CHECK(third[0] == std::string(40, 'a'));
}

TEST_CASE("a growing array aligns what asks for it", "[core][growing_array]") {
    struct alignas(64) wide {
        int value;
    };
    growing_array<wide> array;
    for (int i = 0; i < 20; ++i) array.push_back(wide{i});
    for (auto const& each : array) CHECK(reinterpret_cast<std::uintptr_t>(&each) % 64 == 0);
}

namespace {
/// Counts its living copies, and throws from the move that is asked to.
struct fragile {
    static inline int living = 0;
    static inline int moves_left = -1;
    int value;

    explicit fragile(int v) : value(v) { ++living; }
    fragile(fragile&& other) : value(other.value) {  // NOLINT(performance-noexcept-move-constructor): on purpose
        if (moves_left == 0) throw std::runtime_error{"no more moves"};
        if (moves_left > 0) --moves_left;
        ++living;
    }
    fragile& operator=(fragile&&) = delete;
    ~fragile() { --living; }
};
}  // namespace

TEST_CASE("a move that throws while a growing array grows leaks nothing", "[core][growing_array]") {
    for (int allowed = 0; allowed < 8; ++allowed) {
        fragile::living = 0;
        fragile::moves_left = -1;
        {
            growing_array<fragile> array;
            for (int i = 0; i < 8; ++i) array.push_back(fragile{i});
            fragile::moves_left = allowed;
            CHECK_THROWS_AS(array.reserve(9), std::runtime_error);
            CHECK(array.size() == 8);
            fragile::moves_left = -1;
        }
        CHECK(fragile::living == 0);
    }
}
