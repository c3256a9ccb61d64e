// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/text.hpp>

#include <support/catch.hpp>

#include <string>
#include <string_view>
#include <type_traits>

using namespace driftless;
using namespace std::string_view_literals;

static_assert(std::is_trivially_copyable_v<text> && sizeof(text) == 2 * sizeof(void*));
static_assert(text{} == text{""} && text{}.empty());
static_assert(text{"abc"}.size() == 3 && text{"abc"}[1] == 'b');

TEST_CASE("texts compare bytewise, as unsigned bytes, shorter first", "[core][text]") {
    CHECK(text{"a"} < text{"ab"});
    CHECK(text{"Z"} < text{"a"});
    CHECK(text{"a"} < text{"\xc3\xa4"});
    CHECK(text{"a\0b"sv} != text{"a\0c"sv});
    CHECK(text{"a\0b"sv} < text{"a\0c"sv});
}

TEST_CASE("a text borrows, its str() owns", "[core][text]") {
    std::string bytes = "abc";
    text const borrowed{bytes};
    auto const owned = borrowed.str();
    CHECK(borrowed.data() == bytes.data());
    bytes[0] = 'x';
    CHECK(borrowed == text{"xbc"});
    CHECK(owned == "abc");
    CHECK(std::string(borrowed.begin(), borrowed.end()) == "xbc");
    CHECK(std::string_view{borrowed} == "xbc");
    CHECK(text{}.str().empty());
}
