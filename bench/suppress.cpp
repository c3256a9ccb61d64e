// SPDX-License-Identifier: BSL-1.0
// bench/suppress.cpp - rows of a table that change, each shown once in a second at most: 2M records, one in twenty up
// to 5 s out of order, as a stream, against a flat table of rows and a heap of what is held by hand.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/suppress.hpp>
#include <driftless/op/table.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/tables_by_hand.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto disorder = 5_s;
constexpr auto at_most_every = 1_s;
constexpr std::size_t record_count = 2'000'000;

constexpr auto shown = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
    | dl::key_by<&sale::user>() | dl::table(dl::unbounded_state{}) | dl::suppress(dl::time_limit{at_most_every});

digest by_pipeline(dl::memory_log<sale> const& log) {
    digest out;
    auto const report = dl::run(dl::stream{.until = dl::drained}, shown, log,
        dl::to([&](auto const& row) { out.row(row.key, row.value.at.ns(), 1, row.value.cents); },
            [&](auto const&, dl::time_window) { ++out.removed; }));
    out.applied = report.stage("table")->applied;
    out.late = report.refused(dl::reason::late);
    return out;
}

/// Rows that have changed since they were shown wait in a heap by the time of their first change.
class by_hand {
    struct entry {
        bench::newest_row row;
        bool held = false;
    };
    struct waiting {
        std::int64_t since;
        std::size_t place;
    };
    static bool later(waiting const& a, waiting const& b) { return a.since > b.since; }
    bench::flat_rows<entry> table_;
    std::vector<waiting> heap_;
    bench::declared_watermark watermark_{disorder.ns()};

public:
    digest out;

    explicit by_hand(std::size_t keys) : table_(keys) {}
    void add(sale const& record) {
        auto const at = record.at.ns();
        if (at < watermark_.now) {
            ++out.late;
            return;
        }
        ++out.applied;
        auto const place = table_.place_of(record.user);
        auto& of = table_[place];
        if (of.row.at <= at) {
            of.row = {at, record.cents};
            if (!of.held) {
                of.held = true;
                heap_.push_back({at, place});
                std::push_heap(heap_.begin(), heap_.end(), later);
            }
        }
        if (watermark_.moves(at)) release(watermark_.now - at_most_every.ns());
    }
    void finish() { release(std::numeric_limits<std::int64_t>::max()); }

private:
    void release(std::int64_t to) {
        while (!heap_.empty() && heap_.front().since <= to) {
            std::pop_heap(heap_.begin(), heap_.end(), later);
            auto const place = heap_.back().place;
            heap_.pop_back();
            auto& of = table_[place];
            of.held = false;
            out.row(table_.key_at(place), of.row.at, 1, of.row.cents);
        }
    }
};

void contest(std::string const& name, std::size_t keys) {
    auto const records = bench::make_sales(record_count, keys, 1_ms, disorder);
    dl::memory_log<sale> log;
    log.append(records);
    bench::contest<digest> game{name, record_count};
    auto const floor = game.add("by hand", [&] {
        by_hand rows{keys};
        for (auto const& each : records) rows.add(each);
        rows.finish();
        return rows.out;
    });
    auto const stream = game.add("stream", [&] { return by_pipeline(log); });
    game.run({.seconds = bench::full() ? 15.0 : 3.0, .least_rounds = 5});
    game.ratio(name, stream, floor, {1.5});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("suppress_some_keys", 1'000);
    contest("suppress_many_keys", 100'000);
}
