// SPDX-License-Identifier: BSL-1.0
// Count windows against loops, and as batch and stream, under random disorder, chunking, threads and restores.
#include <driftless/op/count_window.hpp>

#include <driftless/agg.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
struct written_down {
    std::string operator()(std::string so_far, sale const& s) const {
        return std::move(so_far) + s.shop.str() + std::to_string(s.cents) + ';';
    }
};
constexpr auto counted(std::uint64_t size, duration bound) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::shop>()
        | window(count_window{size})
        | aggregate(count(), sum<&sale::cents>(), fold(std::string{}, written_down{}), unbounded_state{});
}
using row = std::tuple<std::int64_t, std::int64_t, std::string>;

/// Full windows as they fill, then the others by (window, canonical order of the keys).
std::vector<std::string> loops(std::vector<placed> const& merged, std::uint64_t size) {
    struct group {
        text key;
        row value;
        std::uint64_t n = 0;
    };
    std::map<std::string, group> groups;
    recorder out;
    auto const say = [&](group const& g, std::uint64_t first) {
        time_window const places{event_time{static_cast<std::int64_t>(first)},
            event_time{static_cast<std::int64_t>(first + size)}};
        out.write(pane<text, row>{g.key, places, g.value, {}});
    };
    for (auto const& each : merged) {
        auto& g = groups[each.record.shop.str()];
        g.key = each.record.shop;
        auto& [n, sum, said] = g.value;
        ++n;
        sum += each.record.cents;
        said = written_down{}(said, each.record);
        if (++g.n % size != 0) continue;
        say(g, g.n - size);
        g.value = {};
    }
    std::vector<std::tuple<std::uint64_t, std::uint64_t, std::string>> left;
    for (auto const& [key, g] : groups) {
        if (g.n % size != 0) left.emplace_back(g.n - g.n % size, canonical_hash(g.key), key);
    }
    std::sort(left.begin(), left.end());
    for (auto const& [first, hash, key] : left) say(groups[key], first);
    return out.lines;
}
}  // namespace

TEST_CASE("count windows = loops = batch = stream, however they are run", "[equivalence][oracle][count_window]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        std::uint64_t const size = random.one_in(8) ? 1 : 1 + random.below(12);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        // Nothing is late, however far behind the watermark it comes.
        auto const of = random_shape(random, 20_s);
        auto const records = random_records(random, of);
        auto const expected = loops(merged(records, of.partitions), size);

        auto const pipeline = counted(size, bound);
        auto const once = stream_over<rows>(pipeline, records, of.partitions, {.seed = calm});
        CHECK_SAME(once.out.lines, expected);
        CHECK(once.report.stage("aggregate")->applied == records.size());
        CHECK(once.report.state_bytes == 0);
        auto const other = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, expected);
        CHECK(other.report.stage("aggregate")->in() == records.size());

        memory_log<sale> log{of.partitions};
        recorder batched;
        auto const threads = 1 + static_cast<int>(seed % 3);
        static_cast<void>(run(batch{.threads = threads}, pipeline, fill(log, records), batched));
        CHECK_SAME(batched.lines, expected);
    });
}

TEST_CASE("rows of count windows go on in time, in both modes", "[equivalence][count_window]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto const of = random_shape(random, 4_s);
        auto const records = random_records(random, of);
        auto const pipeline = counted(1 + random.below(6), 4_s) | key_by([](auto const& row) { return row.key.size(); })
            | window(tumbling{10_s}) | aggregate(count());
        auto const streamed = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
        memory_log<sale> log{of.partitions};
        auto const batched = run(batch{.threads = 2}, pipeline, fill(log, records));
        CHECK_SAME(table_of(batched), streamed.out.rows);
        CHECK(streamed.report.refused(reason::late) == 0);
    });
}
