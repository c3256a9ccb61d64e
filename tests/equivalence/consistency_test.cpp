// SPDX-License-Identifier: BSL-1.0
// Law 6: what comes out together is what a batch over a prefix of the input says, the same prefix in all places.
// Diamonds of tables and groups, out of order, in partitions, restarted: after each epoch every sink holds what loops
// over the records so far make of them, and what is the same on both ways of a diamond cancels out in every version
// that anybody is shown.
#include <driftless/op/as_inserts.hpp>
#include <driftless/op/table.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/top.hpp>
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
struct money {
    std::int64_t cents;
};
constexpr auto positive = [](auto const& row) { return money{std::get<1>(row.value)}; };
constexpr auto negative = [](auto const& row) { return money{-std::get<1>(row.value)}; };
constexpr auto everything = [](auto const&) { return 0; };

/// The sum over groups by shop, less the sum over groups by price: of the same rows, so nothing.
template <class Rows>
auto nothing_at_all(Rows const& rows) {
    auto const shared = rows | share("rows"_name);
    auto const totals = aggregate(count(), sum<&sale::cents>(), unbounded_state{});
    return merge(shared | key_by<&sale::shop>() | totals | map(positive) | key_by(everything),
               shared | key_by([](sale const& s) { return s.cents % 7; }) | totals | map(negative) | key_by(everything))
        | aggregate(sum<&money::cents>(), count(), unbounded_state{});
}

/// The same in windows whose rows change late: by groups of shops that sold for about as much, less the shops.
auto nothing_in_windows(duration bound, duration lateness) {
    auto const shops = from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::shop>()
        | window(tumbling{10_s}, allowed_lateness{lateness}) | aggregate(count(), sum<&sale::cents>())
        | share("shops"_name);
    constexpr auto cents = [](auto const& row) { return std::get<1>(row.value); };
    return merge(shops | key_by([](auto const& row) { return std::get<1>(row.value) % 7; })
                   | aggregate(count(), sum(cents)) | map(positive) | key_by(everything),
               shops | map(negative) | key_by(everything))
        | aggregate(sum<&money::cents>(), count());
}

/// Every version that a reader is shown, and what the sink holds at the end of each epoch.
struct versions {
    std::vector<std::string> lines{};
    std::vector<std::tuple<std::int64_t, std::int64_t>> shown{};
    std::vector<std::uint64_t> epochs{};
    std::map<std::int32_t, std::tuple<std::int64_t, std::int64_t>> rows{};
    std::vector<std::map<std::int32_t, std::tuple<std::int64_t, std::int64_t>>> history{};

    void write(pane<int, std::tuple<std::int64_t, std::int64_t>> const& row) {
        shown.push_back(row.value);
        rows[row.key] = row.value;
    }
    void remove(int key, time_window) { rows.erase(key); }
    void on_epoch(std::uint64_t n) {
        epochs.push_back(n);
        history.push_back(rows);
    }
};
struct by_shop {
    std::map<std::string, std::tuple<std::int64_t, std::int64_t>> rows{};
    std::vector<std::map<std::string, std::tuple<std::int64_t, std::int64_t>>> history{};
    void write(pane<text, std::tuple<std::int64_t, std::int64_t>> const& row) { rows[row.key.str()] = row.value; }
    void remove(text key, time_window) { rows.erase(key.str()); }
    void on_epoch(std::uint64_t) { history.push_back(rows); }
};

auto times(duration bound) { return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}); }
/// A table refuses what is late: the batch shall refuse the same.
auto times_as_declared(duration bound) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}, as_declared);
}
}  // namespace

TEST_CASE("what is equal on both ways of a diamond cancels out in every version", "[equivalence][consistency]") {
    std::size_t several = 0;
    for_seeds(60, [&](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, 20_s);
        of.records = 1 + random.below(200);
        auto const records = random_records(random, of);
        memory_log<sale> log{of.partitions};
        fill(log, records);
        auto const bound = duration{random.between(0, 30) * 1'000'000'000};
        auto const check = [&](auto const& p) {
            versions out;
            job running{stream{.threads = 1 + static_cast<int>(random.below(3)), .until = end_of_log}, p, log, out};
            while (running.poll(1 + random.below(40)) != 0) {}
            running.drain();
            for (auto const& [sum, groups] : out.shown) {
                CHECK(sum == 0);
                several += groups > 2;
            }
            REQUIRE(out.epochs.size() == records.size());
            CHECK(out.epochs.back() == records.size());

            versions batched;
            run(batch{}, p, log, batched);
            for (auto const& each : batched.shown) CHECK(std::get<0>(each) == 0);
            CHECK(batched.rows == out.rows);
        };
        check(nothing_at_all(times(bound) | as_inserts()));
        check(nothing_at_all(
            times_as_declared(bound) | key_by<&sale::item>() | driftless::table(unbounded_state{})));
    });
    CHECK(several > 1000);
}

TEST_CASE("the best of groups that gain and lose rows are those of a prefix", "[equivalence][consistency]") {
    for_seeds(40, [&](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, 20_s);
        of.records = 1 + random.below(150);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        memory_log<sale> log{of.partitions};
        fill(log, records);
        auto const p = times(60_s) | key_by<&sale::item>() | driftless::table(unbounded_state{})
            | key_by<&sale::shop>() | aggregate(count(), sum<&sale::cents>(), unbounded_state{})
            | top(2, [](auto const& row) { return std::get<1>(row.value); }, unbounded_state{});
        by_shop out;
        run(stream{.until = drained}, p, log, out);
        std::map<std::int32_t, sale> latest;
        REQUIRE(out.history.size() == order.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            auto const& s = order[i].record;
            if (auto const there = latest.find(s.item); there == latest.end() || there->second.at <= s.at) {
                latest.insert_or_assign(s.item, s);
            }
            std::map<std::string, std::int64_t> shops;
            for (auto const& [item, row] : latest) shops[row.shop.str()] += row.cents;
            std::vector<std::int64_t> best;
            for (auto const& [name, sum] : shops) best.push_back(sum);
            std::sort(best.rbegin(), best.rend());
            best.resize(std::min<std::size_t>(best.size(), 2));
            std::vector<std::int64_t> shown;
            for (auto const& [name, row] : out.history[i]) shown.push_back(std::get<1>(row));
            std::sort(shown.rbegin(), shown.rend());
            CHECK(shown == best);
        }
    });
}

TEST_CASE("late corrections that come on two ways are told together", "[equivalence][consistency]") {
    std::size_t corrections = 0;
    for_seeds(60, [&](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, 40_s);
        of.records = 1 + random.below(200);
        auto const records = random_records(random, of);
        memory_log<sale> log{of.partitions};
        fill(log, records);
        auto const p = nothing_in_windows(duration{random.between(0, 9) * 1'000'000'000}, 30_s);
        struct totals {
            std::vector<std::tuple<std::int64_t, std::int64_t>> shown{};
            std::size_t late = 0;
            void write(pane<int, std::tuple<std::int64_t, std::int64_t>> const& row) {
                shown.push_back(row.value);
                late += row.info.timing == timing::late;
            }
            void remove(int, time_window) {}
        } out;
        run(stream{.threads = 1 + static_cast<int>(random.below(3)), .until = drained}, p, log, out);
        for (auto const& each : out.shown) CHECK(std::get<0>(each) == 0);
        corrections += out.late;
        totals batched;
        run(batch{}, p, log, batched);
        for (auto const& each : batched.shown) CHECK(std::get<0>(each) == 0);
    });
    CHECK(corrections > 100);
}

TEST_CASE("after each epoch a sink holds what a batch over that prefix holds", "[equivalence][consistency]") {
    for_seeds(60, [&](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, 20_s);
        of.records = 1 + random.below(200);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        memory_log<sale> log{of.partitions};
        fill(log, records);
        auto const p = times(60_s) | key_by<&sale::item>() | driftless::table(unbounded_state{})
            | key_by<&sale::shop>() | aggregate(count(), sum<&sale::cents>(), unbounded_state{});
        by_shop out;
        job running{stream{.until = end_of_log}, p, log, out};
        std::optional<std::pair<std::string, by_shop>> saved;
        while (running.poll(1 + random.below(9)) != 0) {
            if (random.one_in(5)) saved.emplace(running.snapshot(), out);
        }
        running.drain();

        // The rows that a prefix leaves, from scratch.
        std::map<std::int32_t, sale> latest;
        REQUIRE(out.history.size() == order.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            auto const& s = order[i].record;
            if (auto const there = latest.find(s.item); there == latest.end() || there->second.at <= s.at) {
                latest.insert_or_assign(s.item, s);
            }
            std::map<std::string, std::tuple<std::int64_t, std::int64_t>> expected;
            for (auto const& [item, row] : latest) {
                auto& [n, sum] = expected[row.shop.str()];
                ++n;
                sum += row.cents;
            }
            CHECK(out.history[i] == expected);
        }
        if (!saved) return;
        auto again = saved->second;
        job restarted{stream{.threads = 3, .until = end_of_log}, p, log, again};
        restarted.restore(saved->first);
        restarted.run();
        CHECK(again.history == out.history);
    });
}
