// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/view.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/as_inserts.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace view_test {
using namespace driftless;
struct sale {
    text shop;
    std::int64_t cents;
    event_time at;
};
struct best {
    text shop;
    std::int64_t cents;
};
}  // namespace view_test
BOOST_HANA_ADAPT_STRUCT(view_test::sale, shop, cents, at);
BOOST_HANA_ADAPT_STRUCT(view_test::best, shop, cents);

namespace {
using namespace driftless;
using namespace driftless::literals;
using view_test::best;
using view_test::sale;
using key_and_window = std::pair<std::int64_t, time_window>;

constexpr event_time at(std::int64_t ns) { return event_time{ns}; }
time_window hour(std::int64_t n) { return {event_time{} + n * 1_h, event_time{} + (n + 1) * 1_h}; }
template <class V>
pane<std::int64_t, V> row(std::int64_t key, V value, time_window window = {}) {
    return {key, window, std::move(value), {}};
}
frontier read_up_to(std::uint64_t epoch) {
    static std::uint64_t offset;
    offset = epoch;
    return {epoch, event_time::min(), event_time::min(), &offset, 1};
}
event_time fake_now{1000};
event_time fake_clock() { return fake_now; }
}  // namespace

TEST_CASE("a view shows what was written when its frontier is told, and not before", "[view]") {
    view<std::int64_t, std::int64_t> totals;
    CHECK_FALSE(totals.find(1));
    CHECK(totals.find(1).epoch() == 0);
    totals.write(row<std::int64_t>(1, 10));
    CHECK_FALSE(totals.find(1));
    totals.on_frontier(read_up_to(3));
    auto const found = totals.find(1);
    REQUIRE(found);
    CHECK(*found == 10);
    CHECK(found.epoch() == 3);
    CHECK(found.at().offsets[0] == 3);
    CHECK(found.at().version == 1);
    CHECK(found.row_version() == 1);
    CHECK_FALSE(totals.find(2));
    totals.write(row<std::int64_t>(1, 11));
    totals.write(row<std::int64_t>(2, 5, hour(1)));
    CHECK(*totals.find(1) == 10);
    totals.on_frontier(read_up_to(4));
    CHECK(*totals.find(1) == 11);
    CHECK_FALSE(totals.find(2));  // it has a window
    CHECK(*totals.find(2, hour(1)) == 5);
    CHECK_FALSE(totals.find(2, hour(2)));
    totals.remove(std::int64_t{1}, {});
    totals.remove(std::int64_t{9}, {});
    CHECK(totals.find(1));
    totals.on_frontier(read_up_to(5));
    CHECK_FALSE(totals.find(1));
    CHECK(totals.find(1).epoch() == 5);
    CHECK(totals.at().version == 3);
}

TEST_CASE("a snapshot of a view stays what it was while the view goes on", "[view]") {
    view<std::int64_t, std::int64_t> totals;
    for (std::int64_t i = 0; i < 1000; ++i) totals.write(row(i, i));
    totals.on_frontier(read_up_to(1));
    auto const before = totals.snapshot();
    for (std::uint64_t epoch = 2; epoch < 30; ++epoch) {
        for (std::int64_t i = 0; i < 1000; ++i) totals.write(row(i, -i));
        if (epoch % 3 == 0) {
            for (std::int64_t i = 0; i < 1000; i += 2) totals.remove(i, {});
        }
        totals.on_frontier(read_up_to(epoch));
    }
    CHECK(before.at().epoch == 1);
    CHECK(before.size() == 1000);
    std::int64_t sum = 0;
    before.for_each([&](auto const& each) { sum += each.value; });
    CHECK(sum == 999 * 500);
    for (std::int64_t i = 0; i < 1000; ++i) CHECK(*before.find(i) == i);
    CHECK(*totals.find(7) == -7);
}

TEST_CASE("a view keeps no more versions than readers hold", "[view]") {
    view<std::int64_t, std::string> names;
    std::uint64_t epoch = 0;
    auto const turn = [&](std::int64_t keys) {
        for (std::int64_t i = 0; i < keys; ++i)
            names.write(row(i, std::string(30, static_cast<char>('a' + epoch % 26))));
        names.on_frontier(read_up_to(++epoch));
    };
    turn(500);
    for (int i = 0; i < 20; ++i) turn(500);
    names.collect();
    CHECK(names.kept_versions() == 0);
    auto const bytes = names.state_bytes();
    {
        auto const held = names.snapshot();
        auto const copy = held;
        for (int i = 0; i < 200; ++i) turn(500);
        names.collect();
        CHECK(names.kept_versions() == 1);
        CHECK(*copy.find(3) == std::string(30, static_cast<char>('a' + 20)));
    }
    names.collect();
    CHECK(names.kept_versions() == 0);
    CHECK(names.state_bytes() < 3 * bytes);
    for (int i = 0; i < 200; ++i) turn(500);
    CHECK(names.state_bytes() < 3 * bytes);
}

TEST_CASE("any sequence of writes and removals leaves in a view what it leaves in a map", "[view][oracle]") {
    auto const check = []<class V>(auto const& value_of, V const*) {
        for (std::uint32_t seed = 1; seed <= 6; ++seed) {
            std::mt19937_64 random{seed};
            view<std::int64_t, V> out;
            std::map<key_and_window, V> truth;
            std::vector<std::pair<typename view<std::int64_t, V>::snapshot_type, std::map<key_and_window, V>>> held;
            auto const keys = static_cast<std::int64_t>(1) << (2 + random() % 11);
            for (std::uint64_t epoch = 1; epoch <= 60; ++epoch) {
                for (auto n = random() % 300; n != 0; --n) {
                    auto const key = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(keys)) - keys / 2;
                    auto const part = static_cast<std::int64_t>(random() % 6);
                    auto const window = part < 2 ? time_window{} : hour(part);
                    if (random() % 3 == 0) {
                        out.remove(key, window);
                        truth.erase({key, window});
                    } else {
                        auto const value = value_of(random());
                        out.write(pane<std::int64_t, V>{key, window, value, {}});
                        truth[{key, window}] = value;
                    }
                }
                out.on_frontier(read_up_to(epoch));
                if (random() % 7 == 0) held.emplace_back(out.snapshot(), truth);
                if (held.size() > 3) held.erase(held.begin() + static_cast<std::ptrdiff_t>(random() % held.size()));
                auto all = held;
                all.emplace_back(out.snapshot(), truth);
                for (auto const& [shown, expected] : all) {
                    REQUIRE(shown.size() == expected.size());
                    std::size_t i = 0;
                    auto const rows = shown.rows();
                    REQUIRE(rows.size() == expected.size());
                    std::map<key_and_window, V> found;
                    for (auto const& each : rows) {
                        if (i != 0) {
                            CHECK((rows[i - 1].window < each.window
                                || (rows[i - 1].window == each.window && rows[i - 1].key < each.key)));
                        }
                        ++i;
                        found[{each.key, each.window}] = each.value;
                    }
                    REQUIRE(found == expected);
                    if (epoch % 10 == 0) {
                        for (auto const& [key, value] : expected) REQUIRE(*shown.find(key.first, key.second) == value);
                    }
                }
            }
        }
    };
    check([](std::uint64_t n) { return static_cast<std::int64_t>(n); }, static_cast<std::int64_t*>(nullptr));
    check([](std::uint64_t n) { return std::string(n % 40, 'x') + std::to_string(n); },
        static_cast<std::string*>(nullptr));
}

TEST_CASE("keys whose hashes begin alike find room in a view", "[view]") {
    view<std::int64_t, std::int64_t> out;
    // Integers that mix64 scatters into one range of 2^44 hashes.
    std::vector<std::int64_t> keys;
    for (std::uint64_t i = 0; i < 3000; ++i)
        keys.push_back(static_cast<std::int64_t>(unmix64(0xabcde00000000000u + i * 977)));
    for (auto const key : keys) out.write(row(key, key / 2));
    out.on_frontier(read_up_to(1));
    for (auto const key : keys) REQUIRE(*out.find(key) == key / 2);
    for (auto const key : keys) out.remove(key, {});
    out.on_frontier(read_up_to(2));
    CHECK(out.snapshot().empty());
    CHECK(out.state_bytes() < (std::size_t{4} << 20));
}

TEST_CASE("a view owns the text of its keys and values", "[view]") {
    view<text, best> out;
    {
        std::string key = "apples and pears";
        std::string shop = "a shop with a long name";
        out.write(pane<text, best>{text{key}, {}, {text{shop}, 7}, {}});
        key.assign(key.size(), '#');
        shop.assign(shop.size(), '#');
    }
    out.on_frontier(read_up_to(1));
    auto const found = out.find(std::string{"apples and pears"});
    REQUIRE(found);
    for (int i = 0; i < 10; ++i) {
        out.write(pane<text, best>{text{"apples and pears"}, {}, {text{"another shop, with another name"}, 8}, {}});
        out.on_frontier(read_up_to(2 + static_cast<std::uint64_t>(i)));
    }
    CHECK(found->shop == text{"a shop with a long name"});  // the answer keeps it
    auto const rows = out.snapshot().prefix("apples");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].key == "apples and pears");
    CHECK(out.find("apples and pears")->cents == 8);
    CHECK_FALSE(out.find("apples"));
    view<std::string, std::string> strings;
    strings.write(pane<text, text>{text{"k"}, {}, text{"v"}, {}});
    strings.on_frontier(read_up_to(1));
    CHECK(*strings.find("k") == "v");
}

TEST_CASE("rows of a window with keys of text may be replaced while their window comes", "[view]") {
    view<text, std::int64_t> out;
    auto const name = [](std::int64_t i) { return "a customer with a long name, number " + std::to_string(i); };
    for (std::int64_t i = 0; i < 100; ++i) {
        out.write(pane<text, std::int64_t>{text{name(i)}, hour(1), i, {}});
        for (std::int64_t j = 0; j <= i; j += 3) out.write(pane<text, std::int64_t>{text{name(j)}, hour(1), -j, {}});
    }
    out.on_frontier(read_up_to(1));
    auto const shown = out.snapshot();
    CHECK(shown.size() == 100);
    for (std::int64_t i = 0; i < 100; ++i) CHECK(*shown.find(name(i), hour(1)) == (i % 3 == 0 ? -i : i));
}

TEST_CASE("a view reads ranges, prefixes, windows and the greatest of a window", "[view]") {
    view<std::int64_t, std::int64_t> out;
    for (std::int64_t h = 0; h < 3; ++h) {
        for (std::int64_t i = 0; i < 20; ++i) out.write(row((i * 7) % 20, (i * 7) % 20 % 6 + h, hour(h)));
    }
    out.on_frontier(read_up_to(1));
    auto const now = out.snapshot();
    auto const of_window = now.rows(hour(1));
    REQUIRE(of_window.size() == 20);
    for (std::size_t i = 0; i < 20; ++i) CHECK(of_window[i].key == static_cast<std::int64_t>(i));
    auto const range = now.range(5, 7);
    REQUIRE(range.size() == 6);
    CHECK(range[0].key == 5);
    CHECK(range[1].key == 6);
    CHECK(range[2].window == hour(1));
    CHECK(now.windows_of(19).size() == 3);
    auto const top = now.top(4, [](std::int64_t v) { return v; }, hour(2));
    REQUIRE(top.size() == 4);
    CHECK(top[0].key == 5);
    CHECK(top[1].key == 11);
    CHECK(top[2].key == 17);
    CHECK(top[3].key == 4);
    CHECK(now.top(0, [](std::int64_t v) { return v; }).empty());
    CHECK(now.top(100, [](std::int64_t v) { return v; }).size() == 60);
    CHECK(range.at().epoch == 1);
}

TEST_CASE("an answer that is older than its view allows is marked, or is an error", "[view]") {
    fake_now = at(1000);
    view<std::int64_t, std::int64_t> serving{{.fresh = {.max = duration{10}}, .clock = &fake_clock}};
    view<std::int64_t, std::int64_t> refusing{
        {.name = "totals", .fresh = {.max = duration{10}, .then = freshness::action::error}, .clock = &fake_clock}};
    for (auto* const each : {&serving, &refusing}) {
        each->write(row<std::int64_t>(1, 1));
        each->on_frontier(read_up_to(1));
    }
    fake_now = at(1010);
    CHECK_FALSE(serving.find(1).stale());
    CHECK(refusing.find(1));
    fake_now = at(1011);
    CHECK(serving.find(1).stale());
    CHECK(*serving.find(1) == 1);
    CHECK(serving.find(1).staleness(fake_now) == duration{11});
    try {
        static_cast<void>(refusing.find(1));
        FAIL("a stale answer was served");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::stale);
        CHECK(std::string{problem.what()}.find("view `totals` is at epoch 1") != std::string::npos);
    }
    CHECK_THROWS_AS(refusing.snapshot(), error);
    for (auto* const each : {&serving, &refusing}) each->on_frontier(read_up_to(1));  // nothing new: it is still so
    CHECK_FALSE(serving.find(1).stale());
    CHECK(refusing.find(1));
    CHECK(refusing.find(1).at().version == 1);
    CHECK(refusing.staleness() == duration{0});
}

TEST_CASE("a view drops the rows of windows that ended long enough ago", "[view]") {
    view<std::int64_t, std::int64_t> out{{.keep = 4_h}};
    out.write(row<std::int64_t>(1, 1));
    for (std::int64_t h = 0; h < 24; ++h) {
        for (std::int64_t key = 0; key < 10; ++key) out.write(row(key, h, hour(h)));
        auto now = read_up_to(static_cast<std::uint64_t>(h + 1));
        now.watermark = hour(h).end;
        out.on_frontier(now);
        auto const shown = out.snapshot();
        CHECK(shown.size() <= 1 + 10 * 6);
        for (std::int64_t kept = h - 3 < 0 ? 0 : h - 3; kept <= h; ++kept) CHECK(shown.rows(hour(kept)).size() == 10);
        if (h >= 5) CHECK(shown.rows(hour(h - 5)).empty());
    }
    CHECK(out.find(1));
}

TEST_CASE("a window that ended exactly as long ago as rows are kept is dropped, one that ended later stays", "[view]") {
    for (std::int64_t const keys : {5, 100}) {  // few rows stand together, many in a table of their window
        view<std::int64_t, std::int64_t> out{{.keep = 4_h}};
        for (std::int64_t h = 0; h < 3; ++h) {
            for (std::int64_t key = 0; key < keys; ++key) out.write(row(key, h, hour(h)));
        }
        auto now = read_up_to(1);
        auto const rows_at = [&](event_time watermark) {
            now.watermark = watermark;
            out.on_frontier(now);
            return std::pair{out.snapshot().rows(hour(0)).size(), out.snapshot().rows(hour(1)).size()};
        };
        auto const all = static_cast<std::size_t>(keys);
        CHECK(rows_at(event_time::min()) == std::pair{all, all});
        CHECK(rows_at(hour(0).end + 3_h - 1_ns) == std::pair{all, all});
        CHECK(rows_at(hour(0).end + 4_h) == std::pair{std::size_t{0}, all});
        // Windows with few rows are looked for a quarter of the time later at the latest.
        CHECK(rows_at(hour(1).end + 4_h) == std::pair{std::size_t{0}, std::size_t{0}});
        CHECK(rows_at(event_time::max()).second == 0);
        CHECK(out.snapshot().rows(hour(2)).size() == all);
    }
}

namespace {
inline constexpr auto per_shop = from<sale>()
    | assign_time<&sale::at>(bounded_disorder{10_min})
    | key_by<&sale::shop>()
    | window(tumbling{1_h}, allowed_lateness{1_h})
    | aggregate(count(), sum<&sale::cents>());
inline constexpr auto shop_sessions = from<sale>()
    | assign_time<&sale::at>(bounded_disorder{10_min})
    | key_by<&sale::shop>()
    | window(session{30_min}, allowed_lateness{2_h})
    | aggregate(count(), sum<&sale::cents>());
inline constexpr auto all_time = from<sale>()
    | assign_time<&sale::at>(bounded_disorder{10_min})
    | key_by<&sale::shop>()
    | as_inserts()
    | aggregate(count(), sum<&sale::cents>(), unbounded_state{});
using totals = std::tuple<std::int64_t, std::int64_t>;
using rows_by_key = std::map<std::pair<std::string, time_window>, totals>;

/// Sales of a few shops, up to 8 minutes out of order.
void add_sales(memory_log<sale>& into, std::size_t n, std::uint64_t seed) {
    static char const* const shops[] = {"north", "south", "east", "west", "harbour"};
    std::mt19937_64 random{seed};
    std::int64_t minute = static_cast<std::int64_t>(into.end_offset());
    for (std::size_t i = 0; i < n; ++i, ++minute) {
        auto const when = minute - static_cast<std::int64_t>(random() % 8) + (random() % 50 == 0 ? 45 : 0);
        into.append({shops[random() % 5], static_cast<std::int64_t>(random() % 100), event_time{} + when * 1_min});
    }
}
template <class Rows>
rows_by_key by_key(Rows const& rows) {
    rows_by_key out;
    for (auto const& each : rows) out[{std::string{each.key}, each.window}] = each.value;
    return out;
}
/// What a sink of a stream over the first `n` records is left with: corrections replace, removals take away.
template <class P>
rows_by_key streamed(P const& pipeline, memory_log<sale> const& log, std::size_t n) {
    rows_by_key out;
    auto sink = to(
        [&](pane<text, totals> const& each) {
            out[{each.key.str(), each.window}] = each.value;
        },
        [&](text const& key, time_window window) {
            out.erase({key.str(), window});
        });
    job<stream, P, memory_log<sale> const&, decltype(sink)&> running{stream{}, pipeline, log, sink};
    running.poll(n);
    return out;
}
}  // namespace

TEST_CASE("a view of a job shows at each poll what a stream over that prefix gives", "[view][oracle]") {
    memory_log<sale> log;
    add_sales(log, 600, 7);
    auto const check = [&](auto const& pipeline) {
        view<text, totals> shown;
        using pipeline_t = std::remove_cvref_t<decltype(pipeline)>;
        job<stream, pipeline_t, memory_log<sale> const&, view<text, totals>&> running{stream{}, pipeline, log, shown};
        std::size_t read = 0;
        for (std::size_t step = 1; read < 600; step = step % 41 + 7) {
            read += running.poll(step);
            auto const now = shown.snapshot();
            REQUIRE(now.at().epoch == read);
            REQUIRE(now.at().offsets[0] == read);
            REQUIRE(by_key(now.rows()) == streamed(pipeline, log, read));
        }
        running.drain();
        CHECK(shown.at().watermark == event_time::max());
        CHECK(by_key(shown.snapshot().rows()) == by_key(run(batch{}, pipeline, log)));
        view<text, totals> of_batch;
        run(batch{}, pipeline, log, of_batch);
        CHECK(by_key(of_batch.snapshot().rows()) == by_key(shown.snapshot().rows()));
        CHECK(of_batch.at().epoch == 600);
    };
    check(per_shop);
    check(shop_sessions);
    check(all_time);
}

TEST_CASE("a view is restored with its job", "[view][snapshot]") {
    memory_log<sale> log;
    add_sales(log, 400, 11);
    for (std::size_t cut : {1U, 57U, 200U, 399U}) {
        std::string bytes;
        served_at was;
        rows_by_key then;
        {
            view<text, totals> shown;
            job running{stream{}, per_shop, log, shown};
            running.poll(cut);
            bytes = running.snapshot();
            was = shown.at();
            then = by_key(shown.snapshot().rows());
        }
        view<text, totals> shown;
        job running{stream{}, per_shop, log, shown};
        running.restore(bytes);
        CHECK(shown.at().epoch == cut);
        CHECK(shown.at().version > was.version);
        CHECK(by_key(shown.snapshot().rows()) == then);
        running.poll();
        CHECK(by_key(shown.snapshot().rows()) == streamed(per_shop, log, 400));
    }
}

TEST_CASE("readers of a view see whole epochs that only go forward", "[view][threads]") {
    // In epoch e every key of the group e % 7 has the value e: the sum over a group is a multiple of its size.
    view<std::int64_t, std::int64_t> numbers;
    view<std::int64_t, std::string> names;
    constexpr std::int64_t keys = 700;
    constexpr std::uint64_t epochs = 600;
    for (std::int64_t i = 0; i < keys; ++i) {
        numbers.write(row<std::int64_t>(i, 0));
        names.write(row(i, std::string{"0"}));
    }
    numbers.on_frontier(read_up_to(1));
    names.on_frontier(read_up_to(1));
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (unsigned t = 0; t < 3; ++t) {
        readers.emplace_back([&, t] {
            std::mt19937_64 random{t};
            std::uint64_t last = 0;
            for (int turn = 0; turn < 200 || !done.load(); ++turn) {
                for (int i = 0; i < 20; ++i) {
                    auto const key = static_cast<std::int64_t>(random() % keys);
                    auto const number = numbers.find(key);
                    auto const name = names.find(key);
                    if (!number || !name || number.epoch() < last) {
                        ++wrong;
                        continue;
                    }
                    last = number.epoch();
                    // The last epoch of the group that the answer may know of.
                    auto const group = static_cast<std::uint64_t>(key) % 7;
                    auto expected = last;
                    while (expected > 1 && expected % 7 != group) --expected;
                    if (static_cast<std::uint64_t>(*number) != (expected > 1 ? expected : 0)) ++wrong;
                    expected = name.epoch();
                    while (expected > 1 && expected % 7 != group) --expected;
                    if (*name != std::to_string(expected > 1 ? expected : 0)) ++wrong;
                }
                if (turn % 4 == 0) {
                    auto const now = numbers.snapshot();
                    std::int64_t sums[7] = {};
                    now.for_each([&](auto const& each) { sums[each.key % 7] += each.value; });
                    for (std::uint64_t group = 0; group < 7; ++group) {
                        auto expected = now.at().epoch;
                        while (expected > 1 && expected % 7 != group) --expected;
                        if (sums[group] != static_cast<std::int64_t>(expected > 1 ? expected : 0) * keys / 7) ++wrong;
                    }
                }
                if (turn > 100000) break;
            }
        });
    }
    for (std::uint64_t epoch = 2; epoch <= epochs; ++epoch) {
        for (auto i = static_cast<std::int64_t>(epoch % 7); i < keys; i += 7) {
            numbers.write(row(i, static_cast<std::int64_t>(epoch)));
            names.write(row(i, std::to_string(epoch)));
        }
        numbers.on_frontier(read_up_to(epoch));
        names.on_frontier(read_up_to(epoch));
        if (epoch % 16 == 0) std::this_thread::yield();
    }
    done = true;
    for (auto& each : readers) each.join();
    CHECK(wrong == 0);
}
