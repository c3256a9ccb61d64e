// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/compatibility.hpp>
#include <driftless/codec/map.hpp>
#include <driftless/codec/variant.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>
using namespace driftless;

namespace {
// Five versions of a record, each with the bytes that a program of its time has written.
struct order_1 {
    text sku;
    std::int32_t cents = 0;
    std::variant<std::int32_t, text> place;
};
struct order_2 {  // wider, one more member and alternative
    text sku;
    std::int64_t cents = 0;
    std::variant<std::int32_t, text, bool> place;
    std::uint32_t quantity = 1;
};
struct order_3 {  // renamed, another order, a member is optional, a map instead of the place
    static constexpr std::array schema_aliases{schema_alias{"cents", "price"}};
    std::optional<std::uint64_t> quantity;
    std::map<std::uint16_t, text> notes;
    std::int64_t price = 0;
    text sku;
};
struct order_4 {  // another type, by an upcaster
    text sku;
    double price = 0;
    std::map<std::uint32_t, text> notes;
};
struct order_5 {  // a member that must be there
    static constexpr std::array<std::string_view, 1> schema_required{"shop"};
    text sku;
    text shop;
    double price = 0;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(order_1, sku, cents, place);
BOOST_HANA_ADAPT_STRUCT(order_2, sku, cents, place, quantity);
BOOST_HANA_ADAPT_STRUCT(order_3, quantity, notes, price, sku);
BOOST_HANA_ADAPT_STRUCT(order_4, sku, price, notes);
BOOST_HANA_ADAPT_STRUCT(order_5, sku, shop, price);
template <>
inline constexpr auto driftless::schema_history<order_4> =
    driftless::upcasters<order_3, order_4>([](order_3 const& from) {
        return order_4{from.sku, static_cast<double>(from.price) / 100, {from.notes.begin(), from.notes.end()}};
    });

namespace {
struct golden_file {
    std::string_view schema;
    std::string_view hex;
};
constexpr golden_file golden[] = {
    {"{sku:text,cents:i32,place:<i32|text>}", "0374656ffb0101024348"},
    {"{sku:text,cents:i64,place:<i32|text|bool>,quantity:u32}", "0374656180e497d0120201ac02"},
    {"{quantity:u64?,notes:[u16=>text],price:i64,sku:text}", "01ac020201016190a103016290030174"},
    {"{sku:text,price:f64,notes:[u32=>text]}", "017400000000000014400107016e"},
    {"{sku:text,shop:text,price:f64}", "0174026368000000000000f83f"},
};
}  // namespace
static std::string bytes_of(golden_file const& file) {
    std::string out;
    auto const digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i < file.hex.size(); i += 2)
        out += static_cast<char>(digit(file.hex[i]) * 16 + digit(file.hex[i + 1]));
    return out;
}
template <class T> static bool reads(golden_file const& file) {
    if (!record_reader<T>::differences(parse_schema(file.schema)).empty()) return false;
    static_cast<void>(record_reader<T>{file.schema}.decode(bytes_of(file)));
    return true;
}

// Right to go red: never. Records that were written once stay readable.
TEST_CASE("golden records of every version are read by every version that can", "[codec][compatibility][golden]") {
    using row = std::array<bool, 5>;
    auto const row_of = [](auto read) {
        row out{};
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = read(golden[i]);
        return out;
    };
    CHECK(row_of(reads<order_1>) == row{true, false, true, true, true});
    CHECK(row_of(reads<order_2>) == row{true, true, false, true, true});
    CHECK(row_of(reads<order_3>) == row{true, true, true, false, false});
    CHECK(row_of(reads<order_4>) == row{true, true, true, true, true});
    CHECK(row_of(reads<order_5>) == row{false, false, false, false, true});
}

TEST_CASE("golden records have the values that were written", "[codec][compatibility][golden]") {
    std::string const bytes[] = {bytes_of(golden[0]), bytes_of(golden[1]), bytes_of(golden[2]), bytes_of(golden[3]),
        bytes_of(golden[4])};
    auto const second = record_reader<order_2>{golden[0].schema}.decode(bytes[0]);
    CHECK((second.sku == "teo" && second.cents == -126 && second.quantity == 1));
    CHECK(std::get<text>(second.place) == "CH");
    auto const third = record_reader<order_3>{golden[1].schema}.decode(bytes[1]);
    CHECK((third.sku == "tea" && third.price == 2'500'000'000 && third.quantity == 300u && third.notes.empty()));
    record_reader<order_4> reader{golden[2].schema};
    auto const fourth = reader.decode(bytes[2]);
    CHECK((fourth.sku == "t" && fourth.price == 2 && fourth.notes.size() == 2 && fourth.notes.at(53'392) == "b"));
    CHECK(record_reader<order_4>{golden[4].schema}.decode(bytes[4]).price == 1.5);
    CHECK(encode(decode<order_4>(bytes[3])) == bytes[3]);
}

TEST_CASE("compatibility of types uses their aliases, defaults and upcasters", "[codec][compatibility]") {
    CHECK(compatibility<order_1, order_1>().kind() == compatibility_kind::full);
    CHECK(compatibility<order_1, order_2>().kind() == compatibility_kind::backward);
    CHECK(compatibility<order_2, order_1>().kind() == compatibility_kind::forward);
    CHECK(compatibility<order_2, order_3>().kind() == compatibility_kind::backward);
    CHECK(compatibility<order_3, order_4>().kind() == compatibility_kind::backward);
    CHECK(compatibility<order_3, order_5>().kind() == compatibility_kind::none);
    CHECK(compatibility<order_5, order_4>().kind() == compatibility_kind::backward);
    auto const found = compatibility<order_1, order_2>();
    CHECK(found.backward.empty());
    REQUIRE(found.forward.size() == 2);
    CHECK(found.forward[0] == "cents: i32 was i64, and numbers are not narrowed: give an upcaster");
    CHECK(found.forward[1]
        == "place: a variant had 3 alternatives, and there are 2: keep those that were written, or give an upcaster");
}

TEST_CASE("compatibility of schemas goes by the rules alone", "[codec][compatibility]") {
    auto const kind = [](std::string_view older, std::string_view newer) { return compatibility(older, newer).kind(); };
    CHECK(kind("{a:i32}", "{a:i32}") == compatibility_kind::full);
    CHECK(kind("{a:i32,b:text}", "{b:text,c:time}") == compatibility_kind::full);
    CHECK(kind("{a:i32}", "{a:i64}") == compatibility_kind::backward);
    CHECK(kind("{a:i64}", "{a:i32}") == compatibility_kind::forward);
    CHECK(kind("{a:i32}", "{a:i32?}") == compatibility_kind::full);
    CHECK(kind("[i32]", "[i32?]") == compatibility_kind::backward);
    CHECK(kind("{a:i32}", "{a:text}") == compatibility_kind::none);
    CHECK(kind("{a:i32,b:i64}", "{a:i64,b:i32}") == compatibility_kind::none);
    CHECK(kind("{a:money}", "{}") == compatibility_kind::forward);
    CHECK_THROWS_AS(compatibility("{a:", "{}"), error);
    CHECK(to_string(compatibility_kind::backward) == "backward");
}

// Right to go red: with a new number in the heading of the fingerprint.
TEST_CASE("fingerprints of schemas are the published ones", "[codec][compatibility][golden]") {
    CHECK(fingerprint_of_schema<order_1>() == fingerprint_of_schema(golden[0].schema));
    CHECK(fingerprint_of_schema(golden[0].schema) != fingerprint_of_schema(golden[1].schema));
    CHECK(fingerprint_of_schema("i64") == 0xd44a690d57b5bebu);
}
