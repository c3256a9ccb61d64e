// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/view.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace view_frontier_test {
using namespace driftless;
struct sale {
    std::int64_t shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace view_frontier_test
BOOST_HANA_ADAPT_STRUCT(view_frontier_test::sale, shop, cents, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using view_frontier_test::sale;
using rows_shown = std::map<std::pair<time_window, std::int64_t>, std::int64_t>;

event_time clock_now{};
event_time the_clock() { return clock_now; }

void add_sales(memory_log<sale>& into, std::size_t n, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    for (std::size_t i = 0; i < n; ++i) {
        auto const second = static_cast<std::int64_t>(i) - static_cast<std::int64_t>(random() % 20);
        into.append({static_cast<std::int64_t>(random() % 9), static_cast<std::int64_t>(random() % 100),
                        event_time{} + second * 1_s},
            static_cast<std::uint32_t>(random() % into.partitions()));
    }
}
template <class Rows>
rows_shown content(Rows const& rows) {
    rows_shown out;
    for (auto const& each : rows) out[{each.window, each.key}] = each.value;
    return out;
}
/// The n rows of each window with the greatest value; of equal ones those that the view shows.
rows_shown best_of(rows_shown const& all, std::size_t n, rows_shown const& shown) {
    std::map<time_window, std::vector<std::tuple<std::int64_t, bool, std::int64_t>>> windows;
    for (auto const& [at, value] : all)
        windows[at.first].emplace_back(-value, !shown.contains(at), at.second);
    rows_shown out;
    for (auto& [window, rows] : windows) {
        std::sort(rows.begin(), rows.end());
        for (std::size_t i = 0; i < std::min(n, rows.size()); ++i)
            out[{window, std::get<2>(rows[i])}] = -std::get<0>(rows[i]);
    }
    return out;
}
}  // namespace

TEST_CASE("a view of the best rows shows at each poll the best of those that have fired", "[view][top][oracle]") {
    memory_log<sale> log;
    add_sales(log, 1500, 3);
    // Late records correct sums: a row falls out of the best, and another comes in.
    auto const sums = from<sale>()
        | assign_time<&sale::at>(bounded_disorder{5_s})
        | key_by<&sale::shop>()
        | window(tumbling{1_min}, allowed_lateness{1_min})
        | aggregate(sum<&sale::cents>());
    auto const best = sums | top(3);
    view<std::int64_t, std::int64_t> all;
    view<std::int64_t, std::int64_t> shown{{.history = {.keep = duration::max()}}};
    job every{stream{}, sums, log, all};
    job few{stream{}, best, log, shown};
    std::mt19937_64 random{8};
    std::vector<rows_shown> versions;
    for (std::size_t read = 0; read < 1500;) {
        auto const step = 1 + random() % 40;
        every.poll(step);
        read += few.poll(step);
        REQUIRE(shown.at().epoch == read);
        auto const now = content(shown.snapshot().rows());
        REQUIRE(now == best_of(content(all.snapshot().rows()), 3, now));
        versions.push_back(now);
    }
    every.drain();
    few.drain();
    auto const last = content(shown.snapshot().rows());
    CHECK(last == best_of(content(all.snapshot().rows()), 3, last));
    CHECK(last == content(run(batch{}, best, log)));
    for (std::size_t i = 0; i < versions.size(); ++i)
        REQUIRE(content(shown.as_of(view_version{i + 1}).rows()) == versions[i]);
}

TEST_CASE("an input that is idle does not hold the watermark that a view shows", "[view][frontier]") {
    memory_log<sale> left;
    memory_log<sale> right;
    auto const sums = merge(from<sale>("left"_name) | assign_time<&sale::at>(bounded_disorder{1_s}),
                          from<sale>("right"_name) | assign_time<&sale::at>(bounded_disorder{1_s}))
        | key_by<&sale::shop>()
        | window(tumbling{10_s})
        | aggregate(sum<&sale::cents>());
    clock_now = event_time{};
    view<std::int64_t, std::int64_t> shown{{.keep = 20_s}};
    job running{stream{.clock = the_clock, .idle_after = 10_s}, sums, bind("left"_name, left),
        bind("right"_name, right), shown};
    auto const poll = [&](std::int64_t second, std::int64_t left_at) {
        clock_now = event_time{} + second * 1_s;
        left.append({1, 5, event_time{} + left_at * 1_s});
        running.poll();
        return shown.at().watermark;
    };
    CHECK(poll(0, 5) == event_time::min());  // nothing has come from the right
    CHECK(shown.snapshot().empty());
    auto const seen = poll(10, 21);
    CHECK(seen >= event_time{} + 10_s);
    CHECK(seen <= event_time{} + 20_s);
    CHECK(shown.snapshot().size() == 1);
    poll(11, 60);
    CHECK(shown.at().watermark >= event_time{} + 30_s);
    CHECK(shown.find(1, time_window{event_time{}, event_time{} + 10_s}).has_value() == false);  // .keep has dropped it
    CHECK(shown.at().epoch == 3);
    CHECK(shown.at().offsets[0] == 3);
    CHECK(shown.at().offsets[1] == 0);
    right.append({2, 7, event_time{} + 55_s});
    poll(12, 61);
    CHECK(shown.at().offsets[0] == 3);  // the right one comes first, and is waited for again
    CHECK(shown.at().offsets[1] == 1);
    CHECK(shown.at().epoch == 4);
}

TEST_CASE("a view behind a join is told how far both inputs have come", "[view][frontier][join]") {
    memory_log<sale> logs[2];
    auto const side = [](auto name) {
        return from<sale>(name)
            | assign_time<&sale::at>(bounded_disorder{1_s})
            | key_by<&sale::shop>()
            | window(tumbling{10_s});
    };
    auto const pairs = join(side("left"_name), side("right"_name)) | aggregate(count());
    view<std::int64_t, std::int64_t> shown;
    clock_now = event_time{};
    job running{stream{.clock = the_clock, .idle_after = 10_s}, pairs, bind("left"_name, logs[0]),
        bind("right"_name, logs[1]), shown};
    std::mt19937_64 random{4};
    std::int64_t newest[2] = {0, 0};
    std::vector<event_time> newest_by[2];  // after each record
    for (int i = 0; i < 200; ++i) {
        clock_now = clock_now + 1_s;
        for (std::size_t which : {std::size_t{0}, std::size_t{1}}) {
            newest[which] += static_cast<std::int64_t>(random() % 4);
            newest_by[which].push_back(event_time{} + newest[which] * 1_s);
            logs[which].append({static_cast<std::int64_t>(random() % 3), 1, newest_by[which].back()});
        }
        running.poll();
        auto const at = shown.at();
        REQUIRE(at.offsets.size() == 2);
        REQUIRE(at.epoch == at.offsets[0] + at.offsets[1]);
        event_time read = event_time::max();
        for (std::size_t which : {std::size_t{0}, std::size_t{1}}) {
            auto const count = static_cast<std::size_t>(at.offsets[which]);
            auto const last = count == 0 ? event_time::min() : newest_by[which][count - 1];
            if (last < read) read = last;
        }
        REQUIRE(at.progress == read);
        REQUIRE((at.watermark < read || read == event_time::min()));  // bounded_disorder
        for (auto const& row : shown.snapshot().rows()) REQUIRE(row.window.end <= read);
    }
    CHECK(shown.at().watermark > event_time{} + 200_s);
    CHECK(shown.snapshot().size() > 30);
    // One is idle: the join goes on with the other, and so does what the view says; but progress stays.
    auto const before = shown.at();
    for (int i = 0; i < 40; ++i) {
        clock_now = clock_now + 1_s;
        logs[0].append({1, 1, event_time{} + (newest[0] += 2) * 1_s});
        running.poll();
    }
    CHECK(shown.at().watermark >= event_time{} + (newest[0] - 4) * 1_s);
    CHECK(shown.at().progress >= before.progress);
    CHECK(shown.at().progress <= event_time{} + newest[1] * 1_s);
}

TEST_CASE("a view says the same whether partitions are read by threads or not", "[view][frontier][threads]") {
    memory_log<sale> log{4};
    add_sales(log, 60'000, 5);
    auto const sums = from<sale>()
        | assign_time<&sale::at>(bounded_disorder{30_s})
        | key_by<&sale::shop>()
        | window(tumbling{1_min})
        | aggregate(sum<&sale::cents>());
    view<std::int64_t, std::int64_t> plain;
    view<std::int64_t, std::int64_t> threaded;
    job one{stream{}, sums, log, plain};
    job two{stream{.threads = 2}, sums, log, threaded};
    for (std::size_t budget : {5'000U, 9'000U, 100U, 20'000U, 60'000U}) {
        one.poll(budget);
        two.poll(budget);
        std::uint64_t read = 0;
        auto const at = threaded.at();
        REQUIRE(at.offsets.size() == 4);
        for (std::size_t p = 0; p < 4; ++p) read += at.offsets[p];
        CHECK(at.epoch == read);
        CHECK(plain.at().epoch == at.epoch);
        CHECK(plain.at().offsets == at.offsets);
        CHECK(plain.at().watermark == at.watermark);
        CHECK(plain.at().progress == at.progress);
        CHECK(content(plain.snapshot().rows()) == content(threaded.snapshot().rows()));
    }
    one.drain();
    two.drain();
    view<std::int64_t, std::int64_t> of_batch;
    run(batch{.threads = 2}, sums, log, of_batch);
    for (auto const* const each : {&plain, &threaded, &of_batch}) {
        CHECK(each->at().epoch == 60'000);
        CHECK(each->at().offsets == plain.at().offsets);
        CHECK(each->at().watermark == event_time::max());
    }
    CHECK(content(threaded.snapshot().rows()) == content(plain.snapshot().rows()));
    CHECK(content(of_batch.snapshot().rows()) == content(plain.snapshot().rows()));
}
