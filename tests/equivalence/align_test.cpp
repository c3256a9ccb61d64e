// SPDX-License-Identifier: BSL-1.0
// Inputs and partitions that keep pace: batch, streams of any pace, restarts and thread counts read them in the order
// that a loop over their heads finds, and a join of them yields what it yields without.
#include <driftless/op/align.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/two_logs.hpp>

#include <algorithm>
#include <cstdlib>

using namespace equivalence;

namespace {
using row_log = memory_log<sale>;
constexpr auto time_of = [](sale const& s) { return s.at; };
constexpr std::uint32_t lane_count = 3;  // two partitions on the left, one on the right

/// Every record goes to the left log's partition 0 or 1, or to the right log.
struct logs_of_three {
    row_log left{2};
    row_log right;

    void append(placed const& each) {
        if (each.partition < 2) left.append(each.record, each.partition);
        else right.append(each.record);
    }
    [[nodiscard]] event_time appended_at(std::uint32_t lane, std::uint64_t offset) const {
        return lane < 2 ? left.read(lane, offset).append_time() : right.read(0, offset).append_time();
    }
};
/// Some lanes begin before others, and some run ahead: what skew is made of.
std::vector<placed> skewed_records(dice& random, duration disorder) {
    // Some logs are longer than a block: lanes are appended to in turns then.
    auto const count = random.one_in(8) ? 5'000 + random.below(2'000) : random.below(250);
    auto made = random_records(random, {.records = count, .partitions = lane_count, .disorder = disorder});
    duration const ahead[lane_count] = {random.between(0, 60) * 1_s, 0_s, random.between(0, 60) * 1_s};
    for (auto& each : made) each.record.at = each.record.at + ahead[each.partition];
    if (random.one_in(2)) return made;
    std::vector<placed> one_by_one;
    for (std::uint32_t p = 0; p < lane_count; ++p) {
        for (auto const& each : made) {
            if (each.partition == p) one_by_one.push_back(each);
        }
    }
    return one_by_one;
}

/// The rule from scratch: of the lanes that are not too far ahead the one that was appended first.
std::vector<std::string> aligned_by_hand(
    std::vector<placed> const& records, logs_of_three const& logs, std::int64_t drift) {
    std::vector<sale> lanes[lane_count];
    for (auto const& each : records) lanes[each.partition].push_back(each.record);
    std::size_t next[lane_count] = {};
    std::optional<std::int64_t> reached[lane_count];
    std::vector<std::string> out;
    while (out.size() < records.size()) {
        std::optional<std::int64_t> slowest;
        bool some_new = false;
        for (std::uint32_t p = 0; p < lane_count; ++p) {
            if (next[p] == lanes[p].size()) continue;
            if (!reached[p]) some_new = true;
            else if (!slowest || *reached[p] < *slowest) slowest = reached[p];
        }
        std::optional<std::uint32_t> first;
        for (std::uint32_t p = 0; p < lane_count; ++p) {
            if (next[p] == lanes[p].size()) continue;
            if (reached[p] && (some_new || *reached[p] - *slowest > drift)) continue;
            if (!first || logs.appended_at(p, next[p]) < logs.appended_at(*first, next[*first])) first = p;
        }
        auto const& record = lanes[*first][next[*first]++];
        reached[*first] = std::max(reached[*first].value_or(INT64_MIN), record.at.ns());
        out.push_back(encode(record));
    }
    return out;
}

template <class P>
std::vector<std::string> stream_three(P const& pipeline, std::vector<placed> const& records, logs_of_three& logs,
    pace how) {
    lines_sink out;
    using left_t = bound<name<"left">, row_log&>;
    using right_t = bound<name<"right">, row_log&>;
    std::optional<job<stream, P, left_t, right_t, lines_sink&>> running;
    auto const start = [&](int threads) {
        running.emplace(stream{.threads = threads}, pipeline, left_t{logs.left}, right_t{logs.right}, out);
    };
    auto const report =
        drive(running, start, [&](std::size_t i) { logs.append(records[i]); }, records.size(), how);
    CHECK(report.records == records.size());
    return out.lines;
}
template <class P>
std::vector<std::string> batch_three(P const& pipeline, logs_of_three const& logs, int threads) {
    lines_sink out;
    run(batch{.threads = threads}, pipeline, bind("left"_name, logs.left), bind("right"_name, logs.right), out);
    return out.lines;
}
}  // namespace

TEST_CASE("aligned inputs are read in the order of the rule, in batch and in any stream", "[equivalence][align]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const records = skewed_records(random, 5_s);
        auto const drift = random.between(0, 20) * 1_s;
        auto const side = [&](auto name) {
            return from<sale>(name) | assign_time(time_of, bounded_disorder{60_s}, align(drift));
        };
        auto const pipe = merge(side("left"_name), side("right"_name));
        for (std::uint64_t const pace_seed : {calm, seed, seed + 1'000}) {
            logs_of_three logs;
            auto const streamed = stream_three(pipe, records, logs, {.seed = pace_seed});
            auto expected = aligned_by_hand(records, logs, drift.ns());
            for (auto& each : expected) each = encode(unkeyed{}) + '|' + encode(time_window{}) + '|' + each;
            CHECK_SAME(streamed, expected);
            CHECK_SAME(batch_three(pipe, logs, 1), expected);
        }
    });
}

TEST_CASE("a join of aligned inputs yields what it yields without, in one order", "[equivalence][align]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto const records = skewed_records(random, 5_s);
        auto const drift = random.between(0, 20) * 1_s;
        auto const within = interval{-random.between(0, 9) * 1_s, random.between(0, 9) * 1_s};
        auto const joined_sides = [&](auto... options) {
            auto const side = [&](auto name) {
                return from<sale>(name) | assign_time(time_of, bounded_disorder{60_s}, options...)
                    | key_by<&sale::item>();
            };
            return join(side("left"_name), side("right"_name), within, full_outer{});
        };
        auto const aligned = joined_sides(align(drift));
        logs_of_three logs;
        auto const once = stream_three(aligned, records, logs, {.seed = calm});
        CHECK_SAME(sorted(once), sorted(batch_three(joined_sides(), logs, 1)));
        CHECK_SAME(sorted(once), sorted(batch_three(aligned, logs, 1 + static_cast<int>(seed % 3))));
        // In another pace the records are appended at other times; over the same logs nothing differs.
        lines_sink again;
        std::optional<job<stream, std::remove_const_t<decltype(aligned)>, bound<name<"left">, row_log&>,
            bound<name<"right">, row_log&>, lines_sink&>>
            running;
        auto const start = [&](int threads) {
            running.emplace(stream{.threads = threads}, aligned, bind("left"_name, logs.left),
                bind("right"_name, logs.right), again);
        };
        drive(running, start, [](std::size_t) {}, records.size(), {.seed = seed});
        CHECK_SAME(again.lines, once);
    });
}
