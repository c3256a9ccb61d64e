// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/versioned_table.hpp>

#include <driftless/codec/codec.hpp>
#include <driftless/core/text.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

using namespace driftless;

namespace {
std::string bytes_of(auto& table) {
    std::string bytes;
    byte_writer out{bytes};
    table.save(out);
    return bytes;
}
/// Everything that was ever put, and the bound: what is asked is worked out anew each time.
struct by_hand {
    std::map<int, std::map<std::int64_t, std::optional<std::string>>> rows;
    std::int64_t bound = std::numeric_limits<std::int64_t>::min();

    std::optional<std::string> as_of(int key, std::int64_t t) const {
        auto const found = rows.find(key);
        if (found == rows.end()) return {};
        auto const after = found->second.upper_bound(t);
        if (after == found->second.begin()) return {};
        if (after != found->second.end() && t < bound) return {};
        return std::prev(after)->second;
    }
    /// Versions that can still be seen: valid at the bound or later, and not the absence of anything before.
    std::size_t visible() const {
        std::size_t sum = 0;
        for (auto const& [key, versions] : rows) {
            for (auto v = versions.begin(); v != versions.end(); ++v) {
                auto const next = std::next(v);
                if (next == versions.end() ? v->second || v->first > bound : next->first > bound) ++sum;
            }
        }
        return sum;
    }
};
}  // namespace

TEST_CASE("an empty value is a value, a deletion is not", "[state][versioned_table]") {
    versioned_table<int, std::string> table;
    table.put(1, event_time{5}, "");
    table.erase(2, event_time{5});
    CHECK(table.latest(1));
    CHECK_FALSE(table.latest(2));
    CHECK(table.knows(2));
    CHECK_FALSE(table.knows(3));
    CHECK(table.latest(3).from == event_time::min());
}

TEST_CASE("a deleted key is forgotten at the bound that reaches its deletion", "[state][versioned_table]") {
    versioned_table<text, text> table;
    {
        std::string const key = "a key of more bytes than any small string has room for";
        table.put(text{key}, event_time{3}, text{key});
        table.erase(text{key}, event_time{5});
    }
    table.forget_before(event_time{4});
    CHECK(table.keys() == 1);
    CHECK(table.versions() == 2);
    CHECK(table.next_to_forget() == event_time{5});
    table.forget_before(event_time{5});
    CHECK(table.keys() == 0);
    CHECK(table.versions() == 0);
    CHECK(table.next_to_forget() == event_time::max());
    table.put("b", event_time{5}, "at the bound");
    CHECK(table.as_of("b", event_time{5}).value->str() == "at the bound");
    CHECK_FALSE(table.put("b", event_time{4}, "before it"));
    CHECK(table.expired() == 1);
}

TEST_CASE("a key that is deleted, put and deleted again at one time is forgotten once", "[state][versioned_table]") {
    versioned_table<std::string, int> table;
    for (int i = 0; i < 3; ++i) {
        table.erase("a", event_time{5});
        table.put("a", event_time{5}, i);
    }
    table.erase("a", event_time{5});
    table.forget_before(event_time{5});
    CHECK(table.keys() == 0);
    CHECK(table.versions() == 0);
}

TEST_CASE("versioned_table = all puts, looked through anew", "[state][versioned_table][oracle]") {
    property("versions", [] {
        auto const history = *rc::gen::element<std::int64_t>(0, 5, 20, std::numeric_limits<std::int64_t>::max());
        // (key, time, value: 0 deletes, what: 0 moves the bound, 1 restores, else puts)
        using op = std::tuple<int, std::int64_t, int, int>;
        auto const ops = *rc::gen::container<std::vector<op>>(rc::gen::tuple(rc::gen::inRange(0, 4),
            rc::gen::inRange<std::int64_t>(-20, 60), rc::gen::inRange(0, 4), rc::gen::inRange(0, 12)));
        versioned_table<int, text> table{duration{history}};
        by_hand all;
        std::uint64_t refused = 0;
        for (auto const& [key, t, value, what] : ops) {
            if (what == 0) {
                table.forget_before(event_time{t - 20});
                all.bound = std::max(all.bound, t - 20);
            } else if (what == 1) {
                auto const bytes = bytes_of(table);
                byte_reader in{bytes};
                table.load(in);
                in.expect_end();
                RC_ASSERT(bytes_of(table) == bytes);
            } else {
                auto const said = std::string(static_cast<std::size_t>(value) * 9, static_cast<char>('a' + value));
                event_time const at{t};
                auto const to = value == 0 ? table.erase(key, at) : table.put(key, at, text{said});
                RC_ASSERT(to.has_value() == (t >= all.bound));
                if (!to) {
                    ++refused;
                    continue;
                }
                all.rows[key][t] = value == 0 ? std::nullopt : std::optional{said};
                auto const next = all.rows[key].upper_bound(t);
                RC_ASSERT(*to == (next == all.rows[key].end() ? event_time::max() : event_time{next->first}));
                if (history != std::numeric_limits<std::int64_t>::max())
                    all.bound = std::max(all.bound, t - history);
            }
            for (int k = 0; k < 4; ++k) {
                for (std::int64_t asked = -25; asked < 65; asked += 3) {
                    auto const found = table.as_of(k, event_time{asked});
                    auto const expected = all.as_of(k, asked);
                    RC_ASSERT(static_cast<bool>(found) == expected.has_value());
                    if (found) RC_ASSERT(found.value->str() == *expected);
                }
            }
            RC_ASSERT(table.expired() == refused);
        }
        // Nothing is kept that nobody can see.
        table.forget_before(event_time{1'000});
        all.bound = 1'000;
        RC_ASSERT(table.versions() == all.visible());
    });
}
