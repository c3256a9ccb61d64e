// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/versioned_view.hpp>
#include <driftless/view/versioned_view_reader.hpp>

#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <view/plain_table.hpp>

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::fault;
using testing::memory_files;

namespace {
using table = test::plain_table<std::string, std::int64_t>;
using versions = versioned_view<std::string, std::int64_t, table>;
using reader = versioned_view_reader<std::string, std::int64_t, table>;

event_time fake_now{};
event_time fake_clock() { return fake_now; }
event_time const start = event_time::from_ms(1'700'000'000'000);
time_window const day{event_time{}, event_time{} + 24_h};

versioned_view_options on(memory_files& files, std::size_t keep = 2) {
    return {.keep = keep, .git_hash = "abc", .files = &files, .clock = &fake_clock};
}
/// A version whose rows all say the same.
std::uint64_t add(versions& into, std::int64_t value, std::int64_t keys = 3) {
    auto& made = into.begin("v" + std::to_string(value));
    for (std::int64_t i = 0; i < keys; ++i) made.rows().write({"key " + std::to_string(i), day, value, {}});
    into.save(made.number());
    return made.number();
}
std::int64_t value_in(versions::session const& of, std::string const& key = "key 0") {
    return of->find(key, day).value_or(-1);
}
error_code code_of(auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem.code();
    }
    return error_code::none;
}
}  // namespace

TEST_CASE("T-01: the version as of a time is the last one cut over until then", "[view][versioned_view]") {
    memory_files files;
    versions all{"v", on(files, 100)};
    std::vector<std::uint64_t> numbers;
    for (std::int64_t i = 0; i < 10; ++i) {
        fake_now = start + 20_min * i;
        numbers.push_back(add(all, i));
        all.cut_over(numbers.back());
    }
    for (std::int64_t i = 0; i < 10; ++i) {
        auto const n = static_cast<std::size_t>(i);
        CHECK(all.version_at(start + 20_min * i + 10_min) == numbers[n]);
        CHECK(value_in(all.as_of(start + 20_min * i + 10_min)) == i);
        CHECK(value_in(all.as_of(start + 20_min * i)) == i);  // exactly then it is already current
    }
    CHECK(value_in(all.as_of(start + 180_min)) == 9);
    CHECK(value_in(all.as_of(start + 180_min, true)) == 9);
    CHECK(value_in(all.as_of(start + 200_min)) == 9);
    CHECK(code_of([&] { static_cast<void>(all.as_of(start + 200_min, true)); }) == error_code::not_there);
    CHECK(code_of([&] { static_cast<void>(all.as_of(start - 10_min)); }) == error_code::not_there);
}

TEST_CASE("cut-over times are monotonised: a clock that was set back gives the last time plus 1 ns",
    "[view][versioned_view]") {
    memory_files files;
    versions all{"v", on(files)};
    fake_now = start;
    all.cut_over(add(all, 1));
    fake_now = start - 1_h;
    all.cut_over(add(all, 2));
    CHECK(all.version_at(start) == 1);
    CHECK(all.version_at(start + 1_ns) == 2);
    CHECK(code_of([&] { static_cast<void>(all.version_at(start - 1_ns)); }) == error_code::not_there);
}

TEST_CASE("a session stays with its version over cut-overs and retirement", "[view][versioned_view]") {
    memory_files files;
    versions all{"v", on(files, 0)};
    CHECK(code_of([&] { static_cast<void>(all.read()); }) == error_code::not_there);
    CHECK(!all.try_read());
    all.cut_over(add(all, 1));
    auto const old = all.read();
    all.cut_over(add(all, 2));
    CHECK(all.versions() == std::vector<std::uint64_t>{2});  // the first was retired: nothing is kept
    CHECK(value_in(old) == 1);
    CHECK(old.version() == 1);
    CHECK(value_in(all.read()) == 2);
    CHECK(all.read().about().git_hash == "abc");
    CHECK(all.read().about().logic_version == "v2");
    CHECK(code_of([&] { static_cast<void>(all.read_version(1)); }) == error_code::not_there);
    CHECK(files.list("v/versions").size() == 1);
}

TEST_CASE("versions beyond those kept are retired, oldest first, but not certified ones", "[view][versioned_view]") {
    memory_files files;
    versions all{"v", on(files, 2)};
    for (std::int64_t i = 1; i <= 6; ++i) {
        fake_now = start + 1_h * i;
        all.cut_over(add(all, i));
        if (i == 2) all.certify("audited 2023");
    }
    CHECK(all.versions() == std::vector<std::uint64_t>{2, 4, 5, 6});
    CHECK(all.certified("audited 2023") == 2);
    CHECK(value_in(all.as_of(start + 2_h)) == 2);
    CHECK(code_of([&] { static_cast<void>(all.version_at(start + 3_h)); }) == error_code::not_there);  // retired
    CHECK(code_of([&] { static_cast<void>(all.version_at(start + 1_h)); }) == error_code::not_there);
    CHECK(code_of([&] { all.retire(2); }) == error_code::invalid_argument);
    CHECK(code_of([&] { all.retire(6); }) == error_code::invalid_argument);
    CHECK(code_of([&] { all.certify("audited 2023", 4); }) == error_code::invalid_argument);
    CHECK(all.release("audited 2023"));
    CHECK(!all.release("audited 2023"));
    all.retire_old();
    CHECK(all.versions() == std::vector<std::uint64_t>{4, 5, 6});
}

TEST_CASE("a version without rows on disk cannot become current", "[view][versioned_view]") {
    memory_files files;
    versions all{"v", on(files)};
    auto& made = all.begin("v1");
    CHECK(code_of([&] { all.cut_over(made.number()); }) == error_code::not_there);
    CHECK(code_of([&] { all.cut_over(77); }) == error_code::not_there);
    all.save(made.number());
    all.cut_over(made.number());
    CHECK(all.current() == made.number());
}

TEST_CASE("readers in other processes follow cut-overs when they look", "[view][versioned_view]") {
    memory_files files;
    versions all{"v", on(files, 0)};
    CHECK(code_of([&] { reader{"elsewhere", files}; }) == error_code::not_there);
    all.cut_over(add(all, 1));
    reader other{"v", files};
    CHECK(other.read()->find("key 1", day) == 1);
    CHECK(!other.refresh());
    all.cut_over(add(all, 2));
    auto const held = other.read();
    CHECK(other.read()->find("key 1", day) == 1);
    CHECK(other.refresh());
    CHECK(other.read()->find("key 1", day) == 2);
    CHECK(held->find("key 1", day) == 1);
    CHECK(other.generation() == all.generation());
    CHECK(code_of([&] { versions second{"v", on(files)}; }) == error_code::in_use);
}

TEST_CASE("a canary answers its share of the keys, the same ones everywhere", "[view][versioned_view]") {
    memory_files files;
    versions all{"v", on(files)};
    all.cut_over(add(all, 1, 1000));
    auto const trial = add(all, 2, 1000);
    CHECK(code_of([&] { all.set_canary(trial, 10'001); }) == error_code::invalid_argument);
    all.set_canary(trial, 2'500);
    reader other{"v", files};
    int of_trial = 0;
    for (int i = 0; i < 1000; ++i) {
        auto const key = "key " + std::to_string(i);
        auto const value = value_in(all.read_for(key), key);
        CHECK(other.read_for(key)->find(key, day) == value);
        CHECK(other.read_for(std::string_view{key}).version() == static_cast<std::uint64_t>(value));
        of_trial += value == 2;
    }
    CHECK(of_trial > 200);
    CHECK(of_trial < 300);
    CHECK(value_in(all.read()) == 1);
    all.set_canary(0, 0);
    CHECK(all.read_for("key 1").version() == 1);
    all.set_canary(trial, 10'000);
    CHECK(all.read_for("key 1").version() == trial);
    all.cut_over(trial);  // the trial is over
    CHECK(other.refresh());
    CHECK(other.read_for("key 1").version() == trial);
}

TEST_CASE("the versions come back with the folder, and what a crash left behind is removed", "[view][versioned_view]") {
    memory_files files;
    {
        versions all{"v", on(files)};
        all.cut_over(add(all, 1));
        all.certify("kept");
        all.cut_over(add(all, 2));
    }
    files.make_folder("v/versions/000000000009");
    static_cast<void>(files.open("v/versions/000000000009/rows-000000000001", open_mode::create));
    versions all{"v", on(files)};
    CHECK(value_in(all.read()) == 2);
    CHECK(files.list("v/versions").size() == 2);
    CHECK(code_of([&] { static_cast<void>(all.read_version(1)); }) == error_code::not_there);  // not in memory
    all.load(1);
    CHECK(value_in(all.read_version(1)) == 1);
    CHECK(all.certified("kept") == 1);
    CHECK(add(all, 3) == 3);
}

TEST_CASE("whatever call fails, readers are given the old version whole, or the new one", "[view][versioned_view]") {
    for (auto const what : {fault::cut, fault::after, fault::fail}) {
        for (std::uint64_t n = 1;; ++n) {
            memory_files files;
            {
                versions all{"v", on(files, 0)};
                all.cut_over(add(all, 1));
            }
            bool failed = false;
            {
                versions all{"v", on(files, 0)};
                files.inject(n, what);
                try {
                    all.cut_over(add(all, 2));
                } catch (error const&) {
                    failed = true;
                }
                CHECK(value_in(all.read()) == (all.read().version() == 1 ? 1 : 2));
            }
            if (what == fault::fail) files.restart();
            else files.lose_power(n % 3);
            reader other{"v", files};
            versions all{"v", on(files, 0)};
            auto const now = all.read();
            CHECK(other.read().version() == now.version());
            for (auto const* key : {"key 0", "key 1", "key 2"}) {
                CHECK(value_in(now, key) == static_cast<std::int64_t>(now.version()));
            }
            if (!failed) CHECK(now.version() == 2);
            all.cut_over(add(all, 3));
            CHECK(value_in(all.read()) == 3);
            if (!failed) break;
        }
    }
}

TEST_CASE("four threads read while versions are cut over and retired: never a mixed answer", "[view][versioned_view]") {
    memory_files files;
    versions all{"v", on(files, 0)};
    all.cut_over(add(all, 1));
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            std::uint64_t last = 0;
            while (!done.load()) {
                auto const now = all.read();
                if (now.version() < last) ++wrong;
                last = now.version();
                for (auto const* key : {"key 0", "key 1", "key 2"}) {
                    if (value_in(now, key) != static_cast<std::int64_t>(now.version())) ++wrong;
                }
            }
        });
    }
    for (std::int64_t i = 2; i < 100; ++i) all.cut_over(add(all, i));
    done = true;
    for (auto& each : threads) each.join();
    CHECK(wrong == 0);
}
