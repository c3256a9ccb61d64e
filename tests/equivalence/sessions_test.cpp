// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Sessions: what a stream keeps in the end are the sessions of the records that it took, found by sorting them; with
// nothing refused, those of the batch. Under any pace, threads and restarts, and over thousands of small scripts.
#include <cases/timeline.hpp>
#include <equivalence/late_loops.hpp>

using namespace equivalence;

namespace {
auto sessions_of(session<> windows, duration bound, duration lateness) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>()
        | window(windows, allowed_lateness{lateness}) | late_to("late"_name)
        | aggregate(count(), sum<&sale::cents>(), distinct<&sale::shop>());
}
/// Sorted, and cut where the next time is a gap or more away.
table sessions_by_hand(std::vector<placed> const& records, duration gap) {
    std::map<std::int32_t, std::vector<sale>> keys;
    for (auto const& each : records) keys[each.record.item].push_back(each.record);
    tally all;
    for (auto& [item, sales] : keys) {
        std::sort(sales.begin(), sales.end(), [](sale const& a, sale const& b) { return a.at < b.at; });
        for (std::size_t i = 0; i < sales.size();) {
            auto last = i;
            while (last + 1 < sales.size() && sales[last + 1].at - sales[last].at < gap) ++last;
            time_window const window{sales[i].at, sales[last].at + gap};
            for (; i <= last; ++i) all.add(window, sales[i]);
        }
    }
    return all.rows();
}
/// A record is refused by its own window: the watermark before it has reached time + gap + lateness.
judged judge_sessions(std::vector<placed> const& in_order, std::uint32_t partitions, duration bound, duration behind) {
    return judge_by(in_order, partitions, bound, [&](sale const& s) { return s.at + behind; });
}
}  // namespace

TEST_CASE("sessions: stream = the sorted records it took, = batch where it took all", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const gap = duration{random.between(1, 15) * 1'000'000'000};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 9) * 1'000'000'000};
        auto of = random_shape(random, tame ? bound + lateness : 60_s);
        of.step_ms = random.between(100, 4000);
        auto const records = random_records(random, of);
        auto const expected = judge_sessions(merged(records, of.partitions), of.partitions, bound, gap + lateness);
        if (tame) REQUIRE(expected.refused.empty());

        auto const pipeline = sessions_of(session{gap}, bound, lateness);
        auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
        CHECK_SAME(once.out.rows, sessions_by_hand(expected.kept, gap));
        CHECK(once.late.lines.size() == expected.refused.size());
        check_books(once.report, records.size());
        CHECK(once.report.refused(reason::late) == expected.refused.size());
        CHECK(once.report.state_bytes == 0);

        auto const other = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        CHECK_SAME(other.late.lines, once.late.lines);
        check_books(other.report, records.size());

        memory_log<sale> log{of.partitions};
        recorder late;
        auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records), bind("late"_name, late));
        CHECK_SAME(table_of(all), sessions_by_hand(records, gap));
        CHECK(late.lines.empty());
        check_books(all.report(), records.size());
    });
}

namespace {
/// What rows are there after all lines of a case.
std::set<std::string> left_of(std::vector<std::string> const& lines) {
    std::set<std::string> rows;
    auto const place = [](std::string const& line) {
        auto const from = line.find(": ") + 2;
        return line.substr(from, line.find(')') + 1 - from);
    };
    for (auto const& line : lines) {
        std::erase_if(rows, [&](std::string const& row) { return row.starts_with(place(line) + " "); });
        if (line.ends_with("removed")) continue;
        auto const equals = line.find(" = ");
        rows.insert(place(line) + line.substr(equals, line.find(' ', equals + 3) - equals));
    }
    return rows;
}
}  // namespace

TEST_CASE("thousands of scripts of sessions without drift", "[equivalence]") {
    for_seeds(5000, [](std::uint64_t seed) {
        dice random{seed};
        auto const gap = random.between(1, 8);
        auto const lateness = random.one_in(2) ? 0 : random.between(0, 10);
        auto const pipeline = cases::keyed_hits | window(session{duration{gap}}, allowed_lateness{duration{lateness}})
            | aggregate(count());
        std::vector<cases::move> script;
        std::map<std::int64_t, std::vector<std::int64_t>> taken;
        std::int64_t watermark = -100;
        std::int64_t now = 0;
        for (auto left = random.between(3, 14); left != 0; --left) {
            if (random.one_in(3)) {
                watermark = std::max(watermark, now - random.between(0, 6));
                script.push_back(cases::wm(watermark));
                continue;
            }
            now += random.between(0, 4);
            auto const at = now - random.between(0, 12);
            auto const key = random.between(0, 1);
            script.push_back(cases::hit_at(at, 1, key));
            if (watermark < at + gap + lateness) taken[key].push_back(at);
        }
        script.push_back(cases::end());

        std::set<std::string> expected;
        for (auto& [key, times] : taken) {
            std::sort(times.begin(), times.end());
            for (std::size_t i = 0; i < times.size();) {
                auto const first = i;
                while (++i < times.size() && times[i] - times[i - 1] < gap) {}
                expected.insert(std::to_string(key) + " [" + std::to_string(times[first]) + ","
                    + std::to_string(times[i - 1] + gap) + ") = " + std::to_string(i - first));
            }
        }
        auto const out = cases::play(pipeline, script, seed % 2 == 0, 1 + (seed % 16 == 0 ? 1 : 0));
        CHECK(left_of(out.lines) == expected);
        CHECK(out.report.state_bytes == 0);
    });
}
