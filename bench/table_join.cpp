// SPDX-License-Identifier: BSL-1.0
// bench/table_join.cpp - the rows of two tables put together as they change: two logs of 1M records, one in twenty up
// to 5 s out of order, as a stream and in batch, against a flat table of both rows of a key by hand.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/table_join.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/tables_by_hand.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

struct difference {
    std::int64_t apart;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(difference, apart, cents);

namespace {
using bench::digest;
using bench::sale;
constexpr auto disorder = 5_s;
constexpr std::size_t record_count = 1'000'000;  // of each side

template <class Name>
constexpr auto rows(Name name) {
    return dl::from<sale>(name) | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
        | dl::key_by<&sale::user>() | dl::table(dl::unbounded_state{});
}
constexpr auto together = dl::join(rows("left"_name), rows("right"_name),
    [](sale const& l, sale const& r) noexcept { return difference{l.at.ns() - r.at.ns(), l.cents - r.cents}; });

template <class Mode>
digest by_pipeline(Mode mode, dl::memory_log<sale> const& left, dl::memory_log<sale> const& right) {
    digest out;
    auto const report = dl::run(mode, together, dl::bind("left"_name, left), dl::bind("right"_name, right),
        dl::to([&](auto const& row) { out.row(row.key, row.value.apart, 1, row.value.cents); },
            [&](auto const&, dl::time_window) { ++out.removed; }));
    for (auto const& each : report.stages) {
        if (each.label.kind == "table") out.applied += each.applied;
    }
    out.late = report.refused(dl::reason::late);
    return out;
}

/// Both rows of a key in one place.
class by_hand {
    struct entry {
        bench::newest_row of[2];
    };
    bench::flat_rows<entry> table_;
    bench::declared_watermark watermark_[2] = {{disorder.ns()}, {disorder.ns()}};

public:
    digest out;

    explicit by_hand(std::size_t keys) : table_(keys) {}
    template <std::size_t Side>
    void add(sale const& record) {
        auto const at = record.at.ns();
        if (at < watermark_[Side].now) {
            ++out.late;
            return;
        }
        ++out.applied;
        auto& rows = table_[table_.place_of(record.user)].of;
        if (rows[Side].at <= at) {
            rows[Side] = {at, record.cents};
            if (rows[1 - Side].there()) out.row(record.user, rows[0].at - rows[1].at, 1, rows[0].cents - rows[1].cents);
        }
        watermark_[Side].moves(at);
    }
};

void contest(std::string const& name, std::size_t keys) {
    auto const left = bench::make_sales(record_count, keys, 1_ms, disorder);
    auto right = bench::make_sales(record_count, keys, 1_ms, disorder);
    for (std::size_t i = 0; i + 1 < right.size(); ++i) right[i].user = right[(i * 7919 + 13) % right.size()].user;
    for (auto& each : right) each.at = each.at + 500_us;
    dl::memory_log<sale> left_log;
    dl::memory_log<sale> right_log;
    left_log.append(left);
    right_log.append(right);
    bench::contest<digest> game{name, 2 * record_count};
    auto const floor = game.add("by hand", [&] {
        by_hand join{keys};
        for (std::size_t l = 0, r = 0; l < left.size() || r < right.size();) {
            if (r == right.size() || (l < left.size() && left[l].at <= right[r].at)) join.add<0>(left[l++]);
            else join.add<1>(right[r++]);
        }
        return join.out;
    });
    auto const stream =
        game.add("stream", [&] { return by_pipeline(dl::stream{.until = dl::drained}, left_log, right_log); });
    auto const batch = game.add("batch", [&] { return by_pipeline(dl::batch{}, left_log, right_log); });
    game.run({.seconds = bench::full() ? 15.0 : 3.0, .least_rounds = 5});
    game.ratio(name + "_stream", stream, floor, {1.5});
    game.ratio(name + "_batch", batch, floor, {1.5});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("table_join_some_keys", 1'000);
    contest("table_join_many_keys", 100'000);
}
