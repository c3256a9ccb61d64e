// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/evolution.hpp>
#include <driftless/codec/map.hpp>
#include <driftless/codec/variant.hpp>
#include <codec/random_values.hpp>
#include <codec/seeds.hpp>
#include <support/catch.hpp>
using namespace driftless;
using namespace codec_test;
using namespace std::string_literals;

static std::string differences_text(std::vector<std::string> const& differences) {
    std::string out;
    for (auto const& each : differences) out += each + "\n";
    return out;
}
template <class Reader, class Writer> static std::string differences() {
    return differences_text(record_reader<Reader>::differences(parse_schema(schema_of<Writer>())));
}
template <class Reader> static std::string differences(std::string_view writer) {
    return differences_text(record_reader<Reader>::differences(parse_schema(writer)));
}
/// Reads what a Writer is encoded to.
template <class Reader, class Writer> static Reader read_as(Writer const& value) {
    return record_reader<Reader>{schema_of<Writer>()}.decode(encode(value));
}

namespace {
namespace old {
struct address {
    std::string street;
    std::int32_t zip;
};
struct customer {
    std::string name;
    std::uint32_t age;
    float rating;
    std::vector<address> homes;
    std::string note;
    std::optional<std::int32_t> discount;
    event_time since;
};
}  // namespace old

struct address {
    std::int64_t zip = 0;
    std::string country = "CH";
    std::optional<std::string> street;
};
struct customer {
    static constexpr std::array schema_aliases{schema_alias{"since", "first_seen"},
        schema_alias{"nickname", "full_name"},
        schema_alias{"name", "full_name"}};
    event_time first_seen;
    std::int64_t age = 0;
    double rating = 0;
    std::vector<address> homes;
    std::string full_name;
    std::int32_t discount = -1;
    std::string language = "de";
    std::vector<std::int32_t> visits{1, 2, 3};
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(old::address, street, zip);
BOOST_HANA_ADAPT_STRUCT(old::customer, name, age, rating, homes, note, discount, since);
BOOST_HANA_ADAPT_STRUCT(address, zip, country, street);
BOOST_HANA_ADAPT_STRUCT(customer, first_seen, age, rating, homes, full_name, discount, language, visits);

TEST_CASE("a record is read member by member: other order, added, removed, wider, renamed, optional",
    "[codec][evolution]") {
    old::customer const before{"Ada", 4'000'000'000u, 0.1f, {{"Main St", -5}, {"Side St", 7}}, "gone", std::nullopt,
        event_time{99}};
    auto const after = read_as<customer>(before);
    CHECK(after.full_name == "Ada");
    CHECK(after.age == 4'000'000'000);
    CHECK(after.rating == static_cast<double>(0.1f));
    REQUIRE(after.homes.size() == 2);
    CHECK(after.homes[0].zip == -5);
    CHECK(after.homes[0].country == "CH");
    CHECK(after.homes[1].street == "Side St");
    CHECK(after.discount == -1);
    CHECK(after.language == "de");
    CHECK(after.visits == std::vector{1, 2, 3});
    CHECK(after.first_seen == event_time{99});
    auto with_discount = before;
    with_discount.discount = 12;
    CHECK(read_as<customer>(with_discount).discount == 12);
}

TEST_CASE("an object that is read into again has the defaults again", "[codec][evolution]") {
    record_reader<customer> reader{schema_of<old::customer>()};
    customer into;
    into.language = "fr";
    into.visits.clear();
    into.discount = 5;
    into.homes.resize(7);
    auto const bytes = encode(old::customer{"Ada", 1, 0, {}, "", std::nullopt, {}});
    byte_reader from{bytes};
    reader.read(from, into);
    from.expect_end();
    CHECK((into.language == "de" && into.visits.size() == 3 && into.discount == -1 && into.homes.empty()));
}

TEST_CASE("the same schema is read as the codec reads it", "[codec][evolution]") {
    record_reader<customer> const reader{schema_of<customer>()};
    CHECK(reader.is_same());
    CHECK(!record_reader<customer>{schema_of<old::customer>()}.is_same());
    CHECK(record_reader<customer>{schema_of<old::customer>()}.uses(0));
    CHECK(!record_reader<customer>{schema_of<old::customer>()}.uses(4));
}

TEST_CASE("of two aliases the one listed first wins, and a name beats them all", "[codec][evolution]") {
    CHECK(record_reader<customer>{"{name:text,nickname:text}"}.decode("\x01n\x02nn"s).full_name == "nn");
    CHECK(record_reader<customer>{"{name:text,full_name:text}"}.decode("\x01n\x02nn"s).full_name == "nn");
}

TEST_CASE("every number that has become wider keeps its value, and no number gets narrower", "[codec][evolution]") {
    auto const widened = []<class From, class To>(From from, To) {
        using pair = std::tuple<From, std::vector<From>>;
        auto const read = read_as<std::tuple<To, std::vector<To>>>(pair{from, {from, From{}}});
        CHECK(std::get<0>(read) == static_cast<To>(from));
        CHECK(std::get<1>(read) == std::vector<To>{static_cast<To>(from), To{}});
        CHECK(!differences<std::tuple<From>, std::tuple<To>>().empty());
        for (std::string const bytes = encode(std::tuple{from}); std::size_t size : {std::size_t{0}, bytes.size() - 1})
            CHECK_THROWS_AS(static_cast<void>(record_reader<std::tuple<To>>{schema_of<std::tuple<From>>()}.decode(
                                bytes.substr(0, size))),
                error);
    };
    auto const all = [&]<class From>(From from) {
        if constexpr (sizeof(From) < 2) widened(from, std::int16_t{});
        if constexpr (sizeof(From) < 4) widened(from, std::int32_t{});
        if constexpr (sizeof(From) < 8) widened(from, std::int64_t{});
        widened(from, int128{});
        if constexpr (std::is_unsigned_v<From>) {
            if constexpr (sizeof(From) < 2) widened(from, std::uint16_t{});
            if constexpr (sizeof(From) < 4) widened(from, std::uint32_t{});
            if constexpr (sizeof(From) < 8) widened(from, std::uint64_t{});
            widened(from, uint128{});
        }
    };
    auto const ends = [&]<class From>(From) {
        all(std::numeric_limits<From>::min());
        all(std::numeric_limits<From>::max());
    };
    ends(std::int8_t{});
    ends(std::uint8_t{});
    ends(std::int16_t{});
    ends(std::uint16_t{});
    ends(std::int32_t{});
    ends(std::uint32_t{});
    ends(std::int64_t{});
    ends(std::uint64_t{});
    widened(0.1f, double{});
    widened(std::numeric_limits<float>::infinity(), double{});
    widened(0.1, static_cast<long double>(0));
}

TEST_CASE("a number that its written type cannot hold is malformed, even where the wider one could",
    "[codec][evolution]") {
    auto const read = [](std::string_view schema, std::string const& bytes) {
        return record_reader<std::tuple<std::int64_t>>{schema}.decode(bytes);
    };
    CHECK(std::get<0>(read("(i16)", encode(std::tuple{32767}))) == 32767);
    CHECK(std::get<0>(read("(i16)", encode(std::tuple{-32768}))) == -32768);
    CHECK_THROWS_AS(static_cast<void>(read("(i16)", encode(std::tuple{32768}))), error);
    CHECK_THROWS_AS(static_cast<void>(read("(i16)", encode(std::tuple{-32769}))), error);
    CHECK(std::get<0>(read("(u16)", encode(std::tuple{65535u}))) == 65535);
    CHECK_THROWS_AS(static_cast<void>(read("(u16)", encode(std::tuple{65536u}))), error);
}

namespace {
struct strict {
    static constexpr std::array<std::string_view, 2> schema_required{"sku", "cents"};
    std::string sku;
    std::int64_t cents = 0;
    bool paid = false;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(strict, sku, cents, paid);

TEST_CASE("a member without default is missed", "[codec][evolution]") {
    CHECK(differences<strict>("{sku:text}")
        == "cents: it is missing in what was written, and has no default here: give it one, or give an upcaster\n");
    CHECK(differences<strict>("{sku:text,cents:i64?}")
        == "cents: it may be missing in what was written, and has no default here: give it one, or give an upcaster\n");
    CHECK(differences<strict>("{sku:text,cents:i32}").empty());
    CHECK(differences<std::vector<int>>("[i32?]")
        == "[]: it may be missing in what was written, and has no default here: give it one, or give an upcaster\n");
}

namespace {
struct money {
    std::int64_t cents = 0;
    static constexpr std::string_view schema_name = "money";
    void save(byte_writer& writer) const { writer.write(cents); }
    void load(byte_reader& reader) { reader.read(cents); }
};
enum class size_code : std::int32_t {
    small
};
}  // namespace
template <> inline constexpr std::string_view driftless::schema_name<size_code> = "size";
namespace {
struct mixed {
    money paid;
    size_code size{};
    colour tint{};
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(mixed, paid, size, tint);

TEST_CASE("each difference is told by its path", "[codec][evolution]") {
    CHECK(differences<old::customer>(
              "{name:i32,age:u64,rating:i32,homes:[{street:[text],zip:text}],note:time,discount:f64?,since:i64}")
        ==
        "name: text was i32, and numbers are not read as text: give an upcaster\n"
        "age: u32 was u64, and numbers are not narrowed: give an upcaster\n"
        "rating: f32 was i32, and integers are not read as floating numbers: give an upcaster\n"
        "homes[].street: text was a sequence, and sequences are not read as text: give an upcaster\n"
        "homes[].zip: i32 was text, and texts are not read as numbers: give an upcaster\n"
        "note: text was time, and times are not read as text: give an upcaster\n"
        "discount: i32 was f64, and floating numbers are not read as integers: give an upcaster\n"
        "since: time was i64, and numbers are not read as times: give an upcaster\n");
    CHECK(differences<mixed>("{paid:cash,size:enum length(u8),tint:enum name(i16)}")
        ==
        "paid: it has a codec of its own, and its schema was cash: give an upcaster\n"
        "size: enum size(i32) was enum length(u8), and enums called length are not read as enums called size: give "
        "an upcaster\n");
    CHECK(differences<mixed>("{paid:money,gone:[cash],size:enum(u8)}")
        == "gone: it is not here any more, and only who knows cash can read over it: keep it, or give an upcaster\n");
    CHECK(differences<mixed>("i32")
        == "the record: a record was i32, and numbers are not read as records: give an upcaster\n");
    CHECK(differences<std::tuple<std::uint32_t, std::array<int, 3>>>("(i16,[i32;4])")
        ==
        "(0): u32 was i16, and negative numbers have no place in it: give an upcaster\n"
        "(1): an array of 3 was an array of 4, and arrays of 4 are not read as arrays of 3: give an upcaster\n");
    CHECK(differences<std::tuple<int>>("(i32,i32)")
        ==
        "the record: a tuple of 1 was a tuple of 2, and tuples of 2 are not read as tuples of 1: give an "
        "upcaster\n");
    CHECK(differences<std::variant<int, text>>("<i32|text|time>")
        ==
        "the record: a variant had 3 alternatives, and there are 2: keep those that were written, or give "
        "an upcaster\n");
    CHECK(differences<std::variant<int, text>>("<text|text>")
        == "<0>: i32 was text, and texts are not read as numbers: give an upcaster\n");
    CHECK(differences<std::map<std::string, int>>("[i32=>text]")
        ==
        "the record: the keys of a map were numbers, and keys other than numbers stay as they are: give an "
        "upcaster\n");
    CHECK(differences<std::map<int, int>>("[i32=>text]")
        == "[]: i32 was text, and texts are not read as numbers: give an upcaster\n");
    try {
        record_reader<strict> const reader{"{sku:time}"};
        FAIL("read");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::mismatch);
        CHECK(problem.what()
            ==
            "driftless: records with another schema cannot be read: cents: it is missing in what was written, and "
            "has no default here: give it one, or give an upcaster; sku: text was time, and times are not read as "
            "text: give an upcaster"s);
    }
}

TEST_CASE("maps, variants, arrays and tuples are read into those of wider types", "[codec][evolution]") {
    using before = std::tuple<std::map<std::int16_t, old::address>, std::variant<std::int32_t, old::address>,
        std::array<float, 2>, std::pair<bool, std::vector<std::optional<std::uint8_t>>>>;
    using after = std::tuple<std::unordered_map<std::int64_t, address>, std::variant<std::int64_t, address, text>,
        std::array<double, 2>, std::pair<bool, std::vector<std::optional<std::int32_t>>>>;
    before const value{{{-3, {"a", 1}}, {4, {"b", 2}}}, old::address{"c", 3}, {0.5f, -1}, {true, {7, std::nullopt}}};
    auto const read = read_as<after>(value);
    CHECK(std::get<0>(read).size() == 2);
    CHECK(std::get<0>(read).at(-3).street == "a");
    CHECK(std::get<0>(read).at(4).zip == 2);
    CHECK(std::get<1>(std::get<1>(read)).country == "CH");
    CHECK(std::get<2>(read) == std::array{0.5, -1.0});
    CHECK(std::get<3>(read) == std::pair{true, std::vector<std::optional<std::int32_t>>{7, std::nullopt}});
    auto number = value;
    std::get<1>(number) = 9;
    CHECK(std::get<0>(std::get<1>(read_as<after>(number))) == 9);
}

TEST_CASE("enums of one name, or of none, become wider", "[codec][evolution]") {
    auto const read = record_reader<mixed>{"{size:enum size(u8),tint:enum(i8)}"}.decode("\x07\xfd"s);
    CHECK(static_cast<int>(read.size) == 7);
    CHECK(read.tint == colour::red);
}

// --- versions with upcasters ---------------------------------------------------------------------------------

namespace {
struct price_1 {
    std::string sku;
    std::int64_t cents = 0;
};
struct price_2 {  // the same names and types, but another meaning of `price`
    std::string sku;
    double price = 0;
    std::string currency;
};
struct price_3 {
    text sku;
    double price = 0;
    text currency;
    text label;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(price_1, sku, cents);
BOOST_HANA_ADAPT_STRUCT(price_2, sku, price, currency);
BOOST_HANA_ADAPT_STRUCT(price_3, sku, price, currency, label);
template <>
inline constexpr auto driftless::schema_history<price_3> = driftless::upcasters<price_1, price_2, price_3>(
    [](price_1 const& from) { return price_2{from.sku + "!", static_cast<double>(from.cents) / 100, "CHF"}; },
    [](price_2 const& from) { return price_3{from.sku, from.price, from.currency, "upcast"}; });

TEST_CASE("records of an old version go through every upcaster after it", "[codec][evolution]") {
    record_reader<price_3> first{schema_of<price_1>()};
    auto const bytes = encode(price_1{"a sku that is too long to lie in the string itself", 250});
    auto const one = first.decode(bytes);
    CHECK(one.sku == "a sku that is too long to lie in the string itself!");
    CHECK(one.price == 2.5);
    CHECK((one.currency == "CHF" && one.label == "upcast"));
    CHECK(!first.is_same());

    CHECK(record_reader<price_3>{schema_of<price_2>()}.decode(encode(price_2{"b", 3, "EUR"})).label == "upcast");
    CHECK(record_reader<price_3>{schema_of<price_3>()}.decode(encode(price_3{"c", 4, "EUR", "kept"})).label == "kept");
}

TEST_CASE("a schema that no version has is read as the version that leaves out least, the newest of several",
    "[codec][evolution]") {
    // price_3 by the rules: its label is missing, as in price_2, but this is not price_2.
    CHECK(record_reader<price_3>{"{currency:text,sku:text,price:f32}"}.decode("\x01"
                                                                              "c\x01"
                                                                              "s\x00\x00\x80\x3f"s)
              .label
        == "");
    // price_3 would do without the price, and price_1 knows what cents are.
    CHECK(record_reader<price_3>{"{cents:i16,shop:text}"}.decode("\x64\x00"s).price == 0.5);
    // price is no number: only price_1 can read that.
    CHECK(record_reader<price_3>{"{price:text,cents:i16}"}.decode("\x00\x64"s).price == 0.5);
    CHECK(differences<price_3>("{price:text,cents:text}")
        == "price: f64 was text, and texts are not read as numbers: give an upcaster\n");
}

// --- what may have been written by anybody -------------------------------------------------------------------

TEST_CASE("reading over a value reads exactly its bytes", "[codec][evolution]") {
    for_seeds("skip", [](std::uint64_t seed) {
        using anything = std::tuple<basket, std::variant<std::monostate, std::int16_t, std::vector<order>>,
            std::map<std::string, std::vector<std::optional<colour>>>, std::array<nothing, 3>,
            std::vector<std::pair<nothing, std::tuple<>>>, pane<text, int128>, std::array<std::uint8_t, 3>,
            std::vector<bool>, std::tuple<char, duration, time_window, float, std::uint64_t>>;
        random_source random{seed};
        auto const bytes = encode(random.value<anything>());
        auto const schema = parse_schema(schema_of<anything>());
        byte_reader reader{bytes};
        driftless::detail::skip_value(reader, schema);
        REQUIRE_PROPERTY(reader.at_end());
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            byte_reader cut{std::string_view{bytes}.substr(0, size)};
            bool refused = false;
            try {
                driftless::detail::skip_value(cut, schema);
            } catch (error const& problem) {
                refused = problem.code() == error_code::malformed;
            }
            REQUIRE_PROPERTY(refused);
        }
    });
}

TEST_CASE("reading by a plan never accepts a part of the bytes", "[codec][evolution]") {
    for_seeds("truncated", [](std::uint64_t seed) {
        random_source random{seed};
        old::customer value{random.string(), random.value<std::uint32_t>(), 1, {}, random.string(),
            random.value<std::optional<std::int32_t>>(), random.value<event_time>()};
        for (auto left = random.below(3); left > 0; --left)
            value.homes.push_back({random.string(), random.value<std::int32_t>()});
        auto const bytes = encode(value);
        record_reader<customer> reader{schema_of<old::customer>()};
        auto const read = reader.decode(bytes);
        REQUIRE_PROPERTY(read.full_name == value.name && read.age == value.age);
        REQUIRE_PROPERTY(read.homes.size() == value.homes.size());
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            bool refused = false;
            try {
                static_cast<void>(reader.decode(std::string_view{bytes}.substr(0, size)));
            } catch (error const& problem) {
                refused = problem.code() == error_code::malformed;
            }
            REQUIRE_PROPERTY(refused);
        }
    });
}

TEST_CASE("arrays and sequences of a hostile schema neither take forever nor memory", "[codec][evolution]") {
    auto const read = [](std::string_view schema, std::string_view bytes) {
        return record_reader<address>{schema}.decode(bytes).country;
    };
    CHECK(read("{x:[[();18446744073709551615];18446744073709551615]}", "") == "CH");
    CHECK(read("{x:[[i8;0];18446744073709551615]}", "") == "CH");
    CHECK_THROWS_AS(read("{x:[i8;18446744073709551615]}", "aaaa"), error);
    CHECK_THROWS_AS(read("{x:[[[i64;4294967296];4294967296];4294967296]}", "aaaa"), error);
    CHECK_THROWS_AS(read("{x:[()]}", "\xff\xff\xff\xff\xff\x01"), error);
    CHECK_THROWS_AS(read("{x:[[i64;1000000]]}", "\x02" + std::string(1000, 'a')), error);
    CHECK(read("{x:[()]}", "\x02\x00\x00"s) == "CH");
    using wide = std::tuple<std::vector<std::int64_t>>;
    CHECK_THROWS_AS(static_cast<void>(record_reader<wide>{"([i32])"}.decode("\xff\xff\xff\xff\x0f"
                                                                            "aaa")),
        error);
}

static std::string random_schema(random_source& random, int depth) {
    static constexpr std::string_view simple[] = {"bool", "char", "i8", "i16", "i32", "i64", "i128", "u8", "u32", "u64",
        "f32", "f64", "text", "time", "duration", "window", "()", "enum(i16)", "enum size(u8)", "money", "opaque(4)"};
    static constexpr std::string_view names[] = {"name", "age", "rating", "homes", "zip", "street", "x", "first_seen"};
    if (depth == 0 || random.below(3) == 0) return std::string{simple[random.below(std::size(simple))]};
    auto const inner = [&] { return random_schema(random, depth - 1); };
    switch (random.below(7)) {
        case 0: return "[" + inner() + "]";
        case 1: return "[" + inner() + ";" + std::to_string(random.below(4)) + "]";
        case 2: return inner() + "?";
        case 3: return "(" + inner() + "," + inner() + ")";
        case 4: return "<" + inner() + "|" + inner() + ">";
        case 5: return "[" + inner() + "=>" + inner() + "]";
        default: {
            std::string out = "{";
            auto const first = random.below(std::size(names));
            for (std::uint64_t i = 0; i < 1 + random.below(4); ++i)
                ((out += i == 0 ? "" : ",") += names[(first + i) % std::size(names)]) += ":" + inner();
            return out + "}";
        }
    }
}

TEST_CASE("any bytes with any schema are read, or malformed", "[codec][evolution]") {
    for_seeds("hostile", [](std::uint64_t seed) {
        random_source random{seed};
        auto const schema = parse_schema(random_schema(random, 4));
        std::string bytes;
        for (auto left = random.below(40); left > 0; --left)
            bytes += random.below(2) == 0 ? static_cast<char>(random.below(4)) : static_cast<char>(random.bits());
        auto const read = [&]<class T>(T) {
            if (!record_reader<T>::differences(schema).empty()) return;
            try {
                static_cast<void>(record_reader<T>{schema}.decode(bytes));
            } catch (error const& problem) {
                REQUIRE_PROPERTY(problem.code() == error_code::malformed);
            }
        };
        read(customer{});
        read(address{});
        read(std::optional<std::vector<address>>{});
        read(std::map<std::int64_t, customer>{});
        read(std::variant<std::int64_t, std::map<std::string, double>, std::vector<colour>>{});
        read(std::tuple<int128, std::array<address, 2>>{}); }, 3000);
}

namespace {
template <int Depth> struct nest {
    static auto make(std::int32_t value) {
        return std::vector{std::optional{std::tuple{nest<Depth - 1>::make(value), value}}};
    }
    using wide = std::vector<std::optional<std::tuple<typename nest<Depth - 1>::wide, std::int64_t>>>;
    static std::int64_t sum(wide const& in) {
        return std::get<1>(*in.at(0)) + nest<Depth - 1>::sum(std::get<0>(*in.at(0)));
    }
};
template <> struct nest<0> {
    static std::int32_t make(std::int32_t value) { return value; }
    using wide = std::int64_t;
    static std::int64_t sum(wide in) { return in; }
};
}  // namespace
TEST_CASE("types deep in one another are read", "[codec][evolution]") {
    auto const read = read_as<nest<12>::wide>(nest<12>::make(-3));
    CHECK(nest<12>::sum(read) == -39);
    CHECK(decode<nest<12>::wide>(encode(read)) == read);
}

TEST_CASE("a large old record is read", "[codec][evolution]") {
    using before = std::tuple<std::vector<std::int32_t>, std::vector<std::string>>;
    using after = std::tuple<std::vector<std::int64_t>, std::vector<std::string>>;
    before value;
    for (int i = 0; i < 1'000'000; ++i) std::get<0>(value).push_back(i * 7 - 1000);
    std::get<1>(value).assign(2, std::string(std::size_t{3} << 20, 'x'));
    auto const read = read_as<after>(value);
    CHECK(std::equal(std::get<0>(value).begin(), std::get<0>(value).end(), std::get<0>(read).begin(),
        std::get<0>(read).end()));
    CHECK(std::get<1>(read) == std::get<1>(value));
}
