// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/top.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/check_laws.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play, testing::watermark;

namespace top_test {
struct bid {
    text shop;
    std::int64_t cents;
    std::int32_t item;
};
struct secret {
    int value;
};
struct shop_totals {
    std::int64_t bids;
    std::int64_t cents;
};
}  // namespace top_test
BOOST_HANA_ADAPT_STRUCT(top_test::bid, shop, cents, item);
BOOST_HANA_ADAPT_STRUCT(top_test::shop_totals, bids, cents);
using top_test::bid;

namespace {
constexpr auto bids = from<event<bid>>();
constexpr auto per_shop = bids | key_by<&bid::shop>() | window(tumbling{10_s});
constexpr auto best_bids = bids | window(tumbling{10_s}) | top<&bid::cents>(2);

std::vector<std::int32_t> items(std::vector<bid> const& rows) {
    std::vector<std::int32_t> all;
    for (auto const& each : rows) all.push_back(each.item);
    return all;
}
using ints = std::vector<std::int32_t>;
using strings = std::vector<std::string>;
strings keys(auto const& panes) {
    strings all;
    for (auto const& each : panes) all.push_back(std::string{each.key});
    return all;
}

using best = decltype(top<&bid::cents>(1));
using best_for_ever = decltype(top<&bid::cents>(1, unbounded_state{}));
static_assert(operator_on<best, bid>);  // of everything: n rows
static_assert(!operator_on<best, stream_of<bid, true, text>>);  // of each key, for ever
static_assert(operator_on<best_for_ever, stream_of<bid, true, text>>);
static_assert(!operator_on<decltype(top(1)), top_test::secret>);  // no order
static_assert(!operator_on<decltype(top<&top_test::secret::value>(1)), top_test::secret>);  // no codec
static_assert(single_pane<decltype(best_bids)>);
static_assert(state_bound<decltype(best_bids)> == state_class::windowed);
static_assert(!is_order_free<decltype(best_bids)>);  // ties by the order of the log
static_assert(is_order_free<decltype(per_shop | aggregate(count()) | top(2))>);
}  // namespace

TEST_CASE("top(0) is refused when the job starts", "[op][top]") {
    CHECK_THROWS_AS(play(bids | window(tumbling{10_s}) | top<&bid::cents>(0)), error);
}

TEST_CASE("top yields the greatest of a window when it ends, ties by the order of the log", "[op][top]") {
    auto const out = play(best_bids, event{bid{"a", 5, 1}, at(3_s)}, event{bid{"b", 7, 2}, at(2_s)},
        event{bid{"c", 5, 3}, at(1_s)}, event{bid{"a", 1, 4}, at(11_s)}, watermark(at(10_s) - 1_ns),
        watermark(at(10_s)), testing::end_of_input{});
    CHECK(items(out.records) == ints{2, 1, 4});
    CHECK(out.panes_at(4).empty());
    CHECK(out.panes_at(5).size() == 2);
    CHECK(out.panes[0].window == time_window{at(0_s), at(10_s)});
    CHECK(out.report.stage("top")->applied == 4);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("top of each key, of everything, ascending, with ties", "[op][top]") {
    std::vector<bid> const in{
        {"a", 5, 1}, {"b", 7, 2}, {"a", 5, 3}, {"a", 4, 4}, {"a", 6, 5}, {"b", 7, 6}, {"a", 5, 7}};
    auto const of = [&](auto const& pipe) {
        ints all;
        std::vector<event<bid>> events;
        for (auto const& each : in) events.push_back({each, at(1_s)});
        for (auto const& row : run(batch{}, pipe, events)) all.push_back(row.value.item);
        return all;
    };
    auto const all = bids | window(tumbling{10_s});
    CHECK(of(all | top<&bid::cents>(3)) == ints{2, 6, 5});
    CHECK(of(all | top<&bid::cents>(4)) == ints{2, 6, 5, 1});
    CHECK(of(all | top<&bid::cents>(4, with_ties{})) == ints{2, 6, 5, 1, 3, 7});
    CHECK(of(all | top<&bid::cents>(1, with_ties{})) == ints{2, 6});
    CHECK(of(all | top<&bid::cents>(2, ascending{})) == ints{4, 1});
    CHECK(of(all | top(2, [](bid const& b) { return -b.cents; })) == ints{4, 1});
    CHECK(of(all | top(2, &bid::cents, ascending{}, with_ties{})) == ints{4, 1, 3, 7});
    CHECK(of(per_shop | top<&bid::cents>(1)).size() == 2);
    CHECK(of(all | top<&bid::cents>(100)).size() == in.size());
}

TEST_CASE("top(n, with_row_number{}) says the rank; rows that tie share it with_ties{}", "[op][top]") {
    auto const ranks = [](auto const& pipe) {
        std::vector<std::pair<std::int64_t, std::int32_t>> all;
        std::vector<event<bid>> const in{{{"a", 5, 1}, at(1_s)}, {{"b", 7, 2}, at(1_s)}, {{"a", 7, 3}, at(1_s)}};
        for (auto const& row : run(batch{}, pipe, in)) all.emplace_back(row.value.rank, row.value.row.item);
        return all;
    };
    using pairs = std::vector<std::pair<std::int64_t, std::int32_t>>;
    auto const all = bids | window(tumbling{10_s});
    CHECK(ranks(all | top<&bid::cents>(3, with_row_number{})) == pairs{{1, 2}, {2, 3}, {3, 1}});
    CHECK(ranks(all | top<&bid::cents>(3, with_row_number{}, with_ties{})) == pairs{{1, 2}, {1, 3}, {3, 1}});
}

TEST_CASE("top ranks the rows of an aggregate within their window, ties by their key", "[op][top]") {
    auto const sums = per_shop | aggregate<top_test::shop_totals>(count(), sum<&bid::cents>());
    std::vector<event<bid>> const in{{{"c", 5, 1}, at(1_s)}, {{"b", 7, 2}, at(1_s)}, {{"bb", 5, 3}, at(2_s)},
        {{"ba", 2, 3}, at(2_s)}, {{"ba", 3, 3}, at(2_s)}, {{"x", 1, 4}, at(12_s)}};
    auto const dearest = run(batch{}, sums | top<&top_test::shop_totals::cents>(3), in);
    CHECK(keys(dearest) == strings{"b", "ba", "bb", "x"});
    CHECK(dearest[1].value.cents == 5);
    CHECK(keys(run(batch{.threads = 2}, sums | top<&top_test::shop_totals::cents>(3), in)) == keys(dearest));
    auto const busiest = run(batch{}, per_shop | aggregate(count()) | top(1), in);
    CHECK(keys(busiest) == strings{"ba", "x"});

    // A key in between makes groups of its own.
    auto const first_letter = key_by([](auto const& row) { return row.key.empty() ? '?' : row.key[0]; });
    auto const grouped = run(batch{}, sums | first_letter | top<&top_test::shop_totals::cents>(1), in);
    auto each = keys(grouped);
    std::sort(each.begin(), each.begin() + 2);
    CHECK(each == strings{"b", "c", "x"});
}

TEST_CASE("a late record changes the rows by what is new among them", "[op][top]") {
    auto const pipe = bids | key_by<&bid::shop>() | window(tumbling{10_s}, allowed_lateness{20_s})
        | aggregate(sum<&bid::cents>()) | top(2);
    auto const out = play(pipe, event{bid{"a", 5, 1}, at(1_s)}, event{bid{"b", 7, 2}, at(2_s)},
        event{bid{"c", 1, 3}, at(3_s)}, watermark(at(10_s)), event{bid{"c", 1, 4}, at(4_s)},
        event{bid{"c", 9, 5}, at(5_s)}, event{bid{"b", 1, 5}, at(5_s)}, watermark(at(30_s)),
        event{bid{"b", 1, 6}, at(5_s)}, testing::end_of_input{});
    CHECK(keys(out.panes_at(3)) == strings{"b", "a"});
    CHECK(out.steps[4].call_count == 0);  // c has 2 now: third as before
    CHECK(keys(out.panes_at(5)) == strings{"c"});
    REQUIRE(out.removed.size() == 1);
    CHECK(out.removed[0].first == "a");
    CHECK(out.records == std::vector<std::int64_t>{7, 5, 11, 8});  // a change of place within the best is one write
    CHECK(out.refused(reason::late) == 1);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("top without a window answers each record at once, and those that do not make it not at all", "[op][top]") {
    auto const pipe = bids | key_by<&bid::shop>() | top<&bid::cents>(2, with_row_number{}, max_keys{2});
    auto const out = play(pipe, event{bid{"a", 5, 1}, at(1_s)}, event{bid{"a", 7, 2}, at(2_s)},
        event{bid{"a", 5, 3}, at(3_s)}, testing::snapshot_and_restore{}, event{bid{"a", 6, 4}, at(1_s)},
        event{bid{"b", 1, 5}, at(1_s)}, event{bid{"c", 1, 6}, at(1_s)}, testing::end_of_input{});
    CHECK(out.steps[2].call_count == 0);
    REQUIRE(out.panes_at(4).size() == 1);
    CHECK(out.panes_at(4)[0].key == std::tuple{std::string{"a"}, std::int64_t{2}});
    CHECK(out.panes_at(4)[0].value.row.item == 4);
    CHECK(out.panes_at(5).size() == 1);
    CHECK(out.refused(reason::capacity) == 1);
}

TEST_CASE("rows that come early are ranked at once, and their window takes them along", "[op][top]") {
    auto const pipe = bids | key_by<&bid::shop>() | window(tumbling{10_s}, at_watermark().early(every(1)))
        | aggregate(sum<&bid::cents>()) | top(1);
    auto const out = play(pipe, event{bid{"a", 5, 1}, at(1_s)}, event{bid{"b", 7, 2}, at(2_s)},
        event{bid{"a", 3, 3}, at(3_s)}, watermark(at(10_s)), event{bid{"a", 1, 3}, at(13_s)}, testing::end_of_input{});
    CHECK(keys(out.panes_at(0)) == strings{"a"});
    CHECK(keys(out.panes_at(1)) == strings{"b"});
    CHECK(out.records == std::vector<std::int64_t>{5, 7, 8, 1});
    CHECK(out.removed.size() == 2);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("top sends what its window refuses to late_to, and counts it", "[op][top]") {
    std::vector<std::int32_t> late;
    auto output = bind("late"_name, to([&](auto const& row) { late.push_back(row.value.item); }));
    testing::script<bid> steps;
    steps.add(event{bid{"a", 5, 1}, at(1_s)});
    steps.add(watermark(at(12_s)));
    steps.add(event{bid{"a", 7, 2}, at(2_s)});
    steps.add(watermark(at(15_s)));
    steps.add(event{bid{"a", 9, 3}, at(3_s)});
    steps.add(testing::end_of_input{});
    auto const pipe = bids | window(tumbling{10_s}, allowed_lateness{5_s}) | late_to("late"_name)
        | top<&bid::cents>(1, with_row_number{});
    auto const out = testing::play_script(pipe, steps, output);
    REQUIRE(out.records.size() == 2);
    CHECK(out.records[1].row.item == 2);
    CHECK(late == ints{3});
    CHECK(out.refused(reason::late) == 1);
}

TEST_CASE("rows that tie have one rank, and places of their own", "[op][top]") {
    auto const out = play(bids | window(tumbling{10_s}) | top<&bid::cents>(1, with_ties{}, with_row_number{}),
        event{bid{"a", 5, 1}, at(1_s)}, event{bid{"b", 5, 2}, at(1_s)}, testing::end_of_input{});
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes[1].key == 2);
    CHECK(out.panes[1].value.rank == 1);
}

TEST_CASE("top keeps text alive and owns it in results", "[op][top]") {
    std::vector<event<bid>> in;
    std::vector<std::string> names;
    names.reserve(2000);
    for (int i = 0; i < 2000; ++i) {
        names.push_back("a shop with a name that no small string holds " + std::to_string(i));
        in.push_back({bid{names.back(), i * 7 % 2003, i}, at(duration{i})});
    }
    testing::script<bid> steps;
    for (auto const& each : in) {
        steps.add(each);
        if (each.value.item % 300 == 0) steps.add(testing::snapshot_and_restore{});
    }
    steps.add(testing::end_of_input{});
    auto const out = testing::play_script(bids | window(tumbling{10_s}) | top<&bid::cents>(5)
            | map([](bid const& b) { return b.shop; }),
        steps);
    REQUIRE(out.records.size() == 5);
    auto const all = run(batch{}, bids | window(tumbling{10_s}) | top<&bid::cents>(5), in);
    REQUIRE(all.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(out.records[i] == names[static_cast<std::size_t>(all[i].value.item)]);
        CHECK(all[i].value.shop == out.records[i]);
    }
}

TEST_CASE("NaN ranks last, whichever way", "[op][top]") {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    auto const of = [&](auto const& operation) {
        std::vector<double> out;
        std::vector<event<double>> const in{{nan, at(1_s)}, {1.5, at(1_s)}, {-2, at(1_s)}, {nan, at(1_s)}};
        for (auto const& row : run(batch{}, from<event<double>>() | window(tumbling{10_s}) | operation, in))
            out.push_back(row.value);
        return out;
    };
    CHECK(of(top(2)) == std::vector{1.5, -2.0});
    CHECK(of(top(2, ascending{})) == std::vector{-2.0, 1.5});
    CHECK(of(top(3)).size() == 3);
}

TEST_CASE("a measure that throws leaves its row out", "[op][top][on_error]") {
    auto const measure = [](bid const& b) {
        if (b.item == 2) throw std::runtime_error("unlucky");
        return b.cents;
    };
    std::vector<event<bid>> const in{{{"a", 5, 1}, at(1_s)}, {{"b", 7, 2}, at(1_s)}, {{"a", 6, 3}, at(1_s)}};
    auto const out = run(batch{.on_error = on_error::skip}, bids | window(tumbling{10_s}) | top(3, measure), in);
    CHECK(out.size() == 2);
    CHECK(out.report().refused(reason::failed) == 1);
    auto const running = play(bids | top(1, [](bid const& b) { return b.cents; }), in[0], in[2]);
    CHECK(running.panes.size() == 2);
}

TEST_CASE("what top keeps of a group can be put together and taken apart", "[op][top]") {
    std::vector<bid> const in{
        {"a", 5, 1}, {"b", 7, 2}, {"a", 5, 3}, {"a", 4, 4}, {"a", 5, 1}, {"b", 7, 6}, {"a", 5, 7}};
    using by = driftless::detail::measure_of<driftless::detail::member_projection<&bid::cents>>;
    using driftless::detail::extreme, driftless::detail::top_rows_fn;
    CHECK(testing::check_laws(top_rows_fn<by, extreme::greatest, false, false>{{}, 3}, in).sentence.empty());
    CHECK(testing::check_laws(top_rows_fn<by, extreme::least, true, false>{{}, 3}, in).sentence.empty());
    CHECK(testing::check_laws(top_rows_fn<by, extreme::greatest, true, true>{{}, 3}, in).sentence.empty());
    std::vector<pane<std::int32_t, std::int64_t>> rows;
    for (auto const& each : in) rows.push_back({each.item, {}, each.cents, {}});
    using itself = driftless::detail::measure_itself;
    CHECK(testing::check_laws(top_rows_fn<itself, extreme::greatest, false, false>{{}, 3}, rows).sentence.empty());
    CHECK(testing::check_laws(top_rows_fn<itself, extreme::least, true, false>{{}, 2}, rows).sentence.empty());
}

namespace {
/// Whether two lists become what was told of them when the same rows are put before and behind both.
bool is_difference(std::vector<bid> const& old, std::vector<bid> const& now, auto const& told, bool from_first) {
    // The text of `old` has gone with its rows.
    auto const same = [](bid const& a, bid const& b) { return a.cents == b.cents && a.item == b.item; };
    if (told.before.size() > old.size() || told.after.size() > now.size()) return false;
    if (old.size() - told.before.size() != now.size() - told.after.size()) return false;
    auto const outside = old.size() - told.before.size();
    for (std::size_t first = 0; first <= (from_first ? 0 : outside); ++first) {
        auto const fits = [&](auto const& whole, auto const& part) {
            return std::ranges::equal(part, whole | std::views::drop(first) | std::views::take(part.size()), same);
        };
        auto const begin = [&](auto const& whole) { return whole | std::views::take(first); };
        auto const rest = [&](auto const& whole, auto const& part) {
            return whole | std::views::drop(first + part.size());
        };
        if (fits(old, told.before) && fits(now, told.after) && std::ranges::equal(begin(old), begin(now), same)
            && std::ranges::equal(rest(old, told.before), rest(now, told.after), same))
            return true;
    }
    return false;
}
/// The ranks of rows that nothing was told of are what they were.
template <bool WithTies>
bool ranks_stay(std::vector<bid> const& old, std::vector<bid> const& now, std::size_t told) {
    auto const ranks = [](std::vector<bid> const& of) {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < of.size(); ++i)
            out.push_back(WithTies && i != 0 && of[i].cents == of[i - 1].cents ? out.back() : i + 1);
        return out;
    };
    return std::ranges::equal(ranks(old) | std::views::drop(told), ranks(now) | std::views::drop(told));
}
template <bool WithTies, driftless::detail::extreme Best>
void check_differences() {
    using rows = driftless::detail::all_rows<bid, std::int64_t, Best, WithTies>;
    std::mt19937 random{7};
    for (int round = 0; round < 300; ++round) {
        auto const n = 1 + random() % 9;
        rows all;
        std::vector<bid> in;
        auto const add = [&] {
            in.push_back({"a", static_cast<std::int64_t>(random() % 12), static_cast<std::int32_t>(random() % 3)});
            all.offer(in.back().cents, in.back(), n);
        };
        for (auto left = random() % 30; left != 0; --left) add();
        auto const old = all.list(n);
        typename rows::difference what;
        all.watch(&what);
        bool const nothing_left = random() % 8 == 0;
        for (auto left = nothing_left ? in.size() : random() % 7; left != 0; --left) {
            if (!in.empty() && (nothing_left || random() % 2 == 0)) {
                auto const at = in.begin() + static_cast<std::ptrdiff_t>(random() % in.size());
                all.take_back(at->cents, *at);
                in.erase(at);
            } else {
                add();
            }
        }
        all.watch(nullptr);
        auto const now = all.list(n);
        if (nothing_left) REQUIRE(is_difference(old, now, typename rows::lists{rows::list_of_gone(what, n), {}}, true));
        auto const told = all.changed_lists(what, n, true);
        REQUIRE(is_difference(old, now, told, true));
        REQUIRE((told.before.size() != told.after.size() || ranks_stay<WithTies>(old, now, told.after.size())));
        REQUIRE(is_difference(old, now, all.changed_lists(what, n, false), false));
    }
}
}  // namespace

TEST_CASE("what has changed of the best is told without the rest", "[op][top][oracle]") {
    using driftless::detail::extreme;
    check_differences<false, extreme::greatest>();
    check_differences<false, extreme::least>();
    check_differences<true, extreme::greatest>();
    check_differences<true, extreme::least>();
    // A step of one row among ten thousand takes no more than its neighbours.
    driftless::detail::all_rows<bid, std::int64_t, extreme::greatest, false> all;
    for (std::int32_t i = 0; i < 10'000; ++i) all.offer(i, bid{"a", i, i}, 10'000);
    decltype(all)::difference what;
    all.watch(&what);
    all.take_back(5'000, bid{"a", 5'000, 5'000});
    all.offer(5'002, bid{"a", 5'002, 5'000}, 10'000);
    auto const told = all.changed_lists(what, 10'000, false);
    CHECK(told.before.size() < 6);
    CHECK(told.after.size() == told.before.size());
}

TEST_CASE("plans and fingerprints tell what is ranked by what", "[op][top]") {
    CHECK(explain(best_bids).find("top by=cents n=2") != std::string::npos);
    auto const totals = per_shop | aggregate<top_test::shop_totals>(count(), sum<&bid::cents>());
    CHECK(explain(totals | top<&top_test::shop_totals::bids>(3, ascending{})).find("top by=bids n=3 ascending")
        != std::string::npos);
    CHECK(fingerprint(totals | top<&top_test::shop_totals::bids>(3))
        != fingerprint(totals | top<&top_test::shop_totals::cents>(3)));
}
