// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/spilling_entries.hpp>

#include <driftless/codec/hash.hpp>
#include <driftless/core/text.hpp>
#include <driftless/state/keyed_entries.hpp>
#include <driftless/testing/memory_cold_store.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;

namespace {
struct counted {
    std::int64_t n = 0;
    std::string said{};
    void save(auto& out) const { out.write(n).write(said); }
    void load(auto& in) { in.read(n).read(said); }
};
template <class Entries>
std::string bytes_of(Entries& entries) {
    std::string out;
    byte_writer to{out};
    entries.save_entries(to);
    return out;
}
std::int64_t key_of(std::uint32_t i, std::int64_t const*) { return static_cast<std::int64_t>(i) - 3; }
std::string key_of(std::uint32_t i, text const*) { return std::string(i % 40, 'x') + std::to_string(i); }
std::tuple<std::int64_t, std::string> key_of(std::uint32_t i, std::tuple<std::int64_t, text> const*) {
    return {i % 5, "k" + std::to_string(i)};
}
std::int64_t borrowed(std::int64_t key) { return key; }
text borrowed(std::string const& key) { return key; }
std::tuple<std::int64_t, text> borrowed(std::tuple<std::int64_t, std::string> const& key) {
    return {std::get<0>(key), std::get<1>(key)};
}
}  // namespace

TEMPLATE_TEST_CASE("entries that spill are those in memory, to the byte", "[state][spill]", std::int64_t, text,
    (std::tuple<std::int64_t, text>)) {
    property("the same", [] {
        testing::memory_cold_store store;
        spilling_entries<TestType, counted> spilling;
        keyed_entries<TestType, counted> plain;
        auto const most = *rc::gen::inRange<std::size_t>(1, 24);
        spilling.spill(store, most);
        auto const keys = *rc::gen::inRange<std::uint32_t>(1, 60);
        auto const count = *rc::gen::inRange<std::size_t>(1, 500);
        auto const steps = *rc::gen::container<std::vector<std::pair<std::uint32_t, int>>>(
            count, rc::gen::pair(rc::gen::inRange<std::uint32_t>(0, keys), rc::gen::inRange(0, 12)));
        for (auto const& [i, what] : steps) {
            auto const own = key_of(i, static_cast<TestType const*>(nullptr));
            TestType const key = borrowed(own);
            auto const hash = canonical_hash(key);
            auto here = spilling.find(key, hash);
            auto there = plain.find(key, hash);
            RC_ASSERT((here.entry == nullptr) == (there.entry == nullptr));
            if (what == 0) {
                RC_ASSERT(bytes_of(spilling) == bytes_of(plain));
                continue;
            }
            if (what < 4) {
                if (here.entry == nullptr) continue;
                spilling.erase(hash, here.at);
                plain.erase(hash, there.at);
                continue;
            }
            if (here.entry == nullptr) {
                here = spilling.insert(key, hash);
                there = plain.insert(key, hash);
            }
            RC_ASSERT(here.entry->n == there.entry->n);
            RC_ASSERT(here.entry->said == there.entry->said);
            here.entry->n += what;
            there.entry->n += what;
            here.entry->said += static_cast<char>('a' + what);
            there.entry->said = here.entry->said;
            RC_ASSERT(spilling.in_memory() <= most);
            RC_ASSERT(same_key(spilling.key_at(hash, here.at), key));
        }
        RC_ASSERT(spilling.size() == plain.size());
        RC_ASSERT(bytes_of(spilling) == bytes_of(plain));
        spilling.clear();
        RC_ASSERT(store.size() == 0U);
        RC_ASSERT(spilling.size() == 0U);
    });
}

TEST_CASE("what fits into memory never asks the store", "[state][spill]") {
    testing::memory_cold_store store;
    spilling_entries<std::int64_t, counted> entries;
    entries.spill(store, 100);
    for (int round = 0; round < 5; ++round) {
        for (std::int64_t key = 0; key < 100; ++key) {
            auto const hash = canonical_hash(key);
            auto at = entries.find(key, hash);
            if (at.entry == nullptr) at = entries.insert(key, hash);
            ++at.entry->n;
        }
    }
    CHECK(store.gets() == 0);
    CHECK(store.batches() == 0);
}

TEST_CASE("a hot set stays in memory while others pass", "[state][spill]") {
    testing::memory_cold_store store;
    spilling_entries<std::int64_t, counted> entries;
    entries.spill(store, 1000);
    auto const touch = [&](std::int64_t key) {
        auto const hash = canonical_hash(key);
        auto at = entries.find(key, hash);
        if (at.entry == nullptr) at = entries.insert(key, hash);
        ++at.entry->n;
    };
    std::int64_t stranger = 1000;
    for (int round = 0; round < 100; ++round) {
        for (std::int64_t key = 0; key < 500; ++key) touch(key);
        for (int i = 0; i < 100; ++i) touch(stranger++);
    }
    // A stranger is asked for once; what is hot comes back never, or nearly so.
    CHECK(store.gets() < 10'000 + 500);
    CHECK(store.batches() < 300);
    CHECK(entries.size() == 10'500);
}

TEST_CASE("a store that fails is an error, and loses nothing that is in memory", "[state][spill]") {
    testing::memory_cold_store store;
    spilling_entries<std::int64_t, counted> entries;
    CHECK_THROWS_AS(entries.spill(store, 0), error);
    entries.spill(store, 8);
    auto const insert = [&](std::int64_t key) { entries.insert(key, canonical_hash(key)).entry->n = key; };
    for (std::int64_t key = 0; key < 8; ++key) insert(key);
    store.fail_from(1);
    CHECK_THROWS_AS(insert(8), error);
    CHECK(entries.size() == 8);
    std::size_t shown = 0;
    entries.for_each_ordered([&](auto const&...) { ++shown; });
    CHECK(shown == 8);
    store.fail_from(0);
    insert(8);
    for (std::int64_t key = 0; key < 9; ++key) {
        auto const found = entries.find(key, canonical_hash(key));
        REQUIRE(found.entry != nullptr);
        CHECK(found.entry->n == key);
    }
}
