// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/view/lambda_additive.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/collect.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/distinct.hpp>
#include <driftless/agg/mean.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/lambda_coordinator.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace lambda_additive_test {
using namespace driftless;
struct sale {
    std::int64_t shop;
    std::int64_t id;
    std::int64_t cents;
    event_time at;
};
}  // namespace lambda_additive_test
BOOST_HANA_ADAPT_STRUCT(lambda_additive_test::sale, shop, id, cents, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using lambda_additive_test::sale;
using testing::memory_files;

event_time fake_now = event_time{} + 1000_h;
event_time fake_clock() { return fake_now; }

// Nothing is behind by more than 10 minutes: nobody refuses anything, from wherever he begins to read.
inline constexpr auto sales = from<sale>() | assign_time<&sale::at>(bounded_disorder{10_min});
inline constexpr auto by_shop = sales | key_by<&sale::shop>();
inline constexpr auto hours = by_shop | window(tumbling{1_h}) | aggregate(count(), sum<&sale::cents>());
inline constexpr auto early = by_shop | window(tumbling{1_h}, at_watermark().early(every(1)))
    | aggregate(count(), distinct<&sale::id>(), mean<&sale::cents>(), min<&sale::cents>(), collect<&sale::id>());
inline constexpr auto distinct_ids = by_shop | window(tumbling{1_h}) | aggregate(distinct<&sale::id>());
inline constexpr auto deduped = sales | dedup<&sale::id>(2_h) | key_by<&sale::shop>() | window(tumbling{1_h})
    | aggregate(count());
inline constexpr auto sessions = by_shop | window(session{20_min}) | aggregate(count());

static_assert(lambda_additive<decltype(hours)> && lambda_additive<decltype(early)>);
static_assert(lambda_additive<decltype(distinct_ids)>);  // its accumulators are sets
static_assert(!lambda_additive<decltype(deduped)> && !lambda_additive<decltype(sessions)>);

std::vector<sale> made_up(std::size_t n, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    std::vector<sale> out;
    for (std::size_t i = 0; i < n; ++i) {
        auto const at = static_cast<std::int64_t>(i) * 2 - static_cast<std::int64_t>(random() % 10);
        out.push_back({static_cast<std::int64_t>(random() % 3), static_cast<std::int64_t>(random() % (i / 3 + 4)),
            static_cast<std::int64_t>(random() % 100), event_time{} + at * 1_min});
    }
    return out;
}
template <class Rows>
auto content(Rows const& rows) {
    using row = std::remove_cvref_t<decltype(*rows.begin())>;
    std::map<std::pair<decltype(row::key), time_window>, decltype(row::value)> out;
    for (auto const& each : rows) REQUIRE(out.emplace(std::pair{each.key, each.window}, each.value).second);
    return out;
}
template <class P>
auto over(P const& p, std::vector<sale> const& all, std::size_t from, std::size_t to) {
    std::vector<sale> const part(
        all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to));
    return content(run(batch{}, p, part));
}
/// The rows that the additive merge of two programs gets wrong: a batch job before T, a stream job behind it, and a
/// query that adds their counts.
template <class P>
std::size_t wrong_rows_of_two_programs(P const& p, std::int64_t& too_much) {
    std::size_t wrong = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        auto const all = made_up(200, seed);
        std::size_t const cut = 40 + seed * 11;
        auto merged = over(p, all, 0, cut);
        for (auto const& [at, row] : over(p, all, cut, all.size())) merged[at] += row;
        auto const truth = over(p, all, 0, all.size());
        for (auto const& [at, row] : merged) {
            auto const right = truth.find(at);
            auto const is = right == truth.end() ? std::int64_t{0} : right->second;
            if (is != row) ++wrong;
            too_much += row - is;
        }
        for (auto const& [at, row] : truth) {
            if (merged.contains(at)) continue;
            ++wrong;
            too_much -= row;
        }
    }
    return wrong;
}
/// And those that a coordinator over the same records gets wrong, behind the same T and at its end.
template <class P>
std::size_t wrong_rows_of_one(P const& p) {
    std::size_t wrong = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        memory_files files;
        memory_log<sale> log;
        auto const all = made_up(200, seed);
        std::size_t const cut = 40 + seed * 11;
        for (std::size_t i = 0; i < cut; ++i) log.append(all[i]);
        lambda_coordinator both{"both",
            lambda_options{.logic_version = "1", .files = &files, .clock = &fake_clock}, p, log};
        REQUIRE(both.run_batch());
        for (std::size_t i = cut; i < all.size(); ++i) log.append(all[i]);
        // A last record, days later, closes all windows.
        log.append({9, 1'000'000, 0, event_time{} + 100_h});
        while (both.poll() != 0) {}
        REQUIRE(both.view().contract().records == cut);
        auto const truth = over(p, all, 0, all.size());
        auto told = content(both.view().snapshot().rows());
        for (auto const& [at, row] : told) {
            if (at.first == 9) continue;
            auto const right = truth.find(at);
            if (right == truth.end() || right->second != row) ++wrong;
        }
        for (auto const& [at, row] : truth) {
            if (!told.contains(at)) ++wrong;
        }
    }
    return wrong;
}
}  // namespace

TEST_CASE("two programs whose counts are added count twice over T where there is dedup, distinct or a session",
    "[view][lambda][additive]") {
    std::int64_t too_much = 0;
    CHECK(wrong_rows_of_two_programs(deduped, too_much) > 0);
    CHECK(too_much > 0);
    too_much = 0;
    CHECK(wrong_rows_of_two_programs(distinct_ids, too_much) > 0);
    CHECK(too_much > 0);
    too_much = 0;
    CHECK(wrong_rows_of_two_programs(sessions, too_much) > 0);
    // Where accumulators add up, so do the programs.
    auto const counts = by_shop | window(tumbling{1_h}) | aggregate(count());
    too_much = 0;
    CHECK(wrong_rows_of_two_programs(counts, too_much) == 0);

    CHECK(wrong_rows_of_one(deduped) == 0);
    CHECK(wrong_rows_of_one(distinct_ids) == 0);
    CHECK(wrong_rows_of_one(sessions) == 0);
    CHECK(wrong_rows_of_one(counts) == 0);
}

namespace {
template <class P>
void play_added(P const& pipeline, bool every_record) {
    std::size_t behind = 0;
    std::size_t both_layers = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        std::mt19937_64 random{seed};
        memory_files files;
        memory_log<sale> log;
        auto const all = made_up(400, seed);
        std::size_t appended = 0;
        auto const added = add_layers(pipeline);
        using coordinator = lambda_coordinator<std::remove_cvref_t<decltype(added)>, memory_log<sale>&>;
        std::optional<coordinator> both;
        auto const start = [&] {
            both.emplace("both",
                lambda_options{.chunk = 13, .logic_version = "1", .files = &files, .clock = &fake_clock}, added, log);
        };
        start();
        for (int step = 0; step < 120; ++step) {
            switch (random() % 7) {
                case 0:
                case 1:
                case 2:
                    for (auto n = random() % 12; n != 0 && appended < all.size(); --n) log.append(all[appended++]);
                    break;
                case 3: both->poll(random() % 20); break;
                case 4: both->poll(); break;
                case 5: both->request_batch(); break;
                default:
                    if (random() % 8 != 0) break;
                    both.reset();
                    if (random() % 2 == 0) files.lose_power(seed);
                    start();
            }
            if (!both->view().ready()) continue;
            auto const now = both->view().snapshot();
            auto const read = now.contract().records + (now.at_contract() ? 0 : now.speed().epoch);
            if (!now.at_contract()) ++behind;
            auto const truth = over(pipeline, all, 0, read);
            auto const told = content(now.rows());
            for (auto const& [at, row] : truth) {
                // A window that is open for the speed layer says what it had at T; with a pane per record it says all.
                if (!every_record && !now.at_contract() && at.second.end > now.speed().watermark) continue;
                REQUIRE(told.contains(at));
                REQUIRE(told.at(at) == row);
                auto const answer = both->view().find(at.first, at.second);
                REQUIRE(*answer == row);
                if (answer.layer() == lambda_layer::both) ++both_layers;
            }
            for (auto const& [at, row] : told) REQUIRE(truth.contains(at));
        }
        REQUIRE(both->report().batch_failures == 0);
    }
    CHECK(behind > 50);
    CHECK(both_layers > 50);
}
}  // namespace

TEST_CASE("added layers are those of a batch over the same prefix: counts and sums", "[view][lambda][additive]") {
    play_added(hours, false);
}
TEST_CASE("added layers are those of a batch over the same prefix: sets, means and lists, at each record",
    "[view][lambda][additive]") {
    play_added(early, true);
}
TEST_CASE("added layers are those of a batch over the same prefix: distinct over T", "[view][lambda][additive]") {
    play_added(distinct_ids, false);
}
