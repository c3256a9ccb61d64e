// SPDX-License-Identifier: BSL-1.0
// Aggregate functions over windows of all kinds: batch = stream = a loop that adds one record after the other, under
// random disorder, chunking, threads and restores.
#include <driftless/agg.hpp>

#include <equivalence/late_loops.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto fraction = [](sale const& s) { return static_cast<double>(s.cents) / 7; };

/// All that combine exactly.
constexpr auto exact_functions = std::tuple{exact_sum(fraction), approx_distinct<&sale::shop>(),
    quantiles<&sale::cents>(0.1, 0.5, 1.0), top_k<&sale::cents>(3), sample<&sale::shop>(2, 5),
    variance<&sale::cents>()};
/// Those that depend on the order of the log.
constexpr auto ordered_functions = std::tuple{first<&sale::shop>(), last<&sale::cents>(),
    first<&sale::item, &sale::at>(), last<&sale::shop, &sale::at>(), arg_min<&sale::cents, &sale::shop>(),
    arg_max<&sale::cents>(), collect<&sale::shop>(), variance(fraction)};

template <class... F>
constexpr auto aggregate_of(std::tuple<F...> const& functions) {
    return std::apply([](auto const&... each) { return aggregate(each...); }, functions);
}
/// Adds up one group, by itself.
template <class... F>
auto added_up(std::tuple<F...> const& functions, std::vector<sale> const& records) {
    return std::apply(
        [&](auto const&... each) {
            driftless::detail::aggregate_pack<sale, F...> const pack{each...};
            auto state = pack.init();
            for (auto const& record : records) pack.add(state, record);
            return encode(pack.lower(state));
        },
        functions);
}
using groups = std::map<std::pair<time_window, std::int32_t>, std::vector<sale>>;
template <class Functions>
equivalence::table by_hand(groups const& all, Functions const& functions) {
    equivalence::table out;
    for (auto const& [where, records] : all) {
        out[{where.first.end.ns(), where.first.start.ns(), encode(where.second)}] = added_up(functions, records);
    }
    return out;
}
template <class Windows>
groups in_windows(std::vector<placed> const& records, Windows const& windows) {
    groups out;
    for (auto const& [partition, record] : records) {
        each_window(windows, record.at, [&](time_window const& w) { out[{w, record.item}].push_back(record); });
    }
    return out;
}
groups in_sessions(std::vector<placed> const& records, duration gap) {
    std::map<std::int32_t, std::vector<time_window>> sessions;
    for (auto const& [partition, record] : records) {
        time_window mine{record.at, record.at + gap};
        std::vector<time_window> others;
        for (auto const& each : sessions[record.item]) {
            if (each.start < mine.end && mine.start < each.end) {
                mine.start = std::min(mine.start, each.start);
                mine.end = std::max(mine.end, each.end);
            } else {
                others.push_back(each);
            }
        }
        others.push_back(mine);
        sessions[record.item] = others;
    }
    groups out;
    for (auto const& [partition, record] : records) {
        for (auto const& each : sessions[record.item]) {
            if (each.contains(record.at)) out[{each, record.item}].push_back(record);
        }
    }
    return out;
}
template <class P>
void check_all(P const& pipeline, std::vector<placed> const& records, shape const& of, std::uint64_t seed,
    equivalence::table const& expected) {
    auto const once = stream_over<rows>(pipeline, records, of.partitions, {.seed = calm});
    CHECK_SAME(once.out.rows, expected);
    auto const other = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    memory_log<sale> log{of.partitions};
    recorder batched;
    auto const threads = 1 + static_cast<int>(seed % 3);
    static_cast<void>(run(batch{.threads = threads}, pipeline, fill(log, records), batched));
    CHECK_SAME(batched.rows, expected);
}
template <class Functions>
void check_windows(Functions const& functions, std::uint64_t seed) {
    dice random{seed};
    auto const bound = duration{random.between(0, 6) * 1'000'000'000};
    auto of = random_shape(random, bound);
    of.records = 150;
    auto const records = random_records(random, of);
    auto const order = merged(records, of.partitions);
    auto const keyed_sales =
        from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>();
    tumbling const tens{10_s, 3_s};
    check_all(keyed_sales | window(tens) | aggregate_of(functions), records, of, seed,
        by_hand(in_windows(order, tens), functions));
    sliding const sevens{duration{random.between(2, 12) * 1'000'000'000}, 4_s};
    check_all(keyed_sales | window(sevens) | aggregate_of(functions), records, of, seed,
        by_hand(in_windows(order, sevens), functions));
    auto const gap = duration{random.between(1, 8) * 500'000'000};
    check_all(keyed_sales | window(session{gap}) | aggregate_of(functions), records, of, seed,
        by_hand(in_sessions(order, gap), functions));
}
}  // namespace

TEST_CASE("exact aggregates over windows of all kinds = loops = batch = stream", "[equivalence][oracle][agg]") {
    for_seeds(15, [](std::uint64_t seed) { check_windows(exact_functions, seed); });
}
TEST_CASE("aggregates in log order over windows of all kinds = loops = batch = stream", "[equivalence][oracle][agg]") {
    for_seeds(15, [](std::uint64_t seed) { check_windows(ordered_functions, seed); });
}
TEST_CASE("exact_sum in slices that are subtracted = loops = batch = stream", "[equivalence][oracle][agg]") {
    for_seeds(15, [](std::uint64_t seed) { check_windows(std::tuple{exact_sum(fraction), count()}, seed); });
}
