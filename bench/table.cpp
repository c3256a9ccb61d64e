// SPDX-License-Identifier: BSL-1.0
// bench/table.cpp - the newest row of each key, as it changes: 2M records, one in twenty up to 5 s out of order, as a
// stream and in batch, against a flat table of rows by hand.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/table.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/tables_by_hand.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto disorder = 5_s;
constexpr std::size_t record_count = 2'000'000;

constexpr auto rows = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
    | dl::key_by<&sale::user>() | dl::table(dl::unbounded_state{});

template <class Mode>
digest by_pipeline(Mode mode, dl::memory_log<sale> const& log) {
    digest out;
    auto const report = dl::run(mode, rows, log,
        dl::to([&](auto const& row) { out.row(row.key, row.value.at.ns(), 1, row.value.cents); },
            [&](auto const&, dl::time_window) { ++out.removed; }));
    out.applied = report.stages[0].applied;
    out.late = report.refused(dl::reason::late);
    return out;
}
digest by_hand(std::vector<sale> const& records, std::size_t keys) {
    digest out;
    bench::flat_rows<bench::newest_row> table{keys};
    bench::declared_watermark watermark{disorder.ns()};
    for (auto const& each : records) {
        auto const at = each.at.ns();
        if (at < watermark.now) {
            ++out.late;
            continue;
        }
        ++out.applied;
        auto& row = table[table.place_of(each.user)];
        if (row.at <= at) {
            out.row(each.user, at, 1, each.cents);
            row = {at, each.cents};
        }
        watermark.moves(at);
    }
    return out;
}

void contest(std::string const& name, std::size_t keys) {
    auto const records = bench::make_sales(record_count, keys, 1_ms, disorder);
    dl::memory_log<sale> log;
    log.append(records);
    bench::contest<digest> game{name, record_count};
    auto const floor = game.add("by hand", [&] { return by_hand(records, keys); });
    auto const stream = game.add("stream", [&] { return by_pipeline(dl::stream{.until = dl::drained}, log); });
    auto const batch = game.add("batch", [&] { return by_pipeline(dl::batch{}, log); });
    game.run({.seconds = bench::full() ? 15.0 : 3.0, .least_rounds = 5});
    game.ratio(name + "_stream", stream, floor, {1.5});
    game.ratio(name + "_batch", batch, floor, {1.5});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("table_some_keys", 1'000);
    contest("table_many_keys", 100'000);
}
