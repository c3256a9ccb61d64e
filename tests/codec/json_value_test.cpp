// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/schema.hpp>
#include <support/catch.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

using namespace driftless;

namespace {
template <class T>
std::string json(T const& value) {
    return encoded_to_json(parse_schema(schema_of<T>()), encode(value));
}
std::string json_text(std::string_view text) {
    std::string out;
    append_json_text(out, text);
    return out;
}
}  // namespace

TEST_CASE("numbers of every size are written in full", "[codec][json_value]") {
    CHECK(json(std::numeric_limits<std::int8_t>::min()) == "-128");
    CHECK(json(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(json(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    auto const most = ~detail::uint128{0};
    CHECK(json(most) == "340282366920938463463374607431768211455");
    CHECK(json(static_cast<detail::int128>(most >> 1)) == "170141183460469231731687303715884105727");
    CHECK(json(static_cast<detail::int128>(detail::uint128{1} << 127)) == "-170141183460469231731687303715884105728");
    CHECK(json(detail::int128{0}) == "0");
    CHECK(json(static_cast<detail::int128>(detail::uint128{1} << 64)) == "18446744073709551616");
    CHECK(json(0.1) == "0.1");
    CHECK(json(0.1F) == "0.1");
    CHECK(json(-0.0) == "-0");
    CHECK(json(1.5L) == "1.5");
}

TEST_CASE("what JSON has no number for is a string", "[codec][json_value]") {
    CHECK(json(std::numeric_limits<double>::infinity()) == "\"inf\"");
    CHECK(json(-std::numeric_limits<float>::infinity()) == "\"-inf\"");
    CHECK(json(std::nan("")) == "\"nan\"");
}

TEST_CASE("text is UTF-8, and no byte of other text is lost", "[codec][json_value]") {
    CHECK(json_text("\"\\\n\x7f") == "\"\\\"\\\\\\u000a\\u007f\"");
    CHECK(json_text("gr\xc3\xbc\xc3\x9f") == "\"gr\xc3\xbc\xc3\x9f\"");
    CHECK(json_text("\xf0\x9f\x8e\x89") == "\"\xf0\x9f\x8e\x89\"");
    CHECK(json_text("\xff") == "\"\\udcff\"");
    CHECK(json_text("\xc3") == "\"\\udcc3\"");                       // cut short
    CHECK(json_text("\xc0\xaf") == "\"\\udcc0\\udcaf\"");            // longer than needed
    CHECK(json_text("\xed\xa0\x80") == "\"\\udced\\udca0\\udc80\"");  // a surrogate
    CHECK(json_text("\xf4\x90\x80\x80") == "\"\\udcf4\\udc90\\udc80\\udc80\"");  // past U+10FFFF
}

TEST_CASE("variants and maps are read by their schema", "[codec][json_value]") {
    using namespace std::string_literals;
    auto const variant = parse_schema("<i32|text>");
    CHECK(encoded_to_json(variant, "\1\1x") == "{\"index\":1,\"value\":\"x\"}");
    CHECK(encoded_to_json(variant, "\0\5"s) == "{\"index\":0,\"value\":-3}");
    CHECK_THROWS_WITH(encoded_to_json(variant, "\2\1x"), Catch::Contains("no alternative with that index"));
    auto const map = parse_schema("[text=>i64?]");
    CHECK(encoded_to_json(map, "\2\1a\1\4\1b\0"s) == "[[\"a\",2],[\"b\",null]]");
    CHECK(encoded_to_json(map, "\0"s) == "[]");
}

TEST_CASE("a type of which only the name is known is refused, and bytes that are left over", "[codec][json_value]") {
    auto const named = parse_schema("{a:u8,b:money}");
    CHECK(!is_described(named));
    try {
        static_cast<void>(encoded_to_json(named, "\1\1"));
        FAIL("no error");
    } catch (error const& why) {
        CHECK(why.code() == error_code::unsupported);
        CHECK(std::string{why.what()}.find("money") != std::string::npos);
    }
    CHECK_THROWS_WITH(encoded_to_json(parse_schema("u8"), "\1\1"), Catch::Contains("left over"));
}

TEST_CASE("a schema that claims more values than bytes can account for is refused", "[codec][json_value]") {
    CHECK_THROWS_WITH(encoded_to_json(parse_schema("[[[();100000];100000];100000]"), ""),
        Catch::Contains("more values than bytes"));
    CHECK(encoded_to_json(parse_schema("[();3]"), "") == "[null,null,null]");
}
