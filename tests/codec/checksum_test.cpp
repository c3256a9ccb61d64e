// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/checksum.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <string>
using namespace driftless;

// Right to go red: never. The numbers are XXH3's own, taken from libxxhash 0.8.1.
TEST_CASE("xxh3_64 gives the published values", "[codec][checksum][golden]") {
    CHECK(xxh3_64(nullptr, 0) == 0x2d06800538d394c2u);
    CHECK(xxh3_64("abc", 3) == 0x78af5f94892f3950u);
    CHECK(xxh3_64("abc", 3, 7) == 0x48ff56f569e39912u);
    std::string const long_one(300, 'x');
    CHECK(xxh3_64(long_one.data(), long_one.size()) == 0xa5d1b4607dc83554u);
}

TEST_CASE("xxh3_64_stream gives the value of the pieces together, whatever the pieces", "[codec][checksum]") {
    std::string bytes;
    for (int i = 0; i < 3000; ++i) bytes += static_cast<char>(i * 7);
    for (std::uint64_t const seed : {0u, 9u})
        for (std::size_t const piece : {1u, 3u, 255u, 256u, 257u, 1024u, 2999u}) {
            xxh3_64_stream stream{seed};
            for (std::size_t at = 0; at < bytes.size(); at += piece)
                stream.add(bytes.data() + at, std::min(piece, bytes.size() - at));
            CHECK(stream.value() == xxh3_64(bytes.data(), bytes.size(), seed));
            stream.reset();
            stream.add(nullptr, 0);
            CHECK(stream.value() == xxh3_64("", 0));
        }
}
