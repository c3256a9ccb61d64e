// SPDX-License-Identifier: BSL-1.0
#include <boost/hana/adapt_struct.hpp>

#include <driftless/codec/encrypted.hpp>  // first: proves that the header stands alone
#include <driftless/codec/compatibility.hpp>
#include <driftless/codec/evolution.hpp>
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/codec/subject.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>

using namespace driftless;

namespace encrypted_test {
struct customer_id {
    static constexpr std::string_view subject_kind = "customer";
    std::uint64_t number = 0;
};
struct order {
    customer_id customer;
    encrypted<customer_id, std::string> email;
    std::int64_t cents = 0;
};
struct order_without_email {
    customer_id customer;
    std::int64_t cents = 0;
};
struct fixed_order {
    customer_id customer;
    encrypted<customer_id, std::int64_t, 80> phone;
};
struct narrow {
    encrypted<customer_id, std::int32_t> age;
};
struct wide {
    encrypted<customer_id, std::int64_t> age;
};
struct other {
    encrypted<customer_id, std::string> age;
};
}  // namespace encrypted_test
BOOST_HANA_ADAPT_STRUCT(encrypted_test::customer_id, number);
BOOST_HANA_ADAPT_STRUCT(encrypted_test::order, customer, email, cents);
BOOST_HANA_ADAPT_STRUCT(encrypted_test::order_without_email, customer, cents);
BOOST_HANA_ADAPT_STRUCT(encrypted_test::fixed_order, customer, phone);
BOOST_HANA_ADAPT_STRUCT(encrypted_test::narrow, age);
BOOST_HANA_ADAPT_STRUCT(encrypted_test::wide, age);
BOOST_HANA_ADAPT_STRUCT(encrypted_test::other, age);
using namespace encrypted_test;
using text_field = encrypted<customer_id, std::string>;
using fixed_field = encrypted<customer_id, std::int64_t, 80>;

static_assert(encodable<order> && describable<order> && encodable<fixed_order>);
static_assert(!canonical_key<text_field> && !canonical_key<order>);  // two of one value differ
static_assert(std::is_trivially_copyable_v<fixed_field> && sizeof(fixed_field) == 80);

TEST_CASE("the schema of an encrypted value says what is in it, and is read back", "[codec][encrypted]") {
    CHECK(schema_of<order>() == "{customer:{number:u64},email:encrypted(text),cents:i64}");
    CHECK(schema_of<fixed_field>() == "encrypted(i64;80)");
    for (auto const& text : {schema_of<order>(), schema_of<fixed_order>()}) CHECK(to_text(parse_schema(text)) == text);
    CHECK(to_json(parse_schema("encrypted(i64;80)"))
        == R"({"type":"encrypted","value":"i64","room":80})");
    CHECK_THROWS_AS(parse_schema("encrypted(i64;0)"), error);
    CHECK_THROWS_AS(parse_schema("encrypted(i64"), error);
    CHECK_THROWS_AS(parse_schema("encrypted()"), error);
    CHECK(parse_schema("{encrypted:encrypted}").children[0].kind == schema_kind::named);  // a class of that name
}

TEST_CASE("an encrypted value is its sealed bytes to the codec", "[codec][encrypted]") {
    order const one{{7}, text_field::from_sealed("sealed"), 5};
    auto const bytes = encode(one);
    CHECK(bytes == std::string("\x07\x06sealed\x0a"));
    CHECK(decode<order>(bytes).email.sealed() == "sealed");
    CHECK(decode<order>(encode(order{})).email.empty());

    fixed_order const two{{7}, fixed_field::from_sealed("sealed")};
    auto const fixed = encode(two);
    CHECK(fixed.size() == 1 + 80);
    CHECK(decode<fixed_order>(fixed).phone == two.phone);
    CHECK(decode<fixed_order>(fixed).phone.sealed() == "sealed");
    auto wrong = fixed;
    wrong[1] = 79;  // more than there is room for
    CHECK(try_decode<fixed_order>(wrong).error().code() == error_code::malformed);
    wrong = fixed;
    wrong.back() = 1;  // behind what it says it holds
    CHECK(try_decode<fixed_order>(wrong).error().code() == error_code::malformed);
    CHECK(try_decode<fixed_order>(std::string_view{fixed}.substr(0, 80)).error().code() == error_code::malformed);
}

TEST_CASE("an encrypted value that does not fit its room is refused with the room it needs", "[codec][encrypted]") {
    CHECK(fixed_field::from_sealed(std::string(78, 'x')).sealed().size() == 78);
    try {
        static_cast<void>(fixed_field::from_sealed(std::string(79, 'x')));
        FAIL("it fitted");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::invalid_argument);
        CHECK(std::string{problem.what()}.find("81> at least") != std::string::npos);
    }
}

TEST_CASE("an encrypted member may be added, removed and widened inside", "[codec][encrypted]") {
    order const one{{7}, text_field::from_sealed("sealed"), 5};
    auto const read_without = record_reader<order_without_email>{schema_of<order>()}.decode(encode(one));
    CHECK(read_without.cents == 5);
    auto const read_with =
        record_reader<order>{schema_of<order_without_email>()}.decode(encode(order_without_email{{7}, 5}));
    CHECK(read_with.email.empty());
    CHECK(read_with.cents == 5);

    narrow const small{encrypted<customer_id, std::int32_t>::from_sealed("bytes")};
    CHECK(record_reader<wide>{schema_of<narrow>()}.decode(encode(small)).age.sealed() == "bytes");
    auto const narrowed = record_reader<narrow>::differences(parse_schema(schema_of<wide>()));
    REQUIRE(narrowed.size() == 1);
    CHECK(narrowed[0].find("age: i32 was i64") == 0);
    CHECK(record_reader<other>::differences(parse_schema(schema_of<narrow>())).size() == 1);
    // A member of any room is read over where nobody wants it, whatever is inside.
    CHECK(record_reader<order_without_email>::differences(
        parse_schema("{customer:{number:u64},x:encrypted(some_class;100),cents:i64}"))
            .empty());
}

TEST_CASE("a tool shows the sealed bytes of an encrypted value", "[codec][encrypted]") {
    order const one{{7}, text_field::from_sealed(std::string_view{"\x01\xff", 2}), 5};
    std::string out;
    json_writer json{out};
    auto const bytes = encode(one);
    byte_reader from{bytes};
    visit_encoded(parse_schema(schema_of<order>()), from, json);
    CHECK(out == R"({"customer":{"number":7},"email":"01ff","cents":5})");
}

TEST_CASE("a subject is told by its kind and its key", "[codec][encrypted]") {
    auto const seven = subject_id::of(customer_id{7});
    CHECK(seven.kind() == "customer");
    CHECK(seven.key() == key_bytes(customer_id{7}));
    CHECK(seven.str() == "customer 0000000000000007");
    CHECK(seven == subject_id::from_bytes(seven.bytes()));
    CHECK(!(seven == subject_id::of(std::uint64_t{7})));  // another kind, the same bytes
    CHECK(subject_id::of(std::uint64_t{7}).kind() == "u64");
    CHECK(subject_id::of(std::string{"ada"}) == subject_id::of(text{"ada"}));
    CHECK(subject_id::of(std::string{"ada"}).str() == "text ada");
}
