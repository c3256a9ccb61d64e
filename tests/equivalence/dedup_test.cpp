// SPDX-License-Identifier: BSL-1.0
// dedup against loops, and as batch and stream, under random disorder, chunking, threads and restores.
#include <driftless/op/dedup.hpp>

#include <equivalence/late_loops.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto timed(duration bound) { return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}); }
constexpr auto by_item(duration bound, duration ttl, duration lateness) {
    return timed(bound) | key_by<&sale::shop>() | late_to("late"_name)
        | dedup<&sale::item>(ttl, allowed_lateness{lateness});
}
constexpr auto by_shop_and_item(duration bound, duration ttl, duration lateness) {
    return timed(bound) | key_by<&sale::shop>() | late_to("late"_name)
        | dedup<&sale::shop, &sale::item>(ttl, allowed_lateness{lateness});
}

std::vector<std::string> lines_of(std::vector<placed> const& records) {
    recorder out;
    for (auto const& each : records) out.write(pane<text, sale>{each.record.shop, {}, each.record, {}});
    return out.lines;
}
template <class Results>
std::vector<std::string> lines_of_results(Results const& rows) {
    recorder out;
    for (auto const& row : rows) out.write(pane<std::string, sale>{row.key, row.window, row.value, row.info});
    return out.lines;
}
/// Every record is compared with all that have passed.
template <class IdOf>
std::vector<placed> firsts(std::vector<placed> const& in_order, duration ttl, IdOf id_of) {
    std::vector<placed> out;
    for (auto const& each : in_order) {
        bool duplicate = false;
        for (auto const& other : out) {
            duplicate = duplicate
                || (id_of(other.record) == id_of(each.record)
                    && std::llabs(other.record.at.ns() - each.record.at.ns()) < ttl.ns());
        }
        if (!duplicate) out.push_back(each);
    }
    return out;
}

template <class P, class IdOf>
void check(P const& pipeline, IdOf id_of, shape const& of, std::vector<placed> const& records, duration bound,
    duration ttl, duration lateness, bool tame, std::uint64_t seed) {
    auto const order = merged(records, of.partitions);
    // Refused iff W > t + L, so iff W >= t + L + 1.
    auto const said =
        judge_by(order, of.partitions, bound, [&](sale const& s) { return s.at + lateness + 1_ns; });
    if (tame) REQUIRE(said.refused.empty());
    auto const expected = firsts(said.kept, ttl, id_of);
    auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
    CHECK_SAME(once.out.lines, lines_of(expected));
    CHECK_SAME(once.late.lines, lines_of(said.refused));
    CHECK(once.report.refused(reason::duplicate) == said.kept.size() - expected.size());
    CHECK(once.report.state_bytes == 0);
    check_books(once.report, records.size(), "dedup");
    auto const other = stream_over<columns, true>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.late.lines, once.late.lines);

    memory_log<sale> log{of.partitions};
    recorder late;
    auto const all = run(
        batch{.threads = 1 + static_cast<int>(seed % 3)}, pipeline, fill(log, records), bind("late"_name, late));
    CHECK_SAME(lines_of_results(all), lines_of(firsts(order, ttl, id_of)));
    CHECK(late.lines.empty());
}
}  // namespace

TEST_CASE("dedup = loops = batch = stream, however it is run", "[equivalence][oracle][dedup]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 6) * 1'000'000'000};
        auto const ttl = duration{random.between(1, 12) * 500'000'000};
        auto const of = random_shape(random, tame ? bound + lateness : 20_s);
        auto const records = random_records(random, of);
        if (random.one_in(2)) {
            auto const id = [](sale const& s) { return s.item; };
            check(by_item(bound, ttl, lateness), id, of, records, bound, ttl, lateness, tame, seed);
        } else {
            auto const id = [](sale const& s) { return std::pair{s.shop.str(), s.item}; };
            check(by_shop_and_item(bound, ttl, lateness), id, of, records, bound, ttl, lateness, tame, seed);
        }
    });
}

TEST_CASE("dedup that never forgets = loops = batch = stream", "[equivalence][oracle][dedup]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, 20_s);
        of.shops = 1 + random.below(200);
        auto const records = random_records(random, of);
        auto const most = 1 + random.below(120);
        auto const pipeline = timed(1_s) | key_by<&sale::shop>() | dedup<&sale::shop>(max_keys{most});
        std::vector<placed> expected;
        for (auto const& each : merged(records, of.partitions)) {
            bool passes = expected.size() < most;
            for (auto const& other : expected) passes = passes && other.record.shop != each.record.shop;
            if (passes) expected.push_back(each);
        }
        auto const streamed = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(streamed.out.lines, lines_of(expected));
        check_books(streamed.report, records.size(), "dedup");
        memory_log<sale> log{of.partitions};
        CHECK_SAME(lines_of_results(run(batch{.threads = 2}, pipeline, fill(log, records))), lines_of(expected));
    });
}

TEST_CASE("aggregates behind dedup are the same in batch and stream, on any number of threads",
    "[equivalence][dedup]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto const of = random_shape(random, 4_s);
        auto const records = random_records(random, of);
        auto const pipeline = timed(4_s) | dedup<&sale::item, &sale::shop>(7_s) | key_by<&sale::item>()
            | window(tumbling{10_s}) | aggregate(count(), sum<&sale::cents>());
        auto const streamed = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
        memory_log<sale> log{of.partitions};
        CHECK_SAME(table_of(run(batch{.threads = 3}, pipeline, fill(log, records))), streamed.out.rows);
    });
}
