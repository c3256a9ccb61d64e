// SPDX-License-Identifier: BSL-1.0
// Joins and cogroups of two logs by windows: batch, stream in any pace, restarts and threads, against plain loops.
#include <driftless/op/assign_time.hpp>
#include <driftless/op/cogroup.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/two_logs.hpp>

#include <algorithm>
#include <set>

using namespace equivalence;

namespace {
template <class Windows>
auto sides_of(Windows windows, duration bound, duration lateness) {
    auto const side = [&](auto name, auto late) {
        return from<sale>(name) | assign_time<&sale::at>(bounded_disorder{bound}, as_declared) | key_by<&sale::shop>()
            | window(windows, allowed_lateness{lateness}) | late_to(late);
    };
    return std::pair{side("left"_name, "late left"_name), side("right"_name, "late right"_name)};
}
template <class Windows>
auto exact_sides_of(Windows windows, duration bound) {
    auto const side = [&](auto name) {
        return from<sale>(name) | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::shop>()
            | window(windows);
    };
    return std::pair{side("left"_name), side("right"_name)};
}

/// A record in one of its windows.
struct placing {
    arrival what;
    time_window window;
};
/// Each record in each window that takes it, in log order, and what was refused.
struct placings {
    std::vector<placing> taken;
    std::vector<std::string> late[2];
    std::uint64_t refused = 0;
};
template <class Windows>
placings place(arrivals const& in_order, Windows const& windows, duration bound, duration lateness) {
    placings out;
    std::optional<event_time> newest[2];
    for (auto const& each : in_order) {
        auto& mine = newest[each.side];
        each_window(windows, each.record.at, [&](time_window const& window) {
            if (mine && *mine - bound >= window.end + lateness) {
                out.late[each.side].push_back(encode(each.record));
                ++out.refused;
            } else {
                out.taken.push_back({each, window});
            }
        });
        if (!mine || *mine < each.record.at) mine = each.record.at;
    }
    return out;
}

/// Rows by window, then by canonical hash of the key; f(left, right) yields those of one key.
template <class F>
std::vector<std::string> by_group(placings const& all, F f) {
    std::vector<std::string> out;
    std::set<time_window> windows;
    std::set<std::pair<std::uint64_t, std::string>> keys;
    for (auto const& each : all.taken) {
        windows.insert(each.window);
        keys.insert({canonical_hash(each.what.record.shop), std::string{each.what.record.shop}});
    }
    for (auto const& window : windows) {
        for (auto const& [hash, key] : keys) {
            std::vector<sale> rows[2];
            for (auto const& each : all.taken) {
                if (each.window == window && each.what.record.shop == text{key}) {
                    rows[each.what.side].push_back(each.what.record);
                }
            }
            if (rows[0].empty() && rows[1].empty()) continue;
            f(rows[0], rows[1], [&](auto const& value) {
                out.push_back(encode(text{key}) + '|' + encode(window) + '|' + encode(value));
            });
        }
    }
    return out;
}
template <class Kind>
std::vector<std::string> pairs(placings const& all) {
    using project = driftless::detail::join_projection<Kind, driftless::detail::as_joined, sale, sale>;
    return by_group(all, [](std::vector<sale> const& l, std::vector<sale> const& r, auto say) {
        for (auto const& left : l) {
            if constexpr (Kind::pairs) {
                for (auto const& right : r) say(project{}(&left, &right));
                if (Kind::alone[0] && r.empty()) say(project{}(&left, nullptr));
            } else if (r.empty() == Kind::alone[0]) {
                say(left);
            }
        }
        if constexpr (Kind::alone[1]) {
            for (auto const& right : r) {
                if (l.empty()) say(project{}(nullptr, &right));
            }
        }
    });
}
std::vector<std::string> groups(placings const& all) {
    return by_group(all, [](std::vector<sale> const& l, std::vector<sale> const& r, auto say) {
        say(joined<std::vector<sale>, std::vector<sale>>{l, r});
    });
}

/// `make(left, right)` is the join or the cogroup, `oracle(placings)` what it should say.
template <class Windows, class Make, class Oracle>
void check_windows(std::uint64_t seed, Windows windows, Make make, Oracle oracle) {
    dice random{seed};
    shape of{.records = 120, .disorder = 5_s, .shops = 1 + random.below(4)};
    auto const arrived = random_arrivals(random, of);
    auto const lateness = random.one_in(2) ? 0_s : 4_s;
    bool const promised = random.one_in(2);
    auto const bound = promised ? of.disorder : 1_s;
    auto const placed = place(merged(arrived), windows, bound, lateness);
    auto const want = oracle(placed);
    auto const [left, right] = sides_of(windows, bound, lateness);
    auto const pipe = make(left, right);

    streamed const slow{pipe, arrived, {.seed = calm}};
    CHECK_SAME(slow.out.lines, want);
    CHECK_SAME(slow.late[0].lines, placed.late[0]);
    CHECK_SAME(slow.late[1].lines, placed.late[1]);
    CHECK(slow.report.stages.front().applied == placed.taken.size());
    CHECK(slow.report.refused(reason::late) == placed.refused);
    CHECK(slow.report.state_bytes == 0);
    for (int i = 0; i < 2; ++i) {
        streamed const paced{pipe, arrived, {.seed = random.below(1'000'000) + 1}};
        CHECK_SAME(paced.out.lines, want);
        CHECK_SAME(paced.late[0].lines, placed.late[0]);
        CHECK_SAME(paced.late[1].lines, placed.late[1]);
    }
    log_t logs[2];
    for (auto const& each : arrived) logs[each.side].append(each.record);
    lines_sink declared;
    refused_sink late[2];
    run(batch{}, pipe, bind("left"_name, logs[0]), bind("right"_name, logs[1]), bind("late left"_name, late[0]),
        bind("late right"_name, late[1]), declared);
    CHECK_SAME(declared.lines, want);
    if (!promised) return;
    CHECK(placed.refused == 0);
    auto const [exact_left, exact_right] = exact_sides_of(windows, bound);
    lines_sink exact;
    run(batch{}, make(exact_left, exact_right), bind("left"_name, logs[0]), bind("right"_name, logs[1]), exact);
    CHECK_SAME(exact.lines, want);
}
template <class Kind>
void check_kind(std::uint64_t seed, Kind kind) {
    auto const make = [&](auto const& l, auto const& r) { return join(l, r, kind); };
    if (seed % 2 == 0) check_windows(seed, tumbling{10_s}, make, pairs<Kind>);
    else check_windows(seed, sliding{10_s, 4_s}, make, pairs<Kind>);
}
}  // namespace

TEST_CASE("a window join is what loops over each window find, in batch and in any stream", "[equivalence][join]") {
    for_seeds(6, [](std::uint64_t seed) {
        check_kind(seed, inner{});
        check_kind(seed, left_outer{});
        check_kind(seed, full_outer{});
        check_kind(seed, left_semi{});
        check_kind(seed, left_anti{});
    });
}
TEST_CASE("a cogroup is what loops over each window gather, in batch and in any stream", "[equivalence][cogroup]") {
    for_seeds(8, [](std::uint64_t seed) {
        auto const make = [](auto const& l, auto const& r) { return cogroup(l, r); };
        if (seed % 2 == 0) check_windows(seed, tumbling{10_s}, make, groups);
        else check_windows(seed, sliding{7_s, 5_s}, make, groups);
    });
}
