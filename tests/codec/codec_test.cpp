// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/codec.hpp>
#include <codec/random_values.hpp>
#include <codec/seeds.hpp>

#include <map>
using namespace driftless;
using namespace codec_test;
using namespace std::string_literals;

class counter {  // saves itself; not default-constructible: only read() into an existing one
    std::int64_t seen_ = 0;
    std::int64_t limit_;

public:
    explicit counter(std::int64_t limit) : limit_(limit) {}
    void add() { ++seen_; }
    std::int64_t seen() const { return seen_; }
    std::int64_t limit() const { return limit_; }
    void save(byte_writer& writer) const { writer.write(seen_); }
    void load(byte_reader& reader) { reader.read(seen_); }
};
struct silent {  // saves itself in no bytes at all
    void save(byte_writer&) const {}
    void load(byte_reader&) {}
};
struct bulky {
    std::array<char, 100'000> room{};
    void save(byte_writer&) const {}
    void load(byte_reader&) {}
};
using wide = std::array<double, 4>;
using almost_nothing = std::tuple<nothing, silent>;
using int_double = std::tuple<int, double>;
struct untold {
    int x;
};
namespace {
struct by_number {  // codec/map.hpp gives ordinary maps a codec, in other files of this program
    bool operator()(std::int32_t a, std::int32_t b) const { return a < b; }
};
using numbered = std::map<std::int32_t, std::string, by_number>;
}  // namespace
template <> struct driftless::codec<numbered> {
    using map = numbered;
    static void write(byte_writer& writer, map const& value) {
        writer.put_varint(value.size());
        for (auto const& [key, text] : value) writer.write(key).write(text);
    }
    static void read(byte_reader& reader, map& value) {
        value.clear();
        for (auto left = reader.get_count(2); left > 0; --left) {
            auto const key = reader.read<std::int32_t>();
            reader.read(value[key]);
        }
    }
};

static_assert(
    encodable<order> && encodable<basket> && encodable<counter> && encodable<pane<text, std::tuple<int, double>>>);
static_assert(
    encodable<std::vector<numbered>> && encodable<std::tuple<>> && encodable<nothing>);
static_assert(!encodable<untold> && !encodable<int*> && !encodable<std::optional<untold>> && !encodable<event<untold>>);
static_assert(!encodable<std::map<int, int, by_number>>);
static_assert(!encodable<std::vector<counter>>);  // elements must be default-constructible

static std::string refusal_of(void (*decode_it)(std::string_view), std::string_view bytes) {
    try {
        decode_it(bytes);
        return "accepted";
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::malformed);
        return problem.what();
    }
}
template <class T> static std::string refusal(std::string_view bytes) {
    return refusal_of([](std::string_view all) { static_cast<void>(decode<T>(all)); }, bytes);
}

// Right to go red: when snapshots of a released version may become unreadable, that is: with a new format number.
TEST_CASE("encoded bytes are the published ones", "[codec][golden]") {
    CHECK(encode(true) == "\x01"s);
    CHECK(encode(std::int8_t{-1}) == "\xff"s);
    CHECK(encode(-2) == "\x03"s);
    CHECK(encode(std::uint32_t{300}) == "\xac\x02"s);
    CHECK(encode(colour::red) == "\x05"s);
    CHECK(encode(1.0f) == "\x00\x00\x80\x3f"s);
    CHECK(encode(-2.0) == "\x00\x00\x00\x00\x00\x00\x00\xc0"s);
    CHECK(encode(int128{-2}) == "\xfe" + std::string(15, '\xff'));
    CHECK(encode(uint128{1} << 64) == "\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"s);
    CHECK(encode(event_time{258}) == "\x02\x01\0\0\0\0\0\0"s);
    CHECK(encode(duration{-1}) == "\x01"s);
    CHECK(encode(time_window{event_time{1}, event_time{2}}) == "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0"s);
    CHECK(encode("abc"s) ==
        "\x03"
        "abc"s);
    CHECK(encode(text{"a\0", 2}) ==
        "\x02"
        "a\0"s);
    CHECK(encode(std::optional<int>{}) == "\x00"s);
    CHECK(encode(std::optional{1}) == "\x01\x02"s);
    CHECK(encode(std::vector{1, -1}) == "\x02\x02\x01"s);
    CHECK(encode(std::vector{true, false}) == "\x02\x01\x00"s);
    CHECK(encode(std::vector<std::uint8_t>{7, 8}) == "\x02\x07\x08"s);
    CHECK(encode(std::vector<nothing>(2)) == "\x02\x00\x00"s);
    CHECK(encode(std::array{1, 2}) == "\x02\x04"s);
    CHECK(encode(std::tuple{1, "x"s, nothing{}}) == "\x02\x01x"s);
    CHECK(encode(order{"x", 1, event_time{2}}) == "\x01x\x02\x02\0\0\0\0\0\0\0"s);
    CHECK(encode(pane<int, bool>{1, {event_time{0}, event_time{0}}, true, {}})
        == "\x02"s + std::string(16, '\0') + "\x01\x01\0\0\x01\x01"s);
    CHECK(encode(nothing{}).empty());
}

TEST_CASE("float bits survive, the sign of zero and the payload of NaN included", "[codec]") {
    for (std::uint64_t const bits : {0x8000000000000000u, 0x7ff0000000000001u, 0xfff8000000000123u})
        CHECK(std::bit_cast<std::uint64_t>(decode<double>(encode(std::bit_cast<double>(bits)))) == bits);
    long double const third = 1.0L / 3.0L;
    CHECK(decode<long double>(encode(third)) == third);
}

TEST_CASE("decoded text borrows the bytes it was decoded from", "[codec]") {
    auto const bytes = encode(order{"apple", 1, {}});
    auto const back = decode<order>(bytes);
    CHECK(back.sku == "apple");
    CHECK(back.sku.data() == bytes.data() + 1);
}

TEST_CASE("a class that saves itself is loaded into an object that exists", "[codec]") {
    counter before{10}, after{20};
    before.add();
    before.add();
    std::string bytes;
    byte_writer{bytes}.write(before).write(std::uint8_t{9});
    byte_reader reader{bytes};
    reader.read(after);
    CHECK(after.seen() == 2);
    CHECK(after.limit() == 20);
    CHECK(reader.read<std::uint8_t>() == 9);
    CHECK(reader.at_end());
}

TEST_CASE("a user's codec is used inside composites", "[codec]") {
    std::vector<numbered> const in{{{1, "a"}, {-2, "b"}}, {}};
    CHECK(decode<std::vector<numbered>>(encode(in)) == in);
}

TEST_CASE("reading replaces what an object held before", "[codec]") {
    std::tuple<std::vector<int>, std::optional<int>, std::string> value{{1, 2, 3}, 4, "old"};
    byte_reader{encode(std::tuple{std::vector<int>{9}, std::optional<int>{}, ""s})}.read(value);
    CHECK(std::get<0>(value) == std::vector{9});
    CHECK_FALSE(std::get<1>(value).has_value());
    CHECK(std::get<2>(value).empty());
}

TEST_CASE("an absurd length is refused before memory is asked for", "[codec][misuse]") {
    auto const huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s;  // 2^63 - 1
    auto const exceeds = Catch::Matchers::Contains("a length exceeds the bytes that follow at offset 0");
    CHECK_THAT(refusal<std::string>(huge), exceeds);
    CHECK_THAT(refusal<text>(huge), exceeds);
    CHECK_THAT(refusal<std::vector<int>>(huge), exceeds);
    CHECK_THAT(refusal<std::vector<bool>>(huge), exceeds);
    CHECK_THAT(refusal<std::vector<double>>("\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s), exceeds);  // 15 bytes for 16
    CHECK_THAT(refusal<std::vector<nothing>>(huge), exceeds);  // elements of nothing are not free
    CHECK_THAT(refusal<std::vector<silent>>(huge), exceeds);
    CHECK_THAT(refusal<std::vector<almost_nothing>>(huge), exceeds);
    CHECK_THAT(refusal<std::vector<wide>>("\x01\0\0\0"s), exceeds);
    CHECK_THAT(refusal<std::vector<std::vector<int>>>("\x01" + huge), Catch::Matchers::Contains("at offset 1"));
}

TEST_CASE("a large element with a small encoding does not multiply memory before it is decoded", "[codec][misuse]") {
    // 100 thousand elements of 100 kB would be 10 GB; the first byte that is not zero ends it.
    auto const bytes = "\xa0\x8d\x06" + std::string(100'000, '\x01');
    CHECK_THAT(refusal<std::vector<bulky>>(bytes), Catch::Matchers::Contains("at offset 4"));
}

TEST_CASE("bytes that no value encodes to are refused with their offset", "[codec][misuse]") {
    using Catch::Matchers::Contains;
    CHECK_THAT(refusal<bool>("\x02"s), Contains("neither 0 nor 1"));
    CHECK_THAT(refusal<std::optional<int>>("\x02\x02"s), Contains("neither 0 nor 1"));
    CHECK_THAT(refusal<std::vector<bool>>("\x01\x07"s), Contains("neither 0 nor 1"));
    CHECK_THAT(refusal<std::int16_t>("\x80\x80\x04"s), Contains("does not fit"));
    CHECK_THAT(refusal<std::uint16_t>("\x80\x80\x04"s), Contains("does not fit"));
    CHECK_THAT(refusal<colour>("\x80\x80\x04"s), Contains("does not fit"));
    CHECK_THAT(refusal<int>("\x80\x00"s), Contains("longer than needed"));
    CHECK_THAT(refusal<int>("\x02\x02"s), Contains("left over after the value at offset 1"));
    CHECK_THAT(refusal<int_double>("\x02\x01\x01"s), Contains("the bytes end inside a value at offset 1"));
    CHECK_THAT(refusal<std::vector<nothing>>("\x01\x01"s), Contains("zero byte"));
    byte_reader further{"\x05", 1000};
    CHECK_THROWS_WITH(further.read<bool>(), Contains("at offset 1001"));
    CHECK(try_decode<int>("\x02"s).value() == 1);
    CHECK(try_decode<int>(""s).error().code() == error_code::malformed);
}

template <class T> static void comes_back(char const* name) {
    for_seeds(name, +[](std::uint64_t seed) {
        random_source random{seed};
        for (int i = 0; i < 10; ++i) {
            T const in = random.value<T>();
            auto const bytes = encode(in);
            T const out = decode<T>(bytes);
            REQUIRE_PROPERTY(encode(out) == bytes);  // bit by bit, NaN and -0.0 included
            REQUIRE_PROPERTY(detail::least_encoded_size<T>() <= bytes.size());
            if constexpr (shape_of<T> != value_shape::floating || sizeof(T) <= 8)
                REQUIRE_PROPERTY(compare_keys(in, out) == 0);
        } }, 50);
}

TEST_CASE("every built-in type comes back", "[codec][property]") {
    comes_back<bool>("bool");
    comes_back<char>("char");
    comes_back<std::int8_t>("int8");
    comes_back<std::uint16_t>("uint16");
    comes_back<std::int32_t>("int32");
    comes_back<std::int64_t>("int64");
    comes_back<std::uint64_t>("uint64");
    comes_back<char32_t>("char32_t");
    comes_back<wchar_t>("wchar_t");
    comes_back<int128>("int128");
    comes_back<uint128>("uint128");
    comes_back<float>("float");
    comes_back<double>("double");
    comes_back<long double>("long double");
    comes_back<colour>("enum");
    comes_back<event_time>("event_time");
    comes_back<duration>("duration");
    comes_back<time_window>("window");
    comes_back<text>("text");
    comes_back<std::string>("string");
}

using nested = std::tuple<std::vector<std::optional<std::pair<std::string, std::array<double, 2>>>>, std::vector<bool>,
    std::vector<nothing>, std::vector<std::uint8_t>, std::vector<float>, basket, int128, pane<text, event<colour>>>;

TEST_CASE("nested types come back", "[codec][property]") {
    comes_back<order>("reflected struct");
    comes_back<std::vector<std::vector<std::string>>>("vector of vectors");
    comes_back<nested>("all of it");
}

TEST_CASE("cut short at any byte it is an error, changed at any byte an error or a value", "[codec][property]") {
    for_seeds("hostile bytes", +[](std::uint64_t seed) {
        random_source random{seed};
        auto const bytes = encode(random.value<nested>());
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            std::string const cut{bytes.data(), n};  // its own allocation: AddressSanitizer sees a byte too far
            REQUIRE_PROPERTY(!try_decode<nested>(cut));
        }
        for (int i = 0; i < 100; ++i) {
            auto changed = bytes;
            changed[random.below(changed.size())] = static_cast<char>(random.bits() >> 40);
            if (auto got = try_decode<nested>(changed))
                REQUIRE_PROPERTY(encode(*got) == changed);  // one encoding per value
            else REQUIRE_PROPERTY(got.error().offset() <= changed.size());
        } }, 50);
}
