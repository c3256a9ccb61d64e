// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/spilling_entries.hpp>

#include <driftless/codec/hash.hpp>
#include <driftless/core/text.hpp>
#include <driftless/testing/memory_cold_store.hpp>
#include <state/spill_conformance.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>

using namespace driftless;
using spill_conformance::counted;

TEST_CASE("the cold store in memory keeps what it is given", "[state][spill]") {
    testing::memory_cold_store store;
    spill_conformance::keeps_bytes(store);
}
TEMPLATE_TEST_CASE("entries that spill are those in memory, to the byte", "[state][spill]", std::int64_t, text,
    (std::tuple<std::int64_t, text>)) {
    testing::memory_cold_store store;
    spill_conformance::same_as_in_memory<TestType>(store);
}
TEST_CASE("tables share a cold store", "[state][spill]") {
    testing::memory_cold_store store;
    spill_conformance::tables_share(store);
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
