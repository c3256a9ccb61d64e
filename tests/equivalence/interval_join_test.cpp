// SPDX-License-Identifier: BSL-1.0
// Interval joins of two logs: batch, stream in any pace, restarts and thread counts, against plain loops.
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/two_logs.hpp>

#include <algorithm>

using namespace equivalence;

namespace {
template <class Kind>
auto pipe_of(interval within, Kind kind, duration bound, duration grace) {
    auto const side = [&](auto name, auto late) {
        return from<sale>(name) | assign_time<&sale::at>(bounded_disorder{bound}, as_declared) | key_by<&sale::shop>()
            | late_to(late);
    };
    return join(side("left"_name, "late left"_name), side("right"_name, "late right"_name), within, kind,
        allowed_lateness{grace});
}
/// The same without a declared watermark in batch.
template <class Kind>
auto exact_pipe_of(interval within, Kind kind, duration bound, duration grace) {
    auto const side = [&](auto name) {
        return from<sale>(name) | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::shop>();
    };
    return join(side("left"_name), side("right"_name), within, kind, allowed_lateness{grace});
}

bool meet(sale const& l, sale const& r, interval const& within) {
    auto const apart = r.at.ns() - l.at.ns();
    bool const above = within.lo_is_out ? apart > within.lo.ns() : apart >= within.lo.ns();
    bool const below = within.hi_is_out ? apart < within.hi.ns() : apart <= within.hi.ns();
    return l.shop == r.shop && above && below;
}

/// What comes out, from scratch; pairs in the order of the later record, partners by time and then as they came.
template <class Kind>
std::vector<std::string> oracle(arrivals const& in_order, interval const& within) {
    std::vector<std::string> out;
    using row = typename driftless::detail::join_output<Kind, driftless::detail::as_joined, sale, sale>::type;
    auto const say = [&](sale const* l, sale const* r) {
        auto const key = l != nullptr ? l->shop : r->shop;
        out.push_back(encode(key) + '|' + encode(time_window{}) + '|'
            + encode(row{driftless::detail::join_projection<Kind, driftless::detail::as_joined, sale, sale>{}(l, r)}));
    };
    for (std::size_t i = 0; i < in_order.size(); ++i) {
        auto const& one = in_order[i];
        if (one.late) continue;
        std::vector<std::size_t> partners;
        std::size_t before = 0;
        for (std::size_t k = 0; k < in_order.size(); ++k) {
            auto const& other = in_order[k];
            if (other.late || other.side == one.side) continue;
            auto const& l = one.side == 0 ? one.record : other.record;
            auto const& r = one.side == 0 ? other.record : one.record;
            if (!meet(l, r, within)) continue;
            partners.push_back(k);
            if (k < i) ++before;
        }
        if constexpr (Kind::pairs) {
            std::vector<std::size_t> here(partners.begin(), partners.begin() + static_cast<std::ptrdiff_t>(before));
            std::sort(here.begin(), here.end(), [&](std::size_t a, std::size_t b) {
                auto const x = in_order[a].record.at;
                auto const y = in_order[b].record.at;
                return x != y ? x < y : a < b;
            });
            for (auto const k : here) {
                auto const& other = in_order[k].record;
                one.side == 0 ? say(&one.record, &other) : say(&other, &one.record);
            }
            if (Kind::alone[one.side] && partners.empty()) {
                one.side == 0 ? say(&one.record, nullptr) : say(nullptr, &one.record);
            }
        } else if (one.side == 0 && partners.empty() == Kind::alone[0]) {
            say(&one.record, nullptr);
        }
    }
    return out;
}

template <class Kind>
void check_kind(std::uint64_t seed, Kind kind) {
    dice random{seed};
    shape of{.records = 150, .disorder = 5_s, .shops = 1 + random.below(4)};
    auto arrived = random_arrivals(random, of);
    auto const a = random.between(-8, 8) * 1_s;
    auto const b = random.between(-8, 8) * 1_s;
    interval within{std::min(a, b), std::max(a, b) + 2_s};
    if (random.one_in(3)) within = within.open_below();
    if (random.one_in(3)) within = within.open_above();
    auto const grace = random.one_in(2) ? 0_s : 2_s;
    bool const promised = random.one_in(2);
    auto const bound = promised ? of.disorder : 1_s;
    judge(arrived, bound, grace);
    auto const in_order = merged(arrived);
    auto const want = oracle<Kind>(in_order, within);
    auto const pipe = pipe_of(within, kind, bound, grace);
    std::vector<std::string> want_late[2];
    for (auto const& each : in_order) {
        if (each.late) want_late[each.side].push_back(encode(each.record));
    }
    CHECK((promised ? want_late[0].empty() && want_late[1].empty() : true));

    streamed const slow{pipe, arrived, {.seed = calm}};
    CHECK_SAME(sorted(slow.out.lines), sorted(want));
    if constexpr (std::is_same_v<Kind, inner>) CHECK_SAME(slow.out.lines, want);
    CHECK_SAME(slow.late[0].lines, want_late[0]);
    CHECK_SAME(slow.late[1].lines, want_late[1]);
    check_books(slow.report, arrived.size(), "join");
    CHECK(slow.report.refused(reason::late) == want_late[0].size() + want_late[1].size());
    CHECK(slow.report.state_bytes == 0);
    for (int i = 0; i < 2; ++i) {
        streamed const paced{pipe, arrived, {.seed = random.below(1'000'000) + 1}};
        CHECK_SAME(paced.out.lines, slow.out.lines);
        CHECK_SAME(paced.late[0].lines, slow.late[0].lines);
        CHECK_SAME(paced.late[1].lines, slow.late[1].lines);
        check_books(paced.report, arrived.size(), "join");
    }
    log_t logs[2];
    for (auto const& each : arrived) logs[each.side].append(each.record);
    lines_sink declared;
    refused_sink late[2];
    run(batch{}, pipe, bind("left"_name, logs[0]), bind("right"_name, logs[1]), bind("late left"_name, late[0]),
        bind("late right"_name, late[1]), declared);
    CHECK_SAME(declared.lines, slow.out.lines);
    if (!promised) return;
    lines_sink exact;
    run(batch{}, exact_pipe_of(within, kind, bound, grace), bind("left"_name, logs[0]), bind("right"_name, logs[1]),
        exact);
    CHECK_SAME(sorted(exact.lines), sorted(want));
    if constexpr (std::is_same_v<Kind, inner>) CHECK_SAME(exact.lines, want);
}
}  // namespace

TEST_CASE("an interval join is what loops over all pairs find, in batch and in any stream", "[equivalence][join]") {
    for_seeds(12, [](std::uint64_t seed) {
        check_kind(seed, inner{});
        check_kind(seed, left_outer{});
        check_kind(seed, right_outer{});
        check_kind(seed, full_outer{});
        check_kind(seed, left_semi{});
        check_kind(seed, left_anti{});
    });
}
