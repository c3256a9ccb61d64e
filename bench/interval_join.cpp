// SPDX-License-Identifier: BSL-1.0
// bench/interval_join.cpp - pairs of records of one key whose times are close: two logs of 500,000 records, one in
// twenty up to 5 s out of order, as a stream and in batch, against sorted deques by hand (support/joins_by_hand.hpp).
// Three loads: six partners per record, one in two, and a table that the cache does not hold.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/joins_by_hand.hpp>
#include <support/sales.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto disorder = 5_s;
constexpr std::size_t record_count = 500'000;  // of each side

struct pair_of_sales {
    std::int64_t user;
    std::int64_t apart;
    std::int64_t cents;
};

template <class Name>
constexpr auto sales(Name name) {
    return dl::from<sale>(name) | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
        | dl::key_by<&sale::user>();
}
constexpr auto pairs_within(dl::interval within) {
    return dl::join(sales("left"_name), sales("right"_name), within, [](sale const& l, sale const& r) noexcept {
        return pair_of_sales{l.user, r.at.ns() - l.at.ns(), l.cents - r.cents};
    });
}

template <class Mode>
digest by_pipeline(Mode mode, dl::interval within, dl::memory_log<sale> const& left,
    dl::memory_log<sale> const& right) {
    digest out;
    auto const report = dl::run(mode, pairs_within(within), dl::bind("left"_name, left), dl::bind("right"_name, right),
        dl::to([&](auto const& row) { out.row(row.value.user, row.value.apart, 1, row.value.cents); }));
    out.applied = report.stages[0].applied;
    out.late = report.stages[0].refusals(dl::reason::late);
    return out;
}
digest by_hand(dl::interval within, std::size_t keys, std::vector<sale> const& left, std::vector<sale> const& right) {
    digest out;
    bench::by_hand::interval_join join{within.lo.ns(), within.hi.ns(), disorder.ns(), keys};
    auto const pair = [&](sale const& l, sale const& r) {
        out.row(l.user, r.at.ns() - l.at.ns(), 1, l.cents - r.cents);
    };
    for (std::size_t l = 0, r = 0; l < left.size() || r < right.size();) {
        if (r == right.size() || (l < left.size() && left[l].at <= right[r].at)) join.add<0>(left[l++], pair);
        else join.add<1>(right[r++], pair);
    }
    out.applied = join.applied;
    out.late = join.late;
    return out;
}

void contest(std::string const& name, std::size_t keys, dl::duration step, dl::interval within) {
    auto const left = bench::make_sales(record_count, keys, step, disorder);
    auto right = bench::make_sales(record_count, keys, step, disorder);
    // Other users at other times.
    for (std::size_t i = 0; i + 1 < right.size(); ++i) right[i].user = right[(i * 7919 + 13) % right.size()].user;
    for (auto& each : right) each.at = each.at + dl::duration{step.ns() / 2};
    dl::memory_log<sale> left_log;
    dl::memory_log<sale> right_log;
    left_log.append(left);
    right_log.append(right);
    bench::contest<digest> game{name, 2 * record_count};
    auto const floor = game.add("by hand", [&] { return by_hand(within, keys, left, right); });
    auto const stream = game.add(
        "stream", [&] { return by_pipeline(dl::stream{.until = dl::drained}, within, left_log, right_log); });
    auto const batch = game.add("batch", [&] { return by_pipeline(dl::batch{}, within, left_log, right_log); });
    game.run({.seconds = bench::full() ? 15.0 : 3.0, .least_rounds = 5});
    game.ratio(name + "_stream", stream, floor, {1.3});
    game.ratio(name + "_batch", batch, floor, {1.3});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("interval_join_six_partners", 10'000, 1_ms, {0_s, 60_s});
    contest("interval_join_some_partners", 10'000, 1_ms, {-3_s, 2_s});
    contest("interval_join_many_keys", 200'000, 100_us, {0_s, 30_s});
}
