// SPDX-License-Identifier: BSL-1.0
// Guards against times in the future: batch, batch as declared and streams that are polled, restarted and spread over
// threads refuse what loops refuse, merge partitions in the order of the loops, and agree on what is left.
#include <driftless/op/at_most_ahead.hpp>
#include <equivalence/late_loops.hpp>

#include <cstdlib>

using namespace equivalence;

namespace {
/// `cents` is when the record was received, in ms.
event_time received(sale const& s) { return event_time::from_ms(s.cents); }

std::vector<placed> with_insane_times(dice& random, std::vector<placed> records) {
    auto const rare = 2 + random.below(30);
    for (auto& each : records) {
        each.record.cents = each.record.at.ms() - random.between(-3, 3);
        if (random.one_in(rare)) each.record.at = each.record.at + duration{random.between(1, 400) * 1'000'000'000};
        if (random.one_in(100)) each.record.at = event_time{INT64_MAX - random.between(0, 1) * 100'000'000'000};
    }
    return records;
}

/// One partition, and what its guard makes of its records; recomputed from the records before.
struct guarded_lane {
    std::vector<sale> records;
    std::size_t next = 0;
    std::optional<std::int64_t> newest;
    std::vector<std::int64_t> refused_in_a_row;

    [[nodiscard]] bool done() const { return next == records.size(); }
};
struct outcome_of_guard {
    std::vector<placed> taken;
    std::vector<std::string> refused;
};
std::string line_of(sale const& s) { return std::to_string(s.at.ns()) + ' ' + encode(s); }

std::int64_t distance(std::int64_t a, std::int64_t b) {
    auto const exact = static_cast<std::uint64_t>(std::max(a, b)) - static_cast<std::uint64_t>(std::min(a, b));
    return static_cast<std::int64_t>(std::min(exact, static_cast<std::uint64_t>(INT64_MAX)));
}

/// Merges by the time of the heads, where one that is refused counts as `from(lane)`, the time it is measured from.
template <class From>
outcome_of_guard guard_by_hand(std::vector<placed> const& records, std::uint32_t partitions, std::int64_t bound,
    std::size_t believe_after, From from) {
    std::vector<guarded_lane> lanes(partitions);
    for (auto const& each : records) lanes[each.partition].records.push_back(each.record);
    auto const too_far = [&](guarded_lane const& lane) {
        auto const at = lane.records[lane.next].at.ns();
        std::optional<std::int64_t> const start = from(lane);
        return at == INT64_MAX || (start && at > *start && distance(at, *start) > bound);
    };
    auto const time = [&](guarded_lane const& lane) {
        return too_far(lane) ? from(lane).value_or(INT64_MIN) : lane.records[lane.next].at.ns();
    };
    outcome_of_guard out;
    for (;;) {
        guarded_lane* first = nullptr;
        std::uint32_t p = 0;
        for (std::uint32_t i = 0; i < partitions; ++i) {
            if (lanes[i].done()) continue;
            if (first == nullptr || time(lanes[i]) < time(*first)) first = &lanes[i], p = i;
        }
        if (first == nullptr) return out;
        auto const& record = first->records[first->next];
        bool take = !too_far(*first);
        auto& row = first->refused_in_a_row;
        if (!take) {
            if (!row.empty() && distance(row.back(), record.at.ns()) > bound) row.clear();
            row.push_back(record.at.ns());
            take = row.size() == believe_after && record.at.ns() != INT64_MAX;
        }
        if (take) {
            out.taken.push_back({p, record});
            row.clear();
            first->newest = std::max(first->newest.value_or(INT64_MIN), record.at.ns());
        } else {
            out.refused.push_back(line_of(record));
        }
        ++first->next;
    }
}

struct quarantine {
    std::vector<std::string> lines;
    void write_record(sale const& s) { lines.push_back(line_of(s)); }
    void write(pane<unkeyed, sale> const& row) { write_record(row.value); }
};

/// Count and sum by item in windows, as loops have it.
template <class Guard, class From>
void check(std::uint64_t seed, Guard guard, std::int64_t ahead, std::size_t believe_after, From measured_from) {
    dice random{seed * 7919};
    auto const disorder = duration{random.between(0, 20) * 1'000'000'000};
    auto const of = random_shape(random, disorder);
    auto const records = with_insane_times(random, random_records(random, of));
    auto const expected = guard_by_hand(records, of.partitions, ahead, believe_after, measured_from);
    auto const judged = judge(expected.taken, of.partitions, disorder, 0_s);
    auto const p = [&](auto... declared) {
        return windowed(
            from<sale>()
                | assign_time<&sale::at>(bounded_disorder{disorder}, declared..., guard, divert_to{"insane"_name}),
            0_s);
    };
    auto const check_books = [&](report const& books) {
        CHECK(books.records == records.size());
        auto const* const own = books.stage("assign_time");
        REQUIRE(own != nullptr);
        CHECK(own->in() == records.size());
        CHECK(own->refusals(reason::ahead) == expected.refused.size());
        CHECK(books.stage("aggregate")->in() == expected.taken.size());
    };
    memory_log<sale, columns> log{of.partitions};
    fill(log, records);
    {
        recorder late;
        quarantine insane;
        auto const exact = run(batch{.threads = 1 + seed % 3}, p(), log, bind("late"_name, late),
            bind("insane"_name, insane));
        CHECK_SAME(table_of(exact), loops(expected.taken));
        check_books(exact.report());
        std::sort(insane.lines.begin(), insane.lines.end());  // whole blocks at a time, where nobody sees the order
        auto sorted = expected.refused;
        std::sort(sorted.begin(), sorted.end());
        CHECK_SAME(insane.lines, sorted);
    }
    recorder late;
    quarantine insane;
    auto const declared = run(batch{}, p(as_declared), log, bind("late"_name, late), bind("insane"_name, insane));
    CHECK_SAME(table_of(declared), loops(judged.kept));
    CHECK_SAME(late.lines, said_late(judged.refused));
    CHECK_SAME(insane.lines, expected.refused);
    check_books(declared.report());

    memory_log<sale> growing{of.partitions};
    recorder out, late_too;
    quarantine insane_too;
    using late_t = bound<name<"late">, recorder&>;
    using insane_t = bound<name<"insane">, quarantine&>;
    auto const live = p();
    using live_t = std::remove_const_t<decltype(live)>;
    std::optional<job<stream, live_t, memory_log<sale>&, late_t, insane_t, recorder&>> running;
    auto const books = drive(
        running,
        [&](int threads) {
            running.emplace(stream{.threads = threads}, live, growing, late_t{late_too}, insane_t{insane_too}, out);
        },
        [&](std::size_t i) { growing.append(records[i].record, records[i].partition); }, records.size(),
        {.seed = seed});
    CHECK_SAME(out.rows, loops(judged.kept));
    CHECK_SAME(late_too.lines, said_late(judged.refused));
    CHECK_SAME(insane_too.lines, expected.refused);
    check_books(books);
}
}  // namespace

TEST_CASE("at_most_ahead: batch = stream = loops", "[equivalence][at_most_ahead]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = random.between(0, 100) * 1'000'000'000;
        auto const believe_after = random.below(5);
        check(seed, at_most_ahead{duration{bound}, believe_after}, bound, believe_after,
            [](guarded_lane const& lane) { return lane.newest; });
    });
}

TEST_CASE("at_most_ahead_of another time: batch = stream = loops", "[equivalence][at_most_ahead]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = random.between(0, 100) * 1'000'000'000;
        check(seed, at_most_ahead_of([](sale const& s) { return received(s); }, duration{bound}), bound, 0,
            [](guarded_lane const& lane) { return std::optional{received(lane.records[lane.next]).ns()}; });
    });
}
