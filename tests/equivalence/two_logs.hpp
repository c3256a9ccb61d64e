// SPDX-License-Identifier: BSL-1.0
// What the tests of joins share: two logs of random records, a job that reads both at any pace, and what each refuses.
#ifndef DRIFTLESS_TESTS_EQUIVALENCE_TWO_LOGS_HPP
#define DRIFTLESS_TESTS_EQUIVALENCE_TWO_LOGS_HPP
#include <equivalence/generated.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace equivalence {
using log_t = memory_log<sale, columns>;

/// A record, its side, and whether it was refused.
struct arrival {
    int side;
    sale record;
    bool late = false;
};
using arrivals = std::vector<arrival>;

/// Lines in the order in which they were written.
struct lines_sink {
    std::vector<std::string> lines;
    template <class Key, class Value>
    void write(pane<Key, Value> const& row) {
        lines.push_back(encode(row.key) + '|' + encode(row.window) + '|' + encode(row.value));
    }
};
struct refused_sink {
    std::vector<std::string> lines;
    template <class Key, class Value>
    void write(pane<Key, Value> const& row) {
        lines.push_back(encode(row.value));
    }
};
inline std::vector<std::string> sorted(std::vector<std::string> all) {
    std::sort(all.begin(), all.end());
    return all;
}

/// Marks what its own watermark refuses.
inline void judge(arrivals& all, duration bound, duration grace) {
    std::optional<event_time> newest[2];
    for (auto& each : all) {
        auto& mine = newest[each.side];
        each.late = mine && each.record.at < *mine - bound - grace;
        if (!mine || *mine < each.record.at) mine = each.record.at;
    }
}
/// The order in which two logs are merged: the head with the least time, ties to the left.
inline arrivals merged(arrivals const& all) {
    arrivals side[2];
    for (auto const& each : all) side[each.side].push_back(each);
    arrivals out;
    for (std::size_t at[2] = {0, 0}; at[0] < side[0].size() || at[1] < side[1].size();) {
        int take = 0;
        if (at[0] == side[0].size()) take = 1;
        else if (at[1] < side[1].size() && side[1][at[1]].record.at < side[0][at[0]].record.at) take = 1;
        out.push_back(side[take][at[take]++]);
    }
    return out;
}
inline arrivals random_arrivals(dice& random, shape const& of) {
    arrivals out;
    auto const left = random_records(random, of);
    auto const right = random_records(random, of);
    std::size_t at[2] = {0, 0};
    while (at[0] < left.size() || at[1] < right.size()) {
        bool const take_right = at[0] == left.size() || (at[1] < right.size() && random.one_in(2));
        out.push_back({take_right ? 1 : 0, (take_right ? right : left)[at[take_right ? 1 : 0]++].record});
        // Whole seconds, so that many differences are just on a bound.
        auto const ns = out.back().record.at.ns();
        out.back().record.at = event_time{ns - (ns % 1'000'000'000 + 1'000'000'000) % 1'000'000'000};
    }
    return out;
}

template <class P>
struct streamed {
    lines_sink out;
    refused_sink late[2];
    driftless::report report;
    std::size_t state_left = 0;

    streamed(P const& pipeline, arrivals const& all, pace how) {
        log_t logs[2];
        using left_t = bound<name<"left">, log_t&>;
        using right_t = bound<name<"right">, log_t&>;
        using late_left = bound<name<"late left">, refused_sink&>;
        using late_right = bound<name<"late right">, refused_sink&>;
        std::optional<job<stream, P, left_t, right_t, late_left, late_right, lines_sink&>> running;
        auto const start = [&](int threads) {
            running.emplace(stream{.threads = threads}, pipeline, left_t{logs[0]}, right_t{logs[1]}, late_left{late[0]},
                late_right{late[1]}, out);
        };
        report = drive(
            running, start, [&](std::size_t i) { logs[all[i].side].append(all[i].record); }, all.size(), how);
    }
};
}  // namespace equivalence
#endif
