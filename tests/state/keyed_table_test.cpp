// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/keyed_table.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace driftless;

namespace {
constexpr std::uint64_t scramble = 0x9e3779b97f4a7c15u;  // the hash whose tag is 0

std::uint64_t hash_of_key(auto const& key) { return canonical_hash(key); }
template <class Key, class State>
void put(keyed_table<Key, State>& table, Key const& key, State state) {
    auto const hash = hash_of_key(key);
    if (auto* const there = table.find(key, hash)) *there = std::move(state);
    else table.insert(key, hash, [&] { return std::move(state); });
}
/// The keys in the order of the table, with the order checked.
template <class Key, class State>
auto contents(keyed_table<Key, State>& table) {
    std::vector<std::pair<Key, State>> all;
    std::uint64_t last = 0;
    table.for_each_ordered([&](auto const& key, State& state, std::uint64_t hash) {
        CHECK(hash == canonical_hash(Key(key)));
        CHECK(last <= hash);
        last = hash;
        all.emplace_back(key, state);
    });
    CHECK(all.size() == table.size());
    return all;
}
/// Random puts, erasures and look-ups, beside a std::map.
template <class MakeKey>
void compare_with_map(MakeKey make_key, unsigned seed, int steps) {
    using key = decltype(make_key(0u));
    std::mt19937 random{seed};
    keyed_table<key, int> table;
    std::map<key, int> model;
    bool right = true;
    for (int i = 0; i < steps; ++i) {
        key const k = make_key(static_cast<unsigned>(random()));
        auto const hash = hash_of_key(k);
        auto* const found = table.find(k, hash);
        right = right && (found != nullptr) == model.contains(k) && (found == nullptr || *found == model.at(k));
        if (random() % 3 == 0) {
            right = right && table.erase(k, hash) == (model.erase(k) == 1);
        } else {
            put(table, k, i);
            model[k] = i;
        }
        right = right && table.size() == model.size();
        if (i == steps / 2) static_cast<void>(contents(table));  // what is put into a table in order goes on
    }
    CHECK(right);
    auto all = contents(table);
    std::sort(all.begin(), all.end());
    CHECK(std::equal(all.begin(), all.end(), model.begin(), model.end(),
        [](auto const& a, auto const& b) { return a.first == b.first && a.second == b.second; }));
    table.clear();
    CHECK(table.empty());
    CHECK(contents(table).empty());
}
}  // namespace

TEST_CASE("an empty table finds nothing", "[state][keyed_table]") {
    keyed_table<std::uint64_t, int> table;
    CHECK(table.empty());
    CHECK(table.bytes() == 0);
    CHECK(table.find(std::uint64_t{1}, mix64(1)) == nullptr);
    CHECK(table.find(unmix64(scramble), scramble) == nullptr);
    CHECK_FALSE(table.erase(std::uint64_t{1}, mix64(1)));
    CHECK_FALSE(table.erase(unmix64(scramble), scramble));
    table.clear();
    CHECK(contents(table).empty());
}

TEST_CASE("a table answers as std::map does", "[state][keyed_table][oracle]") {
    compare_with_map([](unsigned n) { return static_cast<std::uint64_t>(n % 300); }, 1, 3000);
    compare_with_map([](unsigned n) { return static_cast<std::int32_t>(n % 40) - 20; }, 2, 1000);
    compare_with_map([](unsigned n) { return std::to_string(n % 300); }, 3, 3000);
}

TEST_CASE("look-ups find what stands behind an erased entry of a cluster", "[state][keyed_table][oracle]") {
    // Hashes that share their top 20 bits: one long run in every table that is small enough for a test. Some
    // of them at the very end, behind the last home place, and the one that is kept aside.
    for (std::uint64_t const top : {std::uint64_t{0}, std::uint64_t{0x12345} << 44, ~std::uint64_t{0} << 44}) {
        compare_with_map(
            [top](unsigned n) {
                auto const i = n % 25;
                return unmix64(i == 24 ? scramble : top | (std::uint64_t{i} << (i % 2 == 0 ? 3 : 38)));
            },
            4, 2000);
    }
}

TEST_CASE("any number of keys may share the top bits of their hashes, also at the end of the order",
    "[state][keyed_table]") {
    keyed_table<std::uint64_t, std::uint64_t> table;
    for (std::uint64_t i = 0; i < 200; ++i) {
        put(table, unmix64(~i), i);
        REQUIRE(table.bytes() < 1'000'000);  // before the last one can take all memory
    }
    auto const all = contents(table);
    REQUIRE(all.size() == 200);
    CHECK(all.front().second == 199);
    for (std::uint64_t i = 0; i < 200; ++i) REQUIRE(*table.find(unmix64(~i), ~i) == i);
}

TEST_CASE("the key whose tag would be 0 is found, kept in order, erased and cleared", "[state][keyed_table]") {
    auto const special = unmix64(scramble);
    keyed_table<std::uint64_t, int> table;
    put(table, special, 1);
    CHECK(table.size() == 1);
    CHECK(contents(table).at(0).first == special);
    put(table, unmix64(scramble - 1), 0);
    put(table, unmix64(scramble + 1), 2);
    auto const all = contents(table);
    REQUIRE(all.size() == 3);
    for (int i = 0; i < 3; ++i) CHECK(all[static_cast<std::size_t>(i)].second == i);

    auto moved = std::move(table);
    CHECK(table.empty());
    CHECK(moved.size() == 3);
    CHECK(moved.erase(special, scramble));
    CHECK_FALSE(moved.erase(special, scramble));
    CHECK(moved.find(special, scramble) == nullptr);
    CHECK(moved.size() == 2);
    put(moved, special, 7);
    moved.clear();
    CHECK(moved.find(special, scramble) == nullptr);
}

TEST_CASE("keys of equal hash are told apart, and come in the order of their bytes", "[state][keyed_table]") {
    // No two texts here have equal hashes: the table is told so.
    for (std::uint64_t const hash : {std::uint64_t{77}, scramble}) {
        keyed_table<std::string, int> table;
        for (auto const* key : {"b", "", "ab", "a", "ba"}) {
            table.insert(std::string{key}, hash, [] { return 1; });
        }
        std::vector<std::string> order;
        table.for_each_ordered([&](std::string const& key, int, std::uint64_t h) {
            CHECK(h == hash);
            order.push_back(key);
        });
        CHECK(order == std::vector<std::string>{"", "a", "ab", "b", "ba"});
        CHECK(table.erase(std::string{"ab"}, hash));
        CHECK(table.find(std::string{"ab"}, hash) == nullptr);
        CHECK(table.find(std::string{"ba"}, hash) != nullptr);
        CHECK(table.size() == 4);
    }
}

TEST_CASE("text keys are copied into the table, and found by std::string too", "[state][keyed_table]") {
    keyed_table<text, int> table;
    char buffer[8] = "sku-00";
    for (char i = '0'; i < '9'; ++i) {
        buffer[5] = i;
        text const key{buffer, 6};
        table.insert(key, canonical_hash(key), [&] { return i - '0'; });
    }
    buffer[0] = '?';
    std::string const third = "sku-03";
    auto* const found = table.find(third, canonical_hash(third));
    REQUIRE(found != nullptr);
    CHECK(*found == 3);
}

TEST_CASE("states are destroyed once each, whatever happens to them", "[state][keyed_table]") {
    auto const counted = std::make_shared<int>(0);
    {
        keyed_table<std::string, std::shared_ptr<int>> table;
        for (int i = 0; i < 100; ++i) put(table, std::to_string(i), counted);
        CHECK(counted.use_count() == 101);
        for (int i = 0; i < 50; ++i) table.erase(std::to_string(i), canonical_hash(std::to_string(i)));
        CHECK(counted.use_count() == 51);
        CHECK(contents(table).size() == 50);
        table.clear();
        CHECK(counted.use_count() == 1);
        put(table, std::string{"last"}, counted);
        table = keyed_table<std::string, std::shared_ptr<int>>{};
        CHECK(counted.use_count() == 1);
        put(table, std::string{"last"}, counted);
    }
    CHECK(counted.use_count() == 1);
}

TEST_CASE("clear keeps the room of a window, but not the room of a far larger one", "[state][keyed_table]") {
    keyed_table<std::uint64_t, int> table;
    for (std::uint64_t i = 0; i < 5000; ++i) put(table, i, 0);
    auto const large = table.bytes();
    table.clear();
    CHECK(table.bytes() == large);
    put(table, std::uint64_t{1}, 1);
    table.clear();
    CHECK(table.bytes() == 0);
    put(table, std::uint64_t{1}, 2);
    CHECK(*table.find(std::uint64_t{1}, mix64(1)) == 2);
}

TEST_CASE("the table of a stream without a key holds one entry", "[state][keyed_table]") {
    keyed_table<unkeyed, int> table;
    CHECK(table.empty());
    CHECK(table.find(unkeyed{}, 0) == nullptr);
    CHECK_FALSE(table.erase(unkeyed{}, 0));
    CHECK(table.insert(unkeyed{}, 0, [] { return 5; }) == 5);
    CHECK(table.size() == 1);
    int sum = 0;
    table.for_each_ordered([&](unkeyed, int& state, std::uint64_t) { sum += state; });
    CHECK(sum == 5);
    CHECK(table.erase(unkeyed{}, 0));
    CHECK(table.empty());
}

TEST_CASE("a dense table holds the same in less room", "[state][keyed_table]") {
    keyed_table<std::int64_t, std::int64_t> sparse;
    keyed_table<std::int64_t, std::int64_t> dense;
    put(sparse, std::int64_t{1}, std::int64_t{1});
    put(dense, std::int64_t{1}, std::int64_t{1});
    dense.clear();
    dense.pack_densely();
    CHECK(dense.bytes() == 0);  // the room it had was for a sparse one
    sparse.clear();
    std::mt19937_64 random{4};
    for (std::int64_t i = 0; i < 20'000; ++i) {
        auto const key = static_cast<std::int64_t>(random() % 12'000);
        put(sparse, key, i);
        put(dense, key, i);
    }
    CHECK(contents(dense) == contents(sparse));
    CHECK(dense.bytes() * 2 <= sparse.bytes());

    keyed_table<std::int64_t, std::int64_t> next;
    next.pack_densely();
    next.make_room_like(sparse);  // for as many keys, not for as many places
    CHECK(next.bytes() == dense.bytes());
    auto const room = next.bytes();
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(dense.size()); ++i) put(next, i, i);
    CHECK(next.bytes() == room);
}

TEST_CASE("keys that come and go give their text back", "[state][keyed_table]") {
    keyed_table<text, int> table;
    std::string const tail(200, 'x');
    std::string const stays = "stays" + tail;
    put(table, text{stays}, 7);
    for (int i = 0; i < 20'000; ++i) {
        std::string const key = std::to_string(i) + tail;
        put(table, text{key}, i);
        table.erase(text{key}, hash_of_key(text{key}));
    }
    CHECK(table.size() == 1);
    CHECK(table.bytes() < 512 * 1024);
    REQUIRE(table.find(text{stays}, hash_of_key(text{stays})) != nullptr);
    CHECK(*table.find(text{stays}, hash_of_key(text{stays})) == 7);
}

TEST_CASE("a table with room takes keys in order of their hashes without growing", "[state][keyed_table]") {
    keyed_table<std::int64_t, int> from;
    for (std::int64_t key = 0; key < 20'000; ++key) {
        static_cast<void>(from.insert(key, canonical_hash(key), [&] { return static_cast<int>(key); }));
    }
    keyed_table<std::int64_t, int> to;
    to.make_room_for(from.size());
    auto const bytes = to.bytes();
    from.for_each_ordered([&](auto const& key, int& value, std::uint64_t hash) {
        static_cast<void>(to.insert(key, hash, [&] { return value; }));
    });
    CHECK(to.size() == 20'000);
    CHECK(to.bytes() == bytes);
    std::size_t seen = 0;
    for (std::int64_t key = 0; key < 20'000; ++key) {
        auto const hash = canonical_hash(key);
        REQUIRE(to.find(key, hash) != nullptr);
        CHECK(*to.find(key, hash) == key);
        if (auto const* const glimpsed = to.glimpse(hash)) {
            CHECK(*glimpsed == key);
            ++seen;
        }
    }
    CHECK(seen > 10'000);  // most stand near their place
    CHECK(to.glimpse(canonical_hash(std::int64_t{77'777})) == nullptr);
    CHECK(keyed_table<std::int64_t, int>{}.glimpse(1) == nullptr);
}

TEST_CASE("a table of keys from one range of hashes spreads them over its places", "[state][keyed_table][oracle]") {
    // Shard `of` of `n`, as shard_of() says it; and a table that gets all hashes after it had those of a shard.
    for (std::uint64_t const n : {2U, 3U, 7U, 16U}) {
        for (std::uint64_t const of : {std::uint64_t{0}, n / 2, n - 1}) {
            keyed_table<std::uint64_t, std::uint64_t> table;
            auto const width = ~std::uint64_t{0} / n;
            std::mt19937_64 random{n * 100 + of};
            std::map<std::uint64_t, std::uint64_t> model;
            auto const add = [&](std::uint64_t hash) {
                auto const key = unmix64(hash);
                if (model.emplace(key, hash).second) put(table, key, hash);
            };
            for (int i = 0; i < 30'000; ++i) add(of * width + random() % width);
            INFO("shard " << of << " of " << n);
            CHECK(table.longest_probe() < 300);
            for (int i = 0; i < 3'000; ++i) add(random());  // from anywhere
            bool right = table.size() == model.size();
            for (auto const& [key, hash] : model) {
                auto const* const there = table.find(key, hash);
                right = right && there != nullptr && *there == hash;
            }
            CHECK(right);
            CHECK(contents(table).size() == model.size());
            for (auto const& [key, hash] : model) right = right && table.erase(key, hash);
            CHECK(right);
            CHECK(table.empty());
            add(0), add(~std::uint64_t{0} - 1);
        }
    }
}
