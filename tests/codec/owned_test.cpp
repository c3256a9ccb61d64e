// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/owned.hpp>
#include <codec/random_values.hpp>
#include <driftless/codec/arena.hpp>
#include <driftless/codec/hash.hpp>
#include <codec/seeds.hpp>
using namespace driftless;
using namespace codec_test;
using namespace std::string_literals;

template <class T, class Owned> inline constexpr bool owns_as = std::is_same_v<owned_t<T>, Owned>;
static_assert(
    owns_as<text, std::string> && owns_as<std::string_view, std::string> && owns_as<std::string, std::string>);
static_assert(owns_as<int, int> && owns_as<nothing, nothing> && owns_as<std::vector<bool>, std::vector<bool>>);
static_assert(owns_as<std::pair<text, int>, std::pair<std::string, int>>);
static_assert(owns_as<std::tuple<int, std::optional<text>>, std::tuple<int, std::optional<std::string>>>);
static_assert(owns_as<std::vector<std::array<text, 2>>, std::vector<std::array<std::string, 2>>>);
static_assert(
    owns_as<order, order> && owns_as<std::vector<order>, std::vector<order>> && owns_as<std::tuple<>, std::tuple<>>);
static_assert(owns_as<event<text>, event<std::string>> && owns_as<pane<text, int>, pane<std::string, int>>);
static_assert(owns_as<pane<int, std::tuple<text>>, pane<int, std::tuple<std::string>>>);

struct opaque_one {
    text hidden;
};
static_assert(
    has_text<text> && has_text<std::string_view> && has_text<order> && has_text<basket> && has_text<event<text>>);
static_assert(has_text<std::tuple<int, std::optional<std::vector<order>>>> && has_text<pane<int, text>>);
static_assert(
    !has_text<int> && !has_text<std::string> && !has_text<std::tuple<int, std::string>> && !has_text<opaque_one>);

TEST_CASE("to_owned copies every text", "[codec][owned]") {
    std::string sea = "salt";
    std::tuple const borrowed{1, std::optional{text{sea}}, std::vector<text>{sea, ""},
        std::array<text, 2>{text{sea}, text{}}, std::pair{text{sea}, 2.0}, event{text{sea}, event_time{3}}};
    auto const owned = to_owned(borrowed);
    sea = "gone";
    CHECK(std::get<0>(owned) == 1);
    CHECK(std::get<1>(owned) == "salt");
    CHECK(std::get<2>(owned) == std::vector<std::string>{"salt", ""});
    CHECK(std::get<3>(owned) == std::array<std::string, 2>{"salt", ""});
    CHECK(std::get<4>(owned) == std::pair{"salt"s, 2.0});
    CHECK(std::get<5>(owned) == event{"salt"s, event_time{3}});
    CHECK(to_owned(std::optional<text>{}) == std::nullopt);
    CHECK(to_owned(text{}) == ""s);
}

TEST_CASE("rehome re-points every text into the arena", "[codec][owned]") {
    std::string sea = "salt";
    basket one{{order{sea, 1, {}}, order{"", 2, {}}}, sea, 0.5, {}};
    std::tuple many{std::optional{text{sea}}, std::array{text{sea}}, std::pair{1, std::vector<std::string_view>{sea}},
        event{order{sea, 3, {}}, event_time{4}}, 5};
    arena home;
    rehome(one, home);
    rehome(many, home);
    sea = "gone";
    CHECK(one.orders[0].sku == "salt");
    CHECK(one.orders[0].cents == 1);
    CHECK(one.orders[1].sku.empty());
    CHECK(one.note == "salt");
    CHECK(std::get<0>(many) == text{"salt"});
    CHECK(std::get<1>(many)[0] == "salt");
    CHECK(std::get<2>(many).second[0] == "salt");
    CHECK(std::get<3>(many).value.sku == "salt");
    CHECK(std::get<3>(many).value.cents == 3);
}

TEST_CASE("rehome lets go of the bytes of an empty text", "[codec][owned]") {
    std::string sea = "salt";
    text empty{sea.data(), 0};
    arena home;
    rehome(empty, home);
    CHECK(empty.data() == nullptr);
    CHECK(home.bytes() == 0);
}

TEST_CASE("rehome asks nothing of the arena where there is no text", "[codec][owned]") {
    struct no_arena {
    } none;
    std::tuple value{1, "a"s, std::vector<double>{1.0}};
    rehome(value, none);
    CHECK(std::get<1>(value) == "a");
}

TEST_CASE("owned and re-homed values outlive what they borrowed from and keep their key", "[codec][owned][property]") {
    using borrowed_t = std::tuple<text, std::vector<std::pair<text, std::int8_t>>, std::optional<text>, double>;
    for_seeds("same key", +[](std::uint64_t seed) {
        arena home;
        owned_t<borrowed_t> owned;
        basket moved;
        std::string bytes, basket_bytes;
        std::uint64_t hash = 0;
        {
            random_source random{seed};  // owns the borrowed bytes
            auto const borrowed = random.value<borrowed_t>();
            owned = to_owned(borrowed);
            REQUIRE_PROPERTY(same_key(owned, borrowed));
            bytes = key_bytes(borrowed);
            hash = canonical_hash(borrowed);
            moved = random.value<basket>();
            basket_bytes = key_bytes(moved);
            rehome(moved, home);
        }
        REQUIRE_PROPERTY(key_bytes(owned) == bytes);
        REQUIRE_PROPERTY(canonical_hash(owned) == hash);
        REQUIRE_PROPERTY(key_bytes(moved) == basket_bytes); });
}
