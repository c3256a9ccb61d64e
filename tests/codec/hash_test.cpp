// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/hash.hpp>
#include <codec/random_values.hpp>
#include <codec/seeds.hpp>
using namespace driftless;
using namespace codec_test;
using namespace std::string_literals;

static_assert(integer_key<bool> && integer_key<char> && integer_key<colour> && integer_key<event_time>
    && integer_key<duration>);
static_assert(!integer_key<int128> && !integer_key<double> && !integer_key<text> && !integer_key<std::tuple<int>>);
static_assert(!integer_key<nothing> && !integer_key<int*>);

static_assert(same_key_type<text, std::string> && same_key_type<std::tuple<int, text>, std::tuple<int, std::string>>);
static_assert(same_key_type<std::optional<std::vector<std::string>>, std::optional<std::vector<text>>>);
static_assert(
    !same_key_type<int, long> && !same_key_type<int, text> && !same_key_type<std::tuple<int>, std::tuple<int, int>>);
static_assert(!same_key_type<int*, int*>);

// Right to go red: never, once a release has written logs or snapshots. The numbers come from an independent program
// (Python's struct for the bytes, libxxhash 0.8.1 for XXH3); mix64(0x9e37...) is SplitMix64's first output from seed 0.
TEST_CASE("the hash of an integer is the published one", "[codec][hash][golden]") {
    static_assert(mix64(0) == 0);
    static_assert(mix64(0x9e3779b97f4a7c15) == 0xe220a8397b1dcdaf);
    static_assert(canonical_hash(1) == 0x5692161d100b05e5);
    static_assert(canonical_hash(true) == 0x5692161d100b05e5);
    static_assert(canonical_hash(-1) == 0xb4d055fcf2cbbd7b);
    static_assert(canonical_hash(std::uint8_t{200}) == 0xb485f15a1b61e328);
    static_assert(canonical_hash(std::int8_t{-56}) == 0x43117f1a2e6c06c6);
    static_assert(canonical_hash(event_time{1'700'000'000'000'000'000}) == 0xe4fb33e1e47053fe);
    static_assert(canonical_hash(duration::min()) == 0x25c26ea579cea98a);
    static_assert(canonical_hash(colour::red) == canonical_hash(std::int64_t{-3}));
    static_assert(canonical_hash(std::uint32_t{7}) == canonical_hash(std::int64_t{7}));
}

TEST_CASE("the hash of anything else is the published one", "[codec][hash][golden]") {
    CHECK(canonical_hash(text{}) == 0x2d06800538d394c2u);
    CHECK(canonical_hash(text{"a"}) == 0xe6c632b61e964e1fu);
    CHECK(canonical_hash("sku-1"s) == 0xde7c83fa11a4bfb7u);
    CHECK(canonical_hash("a\0b"s) == 0xd5a06cd078125351u);
    CHECK(canonical_hash(std::string(300, 'x')) == 0xa5d1b4607dc83554u);
    CHECK(canonical_hash(0.0) == 0xb7aa1c28d234f8d6u);
    CHECK(canonical_hash(1.5) == 0xd7e17ce6bbbf960du);
    CHECK(canonical_hash(-1.5) == 0x7eb9a28ab737abc4u);
    CHECK(canonical_hash(std::numeric_limits<double>::quiet_NaN()) == 0x0ef99823522b2a6cu);
    CHECK(canonical_hash(1.5f) == 0xda07691b734cf9b3u);
    CHECK(canonical_hash(std::numeric_limits<float>::quiet_NaN()) == 0x2b02ff3367e6b45au);
    CHECK(canonical_hash(std::tuple{std::int64_t{1}, std::int32_t{-2}}) == 0xb12e390d3433876cu);
    CHECK(canonical_hash(std::tuple{std::int64_t{1}}) == 0xce5e29c5f1ee5d11u);
    CHECK(canonical_hash(std::tuple{"a\0b"s, std::int64_t{7}}) == 0xccbfcd68f164f3b3u);
    CHECK(canonical_hash(order{"abc", 5, event_time{7}}) == 0xbbda444c6d667b6au);
    CHECK(canonical_hash(std::optional<std::int32_t>{}) == 0xc44bdff4074eecdbu);
    CHECK(canonical_hash(std::optional<std::int32_t>{3}) == 0xc6fd7d7f5d8962e1u);
    CHECK(canonical_hash(std::vector<text>(200, "hello")) == 0x6c96c60d390fabf8u);
    CHECK(canonical_hash(time_window{event_time{0}, event_time{10}}) == 0x425a7fd42450ca3bu);
    CHECK(canonical_hash(int128{-1}) == 0xff4b1c39ee50e969u);
    CHECK(canonical_hash(nothing{}) == 0x2d06800538d394c2u);
}

TEST_CASE("text, std::string and string_view hash alike, alone and in composites", "[codec][hash]") {
    CHECK(canonical_hash(text{"a"}) == canonical_hash("a"s));
    CHECK(canonical_hash(text{"a"}) == canonical_hash(std::string_view{"a"}));
    CHECK(canonical_hash(std::tuple{text{"a"}, 1}) == canonical_hash(std::tuple{"a"s, 1}));
    CHECK(canonical_hash(std::vector<text>{"a"}) == canonical_hash(std::vector<std::string>{"a"}));
    CHECK(same_key(text{"a"}, "a"s));
    CHECK(same_key(std::tuple{1, "a"s}, std::tuple{1, text{"a"}}));
    CHECK_FALSE(same_key(std::tuple{1, "a"s}, std::tuple{1, text{"b"}}));
    CHECK(same_key(std::optional<text>{}, std::optional<std::string>{}));
}

TEST_CASE("one zero and one NaN, in hashes and in same_key", "[codec][hash]") {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(canonical_hash(-0.0) == canonical_hash(0.0));
    CHECK(canonical_hash(-nan) == canonical_hash(nan));
    CHECK(same_key(-0.0, 0.0));
    CHECK(same_key(-nan, nan));
    CHECK_FALSE(same_key(nan, 0.0));
    CHECK(same_key(std::tuple{1, std::optional{nan}}, std::tuple{1, std::optional{-nan}}));
    CHECK(same_key(std::vector<float>{-0.0f}, std::vector<float>{0.0f}));
    CHECK_FALSE(same_key(std::vector<float>{0.0f}, std::vector<float>{0.0f, 0.0f}));
}

TEST_CASE("a composite hashes alike on both sides of 256 key bytes", "[codec][hash]") {
    for (std::size_t size = 240; size < 270; ++size) {
        std::tuple const key{std::string(size, 'k'), std::uint8_t{1}};
        auto const bytes = key_bytes(key);
        CHECK(canonical_hash(key) == xxh3_64(bytes.data(), bytes.size()));
    }
    std::array<std::int64_t, 32> fits{};
    std::array<std::int64_t, 33> spills{};
    fits[31] = spills[32] = 5;
    CHECK(canonical_hash(fits) == xxh3_64(key_bytes(fits).data(), 256));
    CHECK(canonical_hash(spills) == xxh3_64(key_bytes(spills).data(), 264));
}

TEST_CASE("mix64 is a bijection and integer keys come back", "[codec][hash][property]") {
    for_seeds("unmix64 inverts mix64", +[](std::uint64_t seed) {
        random_source random{seed};
        for (int i = 0; i < 50; ++i) {
            auto const x = random.value<std::uint64_t>();
            REQUIRE_PROPERTY(unmix64(mix64(x)) == x);
            REQUIRE_PROPERTY(mix64(unmix64(x)) == x);
            auto const back = [](auto key) {
                return u64_to_key<decltype(key)>(unmix64(canonical_hash(key))) == key;
            };
            REQUIRE_PROPERTY(back(random.value<std::int8_t>()) && back(random.value<std::uint8_t>()));
            REQUIRE_PROPERTY(back(random.value<std::int64_t>()) && back(random.value<char16_t>()));
            REQUIRE_PROPERTY(back(random.value<bool>()) && back(random.value<colour>()));
            REQUIRE_PROPERTY(back(random.value<event_time>()) && back(random.value<duration>()));
        } });
    for (unsigned bit = 0; bit < 64; ++bit) CHECK(unmix64(mix64(std::uint64_t{1} << bit)) == std::uint64_t{1} << bit);
}

template <class T> static void agrees(char const* name) {
    for_seeds(name, +[](std::uint64_t seed) {
        random_source random{seed};
        for (int i = 0; i < 20; ++i) {
            T const a = random.value<T>();
            T const b = random.value<T>();
            bool const same = key_bytes(a) == key_bytes(b);
            REQUIRE_PROPERTY(same_key(a, b) == same);
            REQUIRE_PROPERTY((canonical_hash(a) == canonical_hash(b)) == same);  // 64 bits: no collision among so few
            REQUIRE_PROPERTY(same_key(a, a));
            if constexpr (!integer_key<T>)
                REQUIRE_PROPERTY(canonical_hash(a) == xxh3_64(key_bytes(a).data(), key_bytes(a).size()));
        } }, 60);
}

TEST_CASE("same_key and the hash agree with key bytes", "[codec][hash][property]") {
    agrees<std::int16_t>("int16");
    agrees<bool>("bool");
    agrees<int128>("int128");
    agrees<float>("float");
    agrees<double>("double");
    agrees<text>("text");
    agrees<time_window>("window");
    agrees<std::vector<bool>>("bits");
    agrees<std::tuple<double, std::int32_t, nothing>>("fixed size");
    agrees<std::tuple<text, std::optional<float>>>("varying size");
    agrees<std::array<std::vector<std::string>, 2>>("array of vectors");
    agrees<event<std::int8_t>>("event");
    agrees<basket>("nested reflected struct");
}
