// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/map.hpp>
#include <driftless/codec/arena.hpp>
#include <driftless/codec/schema.hpp>
#include <codec/random_values.hpp>
#include <codec/seeds.hpp>
using namespace driftless;
using namespace codec_test;
using namespace std::string_literals;

namespace {
struct untold {
    int x;
};
}  // namespace
using prices = std::map<std::string, std::int64_t>;
using unordered_prices = std::unordered_map<std::string, std::int64_t>;
using nested = std::map<std::pair<std::int32_t, std::string>, std::unordered_map<double, std::vector<prices>>>;

static_assert(encodable<prices> && encodable<unordered_prices> && encodable<nested> && describable<nested>);
static_assert(!encodable<std::map<int, untold>> && !encodable<std::map<long double, int>>);
static_assert(!describable<std::map<int, untold>> && !canonical_key<prices>);
static_assert(has_text<std::map<text, int>> && has_text<std::unordered_map<int, text>> && !has_text<prices>);
static_assert(std::is_same_v<owned_t<std::map<text, text>>, std::map<std::string, std::string>>);
static_assert(std::is_same_v<owned_t<prices>, prices>);

template <class T> static std::string refusal(std::string_view bytes) {
    try {
        static_cast<void>(decode<T>(bytes));
        return "accepted";
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::malformed);
        return problem.what();
    }
}

TEST_CASE("keys out of order or doubled are refused", "[codec][map]") {
    using map = std::map<std::int8_t, bool>;
    using unordered = std::unordered_map<std::int8_t, bool>;
    constexpr auto said = "driftless: the keys of a map are out of order or doubled at offset 3";
    CHECK(refusal<map>("\x02\x01\x01\x01\x00"s) == said);
    CHECK(refusal<unordered>("\x02\x01\x01\x01\x00"s) == said);
    CHECK(refusal<map>("\x02\x02\x01\x01\x00"s) == said);
    CHECK(refusal<unordered>("\x02\x02\x01\x01\x00"s) == said);
    CHECK(refusal<map>("\x02\x01\x00\xff\x00"s) == said);  // -1 comes before 1
    CHECK(decode<map>("\x02\xff\x00\x01\x01"s) == map{{-1, false}, {1, true}});
    CHECK(decode<unordered>("\x02\xff\x00\x01\x01"s) == unordered{{-1, false}, {1, true}});
}

TEST_CASE("a count of entries that cannot follow is refused before memory is taken", "[codec][map]") {
    CHECK(refusal<prices>("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s)
        == "driftless: a length exceeds the bytes that follow at offset 0");
    CHECK(refusal<prices>("\x02\x00\x00\x01"s) == "driftless: a length exceeds the bytes that follow at offset 0");
    CHECK(refusal<std::map<bool, nothing>>("\x02\x00"s).find("exceeds") != std::string::npos);
}

template <> struct std::hash<nothing> {
    std::size_t operator()(nothing) const { return 0; }
};
TEST_CASE("a map whose entries take no bytes has a byte for each", "[codec][map]") {
    using map = std::unordered_map<nothing, nothing>;
    map one;
    one[{}];
    CHECK(encode(one) == "\x01\x00"s);
    CHECK(decode<map>("\x01\x00"s).size() == 1);
    CHECK(refusal<map>("\x01\x01"s) == "driftless: an entry of a map does not start with a zero byte at offset 1");
    CHECK(refusal<map>("\x02\x00\x00"s) == "driftless: the keys of a map are out of order or doubled at offset 2");
}

TEST_CASE("a map with two NaN is not written", "[codec][map]") {
    std::unordered_map<double, int> map;
    map.emplace(std::numeric_limits<double>::quiet_NaN(), 1);
    CHECK(decode<std::unordered_map<double, int>>(encode(map)).size() == 1);
    map.emplace(-std::numeric_limits<double>::quiet_NaN(), 2);
    REQUIRE(map.size() == 2);
    CHECK_THROWS_AS(static_cast<void>(encode(map)), error);
    auto const nan = encode(std::numeric_limits<double>::quiet_NaN());
    CHECK(refusal<std::unordered_map<double, int>>("\x02" + nan + "\x02" + nan + "\x04").find("doubled")
        != std::string::npos);
}

// Right to go red: with a new format of logs and snapshots.
TEST_CASE("maps have the published bytes and schema", "[codec][map][golden]") {
    CHECK(encode(prices{{"b", 1}, {"a", -1}}) ==
        "\x02\x01"
        "a\x01\x01"
        "b\x02"s);
    CHECK(encode(prices{}) == "\x00"s);
    CHECK(schema_of<prices>() == "[text=>i64]");
    CHECK(schema_of<unordered_prices>() == "[text=>i64]");
    CHECK(schema_of<nested>() == "[(i32,text)=>[f64=>[[text=>i64]]]]");
}

TEST_CASE("equal maps have equal bytes, whatever their kind and order", "[codec][map]") {
    for_seeds("one encoding", [](std::uint64_t seed) {
        random_source random{seed};
        auto const map = random.value<std::map<std::int32_t, std::string>>();
        std::map<std::int32_t, std::string, std::greater<>> const down{map.begin(), map.end()};
        std::unordered_map<std::int32_t, std::string> const one{map.begin(), map.end()};
        std::unordered_map<std::int32_t, std::string> other{97};
        for (auto i = down.begin(); i != down.end(); ++i) other.insert(*i);
        auto const bytes = encode(map);
        REQUIRE_PROPERTY(encode(down) == bytes && encode(one) == bytes && encode(other) == bytes);
        REQUIRE_PROPERTY(decode<std::map<std::int32_t, std::string, std::greater<>>>(bytes) == down);
        REQUIRE_PROPERTY(decode<std::unordered_map<std::int32_t, std::string>>(bytes) == one);
    });
}

TEST_CASE("maps come back as they were, and never from a part of their bytes", "[codec][map]") {
    for_seeds("decode(encode(m)) encodes the same", [](std::uint64_t seed) {
        random_source random{seed};
        auto const bytes = encode(random.value<nested>());
        REQUIRE_PROPERTY(encode(decode<nested>(bytes)) == bytes);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            REQUIRE_PROPERTY(!try_decode<nested>(std::string_view{bytes}.substr(0, size)));
    });
}

TEST_CASE("large maps and large texts come back", "[codec][map]") {
    std::unordered_map<std::uint32_t, std::uint32_t> many;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) many.emplace(i * 2654435761u, i);
    CHECK(decode<decltype(many)>(encode(many)) == many);
    prices const large{{std::string(3 << 20, 'k'), 1}, {std::string(3 << 20, 'l'), 2}};
    CHECK(decode<prices>(encode(large)) == large);
}

TEST_CASE("text in a map becomes owned, or moves to an arena", "[codec][map]") {
    std::string bytes = "abc";
    std::map<text, text> ordered{{text{bytes}, text{bytes}}};
    std::unordered_map<int, text> unordered{{1, text{bytes}}};
    auto const owned = to_owned(ordered);
    arena there;
    rehome(ordered, there);
    rehome(unordered, there);
    bytes = "xyz";
    CHECK(owned == std::map<std::string, std::string>{{"abc", "abc"}});
    CHECK((ordered.begin()->first == "abc" && ordered.begin()->second == "abc" && unordered[1] == "abc"));
}
