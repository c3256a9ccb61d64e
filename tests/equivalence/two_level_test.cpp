// SPDX-License-Identifier: BSL-1.0
// not precompiled
// An aggregate over the rows of another: late corrections take the old row out before they put the new one in.
#include <driftless/op/map.hpp>
#include <equivalence/two_levels.hpp>

#include <algorithm>
#include <optional>

using namespace equivalence;

namespace {
auto corrected(duration bound, duration lateness) {
    return by_count(from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}),
        window(tumbling{10_s}, allowed_lateness{lateness}));
}
/// The greatest count per 30 s, whose windows are not those below.
auto rewindowed(duration bound, duration lateness) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::shop>()
        | window(tumbling{10_s}, allowed_lateness{lateness}) | aggregate(count())
        | map([](pane<text, std::int64_t> const& row) noexcept { return row.value; })
        | window(tumbling{30_s}, allowed_lateness{lateness})
        | aggregate(sum([](std::int64_t n) noexcept { return n; }), count());
}

table rewindowed_loops(std::vector<placed> const& records) {
    std::map<std::pair<time_window, std::string>, std::tuple<std::int64_t, std::int64_t>> groups;
    for (auto const& [place, row] : first_level(records)) {
        auto& [sum, n] = groups[{window_of(place.first.max_timestamp(), 30_s), place.second}];
        sum += row.first;
        ++n;
    }
    table out;
    for (auto const& [place, value] : groups) put(out, text{place.second}, place.first, value);
    return out;
}

/// What the first level keeps of a log of one partition.
std::vector<placed> kept(std::vector<placed> const& records, duration bound, duration lateness) {
    std::vector<placed> out;
    std::optional<std::int64_t> newest;
    for (auto const& each : records) {
        bool const late = newest && *newest - bound.ns() >= window_of(each.record.at).end.ns() + lateness.ns();
        if (!late) out.push_back(each);
        newest = newest ? std::max(*newest, each.record.at.ns()) : each.record.at.ns();
    }
    return out;
}

template <class P>
void check(P const& pipeline, std::vector<placed> const& records, std::vector<placed> const& accepted,
    std::uint64_t seed, table (*loops)(std::vector<placed> const&)) {
    auto const once = stream_over<rows>(pipeline, records, 1, {.seed = calm});
    CHECK_SAME(once.out.rows, loops(accepted));
    CHECK(once.report.refused(reason::late) == records.size() - accepted.size());
    CHECK(once.report.stages.front().in() == records.size());
    auto const other = stream_over<rows>(pipeline, records, 1, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK(other.report.stages == once.report.stages);

    memory_log<sale> log;
    auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records));
    CHECK_SAME(table_of(all), loops(records));
    CHECK(all.report().refused(reason::late) == 0);
}

template <class Make>
void check_random(std::uint64_t seed, Make make, table (*loops)(std::vector<placed> const&)) {
    dice random{seed};
    auto const bound = duration{random.between(0, 4) * 1'000'000'000};
    auto const lateness = duration{random.between(0, 40) * 1'000'000'000};
    auto const disorder = random.one_in(2) ? bound + lateness : 60_s;
    auto const records =
        random_records(random, {.records = random.below(400), .disorder = disorder, .shops = 1 + random.below(9)});
    check(make(bound, lateness), records, kept(records, bound, lateness), seed, loops);
}
}  // namespace

TEST_CASE("two levels over late corrections never count twice: stream = loops, = batch where nothing is refused",
    "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) { check_random(seed, corrected, by_count_loops); });
}

TEST_CASE("rows that are windowed again belong to the window of end - 1 ns, corrected or not", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) { check_random(seed, rewindowed, rewindowed_loops); });
}
