// SPDX-License-Identifier: BSL-1.0
#include <driftless/adapt/sqlite_view.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/erasure.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/view/view.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include <csignal>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sqlite_view_test {
using namespace driftless;
struct click {
    text who;
    std::int64_t cents;
    event_time at;
};
struct total {
    std::int64_t clicks;
    std::int64_t cents;
    friend bool operator==(total const&, total const&) = default;
};
struct person {
    static constexpr std::string_view subject_kind = "person";
    std::int64_t number = 0;
    friend bool operator==(person const&, person const&) = default;
};
}  // namespace sqlite_view_test
BOOST_HANA_ADAPT_STRUCT(sqlite_view_test::click, who, cents, at);
BOOST_HANA_ADAPT_STRUCT(sqlite_view_test::total, clicks, cents);
BOOST_HANA_ADAPT_STRUCT(sqlite_view_test::person, number);

namespace {
using namespace driftless;
using namespace driftless::literals;
using sqlite_view_test::click;
using sqlite_view_test::person;
using sqlite_view_test::total;
using totals = view<text, total>;
using totals_reader = sqlite_view_reader<text, total>;
using numbers = view<std::int64_t, std::int64_t>;
using numbers_reader = sqlite_view_reader<std::int64_t, std::int64_t>;
using rows_by_key = std::map<std::pair<time_window, std::string>, total>;

/// Sessions are merged, so that rows are written again and taken away.
constexpr auto per_session = from<click>()
    | assign_time<&click::at>(bounded_disorder{4_s})
    | key_by<&click::who>()
    | window(session{3_s}, allowed_lateness{30_s})
    | aggregate<total>(count(), sum<&click::cents>());

void add_clicks(memory_log<click>& to, int count, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    for (int i = 0; i < count; ++i) {
        auto const who = "customer " + std::to_string(random() % 7);
        auto const second = i - static_cast<std::int64_t>(random() % 25);
        to.append({text{who}, static_cast<std::int64_t>(random() % 100), event_time{} + second * 1_s});
    }
}
rows_by_key content(totals const& of) {
    rows_by_key out;
    of.snapshot().for_each([&](auto const& each) { out[{each.window, each.key.str()}] = each.value; });
    return out;
}
rows_by_key content(totals_reader& of) {
    rows_by_key out;
    of.for_each([&](text const& key, time_window const& window, total const& value) {
        out[{window, key.str()}] = value;
    });
    return out;
}
void show(numbers& out, std::uint64_t epoch) {
    out.on_frontier({epoch, event_time::min(), event_time::min(), &epoch, 1});
}
void put(numbers& out, std::int64_t key, std::int64_t value, time_window window = {}) {
    out.write(pane<std::int64_t, std::int64_t>{key, window, value, {}});
}
template <class F>
error_code code_of(F&& f) {
    try {
        f();
    } catch (error const& problem) {
        INFO(problem.what());
        return problem.code();
    }
    FAIL("nothing was refused");
    return {};
}
/// What a process of its own says.
template <class F>
int in_another_process(F&& f) {
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        try {
            ::_exit(f());
        } catch (...) {
            ::_exit(99);
        }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}
}  // namespace

TEST_CASE("a table of SQLite shows each state of a view that is published, and readers stay at theirs",
    "[adapt][sqlite_view]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/out.db";
    sqlite_options const how{.table = "sessions", .key_columns = {"who"}};
    memory_log<click> log;
    add_clicks(log, 600, 5);
    totals shown;
    job running{stream{}, per_session, log, shown};
    sqlite_view_writer kept{shown, path, how};
    CHECK(code_of([&] { totals_reader{path, how}; }) == error_code::not_there);
    std::mt19937_64 random{6};
    running.poll(100);
    CHECK(kept.publish());
    CHECK_FALSE(kept.publish());
    totals_reader still{path, how};
    totals_reader follows{path, how};
    auto const first = content(shown);
    REQUIRE(first.size() > 5);
    for (std::uint64_t read = 100; read < 600;) {
        read += running.poll(1 + random() % 40);
        if (random() % 3 == 0) continue;
        CHECK(kept.publish());
        CHECK(follows.refresh());
        CHECK_FALSE(follows.refresh());
        REQUIRE(follows.at() == shown.at());
        REQUIRE(content(follows) == content(shown));
        CHECK(follows.size() == shown.snapshot().size());
    }
    running.drain();
    CHECK(kept.publish());
    CHECK(content(still) == first);
    CHECK(still.at().epoch == 100);
    CHECK(still.refresh());
    CHECK(content(still) == content(shown));
    for (auto const& [at, value] : content(shown)) {
        auto const found = still.find(at.second, at.first);
        REQUIRE(found);
        CHECK(*found == value);
    }
    CHECK_FALSE(still.find("nobody", time_window{event_time{}, event_time{} + 1_s}));
    CHECK(in_another_process([&] {
        totals_reader in{path, how};
        return content(in) == content(shown) && in.at() == shown.at() ? 7 : 8;
    }) == 7);
}

TEST_CASE("readers of a view in SQLite are not taken back by a job that starts again", "[adapt][sqlite_view]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/out.db";
    sqlite_options const how{.table = "numbers"};
    numbers before{{.build = 1}};
    sqlite_view_writer first{before, path, how};
    put(before, 1, 10);
    put(before, 2, 10);
    show(before, 10);
    CHECK(first.publish());
    numbers_reader in{path, how};
    numbers again{{.build = 1}};
    sqlite_view_writer second{again, path, how};
    put(again, 1, 9);
    show(again, 9);
    CHECK_FALSE(second.publish());
    CHECK_FALSE(in.refresh());
    put(again, 1, 11);
    show(again, 11);
    CHECK(second.publish());
    CHECK(in.refresh());
    CHECK(in.size() == 1);
    CHECK(in.find(1) == 11);
    CHECK_FALSE(in.find(2));
    // The one before writes again: not what has changed since it did, which is no state of anybody, but all.
    put(before, 3, 12);
    show(before, 12);
    CHECK(first.publish());
    CHECK(in.refresh());
    CHECK(in.size() == 3);
    CHECK(in.find(1) == 10);
    CHECK(in.find(3) == 12);
    numbers corrected{{.build = 2}};
    put(corrected, 1, 5);
    show(corrected, 5);
    sqlite_view_writer third{corrected, path, how};
    CHECK(third.publish());
    CHECK(in.refresh());
    CHECK(in.at().build == 2);
    CHECK(in.size() == 1);
    CHECK(in.find(1) == 5);
}

TEST_CASE("several views stand in one table of SQLite", "[adapt][sqlite_view]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/out.db";
    auto const named = [](std::string view) { return sqlite_options{.table = "numbers", .view = std::move(view)}; };
    numbers a;
    numbers b;
    sqlite_view_writer to_a{a, path, named("a")};
    sqlite_view_writer to_b{b, path, named("b")};
    put(a, 1, 1);
    show(a, 1);
    put(b, 1, 2);
    put(b, 2, 2);
    show(b, 2);
    to_a.publish();
    to_b.publish();
    a.remove(std::int64_t{1}, {});
    show(a, 3);
    to_a.publish();
    numbers_reader in_a{path, named("a")};
    numbers_reader in_b{path, named("b")};
    CHECK(in_a.size() == 0);
    CHECK(in_a.at().epoch == 3);
    CHECK(in_b.size() == 2);
    CHECK(in_b.find(1) == 2);
    CHECK(in_b.at().epoch == 2);
}

TEST_CASE("an erased subject leaves the table of a view when it is published next", "[adapt][sqlite_view][erasure]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/out.db";
    sqlite_options const how{.table = "people"};
    view<person, std::int64_t> out;
    sqlite_view_writer kept{out, path, how};
    std::uint64_t const epoch = 5;
    for (std::int64_t n = 1; n <= 3; ++n) out.write(pane<person, std::int64_t>{{n}, {}, n, {}});
    out.on_frontier({epoch, event_time::min(), event_time::min(), &epoch, 1});
    kept.publish();
    erased_subjects who{1};
    who.add(subject_id::of(person{2}));
    CHECK(out.purge(who) == 1);
    CHECK(kept.publish());
    sqlite_view_reader<person, std::int64_t> in{path, how};
    CHECK(in.size() == 2);
    CHECK_FALSE(in.find(person{2}));
    CHECK(in.find(person{3}) == 3);
}

TEST_CASE("what a view in SQLite cannot be is refused", "[adapt][sqlite_view]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/out.db";
    sqlite_options const how{.table = "numbers"};
    CHECK(code_of([&] { numbers_reader{path, how}; }) == error_code::io);  // there is no database
    numbers out;
    sqlite_view_writer kept{out, path, how};
    CHECK(code_of([&] { numbers_reader{path, how}; }) == error_code::not_there);
    put(out, 1, 1, {event_time{}, event_time{} + 1_s});
    show(out, 1);
    kept.publish();
    CHECK(code_of([&] { sqlite_view_reader<std::string, std::int64_t>{path, how}; }) == error_code::mismatch);
    CHECK(code_of([&] { numbers_reader{path, {.table = "others"}}; }) == error_code::not_there);
    view<std::int64_t, std::string> names;
    CHECK(code_of([&] { sqlite_view_writer{names, path, how}; }) == error_code::mismatch);
    sqlite_options const windowless{.table = "plain", .window_columns = ""};
    sqlite_view_writer without{out, path, windowless};
    CHECK(code_of([&] { without.publish(); }) == error_code::invalid_argument);
    CHECK(code_of([&] { numbers_reader{path, windowless}; }) == error_code::not_there);  // nothing was written
    // What fails leaves the state that was there, and the next call writes the whole.
    view<std::int64_t, std::uint64_t> wide;
    sqlite_options const to_wide{.table = "wide"};
    sqlite_view_writer of_wide{wide, path, to_wide};
    auto const write = [&](std::int64_t key, std::uint64_t value, std::uint64_t epoch) {
        wide.write(pane<std::int64_t, std::uint64_t>{key, {}, value, {}});
        wide.on_frontier({epoch, event_time::min(), event_time::min(), &epoch, 1});
    };
    write(1, 1, 1);
    of_wide.publish();
    write(2, 2, 2);
    write(3, std::uint64_t{1} << 63, 3);
    CHECK(code_of([&] { of_wide.publish(); }) == error_code::overflow);
    sqlite_view_reader<std::int64_t, std::uint64_t> in{path, to_wide};
    CHECK(in.size() == 1);
    CHECK(in.at().epoch == 1);
    write(3, 3, 4);
    CHECK(of_wide.publish());
    CHECK(in.refresh());
    CHECK(in.size() == 3);
    CHECK(in.find(2) == 2);
    CHECK(in.at().epoch == 4);
}

TEST_CASE("a writer of a view in SQLite that is killed leaves a whole state", "[adapt][sqlite_view][crash]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/out.db";
    sqlite_options const how{.table = "numbers"};
    std::uint64_t last = 0;
    for (int round = 0; round < 12; ++round) {
        auto const child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            try {
                numbers out;
                sqlite_view_writer kept{out, path, how};
                for (std::uint64_t n = 1;; ++n) {
                    for (std::int64_t key = 0; key < 40; ++key) put(out, key, static_cast<std::int64_t>(n));
                    show(out, n);
                    kept.publish();
                }
            } catch (...) {
                ::_exit(99);
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{40 + 23 * round});
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        try {
            numbers_reader in{path, how};
            CHECK(in.size() == 40);
            in.for_each([&](std::int64_t, time_window const&, std::int64_t value) {
                REQUIRE(value == static_cast<std::int64_t>(in.at().epoch));
            });
            CHECK(in.at().epoch >= last);
            last = in.at().epoch;
        } catch (error const& problem) {  // it was killed before it had published anything
            CHECK(last == 0);
            CHECK((problem.code() == error_code::not_there || problem.code() == error_code::io));
        }
    }
    CHECK(last != 0);
}
