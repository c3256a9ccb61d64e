// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/key_bytes.hpp>
#include <codec/random_values.hpp>
#include <codec/seeds.hpp>

#include <cstddef>
#include <vector>
using namespace driftless;
using namespace codec_test;
using namespace std::string_literals;

struct untold {
    int x;
};
static_assert(canonical_key<int> && canonical_key<order> && canonical_key<basket> && canonical_key<std::tuple<>>);
static_assert(canonical_key<int128> && canonical_key<std::vector<std::optional<text>>> && canonical_key<nothing>);
static_assert(!canonical_key<untold> && !canonical_key<int*> && !canonical_key<long double>);
static_assert(!canonical_key<std::tuple<int, untold>> && !canonical_key<std::optional<int*>>);

// Right to go red: never, once logs or snapshots of a release exist. Shards and pane order hang on these bytes.
TEST_CASE("canonical key bytes are the published ones", "[codec][key_bytes][golden]") {
    CHECK(key_bytes(std::int32_t{1}) == "\x80\x00\x00\x01"s);
    CHECK(key_bytes(std::int8_t{-1}) == "\x7f"s);
    CHECK(key_bytes(std::uint16_t{0x1234}) == "\x12\x34"s);
    CHECK(key_bytes(true) == "\x01"s);
    CHECK(key_bytes(colour::red) == "\x7f\xfd"s);
    CHECK(key_bytes(event_time{1}) == "\x80\x00\x00\x00\x00\x00\x00\x01"s);
    CHECK(key_bytes(duration{-1}) == "\x7f\xff\xff\xff\xff\xff\xff\xff"s);
    CHECK(key_bytes(int128{-1}) == "\x7f" + std::string(15, '\xff'));
    CHECK(key_bytes(1.0) == "\xbf\xf0\x00\x00\x00\x00\x00\x00"s);
    CHECK(key_bytes(-1.0f) == "\x40\x7f\xff\xff"s);
    CHECK(key_bytes(text{}) == ""s);
    CHECK(key_bytes("a\0b"s) == "a\0b"s);
    CHECK(key_bytes(std::tuple{"a\0b"s, std::uint8_t{7}}) ==
        "a\x00\xff"
        "b\x00\x00\x07"s);
    CHECK(key_bytes(std::optional<bool>{}) == "\x00"s);
    CHECK(key_bytes(std::optional{true}) == "\x01\x01"s);
    CHECK(key_bytes(std::vector<bool>{true, false}) == "\x01\x01\x01\x00\x00"s);
    CHECK(key_bytes(std::array<std::uint8_t, 2>{1, 2}) == "\x01\x02"s);
    CHECK(key_bytes(order{"x", -1, event_time{0}}) == "x\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff\x80\0\0\0\0\0\0\0"s);
    CHECK(key_bytes(time_window{event_time{0}, event_time{1}}) == "\x80\0\0\0\0\0\0\x01\x80\0\0\0\0\0\0\0"s);
    CHECK(key_bytes(nothing{}).empty());
}

TEST_CASE("key bytes know one zero and one NaN", "[codec][key_bytes]") {
    CHECK(key_bytes(-0.0) == key_bytes(0.0));
    CHECK(key_bytes(-0.0f) == key_bytes(0.0f));
    auto const nan = key_bytes(std::numeric_limits<double>::quiet_NaN());
    CHECK(nan == "\xff\xf8\x00\x00\x00\x00\x00\x00"s);
    CHECK(nan == key_bytes(-std::numeric_limits<double>::quiet_NaN()));
    CHECK(nan == key_bytes(std::bit_cast<double>(std::uint64_t{0x7ff0000000000001})));
    CHECK(nan == key_bytes(std::bit_cast<double>(~std::uint64_t{0})));
    CHECK(nan > key_bytes(std::numeric_limits<double>::infinity()));
    CHECK(key_bytes(std::bit_cast<float>(0xff800001u)) == key_bytes(std::numeric_limits<float>::quiet_NaN()));
}

TEST_CASE("key bytes append to strings and to vectors of bytes alike", "[codec][key_bytes]") {
    std::string chars = "before";
    std::vector<std::byte> bytes(6);
    std::vector<unsigned char> octets;
    std::tuple const key{text{"a"}, 5, 2.5};
    append_key_bytes(chars, key);
    append_key_bytes(bytes, key);
    append_key_bytes(octets, key);
    auto const expected = key_bytes(key);
    CHECK(chars == "before" + expected);
    REQUIRE(bytes.size() == chars.size());
    CHECK(std::memcmp(bytes.data() + 6, expected.data(), expected.size()) == 0);
    CHECK(octets == std::vector<unsigned char>(expected.begin(), expected.end()));
}

template <class T> static void keeps_order(char const* name) {
    for_seeds(name, +[](std::uint64_t seed) {
        random_source random{seed};
        for (int i = 0; i < 20; ++i) {
            T const a = random.value<T>();
            T const b = random.value<T>();
            int const bytes = key_bytes(a).compare(key_bytes(b));  // memcmp, then size
            REQUIRE_PROPERTY(sign(bytes < 0, bytes > 0) == compare_keys(a, b));
            REQUIRE_PROPERTY(key_bytes(a) == key_bytes(T{a}));
        } }, 60);
}

TEST_CASE("the order of key bytes is the order of numbers", "[codec][key_bytes][property]") {
    keeps_order<std::int8_t>("int8");
    keeps_order<std::uint16_t>("uint16");
    keeps_order<std::int32_t>("int32");
    keeps_order<std::int64_t>("int64");
    keeps_order<std::uint64_t>("uint64");
    keeps_order<int128>("int128");
    keeps_order<uint128>("uint128");
    keeps_order<float>("float");
    keeps_order<double>("double");
    keeps_order<colour>("enum");
}

TEST_CASE("the order of key bytes is the order of texts, times and composites", "[codec][key_bytes][property]") {
    keeps_order<std::string>("string alone");
    keeps_order<text>("text alone");
    keeps_order<std::tuple<std::string, std::string>>("two strings");
    keeps_order<std::pair<text, std::int16_t>>("text and number");
    keeps_order<std::tuple<std::optional<text>, double, event_time>>("optional");
    keeps_order<std::vector<std::string>>("vector");
    keeps_order<std::tuple<std::vector<std::int8_t>, std::int8_t>>("vector before a number");
    keeps_order<std::tuple<std::array<bool, 2>, std::vector<bool>, nothing, colour>>("array, bits, nothing");
    keeps_order<time_window>("window");
    keeps_order<basket>("nested reflected struct");
}

TEST_CASE("no key's bytes inside a composite are a prefix of another's", "[codec][key_bytes][property]") {
    for_seeds("self-delimiting", +[](std::uint64_t seed) {
        random_source random{seed};
        for (int i = 0; i < 20; ++i) {
            auto const a = key_bytes(random.value<basket>());
            auto const b = key_bytes(random.value<basket>());
            REQUIRE_PROPERTY(a == b || a.substr(0, b.size()) != b);
        } });
}
