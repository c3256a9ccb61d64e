// SPDX-License-Identifier: BSL-1.0
// examples/rewind.cpp - at 06:00 somebody finds that refunds have been added instead of subtracted since the release of
// 02:00. The view is corrected from 02:00 on, from the snapshot before, while sales and late records come in and two
// threads read: they see the old answer, then the corrected one, and nothing in between.
// expect: 06:00: refunds have been added since 02:00; rewinding
// expect: began with the snapshot after 27000 of 86400 records
// expect: shop 7, [03:00, 03:10): reported 14877 at 06:00, 9123 now: refunds were added since release 41
// expect: verdict: the new logic from 02:00 on, the old one before; nobody saw half of it
#include "support/kept_log.hpp"
#include "support/random.hpp"

#include <driftless/driftless.hpp>
#include <driftless/view/correction.hpp>
#include <driftless/view/deployment.hpp>
#include <driftless/view/row_set.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct sale {
    std::int32_t shop;
    std::int64_t cents;
    std::int64_t refund;
    dl::event_time at;
};
struct line {
    std::int32_t shop;
    std::int64_t gross, refunds, net;
    dl::event_time at;
};
struct totals {
    std::int64_t gross, refunds, net;
};
BOOST_HANA_ADAPT_STRUCT(sale, shop, cents, refund, at);
BOOST_HANA_ADAPT_STRUCT(line, shop, gross, refunds, net, at);
BOOST_HANA_ADAPT_STRUCT(totals, gross, refunds, net);

constexpr dl::event_time hour(std::int64_t n) { return dl::event_time{} + n * 1_h; }
constexpr auto release_41 = hour(2);

auto revenue(line (*of)(sale const&)) {
    return dl::from<sale>()
        | dl::assign_time<&sale::at>(dl::bounded_disorder{5_s})
        | dl::map(of)
        | dl::key_by<&line::shop>()
        | dl::window(dl::tumbling{10_min}, dl::allowed_lateness{30_min})
        | dl::aggregate<totals>(dl::sum<&line::gross>(), dl::sum<&line::refunds>(), dl::sum<&line::net>());
}
line right(sale const& s) { return {s.shop, s.cents, s.refund, s.cents - s.refund, s.at}; }
line wrong_since_release_41(sale const& s) {
    auto out = right(s);
    if (s.at >= release_41) out.net = s.cents + s.refund;
    return out;
}
auto const v1 = revenue(wrong_since_release_41);
auto const v2 = revenue(right);

using day_rows = dl::row_set<std::int32_t, totals>;
using shops = dl::deployment<std::int32_t, totals>;

/// Four sales a second in 20 shops; one in 400 is told up to twenty minutes late.
std::vector<sale> day_of_sales() {
    std::vector<sale> out;
    support::random random{41};
    for (std::int64_t i = 0; hour(0) + i * 250_ms < hour(8); ++i) {
        auto const late = random.one_in(400) ? dl::duration{random.below((20_min).ns())} : dl::duration{};
        auto const refund = random.one_in(30) ? 100 + random.below(900) : 0;
        out.push_back({static_cast<std::int32_t>(i % 20), 100, refund, hour(0) + i * 250_ms - late});
    }
    return out;
}
std::atomic<std::int64_t> shop_time{0};
dl::event_time shop_clock() { return dl::event_time{shop_time}; }

/// The windows that a stream over these records has told.
day_rows batch_of(auto const& pipeline, std::vector<sale> const& sales, auto const& belongs) {
    auto const told = sales.back().at - 5_s;
    day_rows out;
    for (auto const& row : dl::run(dl::batch{}, pipeline, sales)) {
        if (row.window.end <= told && belongs(row.window)) out.add(row.key, row.window, row.value);
    }
    return std::move(out).finish();
}
day_rows rows_of(shops const& view) {
    day_rows out;
    view.view().read()->snapshot().for_each([&](auto const& row) { out.add(row.key, row.window, row.value); });
    return std::move(out).finish();
}
bool same(day_rows const& a, day_rows const& b) { return dl::checksum_of(a) == dl::checksum_of(b) && !a.empty(); }

/// Reads on and on: behind 02:00 either all rows with refunds are right, or none is.
class reader {
    std::atomic<bool> done_{false};
    std::atomic<std::uint64_t> reads_{0}, mixed_{0};
    std::thread thread_;

public:
    explicit reader(shops const& of) : thread_([this, &of] { work(of); }) {}
    reader(reader const&) = delete;
    reader& operator=(reader const&) = delete;
    ~reader() { stop(); }
    void stop() {
        done_ = true;
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] bool saw_whole_answers() const { return reads_ != 0 && mixed_ == 0; }

private:
    void work(shops const& of) {
        while (!done_) {
            std::uint64_t right = 0, wrong = 0, broken = 0;
            of.view().read()->snapshot().for_each([&](auto const& row) {
                auto const& [gross, refunds, net] = row.value;
                if (refunds == 0) return;
                bool const is_right = net == gross - refunds;
                if (row.window.end <= release_41) broken += is_right ? 0 : 1;
                else ++(is_right ? right : wrong);
            });
            if ((right != 0 && wrong != 0) || broken != 0) ++mixed_;
            ++reads_;
        }
    }
};

int run() {
    auto const sales = day_of_sales();
    support::temporary_folder const folder;
    dl::memory_log<sale> log;
    std::size_t told = 0;
    auto const tell_until = [&](std::size_t n) {
        for (; told < n && told < sales.size(); ++told) log.append(sales[told]);
        shop_time = (hour(0) + static_cast<std::int64_t>(told) * 250_ms).ns();
    };

    dl::deployment_options how;
    how.snapshots = {.every = {}, .records = 9'000, .keep = 12};
    how.clock = &shop_clock;
    how.who = "the night shift";
    how.rows.history.keep = 1_d;
    how.replay_chunk = 512;
    shops shop{folder.path() + "/revenue", how};
    shop.define("release-41", v1, log);
    shop.define("release-42", v2, log);
    shop.start();
    shop.deploy("release-41");
    while (shop.phase() != dl::deployment_phase::ready) shop.poll();
    shop.cut_over();
    while (told < 6 * 14'400) {
        tell_until(std::min<std::size_t>(told + 1'000, 6 * 14'400));
        shop.poll();
    }

    std::cout << "06:00: refunds have been added since 02:00; rewinding\n";
    auto const found_at = shop_clock();
    reader one{shop}, two{shop};
    shop.correct("release-42", {.from = release_41, .why = "refunds were added since release 41"});
    std::cout << "began with the snapshot after " << shop.about_candidate().records << " of "
              << shop.about_current().records << " records\n";
    // An hour of sales comes in meanwhile; the current version goes first.
    while (shop.phase() == dl::deployment_phase::replaying) {
        if (told < 7 * 14'400) tell_until(told + 50);
        shop.poll(50);
    }
    shop.cut_over();
    while (told < sales.size()) {
        tell_until(told + 1'000);
        shop.poll();
    }
    while (shop.poll() != 0) {}
    one.stop();
    two.stop();

    dl::time_window const three{hour(3), hour(3) + 10_min};
    auto const then = shop.view().read()->reported(7, found_at, three);
    auto const fixes = dl::read_corrections<std::int32_t, totals>(folder.path() + "/revenue");
    auto const* const fix = fixes.empty() ? nullptr : fixes[0].find(std::int32_t{7}, three);
    if (!then.then || !then.now || fix == nullptr) return 1;
    std::cout << "shop 7, [03:00, 03:10): reported " << then.then->net << " at 06:00, " << then.now->net
              << " now: " << fixes[0].why << '\n';

    auto const now = rows_of(shop);
    day_rows expected;
    auto const take = [&](day_rows const& from) {
        for (std::size_t i = 0; i < from.size(); ++i) expected.add(from[i].key(), from[i].window, from[i].value());
    };
    take(batch_of(v1, sales, [](dl::time_window const& each) { return each.end <= release_41; }));
    take(batch_of(v2, sales, [](dl::time_window const& each) { return each.end > release_41; }));
    expected.finish();
    auto const all_of_v2 = batch_of(v2, sales, [](dl::time_window const&) { return true; });
    bool const holds = same(now, expected) && same(now, all_of_v2)
        && one.saw_whole_answers() && two.saw_whole_answers();
    if (holds) std::cout << "verdict: the new logic from 02:00 on, the old one before; nobody saw half of it\n";
    else std::cout << "verdict: the rows are not those of a batch, or somebody saw half of a correction\n";
    return holds ? 0 : 1;
}

int main() {
    try {
        return run();
    } catch (std::exception const& problem) {
        std::cerr << "rewind: " << problem.what() << '\n';
        return 2;
    }
}
