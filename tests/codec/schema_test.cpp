// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/schema.hpp>
#include <codec/random_values.hpp>
#include <support/catch.hpp>
using namespace driftless;
using namespace codec_test;

struct money {
    std::int64_t cents;
    int currency;
    static constexpr std::string_view schema_name = "money";
};
struct foreign {
    int x;
};
template <> inline constexpr std::string_view driftless::schema_name<foreign> = "foreign v2";
enum class size_code : std::uint8_t {
    small
};
template <> inline constexpr std::string_view driftless::schema_name<size_code> = "size";
struct untold {
    std::int32_t x[3];
};

static_assert(
    describable<order> && describable<basket> && describable<money> && describable<foreign> && describable<nothing>);
static_assert(describable<std::optional<std::vector<std::tuple<money, event<text>>>>> && describable<pane<text, int>>);
static_assert(!describable<untold> && !describable<int*> && !describable<std::tuple<int, std::vector<untold>>>);
static_assert((require_describable<order>(), true));

// Right to go red: when the description language changes, together with the fingerprint version.
TEST_CASE("schema_of describes a type in published names only", "[codec][schema][golden]") {
    CHECK(schema_of<order>() == "{sku:text,cents:i64,at:time}");
    CHECK(schema_of<basket>() == "{orders:[{sku:text,cents:i64,at:time}],note:text?,weight:f64,none:()}");
    CHECK(schema_of<std::tuple<bool, char, std::int8_t, std::uint16_t, int128, uint128>>()
        == "(bool,char,i8,u16,i128,u128)");
    CHECK(schema_of<std::pair<float, duration>>() == "(f32,duration)");
    CHECK(schema_of<std::tuple<>>() == "()");
    CHECK(schema_of<std::array<time_window, 4>>() == "[window;4]");
    CHECK(schema_of<std::optional<std::vector<bool>>>() == "[bool]?");
    CHECK(schema_of<colour>() == "enum(i16)");
    CHECK(schema_of<size_code>() == "enum size(u8)");
    CHECK(schema_of<money>() == "money");
    CHECK(schema_of<foreign>() == "foreign v2");
    CHECK(schema_of<untold>() == "opaque(12)");
    CHECK(schema_of<event<text>>() == "{value:text,at:time}");
    CHECK(schema_of<pane<int, money>>() ==
        "{key:i32,window:window,value:money,info:{timing:enum(u8),index:i32,"
        "non_speculative_index:i32,first:bool,last:bool}}");
}

TEST_CASE("schema_of says the same of types with the same encoding", "[codec][schema]") {
    CHECK(schema_of<text>() == schema_of<std::string>());
    CHECK(schema_of<text>() == schema_of<std::string_view>());
    CHECK(schema_of<long long>() == schema_of<std::int64_t>());
    CHECK(schema_of<long>() == "i64");
}
