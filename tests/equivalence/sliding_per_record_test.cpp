// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Windows that slide from record to record against loops, and as batch and stream, under random disorder, lateness,
// chunking, threads and restores.
#include <driftless/op/sliding_per_record.hpp>

#include <driftless/agg.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
struct written_down {
    std::string operator()(std::string so_far, sale const& s) const {
        return std::move(so_far) + std::to_string(s.cents) + ';';
    }
};
template <bool InOrder, class... Options>
constexpr auto sliding_over(duration difference, duration bound, Options... options) {
    auto const windowed = from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>()
        | window(sliding_per_record{difference}, options...) | late_to("late"_name);
    if constexpr (InOrder) return windowed | aggregate(count(), fold(std::string{}, written_down{}));
    else return windowed | aggregate(count(), sum<&sale::cents>(), distinct<&sale::shop>());
}

struct seen {
    sale record;
    std::int64_t watermark;  // when it came
};
struct by_hand {
    table rows;
    std::vector<std::string> late;
    std::size_t taken_late = 0;  // refused by their own window, and in others
};
/// Every window that two rules make, and for each the records that came before it closed.
template <bool InOrder>
by_hand loops(std::vector<placed> const& in_order, std::uint32_t partitions, duration difference, duration bound,
    duration lateness) {
    by_hand out;
    auto const d = difference.ns();
    auto const l = lateness.ns();
    recorder late;
    std::map<std::int32_t, std::vector<seen>> keys;
    std::map<std::int32_t, std::set<std::int64_t>> starts;
    std::vector<std::optional<std::int64_t>> newest(partitions);
    for (auto const& each : in_order) {
        bool reported = true;
        std::int64_t least = INT64_MAX;
        for (auto const& n : newest) {
            reported = reported && n.has_value();
            if (n) least = std::min(least, *n);
        }
        auto const watermark = reported ? least - bound.ns() : INT64_MIN / 2;
        auto const t = each.record.at.ns();
        auto& mine = newest[each.partition];
        mine = mine ? std::max(*mine, t) : t;
        if (watermark >= t + 1 + l) {
            late.write(pane<std::int32_t, sale>{
                each.record.item, {event_time{t - d}, event_time{t + 1}}, each.record, {}});
            if (watermark >= t + d + 1 + l) continue;
            ++out.taken_late;
        } else {
            starts[each.record.item].insert(t - d);
        }
        starts[each.record.item].insert(t + 1);
        keys[each.record.item].push_back({each.record, watermark});
    }
    for (auto const& [key, records] : keys) {
        for (auto const start : starts[key]) {
            auto const end = start + d + 1;
            std::int64_t n = 0, sum = 0;
            std::set<std::string> shops;
            std::string text;
            for (auto const& each : records) {
                auto const t = each.record.at.ns();
                if (t < start || t >= end || each.watermark >= end + l) continue;
                ++n;
                sum += each.record.cents;
                shops.insert(each.record.shop.str());
                text = written_down{}(text, each.record);
            }
            if (n == 0) continue;
            time_window const w{event_time{start}, event_time{end}};
            if constexpr (InOrder) put(out.rows, key, w, std::tuple{n, text});
            else put(out.rows, key, w, std::tuple{n, sum, static_cast<std::int64_t>(shops.size())});
        }
    }
    out.late = late.lines;
    return out;
}

std::size_t taken_late = 0;  // over all seeds: the rule about them has been put to the test

template <bool InOrder, bool Late>
void check(std::uint64_t seed) {
    dice random{seed};
    bool const tame = random.one_in(2);
    auto const bound = duration{random.between(0, 4) * 1'000'000'000};
    auto const lateness = duration{Late ? random.between(0, 6) * 1'000'000'000 : 0};
    auto const difference = duration{random.one_in(9) ? 0 : random.between(0, 8) * 1'000'000'000};
    auto of = random_shape(random, tame ? bound + lateness : 15_s);
    // Whole seconds, so that records meet at the very ends of windows, and one nanosecond beside them.
    auto records = random_records(random, of);
    bool const whole = random.one_in(2);
    for (auto& each : records) {
        if (!whole) continue;
        auto const s = each.record.at.ns() / 1'000'000'000 * 1'000'000'000;
        each.record.at = event_time{s + (random.one_in(4) ? 1 : 0)};
    }
    auto const order = merged(records, of.partitions);
    auto const expected = loops<InOrder>(order, of.partitions, difference, bound, lateness);
    taken_late += expected.taken_late;
    if (tame && !whole) REQUIRE(expected.late.empty());

    auto const pipeline = [&] {
        if constexpr (Late) return sliding_over<InOrder>(difference, bound, allowed_lateness{lateness});
        else return sliding_over<InOrder>(difference, bound);
    }();
    auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
    CHECK_SAME(once.out.rows, expected.rows);
    CHECK_SAME(once.late.lines, expected.late);
    CHECK(once.report.refused(reason::late) == expected.late.size());
    check_books(once.report, records.size());
    check_panes(once.out);
    CHECK(once.report.state_bytes == 0);

    auto const other = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.late.lines, once.late.lines);
    CHECK(other.report.stage("aggregate")->applied == once.report.stage("aggregate")->applied);

    memory_log<sale> log{of.partitions};
    recorder late;
    auto const threads = 1 + static_cast<int>(seed % 3);
    auto const all = run(batch{.threads = threads}, pipeline, fill(log, records), bind("late"_name, late));
    CHECK_SAME(table_of(all), loops<InOrder>(order, of.partitions, difference, 1'000'000_h, lateness).rows);
    CHECK(late.lines.empty());
}
}  // namespace

TEST_CASE("windows per record = loops = batch = stream, however they are run",
    "[equivalence][oracle][sliding_per_record]") {
    for_seeds(40, check<false, false>);
    for_seeds(40, check<false, true>);
    if (std::getenv("DRIFTLESS_SEED") == nullptr) CHECK(taken_late > 100);
}

TEST_CASE("windows per record over functions in log order = loops = batch = stream",
    "[equivalence][oracle][sliding_per_record]") {
    for_seeds(20, check<true, false>);
    for_seeds(30, check<true, true>);
}

TEST_CASE("rows of windows per record are regrouped in their windows", "[equivalence][sliding_per_record]") {
    for_seeds(20, [](std::uint64_t seed) {
        dice random{seed};
        auto const of = random_shape(random, 3_s);
        auto const records = random_records(random, of);
        auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{3_s}) | key_by<&sale::item>()
            | window(sliding_per_record{4_s}) | aggregate(count()) | key_by([](auto const& row) { return row.value; })
            | aggregate(count());
        auto const streamed = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
        memory_log<sale> log{of.partitions};
        CHECK_SAME(table_of(run(batch{.threads = 2}, pipeline, fill(log, records))), streamed.out.rows);
    });
}
