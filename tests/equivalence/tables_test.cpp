// SPDX-License-Identifier: BSL-1.0
// Tables, and what stands behind them, against loops, and as batch and stream, under random disorder, chunking,
// threads and restores.
#include <driftless/op/suppress.hpp>
#include <driftless/op/table.hpp>

#include <driftless/agg.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto is_gone = [](sale const& s) { return s.cents % 4 == 0; };

constexpr auto rows_of(duration bound, duration length) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>()
        | late_to("late"_name) | driftless::table(history{length}, unbounded_state{}, deleted_if(is_gone));
}

/// The latest row of each item, from scratch.
class items {
    struct row {
        event_time at;
        sale what;
        bool gone;
    };
    std::map<std::int32_t, row> rows_;

public:
    /// Calls changed(old*, new*).
    template <class F>
    void add(sale const& s, F changed) {
        auto const found = rows_.find(s.item);
        bool const known = found != rows_.end();
        if (known && s.at < found->second.at) return;
        auto const old = known && !found->second.gone ? std::optional{found->second.what} : std::nullopt;
        rows_[s.item] = {s.at, s, is_gone(s)};
        if (old || !is_gone(s)) changed(old ? &*old : nullptr, is_gone(s) ? nullptr : &s);
    }
};
recorder changes_by_hand(std::vector<placed> const& kept) {
    recorder out;
    items all;
    for (auto const& [p, s] : kept) {
        all.add(s, [&](sale const*, sale const* now) {
            if (now != nullptr) out.write(pane<std::int32_t, sale>{s.item, {}, *now, {}});
            else out.remove(s.item, time_window{});
        });
    }
    return out;
}
/// How many items were last sold in a shop, and for how much.
recorder shops_by_hand(std::vector<placed> const& kept) {
    struct shop {
        std::int64_t n = 0, sum = 0;
        std::int32_t panes = 0;
    };
    recorder out;
    std::map<std::string, shop> shops;
    auto const count_in = [&](std::string const& name, std::int64_t n, std::int64_t sum) {
        auto& of = shops[name];
        of.n += n;
        of.sum += sum;
        if (of.n == 0) {
            out.remove(text{name}, time_window{});
            shops.erase(name);
            return;
        }
        pane_info const info{timing::early, of.panes, -1, of.panes == 0, false};
        ++of.panes;
        out.write(pane<text, std::tuple<std::int64_t, std::int64_t>>{text{name}, {}, {of.n, of.sum}, info});
    };
    items all;
    for (auto const& [p, s] : kept) {
        all.add(s, [&](sale const* old, sale const* now) {
            if (old != nullptr && now != nullptr && old->shop == now->shop) {
                if (now->cents == old->cents) return;  // what has not changed is not told
                return count_in(now->shop.str(), 0, now->cents - old->cents);
            }
            if (old != nullptr) count_in(old->shop.str(), -1, -old->cents);
            if (now != nullptr) count_in(now->shop.str(), 1, now->cents);
        });
    }
    return out;
}
constexpr auto in_shops(auto rows) {
    return rows | key_by<&sale::shop>() | aggregate(count(), sum<&sale::cents>(), unbounded_state{});
}

template <class P>
void check_all(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions, judged const& said,
    recorder const& expected, recorder const& of_all, std::uint64_t seed) {
    auto const once = stream_over<rows, true>(pipeline, records, partitions, {.seed = calm});
    CHECK_SAME(once.out.lines, expected.lines);
    CHECK(once.late.lines.size() == said.refused.size());
    CHECK(once.report.refused(reason::late) == said.refused.size());
    check_books(once.report, records.size(), "table");
    auto const other = stream_over<columns, true>(pipeline, records, partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.late.lines, once.late.lines);
    CHECK(other.report.stage("table")->applied == said.kept.size());

    memory_log<sale> log{partitions};
    fill(log, records);
    recorder late;
    recorder batched;
    auto const threads = 1 + static_cast<int>(seed % 3);
    run(batch{.threads = threads}, pipeline, log, bind("late"_name, late), batched);
    CHECK_SAME(batched.lines, of_all.lines);
    CHECK(late.lines.empty());
    CHECK_SAME(table_of(run(batch{.threads = threads}, pipeline, log, bind("late"_name, late))), of_all.rows);
}
}  // namespace

TEST_CASE("table = loops = batch = stream, however it is run", "[equivalence][oracle][table]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const length = duration{random.between(0, 6) * 1'000'000'000};
        auto const of = random_shape(random, tame ? bound + length : 20_s);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const said = judge_by(order, of.partitions, bound, [&](sale const& s) { return s.at + length + 1_ns; });
        if (tame) REQUIRE(said.refused.empty());
        check_all(rows_of(bound, length), records, of.partitions, said, changes_by_hand(said.kept),
            changes_by_hand(order), seed);
        check_all(in_shops(rows_of(bound, length)), records, of.partitions, said, shops_by_hand(said.kept),
            shops_by_hand(order), seed);
    });
}

TEST_CASE("a table keeps what its history can reach, and no more", "[equivalence][table]") {
    for_seeds(20, [](std::uint64_t seed) {
        dice random{seed};
        auto const records =
            random_records(random, {.records = 3000, .partitions = 1, .disorder = 5_s, .shops = 2000, .items = 40});
        auto const once = stream_over<rows, true>(rows_of(5_s, 3_s), records, 1, {.seed = calm});
        CHECK(once.report.state_bytes < 64 * 1024);
    });
}

namespace {
/// What goes on of the changes of a table where at most `most` rows are held back.
recorder fewer_by_hand(std::vector<placed> const& kept, std::size_t most) {
    struct held {
        event_time first;
        std::size_t place;
        std::optional<sale> before, after;
    };
    recorder out;
    std::map<std::int32_t, held> rows;
    std::size_t place = 0;
    auto const hand_on = [&] {
        auto const first = std::min_element(rows.begin(), rows.end(), [](auto const& a, auto const& b) {
            return std::pair{a.second.first, a.second.place} < std::pair{b.second.first, b.second.place};
        });
        auto const& [item, row] = *first;
        if (row.after) out.write(pane<std::int32_t, sale>{item, {}, *row.after, {}});
        else if (row.before) out.remove(item, time_window{});
        rows.erase(first);
    };
    items all;
    for (auto const& each : kept) {
        all.add(each.record, [&](sale const* old, sale const* now) {
            auto const item = each.record.item;
            if (!rows.contains(item))
                rows[item] = {each.record.at, place++, old != nullptr ? std::optional{*old} : std::nullopt, {}};
            rows[item].after = now != nullptr ? std::optional{*now} : std::nullopt;
            if (rows.size() > most) hand_on();
        });
    }
    while (!rows.empty()) hand_on();
    return out;
}
}  // namespace

TEST_CASE("suppress(max_records) = loops, however it is run", "[equivalence][oracle][suppress]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto of = random_shape(random, bound + 3_s);
        of.items = 1 + random.below(20);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const most = 1 + random.below(6);
        auto const pipeline = rows_of(bound, 3_s) | suppress(max_records{most});
        judged const all{order, {}};
        check_all(pipeline, records, of.partitions, all, fewer_by_hand(order, most), fewer_by_hand(order, most), seed);
    });
}

TEST_CASE("suppress(time_limit) leaves the same rows, and says the same however it is run", "[equivalence][suppress]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto of = random_shape(random, bound + 3_s);
        of.items = 1 + random.below(20);
        auto const records = random_records(random, of);
        auto const expected = changes_by_hand(merged(records, of.partitions));
        auto const pipeline =
            rows_of(bound, 3_s) | suppress(time_limit{duration{random.between(0, 20) * 1'000'000'000}});
        auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
        CHECK_SAME(once.out.rows, expected.rows);
        CHECK(once.out.lines.size() <= expected.lines.size());
        auto const other = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        memory_log<sale> log{of.partitions};
        fill(log, records);
        recorder late;
        CHECK_SAME(table_of(run(batch{.threads = 2}, pipeline, log, bind("late"_name, late))), expected.rows);
    });
}

TEST_CASE("suppress(final_results) = batch, a record per row, in the same order", "[equivalence][oracle][suppress]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 6) * 1'000'000'000};
        auto const of = random_shape(random, bound + lateness);
        auto const records = random_records(random, of);
        auto const timed = from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>();
        auto const check_final = [&](auto const& plain, auto const& finals) {
            memory_log<sale> log{of.partitions};
            fill(log, records);
            auto const expected = table_of(run(batch{}, plain, log));
            auto const once = stream_over<rows>(finals, records, of.partitions, {.seed = calm});
            CHECK(once.report.refused(reason::late) == 0);
            CHECK_SAME(once.out.rows, expected);
            CHECK(once.out.lines.size() == expected.size());
            CHECK(once.report.state_bytes == 0);
            auto const other = stream_over<rows>(finals, records, of.partitions, {.seed = seed});
            CHECK_SAME(other.out.lines, once.out.lines);
            recorder batched;
            run(batch{.threads = 2}, finals, log, batched);
            CHECK(batched.rows == once.out.rows);
        };
        auto const tumbled = timed | window(tumbling{10_s, 3_s}, allowed_lateness{lateness})
            | aggregate(count(), sum<&sale::cents>());
        check_final(tumbled, tumbled | suppress(final_results{}));
        auto const visits = timed | window(session{2_s}, allowed_lateness{lateness})
            | aggregate(count(), sum<&sale::cents>());
        check_final(visits, visits | suppress(final_results{}));
    });
}
