// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/view.hpp>

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
#include <driftless/view/read_together.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace view_history_test {
using namespace driftless;
struct sale {
    std::int64_t shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace view_history_test
BOOST_HANA_ADAPT_STRUCT(view_history_test::sale, shop, cents, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using view_history_test::sale;
using numbers = view<std::int64_t, std::int64_t>;
using names = view<std::int64_t, std::string>;

event_time clock_now{};
event_time the_clock() { return clock_now; }
constexpr event_time start{1'000'000'000'000};
time_window hour(std::int64_t n) { return {event_time{} + n * 1_h, event_time{} + (n + 1) * 1_h}; }

template <class V>
void put(view<std::int64_t, V>& into, std::int64_t key, V const& value, time_window window = {}, pane_info info = {}) {
    into.write(pane<std::int64_t, V>{key, window, value, info});
}
template <class View>
void show(View& of, std::uint64_t epoch) {
    of.on_frontier({epoch, event_time::min(), event_time::min(), &epoch, 1});
}
template <class F>
error_code code_of(F&& f) {
    try {
        static_cast<void>(f());
    } catch (error const& problem) {
        return problem.code();
    }
    return error_code::none;
}
using truth = std::map<std::pair<std::int64_t, time_window>, std::string>;
template <class Rows>
truth content(Rows const& rows) {
    truth out;
    for (auto const& each : rows) out[{each.key, each.window}] = each.value;
    return out;
}
}  // namespace

TEST_CASE("T-01 a view is asked as of a time", "[view][history]") {
    numbers out{{.history = {.keep = 30_d}, .clock = &the_clock}};
    for (std::int64_t i = 0; i < 10; ++i) {
        clock_now = start + i * 20_min;
        put(out, 1, i);
        show(out, static_cast<std::uint64_t>(i + 1));
    }
    clock_now = start + 300_min;
    for (std::int64_t i = 0; i < 10; ++i) {
        CHECK(*out.as_of(start + i * 20_min + 10_min).find(1) == i);
        CHECK(*out.as_of(start + i * 20_min).find(1) == i);  // inclusive
    }
    CHECK(*out.as_of(start + 180_min).find(1) == 9);
    CHECK(*out.as_of(start + 200_min).find(1) == 9);
    CHECK(*out.as_of(start + 180_min, true).find(1) == 9);
    CHECK(code_of([&] { return out.as_of(start + 200_min, true); }) == error_code::not_there);
    CHECK(code_of([&] { return out.as_of(start - 10_min); }) == error_code::not_there);
    CHECK(code_of([&] { return out.as_of(start - 1_ns); }) == error_code::not_there);
    for (std::uint64_t i = 0; i < 10; ++i) {
        CHECK(*out.as_of(view_version{i + 1}).find(1) == static_cast<std::int64_t>(i));
        CHECK(*out.as_of(partition_offset{0, i + 1}).find(1) == static_cast<std::int64_t>(i));
    }
    CHECK(code_of([&] { return out.as_of(view_version{11}); }) == error_code::not_there);
    CHECK(code_of([&] { return out.as_of(partition_offset{0, 0}); }) == error_code::not_there);
    CHECK(code_of([&] { return out.as_of(partition_offset{1, 0}); }) == error_code::not_there);
}

TEST_CASE("times of versions only grow, whatever the clock does", "[view][history]") {
    numbers out{{.history = {.keep = 30_d}, .clock = &the_clock}};
    std::int64_t n = 0;
    for (auto const at : {start, start, start - 1_h, start + 1_ns, start + 10_ns}) {
        clock_now = at;
        put(out, 1, n++);
        show(out, static_cast<std::uint64_t>(n));
    }
    CHECK(*out.as_of(start).find(1) == 0);
    CHECK(*out.as_of(start + 1_ns).find(1) == 1);
    CHECK(*out.as_of(start + 3_ns).find(1) == 3);
    CHECK(*out.as_of(start + 9_ns).find(1) == 3);
    CHECK(*out.as_of(start + 10_ns).find(1) == 4);
}

TEST_CASE("history keeps what its policy says, and drops the oldest", "[view][history]") {
    auto const run = [](view_history how, std::int64_t steps) {
        auto out = std::make_unique<numbers>(view_options{.history = how, .clock = &the_clock});
        for (std::int64_t i = 0; i < steps; ++i) {
            clock_now = start + i * 1_min;
            for (std::int64_t key = 0; key < 100; ++key) put(*out, key, i);
            show(*out, static_cast<std::uint64_t>(i + 1));
        }
        return out;
    };
    auto const timed = run({.keep = 10_min}, 100);  // the newest is of minute 99
    CHECK(*timed->as_of(start + 88_min).find(3) == 88);  // it was replaced 10 minutes ago
    CHECK(code_of([&] { return timed->as_of(start + 88_min - 1_ns); }) == error_code::not_there);
    auto const counted = run({.keep = 30_d, .versions = 3}, 100);
    CHECK(*counted->as_of(start + 96_min).find(3) == 96);
    CHECK(code_of([&] { return counted->as_of(start + 95_min); }) == error_code::not_there);
    auto const sparse = run({.keep = 30_d, .every = 7_min}, 100);
    for (std::int64_t i = 0; i < 98; ++i) CHECK(*sparse->as_of(start + i * 1_min).find(3) == i - i % 7);
    CHECK(sparse->kept_versions() < 25);
    auto const none = run({}, 100);
    CHECK(code_of([&] { return none->as_of(start + 98_min); }) == error_code::not_there);
    CHECK(*none->as_of(start + 99_min).find(3) == 99);
    // Bounded memory: versions that are gone are used again.
    auto const much = run({.keep = 10_min}, 2000);
    much->collect();
    CHECK(much->kept_versions() <= 11);
    CHECK(much->state_bytes() < (std::size_t{1} << 20));
}

TEST_CASE("a view says what it reported, and why it says something else now", "[view][history]") {
    auto const late = pane_info{.timing = timing::late};
    auto const early = pane_info{.timing = timing::early};
    numbers out{{.history = {.keep = 30_d}, .clock = &the_clock}};
    auto const step = [&](std::int64_t minute, auto const& write) {
        clock_now = start + minute * 1_min;
        write();
        show(out, static_cast<std::uint64_t>(minute + 1));
    };
    step(0, [&] { put(out, 1, std::int64_t{5}, hour(1), early); });
    step(1, [&] { put(out, 1, std::int64_t{6}, hour(1)); });
    step(2, [&] { put(out, 2, std::int64_t{1}, hour(1)); });
    step(3, [&] { put(out, 1, std::int64_t{9}, hour(1), late); });
    step(4, [&] { put(out, 2, std::int64_t{3}, hour(1)); });
    step(5, [&] { out.remove(std::int64_t{2}, hour(1)); });
    auto const at = [&](std::int64_t key, std::int64_t minute) {
        return out.reported(key, start + minute * 1_min + 30_s, hour(1));
    };
    auto const first = at(1, 0);
    CHECK(*first.then == 5);
    CHECK(*first.now == 9);
    REQUIRE(first.changed);
    CHECK(first.changed->why == change_cause::more_data);
    CHECK(first.changed->at.published == start + 1_min);
    CHECK(at(1, 1).changed->why == change_cause::late_data);
    CHECK(at(1, 1).changed->at.epoch == 4);
    CHECK(at(1, 2).changed->at.epoch == 4);
    CHECK_FALSE(at(1, 3).changed);
    CHECK_FALSE(at(2, 0).then);
    CHECK(at(2, 0).changed->why == change_cause::first_result);
    CHECK(at(2, 2).changed->why == change_cause::correction);
    CHECK(at(2, 4).changed->why == change_cause::removed);
    CHECK_FALSE(at(2, 4).now);
    CHECK_FALSE(at(3, 0).changed);
    CHECK(to_string(change_cause::late_data) == "late data");
}

TEST_CASE("history goes through snapshots of the job, to the version", "[view][history][snapshot]") {
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
        std::mt19937_64 random{seed};
        auto const how = view_options{.history = {.keep = 1000_min}, .build = 1, .clock = &the_clock};
        names one{how};
        std::vector<truth> versions;
        truth now;
        auto const turn = [&](names& into, std::int64_t minute) {
            clock_now = start + minute * 1_min;
            for (auto n = random() % 200; n != 0; --n) {
                auto const key = static_cast<std::int64_t>(random() % 60);
                auto const part = static_cast<std::int64_t>(random() % 4);
                auto const window = part == 0 ? time_window{} : hour(part);
                if (random() % 4 == 0) {
                    into.remove(key, window);
                    now.erase({key, window});
                } else {
                    auto const value = std::to_string(random() % 1000);
                    put(into, key, value, window);
                    now[{key, window}] = value;
                }
            }
            show(into, static_cast<std::uint64_t>(minute + 1));
            versions.push_back(now);
        };
        for (std::int64_t i = 0; i < 12; ++i) turn(one, i);
        std::string bytes;
        one.visit_state(driftless::detail::save_visitor{bytes});
        auto later = how;
        later.build = 2;
        names two{later};
        byte_reader in{bytes};
        two.visit_state(driftless::detail::load_visitor{in});
        show(two, 12);
        versions.push_back(now);
        for (std::int64_t i = 13; i < 20; ++i) turn(two, i);
        for (std::size_t i = 0; i < versions.size(); ++i) {
            auto const shown = two.as_of(view_version{i + 1});
            REQUIRE(shown.at().version == i + 1);
            REQUIRE(shown.at().build == (i < 12 ? 1U : 2U));
            REQUIRE(content(shown.rows()) == versions[i]);
            if (i < 12) {
                REQUIRE(content(one.as_of(view_version{i + 1}).rows()) == versions[i]);
                REQUIRE(shown.at().published == one.as_of(view_version{i + 1}).at().published);
            }
        }
    }
}

TEST_CASE("a value that another build wrote is reported as that", "[view][history]") {
    auto how = view_options{.history = {.keep = 1_d}, .build = 1, .clock = &the_clock};
    clock_now = start;
    std::string bytes;
    {
        numbers out{how};
        put(out, 1, std::int64_t{100});
        show(out, 1);
        out.visit_state(driftless::detail::save_visitor{bytes});
    }
    how.build = 2;
    numbers out{how};
    byte_reader in{bytes};
    out.visit_state(driftless::detail::load_visitor{in});
    clock_now = start + 1_h;
    put(out, 1, std::int64_t{119});
    show(out, 1);
    auto const then = out.reported(1, start + 1_min);
    CHECK(*then.then == 100);
    CHECK(then.then.at().build == 1);
    CHECK(*then.now == 119);
    CHECK(then.changed->why == change_cause::new_build);
    CHECK(then.changed->at.build == 2);
}

TEST_CASE("a subscriber that applies what it is told has what the view shows", "[view][subscribe]") {
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
        std::mt19937_64 random{seed};
        names out;
        truth now;
        auto often = out.subscribe();
        auto seldom = out.subscribe();
        truth copies[2];
        auto const follow = [&](auto& subscription, truth& copy) {
            auto const told = subscription.next();
            if (!told) return false;
            if (told->everything) copy.clear();
            for (auto const& each : told->written) copy[{each.key, each.window}] = each.value;
            for (auto const& each : told->removed) REQUIRE(copy.erase({each.first, each.second}) == 1);
            REQUIRE(copy == now);
            REQUIRE(told->at().version == out.at().version);
            REQUIRE_FALSE(subscription.next());
            return true;
        };
        for (std::uint64_t epoch = 1; epoch <= 80; ++epoch) {
            for (auto n = random() % (random() % 8 == 0 ? 2000 : 40); n != 0; --n) {
                auto const key = static_cast<std::int64_t>(random() % 700);
                auto const part = static_cast<std::int64_t>(random() % 4);
                auto const window = part == 0 ? time_window{} : hour(part);
                if (random() % 3 == 0) {
                    out.remove(key, window);
                    now.erase({key, window});
                } else {
                    auto const value = std::to_string(random() % 1000);
                    put(out, key, value, window);
                    now[{key, window}] = value;
                }
            }
            show(out, epoch);
            REQUIRE(follow(often, copies[0]));
            if (random() % 9 == 0) REQUIRE(follow(seldom, copies[1]));
        }
        out.collect();
        CHECK(out.kept_versions() <= 1);
    }
}

TEST_CASE("views of one job are read at one frontier", "[view][together]") {
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 3000; ++i) log.append({i % 10, 1, event_time{} + i * 1_s});
    auto const totals = from<sale>()
        | assign_time<&sale::at>()
        | key_by<&sale::shop>()
        | as_inserts()
        | aggregate(sum<&sale::cents>(), unbounded_state{});
    numbers a{{.name = "a"}};
    numbers b{{.name = "b"}};
    job first{stream{}, totals, log, a};
    job second{stream{}, totals, log, b};
    first.poll(1000);
    try {
        static_cast<void>(read_together(a, b));
        FAIL("two views at different places were read together");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::mismatch);
        CHECK(std::string{problem.what()}.find("a at epoch 1000, b at epoch 0") != std::string::npos);
    }
    second.poll(1000);
    auto const [x, y] = read_together(a, b);
    for (std::int64_t shop = 0; shop < 10; ++shop) CHECK(*x.find(shop) == *y.find(shop));
    CHECK(*x.find(3) == 100);
}
