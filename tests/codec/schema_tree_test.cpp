// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/schema_tree.hpp>
#include <driftless/codec/schema.hpp>
#include <codec/random_values.hpp>
#include <codec/seeds.hpp>
#include <support/catch.hpp>
using namespace driftless;
using namespace codec_test;

static std::string refusal(std::string_view text) {
    try {
        return "accepted: " + to_text(parse_schema(text));
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::malformed);
        return problem.what();
    }
}
static std::string repeated(std::string_view what, std::size_t times) {
    std::string out;
    for (; times > 0; --times) out += what;
    return out;
}

TEST_CASE("parse_schema refuses what schema_of cannot have written, with its position", "[codec][schema_tree]") {
    CHECK(refusal("") == "driftless: schema: a type is missing at offset 0");
    CHECK(refusal("{sku:text,cents}") == "driftless: schema: a `:` is missing in a record at offset 15");
    CHECK(refusal("{sku:text,}") == "driftless: schema: the name of a member is missing at offset 10");
    CHECK(refusal("{a:i8,a:i8}") == "driftless: schema: a record has two members called a at offset 6");
    CHECK(refusal("{a:i8") == "driftless: schema: a `}` is missing in a record at offset 5");
    CHECK(refusal("(i8,)") == "driftless: schema: a type is missing at offset 4");
    CHECK(refusal("<>") == "driftless: schema: a type is missing at offset 1");
    CHECK(refusal("[i8;]") == "driftless: schema: a number is missing at offset 4");
    CHECK(refusal("[i8;01]") == "driftless: schema: a number begins with 0 at offset 6");
    CHECK(refusal("[i8;18446744073709551616]")
        == "driftless: schema: a number is larger than 64 bits can say at offset 23");
    CHECK(refusal("[i8=i8]") == "driftless: schema: a `]` is missing in a sequence, array or map at offset 3");
    CHECK(refusal("enum(text)") == "driftless: schema: only an integer stands for an enum at offset 5");
    CHECK(refusal("enum (u8)") == "driftless: schema: the name of an enum is missing at offset 6");
    CHECK(refusal("money(8)")
        == "driftless: schema: only enum, opaque and encrypted have something in parentheses at offset 0");
    CHECK(refusal("i8 i8]")
        == "driftless: schema: a schema ends before its text does: take away what is behind it at offset 5");
}

TEST_CASE("parse_schema refuses the text of a schema cut anywhere", "[codec][schema_tree]") {
    std::string const text = "{a:[{x:enum size(u8),y:(i8,f64)?}],b:[text=><i128|[time;4]|opaque(12)>]}";
    CHECK(to_text(parse_schema(text)) == text);
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK(refusal(text.substr(0, size)).starts_with("driftless: schema: "));
}

TEST_CASE("parse_schema bounds depth and number of types", "[codec][schema_tree]") {
    auto const deep = [](std::size_t depth) { return repeated("[", depth - 1) + "i8" + repeated("]", depth - 1); };
    CHECK(to_text(parse_schema(deep(max_schema_depth))) == deep(max_schema_depth));
    CHECK(refusal(deep(max_schema_depth + 1)).find("more than 128 deep") != std::string::npos);
    CHECK(refusal(repeated("{a:", 1'000'000)).find("more than 128 deep") != std::string::npos);
    CHECK(refusal(repeated("(", 1'000'000)).find("more than 128 deep") != std::string::npos);
    CHECK(refusal("i8" + repeated("?", 1'000'000)).find("more than 128 deep") != std::string::npos);
    auto const wide = [](std::size_t types) { return "(i8" + repeated(",i8", types - 2) + ")"; };
    CHECK(parse_schema(wide(max_schema_nodes)).children.size() == max_schema_nodes - 1);
    CHECK(refusal(wide(max_schema_nodes + 1)).find("more than 16384 types") != std::string::npos);
}

TEST_CASE("parse_schema takes apart every type", "[codec][schema_tree]") {
    auto const all = parse_schema(
        "{flag:bool,letter:char,small:i8,wide:u128,ratio:f32,sizes:[enum size(u8);4],"
        "colour:enum(i16),names:[text=>[money]],either:<i8|()>?,pair:(time,duration),"
        "range:window,rest:opaque(12)}");
    REQUIRE(all.kind == schema_kind::record);
    REQUIRE(all.children.size() == 12);
    CHECK(all.member("flag")->kind == schema_kind::boolean);
    CHECK(all.member("letter")->kind == schema_kind::character);
    CHECK((all.member("small")->kind == schema_kind::integer && all.member("small")->is_signed));
    CHECK(all.member("small")->bits == 8);
    CHECK((all.member("wide")->bits == 128 && !all.member("wide")->is_signed));
    CHECK((all.member("ratio")->kind == schema_kind::floating && all.member("ratio")->bits == 32));
    auto const& sizes = *all.member("sizes");
    CHECK((sizes.kind == schema_kind::array && sizes.length == 4));
    CHECK((sizes.children[0].kind == schema_kind::enumeration && sizes.children[0].name == "size"));
    CHECK(sizes.children[0].children[0].bits == 8);
    CHECK(all.member("colour")->name.empty());
    auto const& names = *all.member("names");
    CHECK((names.kind == schema_kind::map && names.children[0].kind == schema_kind::text));
    CHECK((names.children[1].kind == schema_kind::sequence && names.children[1].children[0].name == "money"));
    auto const& either = *all.member("either");
    REQUIRE((either.kind == schema_kind::optional && either.children[0].kind == schema_kind::variant));
    CHECK(either.children[0].children[1].kind == schema_kind::empty);
    CHECK(all.member("pair")->kind == schema_kind::tuple);
    CHECK(all.member("range")->kind == schema_kind::window);
    CHECK((all.member("rest")->kind == schema_kind::opaque && all.member("rest")->length == 12));
    CHECK(all.member("none") == nullptr);
    CHECK(all.children[2].field == "small");
}

template <class T> static void check_round_trip() {
    auto const tree = parse_schema(schema_of<T>());
    CHECK(to_text(tree) == schema_of<T>());
    CHECK(parse_schema(to_text(tree)) == tree);
}

TEST_CASE("to_text gives back what was parsed", "[codec][schema_tree]") {
    check_round_trip<order>();
    check_round_trip<basket>();
    check_round_trip<pane<int, std::tuple<text, std::optional<std::optional<long double>>>>>();
    check_round_trip<std::tuple<>>();
    check_round_trip<std::pair<int128, std::array<std::vector<uint128>, 0>>>();
    check_round_trip<std::array<time_window, 4>>();
    CHECK(to_text(parse_schema("foreign v2")) == "foreign v2");
    CHECK(to_text(parse_schema("{}")) == "{}");
}

TEST_CASE("any text is parsed or refused", "[codec][schema_tree]") {
    for_seeds("parse_schema, then to_text, gives the same", [](std::uint64_t seed) {
        static constexpr std::string_view pieces[] = {"{", "}", "(", ")", "[", "]", "<", ">", "|", ",", ":", ";", "?",
            "=>", "i8", "text", "enum", "opaque", "a", "7", " ", "=", "\xff"};
        random_source random{seed};
        std::string text;
        for (auto left = random.below(12); left > 0; --left) text += pieces[random.below(std::size(pieces))];
        try {
            REQUIRE_PROPERTY(to_text(parse_schema(text)) == text);
        } catch (error const& problem) {
            REQUIRE_PROPERTY(problem.code() == error_code::malformed);
            REQUIRE_PROPERTY(problem.offset() <= text.size());
        } }, 2000);
}

// Right to go red: when programs that read the JSON are told of it.
TEST_CASE("to_json is the published one", "[codec][schema_tree][golden]") {
    CHECK(to_json(parse_schema(schema_of<order>()))
        == R"({"type":"record","fields":[{"name":"sku","type":"text"},{"name":"cents","type":"i64"},)"
           R"({"name":"at","type":"time"}]})");
    CHECK(to_json(parse_schema("u16")) == R"("u16")");
    CHECK(to_json(parse_schema("[f64;4]?"))
        == R"({"type":"optional","value":{"type":"array","items":"f64","length":4}})");
    CHECK(to_json(parse_schema("([bool],enum size(u8),enum(char))"))
        == R"({"type":"tuple","items":[{"type":"sequence","items":"bool"},)"
           R"({"type":"enum","name":"size","integer":"u8"},{"type":"enum","integer":"char"}]})");
    CHECK(to_json(parse_schema("[text=><money|()|opaque(12)>]"))
        == R"({"type":"map","keys":"text","values":{"type":"variant","alternatives":[)"
           R"({"type":"named","name":"money"},"empty",{"type":"opaque","bytes":12}]}})");
    CHECK(to_json(parse_schema("a\"b\\c\n")) == R"({"type":"named","name":"a\"b\\c\u000a"})");
}
