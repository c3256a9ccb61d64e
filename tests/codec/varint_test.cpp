// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/varint.hpp>
#include <support/catch.hpp>

#include <limits>
#include <string_view>
using namespace driftless;
using namespace std::string_view_literals;

static_assert(zigzag(0) == 0 && zigzag(-1) == 1 && zigzag(1) == 2 && zigzag(-2) == 3);
static_assert(zigzag(std::numeric_limits<std::int64_t>::min()) == ~std::uint64_t{0});
static_assert(unzigzag(zigzag(std::numeric_limits<std::int64_t>::min())) == std::numeric_limits<std::int64_t>::min());
static_assert(unzigzag(zigzag(std::numeric_limits<std::int64_t>::max())) == std::numeric_limits<std::int64_t>::max());

static std::string_view written(std::uint64_t value, char (&room)[max_varint_size]) {
    return {room, static_cast<std::size_t>(write_varint(room, value) - room)};
}
// True if all of the bytes, and no fewer, are read.
static bool refused(std::string_view bytes) {
    std::uint64_t value = 42;
    bool const null = read_varint(bytes.data(), bytes.data() + bytes.size(), value) == nullptr;
    if (null) CHECK(value == 42);
    return null;
}

TEST_CASE("a varint puts seven bits into a byte, the lowest first", "[codec][varint][golden]") {
    char room[max_varint_size];
    CHECK(written(0, room) == "\x00"sv);
    CHECK(written(127, room) == "\x7f"sv);
    CHECK(written(128, room) == "\x80\x01"sv);
    CHECK(written(300, room) == "\xac\x02"sv);
    CHECK(written(~std::uint64_t{0}, room) == "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv);
}

TEST_CASE("a varint of every width comes back and no prefix of it does", "[codec][varint]") {
    for (unsigned shift = 0; shift < 64; ++shift)
        for (std::uint64_t const near : {0u, 1u, 2u}) {
            std::uint64_t const in = (std::uint64_t{1} << shift) + near - 1;
            char room[max_varint_size];
            auto const bytes = written(in, room);
            CHECK(bytes.size() == varint_size(in));
            std::uint64_t out = 0;
            CHECK(read_varint(bytes.data(), bytes.data() + bytes.size(), out) == bytes.data() + bytes.size());
            CHECK(out == in);
            CHECK(unzigzag(zigzag(static_cast<std::int64_t>(in))) == static_cast<std::int64_t>(in));
            for (std::size_t n = 0; n < bytes.size(); ++n) CHECK(refused(bytes.substr(0, n)));
        }
}

TEST_CASE("a varint of more than 64 bits is refused", "[codec][varint]") {
    CHECK(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv));
    CHECK(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"sv));
    CHECK(refused("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv));
}

TEST_CASE("a varint longer than needed is refused", "[codec][varint]") {
    CHECK(refused("\x80\x00"sv));
    CHECK(refused("\xff\x80\x00"sv));
}
