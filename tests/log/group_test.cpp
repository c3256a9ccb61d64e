// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/group.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>
#include <support/temporary_folder.hpp>

#include <driftless/log/file_log.hpp>
#include <driftless/testing/memory_files.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::fault;
using testing::memory_files;

namespace {
/// Of a log a group needs to know no more.
struct made_up_log {
    std::uint32_t count = 4;
    std::uint64_t first = 0;
    std::uint64_t last = 1'000'000;
    [[nodiscard]] std::string path() const { return "log"; }
    [[nodiscard]] std::uint32_t partitions() const { return count; }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t p) const { return first + p; }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p) const { return last + p; }
};
static_assert(log_in_folder<made_up_log>);

event_time present;
event_time clock_of_test() { return present; }

struct fixture {
    memory_files files;
    made_up_log log;
    fixture() {
        present = event_time{} + 1_h;
        files.make_folder("log");
        files.sync_folder("");
        files.sync_folder("log");
    }
    [[nodiscard]] log_group group(std::string name = "billing", group_start start = group_start::begin) {
        return {log, std::move(name), {.start = start, .files = &files, .clock = &clock_of_test, .patience = 1_ms}};
    }
    log_group_member join(std::string id, std::string instance = {}) {
        return group().join({.member = std::move(id), .instance = std::move(instance), .lease = 10_s});
    }
    std::string read(std::string const& path) { return read_whole_file(path, files).value_or("none"); }
    void write(std::string const& path, std::string_view bytes) {
        auto const file = files.open(path, open_mode::create);
        file->truncate(0);
        file->write_at(0, bytes);
    }
};

using list = std::vector<std::uint32_t>;

template <class F>
error error_of(F&& f) {
    try {
        f();
    } catch (error const& problem) {
        CHECK(!problem.path().empty());
        return problem;
    }
    return error{};
}
template <class F>
error_code code_of(F&& f) {
    return error_of(f).code();
}
bool says(error const& problem, std::string_view what) {
    return std::string_view{problem.what()}.find(what) != std::string_view::npos;
}
}  // namespace

// --- misuse ---------------------------------------------------------------------------------------------------

TEST_CASE("a group whose name could be a path is refused", "[log][group]") {
    fixture in;
    for (auto const* const name : {"", ".", "..", ".a", "a/b", "/a", "../a", "a b", "a\n", "\xc3\xa4", "a\\b", "a:b"}) {
        INFO(name);
        CHECK(code_of([&] { std::ignore = in.group(name); }) == error_code::invalid_argument);
    }
    CHECK(code_of([&] { std::ignore = in.group(std::string(101, 'a')); }) == error_code::invalid_argument);
    CHECK(code_of([&] { std::ignore = in.group(std::string("a\0b", 3)); }) == error_code::invalid_argument);
    CHECK(in.files.list("log").empty());
    std::ignore = in.group(std::string(100, 'a')).join({.member = "m"});
    std::ignore = in.group("Az09-_.").join({.member = "m"});
    CHECK(in.files.list("log/groups").size() == 2);
}

TEST_CASE("a member without a name or a lease is refused, and nothing is made", "[log][group]") {
    fixture in;
    auto const refused = [&](join_options const& options) {
        return code_of([&] { std::ignore = in.group().join(options); }) == error_code::invalid_argument;
    };
    CHECK(refused({.member = ""}));
    CHECK(refused({.member = std::string(256, 'm')}));
    CHECK(refused({.member = "m", .instance = std::string(256, 'i')}));
    CHECK(refused({.member = "m", .lease = 0_s}));
    CHECK(refused({.member = "m", .lease = -(1_ns)}));
    CHECK(in.files.list("log").empty());
    CHECK(in.group().members().empty());
    CHECK(!in.group().committed(0));
}

TEST_CASE("members share by one way at a time", "[log][group]") {
    fixture in;
    auto a = in.group().join({.member = "a", .assignment = assignment::range});
    auto const problem = error_of([&] { std::ignore = in.join("b"); });
    CHECK(problem.code() == error_code::mismatch);
    CHECK(says(problem, "by range, this one by sticky"));
    a.leave();
    CHECK(in.join("b").partitions() == list{0, 1, 2, 3});
}

TEST_CASE("a group is not used with a log of fewer partitions, and grows with its log", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    a.commit(3, 500);
    in.log.count = 3;
    CHECK(code_of([&] { a.heartbeat(); }) == error_code::mismatch);
    in.log.count = 6;
    in.log.first = 20;
    CHECK(a.heartbeat());
    CHECK(a.partitions() == list{0, 1, 2, 3, 4, 5});
    CHECK(a.position(3) == 500);
    CHECK(a.position(5) == 25);
}

TEST_CASE("a lock that nobody gives back is an error in the end", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto const lock = in.files.open("log/groups/billing/lock", open_mode::create);
    REQUIRE(lock->try_lock(false));
    CHECK(code_of([&] { a.heartbeat(); }) == error_code::in_use);
    CHECK(code_of([&] { std::ignore = in.join("b"); }) == error_code::in_use);
    lock->unlock();
    a.heartbeat();
    CHECK(a.partitions().size() == 4);
}

// --- sharing --------------------------------------------------------------------------------------------------

TEST_CASE("a new group begins where it is told to, also in partitions that are taken later", "[log][group]") {
    fixture in;
    in.log.first = 7;
    in.log.last = 50;
    auto const a = in.join("a");
    CHECK(a.partitions() == list{0, 1, 2, 3});
    CHECK(a.position(0) == 7);
    CHECK(a.position(3) == 10);

    auto const tail = in.group("tail", group_start::end);
    auto b = tail.join({.member = "b"});
    CHECK(b.position(3) == 53);
    in.log.last = 90;
    auto const c = tail.join({.member = "c"});
    b.heartbeat();
    b.leave();
    auto d = tail.join({.member = "d"});
    CHECK(tail.committed(3) == 53U);
    CHECK(d.position(d.partitions().front()) == 50 + d.partitions().front());
}

TEST_CASE("groups do not see each other", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto b = in.group("audit").join({.member = "a"});
    CHECK(a.partitions() == b.partitions());
    a.commit(1, 400);
    CHECK(in.group().committed(1) == 400U);
    CHECK(in.group("audit").committed(1) == 1U);
    b.heartbeat();
    CHECK(b.position(1) == 1);
}

TEST_CASE("a partition goes to who joins when its owner has given it up, never before", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto b = in.join("b");
    CHECK(b.partitions().empty());
    CHECK(!b.heartbeat());
    CHECK(a.partitions() == list{0, 1, 2, 3});
    a.commit({{2, 200}, {3, 300}});  // still its own
    CHECK(a.heartbeat());
    CHECK(a.partitions() == list{0, 1});
    CHECK(code_of([&] { a.commit(3, 301); }) == error_code::fenced);
    CHECK(code_of([&] { std::ignore = a.position(3); }) == error_code::fenced);
    CHECK(b.partitions().empty());
    CHECK(code_of([&] { b.commit(3, 301); }) == error_code::fenced);  // free, but not taken yet
    CHECK(b.heartbeat());
    CHECK(b.partitions() == list{2, 3});
    CHECK(b.position(2) == 200);
    CHECK(b.position(3) == 300);
    CHECK(!a.heartbeat());
    CHECK(!b.heartbeat());
}

TEST_CASE("what a member leaves goes to the others with its offsets", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    {
        auto b = in.join("b");
        a.heartbeat();
        b.heartbeat();
        b.commit(3, 77);
        auto moved = std::move(b);
        moved.commit(2, 66);
        CHECK(in.group().members() == std::vector<std::string>{"a", "b"});
    }
    CHECK(in.group().members() == std::vector<std::string>{"a"});
    CHECK(a.heartbeat());
    CHECK(a.partitions() == list{0, 1, 2, 3});
    CHECK(a.position(2) == 66);
    CHECK(a.position(3) == 77);
    a.leave();
    a.leave();
    CHECK(a.partitions().empty());
    CHECK(code_of([&] { a.heartbeat(); }) == error_code::stopped);
    CHECK(code_of([&] { a.commit(0, 1); }) == error_code::stopped);
}

TEST_CASE("more members than partitions wait for their turn", "[log][group]") {
    fixture in;
    in.log.count = 1;
    auto a = in.join("a");
    auto b = in.join("b");
    a.heartbeat();
    CHECK(!b.heartbeat());
    a.leave();
    CHECK(b.heartbeat());
    CHECK(b.partitions() == list{0});
}

TEST_CASE("all three ways to share work in a group", "[log][group]") {
    fixture in;
    auto const shares_of = [&](assignment how) {
        auto const group = in.group(how == assignment::range ? "range" : "round");
        auto a = group.join({.member = "a", .assignment = how});
        auto b = group.join({.member = "b", .assignment = how});
        a.heartbeat();
        b.heartbeat();
        return std::pair{a.partitions(), b.partitions()};
    };
    CHECK(shares_of(assignment::range) == std::pair{list{0, 1}, list{2, 3}});
    CHECK(shares_of(assignment::round_robin) == std::pair{list{0, 2}, list{1, 3}});
}

// --- leases ---------------------------------------------------------------------------------------------------

TEST_CASE("a lease ends exactly when its time has passed", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    present = present + 10_s - 1_ns;
    a.commit(0, 1);  // does not renew it
    a.heartbeat();
    present = present + 10_s - 1_ns;
    a.commit(0, 2);
    present = present + 1_ns;
    auto const problem = error_of([&] { a.commit(0, 3); });
    CHECK(problem.code() == error_code::fenced);
    CHECK(says(problem, "lease of the member `a` has ended"));
    CHECK(says(problem, "join again"));
    CHECK(a.partitions().empty());
    auto const again_told = error_of([&] { a.commit(0, 3); });
    CHECK(again_told.what() == std::string{problem.what()});
    CHECK(code_of([&] { a.heartbeat(); }) == error_code::fenced);
    CHECK(code_of([&] { std::ignore = a.position(0); }) == error_code::fenced);
    CHECK(in.group().committed(0) == 2U);
    CHECK(in.group().members().empty());
    auto again = in.join("a");
    CHECK(again.position(0) == 2);
}

TEST_CASE("a heartbeat writes once a tenth of the lease has passed, or when something is to change", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto const path = std::string{"log/groups/billing/state"};
    auto const joined = in.read(path);
    present = present + 1_s - 1_ns;
    a.heartbeat();
    a.commit(0, a.position(0));
    CHECK(in.read(path) == joined);
    present = present + 1_ns;
    a.heartbeat();
    CHECK(in.read(path) != joined);
    auto b = in.join("b");
    auto const both = in.read(path);
    CHECK(a.heartbeat());
    CHECK(in.read(path) != both);
    CHECK(b.heartbeat());
    auto const shared = in.read(path);
    CHECK(!a.heartbeat());
    CHECK(!b.heartbeat());
    CHECK(in.read(path) == shared);
}

TEST_CASE("a clock that is set back does not prolong a lease", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    present = present - 30_min;
    a.heartbeat();
    present = present + 10_s;
    CHECK(in.group().members().empty());
}

TEST_CASE("who does not heartbeat in time loses its partitions to the others, and cannot commit", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto b = in.join("b");
    a.heartbeat();
    b.heartbeat();
    b.commit(2, 22);
    present = present + 9_s;
    a.heartbeat();
    present = present + 1_s;
    CHECK(a.heartbeat());
    CHECK(a.partitions() == list{0, 1, 2, 3});
    CHECK(a.position(2) == 22);
    CHECK(code_of([&] { b.commit(2, 23); }) == error_code::fenced);
    CHECK(in.group().committed(2) == 22U);
    a.commit(2, 24);
    b.leave();  // has nothing to leave any more, and takes nothing from others
    a.commit(2, 25);
    CHECK(in.group().members() == std::vector<std::string>{"a"});
}

TEST_CASE("who joins under a name takes its place, the earlier one is fenced", "[log][group]") {
    fixture in;
    auto first = in.join("a");
    auto b = in.join("b");
    first.heartbeat();
    b.heartbeat();
    auto const second = in.join("a");
    CHECK(second.partitions() == list{0, 1});
    auto const problem = error_of([&] { first.commit(0, 5); });
    CHECK(problem.code() == error_code::fenced);
    CHECK(says(problem, "somebody else has joined as `a`"));
    CHECK(!b.heartbeat());
    first.leave();
    CHECK(in.group().members() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("an instance keeps its partitions over a restart under another name", "[log][group]") {
    fixture in;
    auto b = in.join("b");
    {
        auto a = in.join("pid 17", "left");
        b.heartbeat();
        a.heartbeat();
        CHECK(a.partitions().size() == 2);
    }
    CHECK(!b.heartbeat());
    auto a = in.join("pid 18", "left");
    CHECK(a.partitions() == list{2, 3});
    CHECK(in.group().members() == std::vector<std::string>{"b", "pid 18"});
    a.leave();
    CHECK(b.heartbeat());
    CHECK(b.partitions() == list{0, 1, 2, 3});
}

// --- commits --------------------------------------------------------------------------------------------------

TEST_CASE("several partitions are committed together or not at all", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto b = in.join("b");
    a.heartbeat();
    b.heartbeat();
    a.commit({{0, 10}, {1, 11}});
    CHECK(code_of([&] { a.commit({{0, 20}, {2, 20}}); }) == error_code::fenced);
    CHECK(code_of([&] { a.commit({{0, 20}, {1, 10}}); }) == error_code::invalid_argument);
    CHECK(code_of([&] { a.commit({{0, 20}, {1, 1'000'002}}); }) == error_code::invalid_argument);
    CHECK(code_of([&] { a.commit({{0, 20}, {9, 1}}); }) == error_code::fenced);
    CHECK(in.group().committed(0) == 10U);
    CHECK(in.group().committed(1) == 11U);
    CHECK(a.position(0) == 10);
    a.commit({{0, 10}, {1, 1'000'001}});  // the same again, and all there is
    CHECK(a.position(1) == 1'000'001);
    CHECK(!in.group().committed(4));
}

TEST_CASE("offsets are set back only when nobody is in the group", "[log][group]") {
    fixture in;
    in.log.first = 5;
    auto a = in.join("a");
    a.commit({{0, 10}, {1, 11}});
    auto const group = in.group();
    CHECK(code_of([&] { group.reset({{0, 7}}); }) == error_code::in_use);
    a.leave();
    CHECK(code_of([&] { group.reset({{0, 7}, {1, 5}}); }) == error_code::invalid_argument);
    CHECK(code_of([&] { group.reset({{0, 7}, {4, 50}}); }) == error_code::invalid_argument);
    CHECK(code_of([&] { group.reset({{0, 1'000'001}}); }) == error_code::invalid_argument);
    CHECK(group.committed(0) == 10U);
    group.reset({{0, 7}, {2, 900}});
    auto const again = in.join("a");
    CHECK(again.position(0) == 7);
    CHECK(again.position(1) == 11);
    CHECK(again.position(2) == 900);
}

// --- damage ---------------------------------------------------------------------------------------------------

namespace {
/// Everything that reads the state says that it is damaged, and leaves it as it is.
bool is_refused(fixture& in, log_group_member& member) {
    auto const path = std::string{"log/groups/billing/state"};
    auto const before = in.read(path);
    auto const refused = [&](auto&& act) {
        auto const problem = error_of(act);
        bool const fitting = problem.code() == error_code::corrupt || problem.code() == error_code::malformed
            || problem.code() == error_code::unsupported;
        return fitting && problem.path() == path && says(problem, "the folder of the group to begin anew");
    };
    return refused([&] { member.heartbeat(); }) && refused([&] { member.commit(0, 30); })
        && refused([&] { std::ignore = in.join("b"); }) && refused([&] { std::ignore = in.group().committed(0); })
        && refused([&] { std::ignore = in.group().members(); }) && in.read(path) == before;
}
}  // namespace

TEST_CASE("a state that is damaged anywhere is an error, never a new beginning", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto b = in.join("b", "i");
    a.heartbeat();
    b.heartbeat();
    a.commit({{0, 20}, {1, 21}});
    auto const path = std::string{"log/groups/billing/state"};
    auto const whole = in.read(path);
    std::size_t missed = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            auto damaged = whole;
            damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
            in.write(path, damaged);
            missed += !is_refused(in, a);
        }
        in.write(path, whole.substr(0, i));
        missed += !is_refused(in, a);
    }
    in.write(path, whole + "x");
    missed += !is_refused(in, a);
    in.files.remove(path);
    missed += !is_refused(in, a);
    CHECK(missed == 0);
    in.write(path, whole);
    CHECK(!a.heartbeat());
    CHECK(a.position(0) == 20);
}

TEST_CASE("a state of a newer format, or one that was written wrong, is told apart from damage", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto const path = std::string{"log/groups/billing/state"};
    auto const whole = in.read(path);
    auto const sealed = [](std::string bytes) {
        bytes.resize(bytes.size() - 8);
        auto const checksum = xxh3_64(bytes.data(), bytes.size());
        byte_writer{bytes}.put_fixed64(checksum);
        return bytes;
    };
    auto newer = whole;
    newer[8] = 2;
    in.write(path, sealed(newer));
    auto const problem = error_of([&] { a.heartbeat(); });
    CHECK(problem.code() == error_code::unsupported);
    CHECK(says(problem, "has format 2, this build reads formats up to 1"));
    for (std::size_t i = 12; i + 8 < whole.size(); ++i) {  // whatever the bytes say: an error or a state, no crash
        for (int byte = 0; byte < 256; ++byte) {
            auto wrong = whole;
            wrong[i] = static_cast<char>(byte);
            try {
                std::ignore = driftless::detail::decode_group_state(sealed(wrong), path);
            } catch (error const& refused) {
                if (refused.code() != error_code::malformed || refused.path() != path) FAIL(refused.what());
            }
        }
    }
}

TEST_CASE("the bytes of a state are these", "[log][group]") {
    // Right to go red only together with a new number of the format, and with old states still read.
    driftless::detail::group_state state;
    state.joins = 9;
    state.members = {{7, "a", "", 10_s, event_time{1}}, {9, "b", "i", 1_ns, event_time{-1}}};
    state.partitions = {{300, 7, 9}, {0, 0, 7}};
    auto const bytes = encode(state);
    std::string_view const expected{
        "DRFTGRP\x01\x01\0\0\0\x02\x09\x02"
        "\x07\x01"
        "a\0\0\xe4\x0b\x54\x02\0\0\0\x01\0\0\0\0\0\0\0"
        "\x09\x01"
        "b\x01i\x01\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
        "\x02\xac\x02\x01\x02\0\0\x01",
        15 + 20 + 21 + 8};
    CHECK((bytes.substr(0, bytes.size() - 8) == expected));
    CHECK((driftless::detail::decode_group_state(bytes, "state") == state));
}

TEST_CASE("what the files say about an owner counts, not what a member remembers", "[log][group]") {
    fixture in;
    auto a = in.join("a");
    auto const path = std::string{"log/groups/billing/state"};
    auto state = driftless::detail::decode_group_state(in.read(path), path);
    state.partitions[1].owner = driftless::detail::group_state::nobody;
    in.write(path, encode(state));
    CHECK(code_of([&] { a.commit({{0, 5}, {1, 5}}); }) == error_code::fenced);
    CHECK(in.group().committed(0) == 0U);
}

// --- faults ---------------------------------------------------------------------------------------------------

namespace {
/// How far a run came, by partition.
struct offsets_of_run {
    std::map<std::uint32_t, std::uint64_t> attempted;
    std::map<std::uint32_t, std::uint64_t> acknowledged;

    void commit(log_group_member& by, std::vector<partition_offset> const& offsets) {
        for (auto const& each : offsets) attempted[each.partition] = each.offset;
        by.commit(offsets);
        for (auto const& each : offsets) acknowledged[each.partition] = each.offset;
    }
};

void run_of_two(fixture& in, offsets_of_run& out) {
    auto a = in.join("a");
    out.commit(a, {{0, 10}, {3, 10}});
    auto b = in.join("b", "i");
    a.heartbeat();
    b.heartbeat();
    out.commit(b, {{2, 20}, {3, 20}});
    out.commit(a, {{0, 20}, {1, 20}});
    b.leave();
    a.heartbeat();
    out.commit(a, {{0, 30}, {1, 30}, {2, 30}, {3, 30}});
}

/// Makes the nth operation of a run go wrong; then what was acknowledged is there, and the group goes on. False if
/// there were fewer operations.
bool nth_operation_goes_wrong(std::uint64_t nth, fault what, std::optional<std::uint64_t> power) {
    fixture in;
    offsets_of_run run;
    in.files.inject(nth, what);
    bool failed = false;
    try {
        run_of_two(in, run);
    } catch (error const& problem) {
        failed = true;
        CHECK(problem.code() == error_code::io);
    }
    auto const done = in.files.operations();
    if (!failed && done < nth) return false;
    in.files.inject(0, what);
    if (power) in.files.lose_power(*power);
    else if (what != fault::fail) in.files.restart();

    INFO("operation " << nth << ", fault " << static_cast<int>(what) << ", power " << power.value_or(99));
    auto c = in.join("c");
    auto d = in.join("b", "i");
    std::map<std::uint32_t, std::uint64_t> seen;
    auto const look = [&](log_group_member const& member) {
        for (auto const p : member.partitions()) {
            auto const at = member.position(p);
            CHECK(at >= std::max<std::uint64_t>(run.acknowledged[p], p));
            CHECK(at <= std::max<std::uint64_t>(run.attempted[p], p));
            seen[p] = at;
        }
    };
    present = present + 9_s;
    c.heartbeat();
    d.heartbeat();
    present = present + 1_s;  // whoever was in the run is gone
    for (int i = 0; i < 2; ++i) {
        c.heartbeat();
        d.heartbeat();
    }
    CHECK(c.partitions().size() == 2);
    CHECK(d.partitions().size() == 2);
    look(c);
    look(d);
    CHECK(seen.size() == 4);
    for (std::uint64_t const together : {20U, 30U}) {
        CHECK((seen[0] == together) == (seen[1] == together));
        CHECK((seen[2] == together) == (seen[3] == together));
    }
    for (auto* const member : {&c, &d}) {
        for (auto const p : member->partitions()) member->commit(p, 100 + p);
    }
    CHECK(in.group().committed(3) == 103U);
    return true;
}

void every_operation_goes_wrong(fault what, std::optional<std::uint64_t> power) {
    std::uint64_t nth = 1;
    while (nth_operation_goes_wrong(nth, what, power)) ++nth;
    CHECK(nth > 60);  // else the run did next to nothing
}
}  // namespace

TEST_CASE("what was committed is there, and members go on, after any operation has failed", "[log][group][fault]") {
    every_operation_goes_wrong(fault::fail, {});
    every_operation_goes_wrong(fault::cut, {});
    every_operation_goes_wrong(fault::after, {});
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        every_operation_goes_wrong(fault::cut, seed);
        every_operation_goes_wrong(fault::after, seed);
    }
}

TEST_CASE("a member goes on after a call that failed, and holds nothing that it may have given up",
    "[log][group][fault]") {
    std::size_t given_up = 0;
    for (std::uint64_t nth = 1;; ++nth) {
        fixture in;
        auto a = in.join("a");
        auto b = in.join("b");
        a.commit(0, 10);
        auto const before = in.files.operations();
        in.files.inject(nth, fault::fail);
        auto const code = code_of([&] { a.heartbeat(); });
        bool const over = in.files.operations() - before < nth;
        in.files.inject(0, fault::fail);
        CHECK(code == (over ? error_code::none : error_code::io));
        b.heartbeat();
        for (auto const p : a.partitions()) {
            CHECK(std::find(b.partitions().begin(), b.partitions().end(), p) == b.partitions().end());
        }
        given_up += a.partitions().size() == 2;
        a.heartbeat();
        b.heartbeat();
        CHECK(a.partitions() == list{0, 1});
        CHECK(b.partitions() == list{2, 3});
        CHECK(a.position(0) == 10);
        if (over) break;
    }
    CHECK(given_up > 1);
}

TEST_CASE("a commit that is made again after it failed is durable", "[log][group][fault]") {
    for (std::uint64_t nth = 1;; ++nth) {
        fixture in;
        auto a = in.join("a");
        auto const before = in.files.operations();
        in.files.inject(nth, fault::fail);
        bool const failed = code_of([&] { a.commit({{0, 10}, {1, 10}}); }) == error_code::io;
        bool const over = in.files.operations() - before < nth;
        in.files.inject(0, fault::fail);
        CHECK(failed != over);
        if (failed) a.commit({{0, 10}, {1, 10}});
        in.files.lose_power(0);
        INFO("operation " << nth);
        CHECK(in.group().committed(0) == 10U);
        CHECK(in.group().committed(1) == 10U);
        if (over) break;
    }
}

// --- many members ---------------------------------------------------------------------------------------------

namespace {
/// What the test knows of a member without asking the group.
struct known_member {
    std::unique_ptr<log_group_member> it;
    std::string name;
    duration lease;
    event_time deadline;
    bool replaced = false;
    [[nodiscard]] bool lives() const { return !replaced && present < deadline; }
    void renew() {
        auto const passed = lease - (deadline - present);
        if (passed.ns() * 10 >= lease.ns()) deadline = present + lease;
    }
};

void many_members(std::uint64_t seed, int steps) {
    std::mt19937_64 random{seed};
    auto const below = [&](std::uint64_t n) { return random() % n; };
    fixture in;
    in.log.count = static_cast<std::uint32_t>(1 + below(9));
    auto const how = static_cast<assignment>(below(3));
    std::vector<known_member> members;
    std::map<std::uint32_t, std::uint64_t> committed;
    for (std::uint32_t p = 0; p < in.log.count; ++p) committed[p] = p;

    // Some calls fail once, at any of their operations, and are made again.
    auto const call = [&](auto&& act) {
        if (below(4) == 0) in.files.inject(1 + below(10), fault::fail);
        auto code = code_of(act);
        in.files.inject(0, fault::fail);
        return code == error_code::io ? code_of(act) : code;
    };
    auto const check_owners = [&] {
        std::set<std::uint32_t> owned;
        for (auto const& each : members) {
            if (!each.lives()) continue;
            for (auto const p : each.it->partitions()) {
                if (!owned.insert(p).second) FAIL("partition " << p << " has two owners");
                if (each.it->position(p) != committed[p]) FAIL("partition " << p << " goes on elsewhere");
            }
        }
        return owned.size();
    };
    for (int step = 0; step < steps; ++step) {
        INFO("seed " << seed << ", step " << step);
        auto const what = below(20);
        if (what < 3 && members.size() < 12) {
            auto const name = "m" + std::to_string(below(6));
            auto const lease = static_cast<std::int64_t>(1 + below(9)) * 1_s;
            for (auto& each : members) each.replaced = each.replaced || each.name == name;
            auto const instance = name < "m3" ? "of " + name : std::string{};
            join_options const options{.member = name, .instance = instance, .lease = lease, .assignment = how};
            std::unique_ptr<log_group_member> joined;
            auto const code = call([&] { joined = std::make_unique<log_group_member>(in.group().join(options)); });
            REQUIRE(code == error_code::none);
            members.push_back({std::move(joined), name, lease, present + lease, false});
        } else if (what < 5) {
            present = present + static_cast<std::int64_t>(below(1500)) * 1_ms;
        } else if (!members.empty()) {
            auto const at = below(members.size());
            auto& one = members[at];
            auto const& mine = one.it->partitions();
            if (what < 6) {
                REQUIRE(call([&] { one.it->leave(); }) == error_code::none);
                members.erase(members.begin() + static_cast<std::ptrdiff_t>(at));
            } else if (what < 13) {
                auto const code = call([&] { one.it->heartbeat(); });
                CHECK(code == (one.lives() ? error_code::none : error_code::fenced));
                if (code == error_code::none) one.renew();
            } else if (!mine.empty()) {
                std::vector<partition_offset> offsets;
                for (auto const p : mine) {
                    if (below(2) == 0) offsets.push_back({p, std::max(one.it->position(p), committed[p]) + below(5)});
                }
                auto const code = call([&] { one.it->commit(offsets); });
                CHECK(code == (one.lives() ? error_code::none : error_code::fenced));
                if (code == error_code::none) {
                    for (auto const& each : offsets) committed[each.partition] = each.offset;
                }
            }
        }
        check_owners();
        for (auto const& [p, offset] : committed) {
            auto const there = in.group().committed(p);
            if (there && *there != offset) FAIL("partition " << p << " is at " << *there << ", not at " << offset);
        }
    }
    std::erase_if(members, [](known_member const& each) { return !each.lives(); });
    for (int i = 0; i < 2; ++i) {
        for (auto const& each : members) each.it->heartbeat();
    }
    CHECK(check_owners() == (members.empty() ? 0 : in.log.count));
    for (auto const& each : members) {
        CHECK(each.it->partitions().size() >= in.log.count / members.size());
        CHECK(each.it->partitions().size() <= in.log.count / members.size() + 1);
    }
}
}  // namespace

TEST_CASE("members in several threads share a log on the disk", "[log][group]") {
    test::temporary_folder const folder;
    file_log<int> log{folder.path() + "/log", {.partitions = 5}};
    for (std::uint32_t p = 0; p < 5; ++p) log.append(std::vector<int>(1'000, 1), p);
    std::atomic<std::uint64_t> commits{0};
    std::atomic<int> problems{0};
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            try {
                log_group const group{log, "threads"};
                for (int round = 0; round < 3; ++round) {
                    auto member = group.join({.member = "t" + std::to_string(t), .lease = 1_h});
                    for (int i = 0; i < 10; ++i) {
                        for (auto const p : member.partitions()) {
                            member.commit(p, member.position(p) + 1);
                            ++commits;
                        }
                        member.heartbeat();
                    }
                }
            } catch (error const&) {
                ++problems;
            }
        });
    }
    for (auto& each : threads) each.join();
    CHECK(problems == 0);
    log_group const group{log, "threads"};
    std::uint64_t sum = 0;
    for (std::uint32_t p = 0; p < 5; ++p) sum += group.committed(p).value_or(0);
    CHECK(sum == commits);  // none was lost to another thread
    CHECK(commits > 0);
    CHECK(group.members().empty());
}

TEST_CASE("among many members no partition has two owners, and no commit is lost", "[log][group]") {
    std::uint64_t const seeds = test::slow() ? 2'000 : 40;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) many_members(seed, 300);
}
