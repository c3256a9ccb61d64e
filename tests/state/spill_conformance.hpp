// SPDX-License-Identifier: BSL-1.0
// What every cold_store has to do, and what is kept in one: the same tests for each.
#ifndef DRIFTLESS_TESTS_STATE_SPILL_CONFORMANCE_HPP
#define DRIFTLESS_TESTS_STATE_SPILL_CONFORMANCE_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/core/text.hpp>
#include <driftless/state/cold_store.hpp>
#include <driftless/state/keyed_entries.hpp>
#include <driftless/state/spilling_entries.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace spill_conformance {
using namespace driftless;

using pairs = std::vector<std::pair<std::string, std::string>>;
inline pairs all_in(cold_store& store, std::string_view prefix = {}) {
    struct visitor final : cold_visitor {
        pairs seen;
        void visit(std::string_view key, std::string_view value) override { seen.emplace_back(key, value); }
    } to;
    store.scan(prefix, to);
    return to.seen;
}

/// Against a map: batches of changes, look-ups, scans and erasures by prefix. The store is empty before and after.
inline void keeps_bytes(cold_store& store) {
    property("as a map does", [&] {
        std::map<std::string, std::string> model;
        auto const byte = rc::gen::element('\0', 'a', '\x7F', '\xFE', '\xFF');
        auto const key = rc::gen::container<std::string>(byte);
        auto const some_key = [&] { return *rc::gen::resize(4, key); };
        auto const prefixed = [&](std::string const& prefix) {
            pairs out;
            for (auto const& each : model) {
                if (each.first.starts_with(prefix)) out.push_back(each);
            }
            return out;
        };
        auto const count = *rc::gen::inRange(1, 30);
        for (int i = 0; i < count; ++i) {
            cold_batch batch;
            std::map<std::string, bool> changed;
            auto const changes = *rc::gen::inRange(0, 8);
            for (int each = 0; each < changes; ++each) changed[some_key()] = *rc::gen::inRange(0, 4) != 0;
            for (auto const& [name, puts] : changed) {
                if (puts) {
                    auto const value = *rc::gen::container<std::string>(byte);
                    batch.put(name, value);
                    model[name] = value;
                } else {
                    batch.erase(name);
                    model.erase(name);
                }
            }
            RC_ASSERT(batch.size() == changed.size());
            store.write(batch);
            std::string value = "what was there before";
            for (auto const& [name, puts] : changed) {
                RC_ASSERT(store.get(name, value) == puts);
                if (puts) RC_ASSERT(value == model[name]);
            }
            auto const prefix = some_key();
            RC_ASSERT(all_in(store, prefix) == prefixed(prefix));
            if (*rc::gen::inRange(0, 8) != 0) continue;
            store.erase_all(prefix);
            for (auto const& gone : prefixed(prefix)) model.erase(gone.first);
            RC_ASSERT(all_in(store) == prefixed({}));
        }
        store.erase_all({});
        RC_ASSERT(all_in(store).empty());
    });
}

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
inline std::int64_t key_of(std::uint32_t i, std::int64_t const*) { return static_cast<std::int64_t>(i) - 3; }
inline std::string key_of(std::uint32_t i, text const*) { return std::string(i % 40, 'x') + std::to_string(i); }
inline std::tuple<std::int64_t, std::string> key_of(std::uint32_t i, std::tuple<std::int64_t, text> const*) {
    return {i % 5, "k" + std::to_string(i)};
}
inline std::int64_t borrowed(std::int64_t key) { return key; }
inline text borrowed(std::string const& key) { return key; }
inline std::tuple<std::int64_t, text> borrowed(std::tuple<std::int64_t, std::string> const& key) {
    return {std::get<0>(key), std::get<1>(key)};
}

/// spilling_entries over a store are keyed_entries, whatever is done with them. The store is empty before and after.
template <class Key>
void same_as_in_memory(cold_store& store) {
    property("the same", [&] {
        spilling_entries<Key, counted> spilling;
        keyed_entries<Key, counted> plain;
        auto const most = *rc::gen::inRange<std::size_t>(1, 24);
        spilling.spill(store, most);
        auto const keys = *rc::gen::inRange<std::uint32_t>(1, 60);
        // Where the hash is not the key itself, keys may share one.
        constexpr auto all = ~std::uint64_t{0};
        auto const hashes = integer_key<Key> ? all : *rc::gen::element<std::uint64_t>(3, all);
        auto const count = *rc::gen::inRange<std::size_t>(1, 500);
        auto const steps = *rc::gen::container<std::vector<std::pair<std::uint32_t, int>>>(
            count, rc::gen::pair(rc::gen::inRange<std::uint32_t>(0, keys), rc::gen::inRange(0, 12)));
        for (auto const& [i, what] : steps) {
            auto const own = key_of(i, static_cast<Key const*>(nullptr));
            Key const key = borrowed(own);
            auto const hash = canonical_hash(key) % hashes;
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
        RC_ASSERT(all_in(store).empty());
        RC_ASSERT(spilling.size() == 0U);
    });
}

/// Tables that share a store see their own entries alone.
inline void tables_share(cold_store& store) {
    {
        spilling_entries<std::int64_t, counted> one;
        spilling_entries<std::int64_t, counted> two;
        one.spill(store, 2);
        two.spill(store, 3);
        for (std::int64_t key = 0; key < 50; ++key) {
            one.insert(key, canonical_hash(key)).entry->n = key;
            if (key % 2 == 0) two.insert(key, canonical_hash(key)).entry->n = -key;
        }
        CHECK(all_in(store).size() == 48 + 22);
        for (std::int64_t key = 0; key < 50; ++key) {
            CHECK(one.find(key, canonical_hash(key)).entry->n == key);
            auto const other = two.find(key, canonical_hash(key)).entry;
            CHECK((other == nullptr ? 1 : other->n) == (key % 2 == 0 ? -key : 1));
        }
        two.clear();
        CHECK(one.find(49, canonical_hash(std::int64_t{49})).entry != nullptr);
        CHECK(one.find(0, canonical_hash(std::int64_t{0})).entry != nullptr);
    }
    CHECK(all_in(store).empty());  // a table that goes takes its entries along
}
}  // namespace spill_conformance
#endif
