// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/window_tables.hpp>

#include <driftless/codec/hash.hpp>
#include <driftless/state/keyed_table.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

using namespace driftless;

namespace {
struct counted_table {
    int entries = 0;
    [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(entries); }
    void clear() noexcept { entries = 0; }
};
using tables = window_tables<counted_table>;
time_window window_at(std::int64_t start, std::int64_t end) { return {event_time{start}, event_time{end}}; }
}  // namespace

TEST_CASE(
    "windows stand in the order (end, start), whatever the order in which they opened", "[state][window_tables]") {
    tables open;
    CHECK(open.size() == 0);
    CHECK(open.find(window_at(0, 10)) == 0);
    open.open(window_at(10, 20), false).table.entries = 3;
    open.open(window_at(-10, 0), false).table.entries = 1;
    open.open(window_at(5, 20), false).table.entries = 2;  // the same end, an earlier start
    REQUIRE(open.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(open[i].table.entries == static_cast<int>(i) + 1);
    CHECK(open.find(window_at(5, 20)) == 1);
    CHECK(open.find(window_at(6, 20)) == open.size());
    CHECK(open.bytes() == 6);
}

TEST_CASE("a recycled table is empty and belongs to its new window", "[state][window_tables]") {
    tables open;
    open.open(window_at(0, 10), false).table.entries = 4;
    auto const* const before = &open[0];
    open.mark_fired();
    CHECK(open.fired() == 1);
    open.close_first();
    CHECK(open.fired() == 0);
    CHECK(open.size() == 0);
    auto& again = open.open(window_at(20, 30), false);
    CHECK(&again == before);
    CHECK(again.table.entries == 0);
    CHECK(open.find(window_at(20, 30)) == 0);
    CHECK(open.find(window_at(0, 10)) == 1);
}

TEST_CASE("a window that was taken is there again when it is given back", "[state][window_tables]") {
    tables open;
    for (int i = 0; i < 200; ++i) open.open(window_at(i, i + 1), false).table.entries = i + 1;
    std::vector<tables::open_window*> taken;
    while (open.size() != 50) taken.push_back(open.take_first());
    CHECK(taken[7]->table.entries == 8);
    CHECK(open[0].window == window_at(150, 151));
    auto* const fresh = &open.open(window_at(300, 301), false);  // while they are away
    CHECK(fresh->table.entries == 0);
    CHECK(open.size() == 51);
    taken[7]->table.clear();
    open.give_back(taken[7]);
    CHECK(&open.open(window_at(301, 302), false) == taken[7]);
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (i == 7) continue;
        taken[i]->table.clear();
        open.give_back(taken[i]);
    }
    CHECK(open.size() == 52);
}

TEST_CASE("a window opens on a spare table of its kind", "[state][window_tables]") {
    using table = keyed_table<std::int64_t, std::int64_t>;
    window_tables<table> open;
    for (int i = 0; i < 6; ++i) {  // of many large ones, the later are packed
        auto& into = open.open(window_at(i, i + 1), false).table;
        for (std::int64_t key = 0; key < 20'000; ++key) into.insert(key, canonical_hash(key), [] { return 0; });
    }
    REQUIRE_FALSE(open[0].table.is_dense());
    REQUIRE(open[5].table.is_dense());
    auto const room = open[0].table.bytes();
    while (open.size() != 0) open.close_first();
    auto& again = open.open(window_at(10, 11), false);  // one of those that were closed before the packed ones
    CHECK_FALSE(again.table.is_dense());
    CHECK(again.table.bytes() == room);
}

TEST_CASE("window tables do what a map of windows does", "[state][window_tables][oracle]") {
    std::mt19937 random{9};
    tables open;
    std::map<std::pair<std::int64_t, std::int64_t>, int> model;  // (end, start) -> entries
    std::int64_t watermark = -20;
    bool right = true;
    for (int i = 0; i < 5000; ++i) {
        auto const start = watermark + static_cast<std::int64_t>(random() % 300) - 5;
        auto const window = window_at(start, start + 1 + static_cast<std::int64_t>(random() % 7));
        bool const late = window.end <= event_time{watermark};
        auto const at = open.find(window);
        auto const known = model.find({window.end.ns(), start});
        right = right && (at == open.size()) == (known == model.end());
        auto& entry = at == open.size() ? open.open(window, late) : open[at];
        right = right && entry.window == window && entry.table.entries == (known == model.end() ? 0 : known->second);
        entry.table.entries = model[{window.end.ns(), start}] = i;
        if (i % 3 != 0) continue;
        watermark += static_cast<std::int64_t>(random() % 4);
        while (open.fired() < open.size() && open[open.fired()].window.end <= event_time{watermark}) open.mark_fired();
        // They stay open for 3 more.
        while (open.fired() != 0 && open[0].window.end.ns() + 3 <= watermark) {
            right = right && model.begin()->first.first == open[0].window.end.ns();
            open.close_first();
            model.erase(model.begin());
        }
        right = right && open.size() == model.size();
        std::size_t fired = 0;
        for (auto const& [where, entries] : model) fired += where.first <= watermark ? 1 : 0;
        right = right && open.fired() == fired;
    }
    CHECK(right);
    auto moved = std::move(open);
    CHECK(open.size() == 0);
    CHECK(moved.size() == model.size());
    moved.clear();
    CHECK(moved.size() == 0);
    CHECK(moved.fired() == 0);
}

TEST_CASE("many tables are packed densely, once they are more than a cache holds", "[state][window_tables]") {
    struct sized_table {
        std::size_t reserved = 0;
        bool dense = false;
        std::size_t like = 0;
        [[nodiscard]] std::size_t bytes() const { return reserved; }
        void clear() noexcept { reserved = 0; }
        void pack_densely(bool to) noexcept { dense = to; }
        void make_room_like(sized_table const& other) { like = other.reserved; }
    };
    window_tables<sized_table> open;
    for (std::int64_t i = 0; i < 6; ++i) {
        auto& made = open.open(window_at(i * 10, i * 10 + 10), false).table;
        CHECK(made.dense == (i >= 4));  // four hold more than 4 MiB; of small ones there may be many
        auto const model = i < 4 ? static_cast<std::size_t>(i) - 1 : 0;  // the newest; of many, the fullest
        if (i != 0) CHECK(made.like == open[model].table.reserved);
        made.reserved = (std::size_t{1} << 20) + 8 + static_cast<std::size_t>(i);
    }
    while (open.size() > 1) open.close_first();
    CHECK_FALSE(open.open(window_at(100, 110), false).table.dense);  // a recycled one of those that were
}
