// SPDX-License-Identifier: BSL-1.0
// dedup that keeps the newest version against loops, and as batch and stream, under random disorder, chunking, threads
// and restores; and both kinds of dedup where threads could be seen: partitions behind it, bytes of snapshots.
#include <driftless/op/dedup_newest.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/session.hpp>
#include <equivalence/late_loops.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto timed(duration bound) { return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}); }
constexpr auto by_cents = newest<&sale::cents>();

/// What is known of one group, and what it has said.
struct group {
    std::string id;
    std::int64_t anchor;
    sale newest;
};
struct said_by_hand {
    std::vector<placed> told;  ///< the records that went on
    std::size_t duplicates = 0;
};
template <class IdOf, class Newer>
said_by_hand newest_of(std::vector<placed> const& in_order, std::optional<duration> ttl, IdOf id_of, Newer newer) {
    said_by_hand out;
    std::vector<group> groups;
    for (auto const& each : in_order) {
        auto const at = each.record.at.ns();
        group* mine = nullptr;
        for (auto& one : groups) {
            if (one.id != encode(id_of(each.record))) continue;
            if (ttl && std::llabs(one.anchor - at) >= ttl->ns()) continue;
            if (mine == nullptr || one.anchor < mine->anchor) mine = &one;
        }
        if (mine == nullptr) {
            groups.push_back({encode(id_of(each.record)), at, each.record});
        } else if (newer(mine->newest, each.record)) {
            mine->newest = each.record;
        } else {
            ++out.duplicates;
            continue;
        }
        out.told.push_back(each);
    }
    return out;
}
template <class IdOf>
std::vector<std::string> lines_of(std::vector<placed> const& records, IdOf id_of) {
    recorder out;
    using id = std::remove_cvref_t<decltype(id_of(records[0].record))>;
    for (auto const& each : records) out.write(pane<id, sale>{id_of(each.record), {}, each.record, {}});
    return out.lines;
}

template <class P, class IdOf, class Newer>
void check(P const& pipeline, IdOf id_of, Newer newer, shape const& of, std::vector<placed> const& records,
    duration bound, duration ttl, duration lateness, std::uint64_t seed) {
    auto const order = merged(records, of.partitions);
    // Refused iff W > t + L, so iff W >= t + L + 1.
    auto const judged = judge_by(order, of.partitions, bound, [&](sale const& s) { return s.at + lateness + 1_ns; });
    auto const expected = newest_of(judged.kept, ttl, id_of, newer);
    auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
    CHECK_SAME(once.out.lines, lines_of(expected.told, id_of));
    CHECK(once.report.refused(reason::duplicate) == expected.duplicates);
    CHECK(once.report.refused(reason::late) == judged.refused.size());
    CHECK(once.late.lines.size() == judged.refused.size());
    CHECK(once.report.state_bytes == 0);
    check_books(once.report, records.size(), "dedup");
    auto const other = stream_over<columns, true>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.late.lines, once.late.lines);

    memory_log<sale> log{of.partitions};
    fill(log, records);
    auto const all = newest_of(order, ttl, id_of, newer);
    for (int const threads : {1, 2, 3}) {
        recorder late;
        recorder out;
        run(batch{.threads = threads}, pipeline, log, bind("late"_name, late), out);
        CHECK_SAME(out.lines, lines_of(all.told, id_of));
        CHECK(late.lines.empty());
    }
}
/// Streams by any number of threads say the same in the same order, and leave the same state.
template <class P>
void check_threads(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions,
    std::uint64_t seed) {
    memory_log<sale> log{partitions};
    fill(log, records);
    std::optional<recorder> first;
    std::optional<recorder> first_late;
    std::string first_state;
    for (int const threads : {1, 2, 3}) {
        dice random{seed};
        recorder out;
        recorder late;
        job running{stream{.threads = threads}, pipeline, log, bind("late"_name, late), out};
        while (running.poll(1 + random.below(60)) != 0) {}
        auto const state = running.snapshot();
        running.drain();
        if (threads == 1) {
            first = out;
            first_late = late;
            first_state = state;
        }
        CHECK_SAME(out.lines, first->lines);
        CHECK_SAME(late.lines, first_late->lines);
        CHECK(state == first_state);
    }
}
}  // namespace

TEST_CASE("dedup with newest = loops = batch = stream, however it is run", "[equivalence][oracle][dedup]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 6) * 1'000'000'000};
        auto const ttl = duration{random.between(1, 12) * 500'000'000};
        auto const of = random_shape(random, random.one_in(2) ? bound + lateness : 20_s);
        auto records = random_records(random, of);
        for (auto& each : records) each.record.cents %= 4;  // versions are often alike
        auto const input = timed(bound) | key_by<&sale::shop>() | late_to("late"_name);
        auto const allowed = allowed_lateness{lateness};
        if (random.one_in(2)) {
            auto const id = [](sale const& s) { return s.item; };
            auto const newer = [](sale const& old, sale const& now) { return old.cents < now.cents; };
            auto const p = input | dedup<&sale::item>(ttl, by_cents, allowed);
            check(p, id, newer, of, records, bound, ttl, lateness, seed);
        } else {
            auto const id = [](sale const& s) { return s.shop; };
            auto const newer = [](sale const& old, sale const& now) { return old.at < now.at; };
            auto const p = input | dedup<&sale::shop>(ttl, newest(), allowed);
            check(p, id, newer, of, records, bound, ttl, lateness, seed);
        }
    });
}

TEST_CASE("an aggregate behind dedup with newest holds the newest version of each id", "[equivalence][dedup]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto const of = random_shape(random, 4_s);
        auto const records = random_records(random, of);
        auto const pipeline = timed(4_s) | dedup<&sale::item>(unbounded_state{}, by_cents) | key_by<&sale::shop>()
            | aggregate(count(), sum<&sale::cents>(), unbounded_state{});
        auto const id_of = [](sale const& s) { return s.item; };
        auto const newer = [](sale const& old, sale const& now) { return old.cents < now.cents; };
        std::map<std::int32_t, sale> newest_by_item;
        for (auto const& each : newest_of(merged(records, of.partitions), std::nullopt, id_of, newer).told)
            newest_by_item[each.record.item] = each.record;
        std::map<std::string, std::pair<std::int64_t, std::int64_t>> by_shop;
        for (auto const& [item, s] : newest_by_item) {
            ++by_shop[s.shop.str()].first;
            by_shop[s.shop.str()].second += s.cents;
        }
        memory_log<sale> log{of.partitions};
        auto const batched = run(batch{.threads = 2}, pipeline, fill(log, records));
        REQUIRE(batched.size() == by_shop.size());
        for (auto const& row : batched)
            CHECK(std::pair{std::get<0>(row.value), std::get<1>(row.value)} == by_shop[row.key]);
        auto const streamed = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(table_of(batched), streamed.out.rows);
    });
}

TEST_CASE("dedup in shards tells what follows which partition a record is of", "[equivalence][dedup]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, 4_s);
        of.partitions = 2;
        of.shops = 1 + random.below(200);
        auto const records = random_records(random, of);
        // The watermark is made behind dedup, of the partitions that it hands on; or before it, by what follows.
        auto const distinct_rows = dedup<&sale::shop, &sale::item>(unbounded_state{});
        auto const with_time = assign_time<&sale::at>(bounded_disorder{1_s});
        auto const counted = [](auto const& input) {
            return input | key_by<&sale::item>() | window(tumbling{10_s}) | late_to("late"_name)
                | aggregate(count(), sum<&sale::cents>());
        };
        check_threads(counted(from<sale>() | distinct_rows | with_time), records, of.partitions, seed);
        check_threads(counted(from<sale>() | with_time | distinct_rows), records, of.partitions, seed);
        // What follows decides by its state when it is due.
        auto const sessions = from<sale>() | with_time | distinct_rows | key_by<&sale::item>()
            | window(session{2_s}) | late_to("late"_name) | aggregate(count());
        auto one = records;
        for (auto& each : one) each.partition = 0;
        check_threads(sessions, one, 1, seed);
    });
}
