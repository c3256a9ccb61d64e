// SPDX-License-Identifier: BSL-1.0
// Sessions with a named trigger: every pane, and every row that a merge takes back, is the one that loops make,
// whatever the poll sizes, threads and restarts; what is there in the end is what a batch has.
#include <driftless/op/triggered_session.hpp>

#include <equivalence/late_loops.hpp>

#include <algorithm>

using namespace equivalence;

namespace {
constexpr std::uint64_t early_count = 3;
constexpr std::uint64_t late_count = 2;
constexpr auto gap = 4_s;

template <class... Options>
constexpr auto triggered(duration bound, duration lateness, Options... options) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>()
        | window(session{gap}, allowed_lateness{lateness},
            at_watermark().early(every(early_count)).late(every(late_count)), options...)
        | late_to("late"_name) | aggregate(count(), sum<&sale::cents>());
}

/// What comes out of each key, in order.
using lines_of_keys = std::map<std::int32_t, std::vector<std::string>>;
std::string said(time_window const& w, std::int64_t n, std::int64_t cents, pane_info const& info) {
    return std::to_string(w.start.ns()) + ".." + std::to_string(w.end.ns()) + " " + std::to_string(n) + " "
        + std::to_string(cents) + " " + std::string{to_string(info.timing)} + " " + std::to_string(info.index) + " "
        + std::to_string(info.non_speculative_index) + (info.first ? "f" : "-") + (info.last ? "l" : "-");
}
std::string said_gone(time_window const& w) {
    return "no " + std::to_string(w.start.ns()) + ".." + std::to_string(w.end.ns());
}

/// What it means, by hand.
class loops_by_hand {
    struct one {
        time_window window;
        std::int64_t n = 0, cents = 0, part_n = 0, part_cents = 0;
        std::uint64_t fresh = 0, early = 0, late = 0;
        std::int32_t index = 0, certain = 0, certain_here = 0;
        bool passed = false, shown = false;
    };
    std::map<std::int32_t, std::vector<one>> sessions_;  // of each key, by their start
    duration lateness_;
    bool discarding_;
    bool keeps_swallowed_;

    void fire(std::int32_t item, one& s, event_time promised, event_time now, bool last) {
        bool const at_end = now >= s.window.end;
        auto const when = s.certain_here != 0 || promised >= s.window.end ? timing::late
            : at_end                                                      ? timing::on_time
                                                                          : timing::early;
        if (s.passed) s.late = s.late >= late_count ? 0 : s.late;
        else if (at_end) s.passed = true;
        else s.early = 0;
        if (s.fresh == 0 && when != timing::on_time) return;
        pane_info const info{when, s.index, when == timing::early ? -1 : s.certain, s.index == 0, last};
        out[item].push_back(discarding_ ? said(s.window, s.part_n, s.part_cents, info)
                                        : said(s.window, s.n, s.cents, info));
        ++s.index;
        if (when != timing::early) ++s.certain, ++s.certain_here;
        s.fresh = 0;
        s.part_n = s.part_cents = 0;
        s.shown = true;
    }

public:
    lines_of_keys out;
    std::uint64_t refused = 0;

    loops_by_hand(duration lateness, bool discarding, bool keeps_swallowed)
        : lateness_(lateness), discarding_(discarding), keeps_swallowed_(keeps_swallowed) {}
    void record(sale const& s, event_time watermark) {
        time_window const span{s.at, s.at + gap};
        if (watermark >= span.end + lateness_) {
            ++refused;
            return;
        }
        auto& all = sessions_[s.item];
        one merged;
        merged.window = span;
        std::vector<one> others;
        std::vector<one> parts;
        for (auto const& each : all) {
            bool const meets = each.window.start < span.end && span.start < each.window.end;
            (meets ? parts : others).push_back(each);
            if (!meets) continue;
            merged.window.start = std::min(merged.window.start, each.window.start);
            merged.window.end = std::max(merged.window.end, each.window.end);
        }
        bool const same = parts.size() == 1 && parts[0].window == merged.window;
        bool deleted = false;
        for (auto const& each : parts) {
            if (each.shown && !same && !keeps_swallowed_) {
                out[s.item].push_back(said_gone(each.window));
                deleted = true;
            }
            merged.n += each.n, merged.cents += each.cents;
            merged.part_n += each.part_n, merged.part_cents += each.part_cents;
            merged.fresh += each.fresh, merged.early += each.early, merged.late += each.late;
            merged.index = std::max(merged.index, each.index);
            merged.certain = std::max(merged.certain, each.certain);
        }
        if (same) {
            merged.certain_here = parts[0].certain_here;
            merged.passed = parts[0].passed;
            merged.shown = parts[0].shown;
        } else if (!parts.empty()) {
            merged.passed = watermark >= merged.window.end;
        }
        ++merged.n, ++merged.part_n, ++merged.fresh;
        merged.cents += s.cents, merged.part_cents += s.cents;
        if (deleted) merged.part_n = merged.n, merged.part_cents = merged.cents;
        merged.passed ? ++merged.late : ++merged.early;
        bool const due = merged.passed ? merged.late >= late_count
                                       : watermark >= merged.window.end || merged.early >= early_count;
        if (due) fire(s.item, merged, watermark, watermark, false);
        others.push_back(merged);
        std::sort(others.begin(), others.end(), [](one const& a, one const& b) { return a.window < b.window; });
        all = others;
    }
    void watermark(event_time before, event_time now) {
        for (auto& [item, all] : sessions_) {
            std::vector<one> left;
            for (auto& each : all) {
                bool const last = now >= each.window.end + gap + lateness_;
                if (now >= each.window.end && (last || !each.passed)) fire(item, each, before, now, last);
                if (!last) left.push_back(each);
            }
            all = left;
        }
    }
    [[nodiscard]] std::map<std::pair<std::int32_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>> rest() const {
        std::map<std::pair<std::int32_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>> rows;
        for (auto const& [item, all] : sessions_) {
            for (auto const& each : all) rows[{item, each.window.start.ns()}] = {each.n, each.cents};
        }
        return rows;
    }
};
loops_by_hand by_hand(std::vector<placed> const& in_order, std::uint32_t partitions, duration bound,
    loops_by_hand loops) {
    std::vector<std::optional<std::int64_t>> newest(partitions);
    event_time watermark = event_time::min();
    for (auto const& each : in_order) {
        loops.record(each.record, watermark);
        auto& mine = newest[each.partition];
        mine = mine ? std::max(*mine, each.record.at.ns()) : each.record.at.ns();
        std::int64_t least = INT64_MAX;
        bool reported = true;
        for (auto const& n : newest) {
            reported = reported && n.has_value();
            if (n) least = std::min(least, *n);
        }
        auto const next = event_time{least} - bound;
        if (!reported || next <= watermark) continue;
        loops.watermark(watermark, next);
        watermark = next;
    }
    loops.watermark(watermark, event_time::max());
    return loops;
}

struct pane_recorder {
    lines_of_keys out;
    std::vector<std::string> lines;
    std::map<std::pair<std::int32_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>> rows;

    void write(pane<std::int32_t, std::tuple<std::int64_t, std::int64_t>> const& row) {
        auto const& [n, cents] = row.value;
        add(row.key, said(row.window, n, cents, row.info));
        rows[{row.key, row.window.start.ns()}] = {n, cents};
    }
    void remove(std::int32_t key, time_window window) {
        add(key, said_gone(window));
        rows.erase({key, window.start.ns()});
    }
    void add(std::int32_t key, std::string const& line) {
        out[key].push_back(line);
        lines.push_back(std::to_string(key) + " " + line);
    }
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

TEST_CASE("sessions with a trigger: stream = loops, under any pace; what is left = batch", "[equivalence][session]") {
    std::size_t panes = 0, removals = 0;
    for_seeds(80, [&](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 20) * 1'000'000'000};
        auto const of = random_shape(random, tame ? bound + lateness : 40_s);
        auto const records = random_records(random, of);
        auto const in_order = merged(records, of.partitions);

        auto const pipeline = triggered(bound, lateness);
        auto const expected = by_hand(in_order, of.partitions, bound, {lateness, false, false});
        auto const once = streamed(pipeline, records, of.partitions, calm);
        CHECK(once.out.out == expected.out);
        CHECK(once.report.refused(reason::late) == expected.refused);
        CHECK(once.late.lines.size() == expected.refused);
        check_books(once.report, records.size());
        auto const other = streamed(pipeline, records, of.partitions, seed);
        CHECK(other.out.lines == once.out.lines);
        CHECK(other.late.lines == once.late.lines);
        check_books(other.report, records.size());
        for (auto const& line : once.out.lines) {
            ++panes;
            removals += line.find("no ") != std::string::npos;
        }

        auto const parts = streamed(triggered(bound, lateness, discarding{}), records, of.partitions, seed + 1);
        CHECK(parts.out.out == by_hand(in_order, of.partitions, bound, {lateness, true, false}).out);
        auto const kept =
            streamed(triggered(bound, lateness, discarding{}, keep_swallowed{}), records, of.partitions, seed + 2);
        CHECK(kept.out.out == by_hand(in_order, of.partitions, bound, {lateness, true, true}).out);

        memory_log<sale> log{of.partitions};
        recorder late;
        auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records), bind("late"_name, late));
        CHECK(late.lines.empty());
        check_books(all.report(), records.size());
        std::map<std::pair<std::int32_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>> rows;
        for (auto const& row : all) {
            rows[{row.key, row.window.start.ns()}] = {std::get<0>(row.value), std::get<1>(row.value)};
        }
        loops_by_hand whole{lateness, false, false};
        for (auto const& each : in_order) whole.record(each.record, event_time::min());
        CHECK(rows == whole.rest());
        if (tame) CHECK(once.out.rows == rows);
    });
    CHECK(panes > 2000);
    CHECK(removals > 500);
}
