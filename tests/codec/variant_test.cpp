// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/variant.hpp>
#include <driftless/codec/arena.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
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
using number_or_text = std::variant<std::int32_t, text>;
using nested = std::variant<std::monostate, std::vector<std::variant<order, double>>, std::optional<number_or_text>>;

static_assert(encodable<number_or_text> && encodable<nested> && describable<nested>);
static_assert(!encodable<std::variant<int, untold>> && !describable<std::variant<int, untold>>);
static_assert(canonical_key<number_or_text> && !canonical_key<std::variant<int, long double>>);
static_assert(has_text<nested> && !has_text<std::variant<int, double>>);
static_assert(std::is_same_v<owned_t<number_or_text>, std::variant<std::int32_t, std::string>>);
static_assert(std::is_same_v<owned_t<std::variant<int, double>>, std::variant<int, double>>);
static_assert(same_key_type<number_or_text, owned_t<number_or_text>>);
static_assert(!same_key_type<number_or_text, std::variant<std::int32_t>>);

template <class T> static std::string refusal(std::string_view bytes) {
    try {
        static_cast<void>(decode<T>(bytes));
        return "accepted";
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::malformed);
        return problem.what();
    }
}

TEST_CASE("an index without alternative is refused", "[codec][variant]") {
    CHECK(refusal<number_or_text>("\x02"s) == "driftless: a variant has no alternative with that index at offset 0");
    CHECK(refusal<number_or_text>("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s)
        == "driftless: a variant has no alternative with that index at offset 0");
    CHECK(refusal<number_or_text>("\x80\x00"s).find("a varint is") != std::string::npos);
    CHECK(refusal<number_or_text>("").find("a varint is cut short") != std::string::npos);
}

namespace {
struct throws_when_moved {
    throws_when_moved() = default;
    throws_when_moved(throws_when_moved&&) { throw 1; }
    throws_when_moved& operator=(throws_when_moved&&) = default;
};
}  // namespace
template <> struct driftless::codec<throws_when_moved> {
    static void write(byte_writer&, throws_when_moved const&) {}
    static void read(byte_reader&, throws_when_moved&) {}
};

TEST_CASE("a variant that lost its value is not written", "[codec][variant]") {
    std::variant<int, throws_when_moved> lost;
    CHECK_THROWS_AS((lost = throws_when_moved{}), int);
    REQUIRE(lost.valueless_by_exception());
    std::string bytes;
    CHECK_THROWS_AS(byte_writer{bytes}.write(lost), error);
    CHECK(bytes.empty());
}

// Right to go red: with a new format of logs and snapshots.
TEST_CASE("variants have the published bytes and schema", "[codec][variant][golden]") {
    CHECK(encode(number_or_text{-2}) == "\x00\x03"s);
    CHECK(encode(number_or_text{text{"ab"}}) ==
        "\x01\x02"
        "ab"s);
    CHECK(encode(std::variant<std::monostate, bool>{}) == "\x00"s);
    CHECK(schema_of<number_or_text>() == "<i32|text>");
    CHECK(schema_of<std::optional<std::variant<std::monostate, order>>>() == "<()|{sku:text,cents:i64,at:time}>?");
    CHECK(key_bytes(number_or_text{1}) == "\x00\x80\x00\x00\x01"s);
    CHECK(key_bytes(number_or_text{text{"a"}}) ==
        "\x01"
        "a\x00\x00"s);
}

TEST_CASE("variants come back as they were, and never from a part of their bytes", "[codec][variant]") {
    for_seeds("decode(encode(v)) encodes the same", [](std::uint64_t seed) {
        random_source random{seed};
        auto const bytes = encode(random.value<nested>());
        REQUIRE_PROPERTY(encode(decode<nested>(bytes)) == bytes);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            REQUIRE_PROPERTY(!try_decode<nested>(std::string_view{bytes}.substr(0, size)));
    });
}

TEST_CASE("the bits of floating numbers in variants are kept", "[codec][variant]") {
    using number = std::variant<float, double>;
    for (std::uint64_t const bits : std::initializer_list<std::uint64_t>{0x7ff8000000001234u, 0x7ff0000000000001u,
             0xfff8000000000000u, 0x7ff0000000000000u, 0xfff0000000000000u, 0x8000000000000000u, 1}) {
        auto const back = decode<number>(encode(number{std::bit_cast<double>(bits)}));
        CHECK(std::bit_cast<std::uint64_t>(std::get<double>(back)) == bits);
    }
}

TEST_CASE("reading into a variant replaces what it held", "[codec][variant]") {
    std::variant<int, std::string> into{"before"};
    for (std::variant<int, std::string> const& next : {std::variant<int, std::string>{1}, {2}, {"a"}, {"b"}}) {
        auto const bytes = encode(next);
        byte_reader reader{bytes};
        reader.read(into).expect_end();
        CHECK(into == next);
    }
}

TEST_CASE("key bytes of variants sort as index and value, and equal keys are the same", "[codec][variant]") {
    for_seeds("memcmp is the order", [](std::uint64_t seed) {
        using key = std::variant<std::monostate, double, std::variant<text, std::int8_t>, std::optional<bool>>;
        random_source random{seed};
        auto const a = random.value<key>(), b = random.value<key>();
        auto const x = key_bytes(a), y = key_bytes(b);
        int const order = x < y ? -1 : y < x ? 1
                                             : 0;
        REQUIRE_PROPERTY(order == compare_keys(a, b));
        REQUIRE_PROPERTY(same_key(a, b) == (order == 0));
        REQUIRE_PROPERTY(same_key(to_owned(a), b) == (order == 0));
        REQUIRE_PROPERTY(canonical_hash(a) == canonical_hash(to_owned(a)));
        REQUIRE_PROPERTY(canonical_hash(a) == xxh3_64(x.data(), x.size()));
    });
}

TEST_CASE("text in a variant becomes owned, or moves to an arena", "[codec][variant]") {
    std::string bytes = "abc";
    number_or_text borrowed{text{bytes}};
    auto const owned = to_owned(borrowed);
    arena there;
    rehome(borrowed, there);
    bytes = "xyz";
    CHECK(std::get<std::string>(owned) == "abc");
    CHECK(std::get<text>(borrowed) == "abc");
    CHECK(std::get<int>(to_owned(number_or_text{7})) == 7);
}
