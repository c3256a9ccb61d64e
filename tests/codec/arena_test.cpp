// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/arena.hpp>
#include <support/catch.hpp>

#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>
using namespace driftless;

static_assert(!std::is_copy_constructible_v<arena> && std::is_nothrow_move_constructible_v<arena>);

static char* put(arena& to, std::string const& bytes) {
    char* const there = to.allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(there, bytes.data(), bytes.size());
    return there;
}

TEST_CASE("an arena reserves nothing until it is asked", "[codec][arena]") {
    arena empty;
    CHECK(empty.bytes() == 0);
    CHECK_NOTHROW(empty.allocate(0));
    CHECK(empty.bytes() == 0);
    empty.reset();
    CHECK(empty.bytes() == 0);
}

TEST_CASE("an arena keeps every allocation apart, of whatever size", "[codec][arena]") {
    arena bytes;
    std::vector<std::pair<char*, std::string>> all;
    std::size_t total = 0;
    for (std::size_t i = 0; i < 3000; ++i) {
        auto const size = i % 500 == 3 ? 100'000 + i : i % 37;
        std::string const text(size, static_cast<char>(i));
        all.emplace_back(put(bytes, text), text);
        total += size;
    }
    for (auto const& [there, text] : all) CHECK((text.empty() || std::memcmp(there, text.data(), text.size()) == 0));
    CHECK(bytes.bytes() >= total);
    CHECK(bytes.bytes() < 3 * total);
}

TEST_CASE("an arena's chunks double from 4 KiB to 1 MiB", "[codec][arena]") {
    arena bytes;
    std::vector<std::size_t> chunks;
    std::size_t before = 0;
    for (int i = 0; i < 5000; ++i) {
        static_cast<void>(bytes.allocate(1000));
        if (bytes.bytes() != before) chunks.push_back(bytes.bytes() - before);
        before = bytes.bytes();
    }
    REQUIRE(chunks.size() > 10);
    CHECK(chunks.front() == 4096);
    CHECK(chunks[1] == 8192);
    CHECK(chunks[8] == 1u << 20);
    CHECK(chunks.back() == 1u << 20);
}

TEST_CASE("an oversized request gets a chunk of its own and the present one is filled further", "[codec][arena]") {
    arena bytes;
    char* const first = put(bytes, "abc");
    char* const huge = put(bytes, std::string(5'000'000, 'h'));
    char* const next = put(bytes, "def");
    CHECK(next == first + 3);
    CHECK(huge[4'999'999] == 'h');
    CHECK(bytes.bytes() < 5'000'000 + 4096 + 64);
    arena other;  // an oversized request may be the first
    char* const own = put(other, std::string(10'000, 'x'));
    CHECK(std::string(put(other, "abc"), 3) == "abc");
    CHECK(std::string(own, 10'000) == std::string(10'000, 'x'));
}

TEST_CASE("reset keeps the largest chunk and reuses it", "[codec][arena]") {
    arena bytes;
    for (int i = 0; i < 40; ++i) put(bytes, std::string(1000, 'a'));
    auto const peak = bytes.bytes();
    bytes.reset();
    auto const kept = bytes.bytes();
    CHECK(kept > 0);
    CHECK(kept < peak);
    CHECK(kept == 32768);  // 4 + 8 + 16 + 32 KiB held 40 kB
    for (int i = 0; i < 32; ++i) put(bytes, std::string(1000, 'b'));
    CHECK(bytes.bytes() == kept);
    put(bytes, std::string(3'000'000, 'c'));
    put(bytes, "d");
    bytes.reset();
    CHECK(bytes.bytes() > 3'000'000);
    CHECK(std::string(put(bytes, std::string(2'900'000, 'e')), 3) == "eee");
}

TEST_CASE("a moved arena takes its bytes along", "[codec][arena]") {
    arena from;
    char* const there = put(from, "abc");
    arena to{std::move(from)};
    CHECK(std::string(there, 3) == "abc");
    CHECK(from.bytes() == 0);  // NOLINT: moved-from is empty and usable
    put(from, "xyz");
    arena third;
    put(third, "gone");
    third = std::move(to);
    CHECK(std::string(there, 3) == "abc");
    put(third, "more");
    CHECK(std::string(there, 7) == "abcmore");
}

TEST_CASE("a request beyond all memory is bad_alloc and leaves the arena usable", "[codec][arena]") {
    arena bytes;
    CHECK_THROWS_AS(bytes.allocate(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
    CHECK(std::string(put(bytes, "abc"), 3) == "abc");
}
