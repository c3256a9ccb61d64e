// SPDX-License-Identifier: BSL-1.0
// Named triggers: every pane is the one that loops make, whatever the poll sizes, threads and restarts; the last one of
// each (key, window) is the row of the batch; what is discarded adds up to what accumulates.
#include <driftless/log/file_log.hpp>
#include <driftless/op/triggered_session.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/time/interval_trigger.hpp>
#include <equivalence/late_loops.hpp>

using namespace equivalence;

namespace {
constexpr std::uint64_t early_count = 3;
constexpr std::uint64_t late_count = 2;

template <class... Options>
constexpr auto triggered(duration bound, duration lateness, Options... options) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>()
        | window(tumbling{10_s, 3_s}, allowed_lateness{lateness},
            at_watermark().early(every(early_count)).late(every(late_count)), options...)
        | late_to("late"_name) | aggregate(count(), sum<&sale::cents>());
}

/// The panes of each (window end, key), as text.
using panes = std::map<std::pair<std::int64_t, std::int32_t>, std::vector<std::string>>;
std::string said(std::int64_t n, std::int64_t cents, pane_info const& info) {
    return std::to_string(n) + " " + std::to_string(cents) + " " + std::string{to_string(info.timing)} + " "
        + std::to_string(info.index) + " " + std::to_string(info.non_speculative_index) + (info.first ? "f" : "-")
        + (info.last ? "l" : "-");
}

/// What the trigger means, by hand.
class loops_by_hand {
    struct group {
        std::int64_t n = 0, cents = 0, part_n = 0, part_cents = 0;
        std::uint64_t fresh = 0, early = 0, late = 0;
        std::int32_t index = 0, certain = 0;
        bool passed = false, closed = false;
    };
    std::map<std::pair<time_window, std::int32_t>, group> groups_;
    duration lateness_;
    bool discarding_;

    void show(time_window const& w, std::int32_t item, group& g, event_time promised, event_time now, bool last) {
        auto const when = g.certain != 0 || promised >= w.end ? timing::late
            : now >= w.end                                    ? timing::on_time
                                                              : timing::early;
        if (g.fresh == 0 && when != timing::on_time) return;
        pane_info const info{when, g.index, when == timing::early ? -1 : g.certain, g.index == 0, last};
        out[{w.end.ns(), item}].push_back(
            discarding_ ? said(g.part_n, g.part_cents, info) : said(g.n, g.cents, info));
        ++g.index;
        if (when != timing::early) ++g.certain;
        g.fresh = 0;
        g.part_n = g.part_cents = 0;
    }

public:
    panes out;
    std::uint64_t refused = 0;

    loops_by_hand(duration lateness, bool discarding) : lateness_(lateness), discarding_(discarding) {}
    void record(sale const& s, event_time watermark) {
        auto const w = shifted_window(s.at);
        if (watermark >= w.end + lateness_) {
            ++refused;
            return;
        }
        auto& g = groups_[{w, s.item}];
        ++g.n, ++g.part_n, ++g.fresh;
        g.cents += s.cents, g.part_cents += s.cents;
        if (g.passed) {
            if (++g.late == late_count) g.late = 0, show(w, s.item, g, watermark, watermark, false);
        } else if (watermark >= w.end) {
            g.passed = true;
            show(w, s.item, g, watermark, watermark, false);
        } else if (++g.early == early_count) {
            g.early = 0;
            show(w, s.item, g, watermark, watermark, false);
        }
    }
    void watermark(event_time before, event_time now) {
        for (auto& [place, g] : groups_) {
            auto const& w = place.first;
            if (g.closed || now < w.end) continue;
            g.closed = now >= w.end + lateness_;
            if (g.closed || !g.passed) show(w, place.second, g, before, now, g.closed);
            g.passed = true;
        }
    }
};
loops_by_hand by_hand(std::vector<placed> const& in_order, std::uint32_t partitions, duration bound, duration lateness,
    bool discarding) {
    loops_by_hand loops{lateness, discarding};
    std::vector<std::optional<std::int64_t>> newest(partitions);
    event_time watermark = event_time::min();
    for (auto const& each : in_order) {
        loops.record(each.record, watermark);
        auto& mine = newest[each.partition];
        mine = mine ? std::max(*mine, each.record.at.ns()) : each.record.at.ns();
        std::int64_t least = INT64_MAX;
        for (auto const& n : newest) least = n ? std::min(least, *n) : INT64_MIN;
        bool reported = true;
        for (auto const& n : newest) reported = reported && n.has_value();
        if (!reported) continue;
        least = INT64_MAX;
        for (auto const& n : newest) least = std::min(least, *n);
        auto const next = event_time{least} - bound;
        if (next <= watermark) continue;
        loops.watermark(watermark, next);
        watermark = next;
    }
    loops.watermark(watermark, event_time::max());
    return loops;
}

/// Collects panes as the loops do, and adds up what they show.
struct pane_recorder {
    panes out;
    std::map<std::pair<std::int64_t, std::int32_t>, std::pair<std::int64_t, std::int64_t>> sums;
    std::vector<std::string> lines;

    void write(pane<std::int32_t, std::tuple<std::int64_t, std::int64_t>> const& row) {
        auto const& [n, cents] = row.value;
        std::pair const place{row.window.end.ns(), row.key};
        out[place].push_back(said(n, cents, row.info));
        sums[place].first += n;
        sums[place].second += cents;
        lines.push_back(std::to_string(row.key) + " " + std::to_string(place.first) + " " + out[place].back());
    }
    void remove(std::int32_t, time_window) { FAIL("nothing is taken back here"); }
};
struct answer {
    pane_recorder out;
    recorder late;
    driftless::report report;
};
template <class P>
answer streamed(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions, std::uint64_t seed) {
    using log_t = memory_log<sale>;
    using late = bound<name<"late">, recorder&>;
    answer result;
    log_t log{partitions};
    std::optional<job<stream, P, log_t&, late, pane_recorder&>> running;
    result.report = drive(
        running,
        [&](int threads) {
            running.emplace(stream{.threads = threads}, pipeline, log, late{result.late}, result.out);
        },
        [&](std::size_t i) { log.append(records[i].record, records[i].partition); }, records.size(), {.seed = seed});
    return result;
}
}  // namespace

TEST_CASE("panes of a named trigger: stream = loops, under any pace; the last ones = batch", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 20) * 1'000'000'000};
        auto const of = random_shape(random, tame ? bound + lateness : 60_s);
        auto const records = random_records(random, of);
        auto const in_order = merged(records, of.partitions);

        auto const pipeline = triggered(bound, lateness);
        auto const expected = by_hand(in_order, of.partitions, bound, lateness, false);
        auto const once = streamed(pipeline, records, of.partitions, calm);
        CHECK(once.out.out == expected.out);
        CHECK(once.report.refused(reason::late) == expected.refused);
        CHECK(once.late.lines.size() == expected.refused);
        check_books(once.report, records.size());
        auto const other = streamed(pipeline, records, of.partitions, seed);
        CHECK(other.out.lines == once.out.lines);
        CHECK(other.late.lines == once.late.lines);
        check_books(other.report, records.size());

        auto const parts = triggered(bound, lateness, discarding{});
        auto const apart = streamed(parts, records, of.partitions, seed + 1);
        CHECK(apart.out.out == by_hand(in_order, of.partitions, bound, lateness, true).out);

        // What is kept, accumulated or added up, is what the batch says.
        auto const kept = judge(in_order, of.partitions, bound, lateness).kept;
        std::map<std::pair<std::int64_t, std::int32_t>, std::pair<std::int64_t, std::int64_t>> whole;
        for (auto const& each : kept) {
            auto& [n, cents] = whole[{shifted_window(each.record.at).end.ns(), each.record.item}];
            ++n;
            cents += each.record.cents;
        }
        CHECK(apart.out.sums == whole);
        memory_log<sale> log{of.partitions};
        recorder late;
        auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records), bind("late"_name, late));
        CHECK(late.lines.empty());
        check_books(all.report(), records.size());
        if (!tame) return;
        std::map<std::pair<std::int64_t, std::int32_t>, std::pair<std::int64_t, std::int64_t>> rows;
        for (auto const& row : all) {
            rows[{row.window.end.ns(), row.key}] = {std::get<0>(row.value), std::get<1>(row.value)};
        }
        CHECK(rows == whole);
    });
}

TEST_CASE("panes by event time come at the same moves of the watermark under any pace", "[equivalence]") {
    constexpr duration interval = 2_s;
    constexpr auto pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{1_s}) | key_by<&sale::item>()
        | window(tumbling{10_s, 3_s}, at_watermark().early(every_interval(interval))) | late_to("late"_name)
        | aggregate(count(), sum<&sale::cents>());
    struct group {
        std::int64_t n = 0, cents = 0;
        bool fresh = false;
        std::int32_t index = 0;
        event_time due{};
    };
    for_seeds(40, [&](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, 4_s);
        of.partitions = 1;
        auto const records = random_records(random, of);

        std::map<std::pair<time_window, std::int32_t>, group> groups;
        panes expected;
        event_time newest = event_time::min();
        event_time watermark = event_time::min();
        auto const show = [&](auto const& place, group& g, bool early) {
            pane_info const info{
                early ? timing::early : timing::on_time, g.index, early ? -1 : 0, g.index == 0, !early};
            expected[{place.first.end.ns(), place.second}].push_back(said(g.n, g.cents, info));
            ++g.index;
            g.fresh = false;
        };
        auto const advance = [&](event_time now) {
            if (now <= watermark) return;
            watermark = now;
            for (auto at = groups.begin(); at != groups.end();) {
                auto& [place, g] = *at;
                bool const ended = now >= place.first.end;
                if (ended) show(place, g, false);
                else if (now > g.due && g.fresh) show(place, g, true);
                while (!ended && g.due < now) g.due = g.due + interval;
                at = ended ? groups.erase(at) : std::next(at);
            }
        };
        for (auto const& each : records) {
            auto const w = shifted_window(each.record.at);
            if (watermark < w.end) {
                auto [at, is_new] = groups.try_emplace({w, each.record.item});
                auto& g = at->second;
                ++g.n;
                g.cents += each.record.cents;
                g.fresh = true;
                if (is_new) g.due = each.record.at + interval;
                while (is_new && g.due < watermark) g.due = g.due + interval;
            }
            newest = std::max(newest, each.record.at);
            advance(newest - 1_s);
        }
        advance(event_time::max());

        auto const once = streamed(pipeline, records, 1, calm);
        CHECK(once.out.out == expected);
        CHECK(streamed(pipeline, records, 1, seed).out.lines == once.out.lines);
    });
}

TEST_CASE("a batch shows the same panes whatever the blocks of its log", "[equivalence]") {
    constexpr auto early = at_watermark().early(every_interval(2_s));
    auto const panes_of = [](auto const& windowing, std::size_t block_bytes) {
        testing::memory_files files;
        file_log_options how;
        how.background = false;
        how.block_bytes = block_bytes;
        how.files = &files;
        file_log<sale> log{"sales", how};
        dice random{7};
        for (auto const& each : random_records(random, {.records = 2000, .step_ms = 300})) log.append(each.record);
        log.sync();
        recorder out;
        auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{1_s}) | key_by<&sale::item>()
            | windowing | aggregate(count(), sum<&sale::cents>());
        run(batch{}, pipeline, log, out);
        return out.lines;
    };
    auto const tumbles = window(tumbling{10_s, 3_s}, early);
    CHECK_SAME(panes_of(tumbles, 1024), panes_of(tumbles, 65536));
    auto const sessions = window(session{1_s}, early);
    CHECK_SAME(panes_of(sessions, 1024), panes_of(sessions, 65536));
}
