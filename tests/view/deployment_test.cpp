// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/deployment.hpp>
#include <driftless/view/guard.hpp>
#include <driftless/view/versioned_view_reader.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/window.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::fault;
using testing::memory_files;

namespace deployment_test {
struct sale {
    text shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace deployment_test
BOOST_HANA_ADAPT_STRUCT(deployment_test::sale, shop, cents, at);
using deployment_test::sale;

namespace {
using table = view<std::string, std::int64_t>;
using reader = versioned_view_reader<std::string, std::int64_t>;
using rows_t = std::map<std::pair<time_window, std::string>, std::int64_t>;

event_time fake_now{};
event_time fake_clock() { return fake_now; }

auto revenue(std::int64_t (*of)(sale const&)) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | key_by<&sale::shop>() | window(tumbling{10_s})
        | aggregate(sum(of)).id("revenue"_name);
}
std::int64_t without_tax(sale const& s) { return s.cents; }
std::int64_t with_tax(sale const& s) { return s.cents * 120; }
std::int64_t throws_late(sale const& s) {
    return s.cents < 500 ? s.cents : throw std::runtime_error{"too dear"};
}
auto const v1 = revenue(without_tax);
auto const v2 = revenue(with_tax);
auto const v3 = revenue(throws_late);

sale nth(std::int64_t i) {
    static char const* const shops[] = {"north", "south", "east", "a shop with a longer name"};
    return {text{shops[i * 7 % 4]}, i, event_time{i * 1'000'000'000 - i * 3 % 2 * 1'500'000'000}};
}
void append(auto& log, std::int64_t from, std::int64_t to) {
    for (auto i = from; i < to; ++i) log.append(nth(i));
}
/// What a batch over the first records says of the windows that a stream has closed by then.
template <class P>
rows_t oracle(P const& p, std::int64_t records) {
    std::vector<sale> all;
    event_time newest = event_time::min();
    for (std::int64_t i = 0; i < records; ++i) {
        all.push_back(nth(i));
        newest = std::max(newest, all.back().at);
    }
    rows_t out;
    for (auto const& row : run(batch{}, p, all)) {
        if (row.window.end <= newest - 2_s) out[{row.window, row.key}] = row.value;
    }
    return out;
}
rows_t rows_of(table const& of) {
    rows_t out;
    of.snapshot().for_each([&](auto const& row) { out[{row.window, std::string{row.key}}] = row.value; });
    return out;
}

deployment_options on(memory_files& files) {
    deployment_options out;
    out.rollback_window = 1_h;
    out.replay_chunk = 64;
    out.snapshots.every = {};
    out.snapshots.records = 150;
    out.files = &files;
    out.clock = &fake_clock;
    out.git_hash = "abc";
    out.who = "a test";
    return out;
}
/// An empty disk, a log in memory, and a clock that stands still.
struct world {
    memory_files files;
    memory_log<sale> log;
    deployment_options options = on(files);

    world() { fake_now = event_time::from_ms(1'700'000'000'000); }
};
/// A deployment of all logics over a log.
struct shop_t : deployment<std::string, std::int64_t> {
    shop_t(deployment_options const& how, auto& log, std::string folder = "shop") : deployment{std::move(folder), how} {
        define("v1", v1, log);
        define("v2", v2, log);
        define("v3", v3, log);
    }
};
std::string lacks_rows(table const* current, table const& fresh) {
    bool const lacks = current != nullptr && fresh.snapshot().size() < current->snapshot().size();
    return lacks ? "rows are missing" : "";
}
void settle(shop_t& shop) {
    while (shop.poll() != 0) {}
}
void make_current(shop_t& shop, std::string const& logic) {
    shop.deploy(logic);
    settle(shop);
    shop.cut_over();
}
std::vector<std::string> told(shop_t const& shop) {
    std::vector<std::string> out;
    for (auto const& each : shop.audit().history()) {
        out.push_back(std::string{to_string(each.kind)} + " " + each.version);
    }
    return out;
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

TEST_CASE_METHOD(world, "a new version is replayed, compared, cut over, and rolled back", "[view][deployment]") {
    append(log, 0, 1000);
    shop_t shop{options, log};
    int compared = 0;
    shop.validate_with("never fewer rows", [&](table const* current, table const& fresh, build const& about) {
        ++compared;
        CHECK(about.records == 1000 + (current != nullptr ? 100 : 0));
        return lacks_rows(current, fresh);
    });
    CHECK(code_of([&] { shop.deploy("v1"); }) == error_code::stopped);  // before start()
    shop.start();
    CHECK(code_of([&] { shop.deploy("v9"); }) == error_code::invalid_argument);
    CHECK(code_of([&] { static_cast<void>(shop.view().read()); }) == error_code::not_there);

    shop.deploy("v1");
    CHECK(code_of([&] { shop.deploy("v2"); }) == error_code::stopped);
    CHECK(code_of([&] { shop.cut_over(); }) == error_code::stopped);
    CHECK(shop.lag() == 1000);
    settle(shop);
    CHECK(shop.phase() == deployment_phase::ready);
    CHECK(!shop.view().try_read());
    shop.cut_over();
    CHECK(shop.phase() == deployment_phase::steady);  // there is nothing to go back to
    CHECK(rows_of(*shop.view().read()) == oracle(v1, 1000));

    append(log, 1000, 1100);
    shop.deploy("v2");
    settle(shop);
    CHECK(shop.phase() == deployment_phase::ready);
    CHECK(compared == 2);
    CHECK(rows_of(*shop.view().read()) == oracle(v1, 1100));
    reader other{"shop", files};
    CHECK(other.read().version() == 1);
    auto const before = shop.view().read();

    append(log, 1100, 1300);
    shop.cut_over();
    CHECK(shop.phase() == deployment_phase::watching);
    CHECK(other.refresh());
    CHECK(other.read().version() == 2);
    CHECK(rows_of(*other.read()) == rows_of(*shop.view().read()));
    settle(shop);
    CHECK(rows_of(*shop.view().read()) == oracle(v2, 1300));
    CHECK(rows_of(*before) == oracle(v1, 1300));  // it follows
    auto const about = shop.view().read().about();
    CHECK(about.number == 2);
    CHECK(about.logic_version == "v2");
    CHECK(about.git_hash == "abc");
    CHECK(about.fingerprint == fingerprint(v2));
    CHECK(about.records == 1300);
    CHECK(about.inputs.size() == 1);
    CHECK(about.inputs[0].offset == 1300);
    CHECK(about.progress == std::max(nth(1299).at, nth(1298).at));
    CHECK(about.watermark <= about.progress - 2_s);
    CHECK(shop.view().read()->at().epoch == 1300);

    shop.roll_back();
    CHECK(shop.view().read().version() == 1);
    CHECK(rows_of(*shop.view().read()) == oracle(v1, 1300));
    CHECK(other.refresh());
    CHECK(other.read().version() == 1);
    CHECK(code_of([&] { shop.roll_back(); }) == error_code::stopped);
    CHECK(told(shop)
        == std::vector<std::string>{"deploy v1 (version 1)", "validate v1 (version 1)", "cut_over v1 (version 1)",
            "deploy v2 (version 2)", "validate v2 (version 2)", "cut_over v2 (version 2)", "roll_back v1 (version 1)"});
    static_cast<void>(shop.audit().verify());
}

TEST_CASE_METHOD(world, "the old version follows until the rollback window ends", "[view][deployment]") {
    append(log, 0, 500);
    options.cut_over_when_valid = true;
    shop_t shop{options, log};
    shop.start();
    shop.deploy("v1");
    settle(shop);
    shop.deploy("v2");
    settle(shop);
    CHECK(shop.phase() == deployment_phase::watching);
    fake_now = fake_now + 1_h - 1_ns;
    shop.poll();
    CHECK(shop.phase() == deployment_phase::watching);
    fake_now = fake_now + 1_ns;
    shop.poll();
    CHECK(shop.phase() == deployment_phase::steady);
    CHECK(shop.previous() == 0);
    append(log, 500, 800);
    settle(shop);
    CHECK(rows_of(*shop.view().read()) == oracle(v2, 800));
    CHECK(rows_of(*shop.view().read_version(1)) == oracle(v1, 500));  // as it was when it stopped to follow
}

TEST_CASE_METHOD(world, "a version that is not valid, or throws, is stopped, and readers notice nothing",
    "[view][deployment]") {
    append(log, 0, 900);
    options.cut_over_when_valid = true;
    shop_t shop{options, log};
    bool strict = false;
    shop.validate_with("revenue as before", [&](table const* current, table const& fresh, build const&) {
        return strict && rows_of(*current) != rows_of(fresh) ? std::string{"it has changed"} : std::string{};
    });
    shop.start();
    shop.deploy("v1");
    settle(shop);
    shop.deploy("v3");  // throws half-way
    settle(shop);
    CHECK(shop.phase() == deployment_phase::steady);
    CHECK(shop.outcome().find("too dear") != std::string::npos);
    strict = true;
    shop.deploy("v2");
    settle(shop);
    CHECK(shop.phase() == deployment_phase::steady);
    CHECK(shop.outcome().find("revenue as before: it has changed") != std::string::npos);
    CHECK(shop.view().versions() == std::vector<std::uint64_t>{1});
    CHECK(files.list("shop/versions").size() == 1);
    CHECK(rows_of(*shop.view().read()) == oracle(v1, 900));
    CHECK(told(shop).back() == "stop v2 (version 3)");
}

TEST_CASE_METHOD(world, "checks of a validation decide as well", "[view][deployment]") {
    append(log, 0, 900);
    options.cut_over_when_valid = true;
    shop_t shop{options, log};
    validation<std::string, std::int64_t> checks;
    checks.add(counts{}).invariant("revenue >= 0", [](std::int64_t revenue) { return revenue >= 0; });
    checks.add("dear", [](auto const& candidate, auto const* current) {
        verdict out;
        if (current != nullptr && candidate[0].value() > 100 * (*current)[0].value()) out.result = outcome::failed;
        return out;
    });
    shop.validate_with(std::move(checks));
    shop.start();
    shop.deploy("v1");
    settle(shop);
    CHECK(shop.view().read().version() == 1);
    shop.deploy("v2");
    settle(shop);
    CHECK(shop.view().read().version() == 1);
    CHECK(shop.outcome().find("dear") != std::string::npos);
}

TEST_CASE_METHOD(world, "guards stop a trial, and roll back after a cut-over", "[view][deployment]") {
    append(log, 0, 900);
    options.cut_over_when_valid = true;
    shop_t shop{options, log};
    std::uint64_t most = 10'000;
    shop.guard_with("records", [&](trial_health const& now) {
        return now.about.records > most ? std::string{"too many"} : std::string{};
    });
    shop.start();
    shop.deploy("v1");
    settle(shop);
    most = 300;
    shop.deploy("v2");
    settle(shop);
    CHECK(shop.outcome().find("guard records: too many") != std::string::npos);
    CHECK(shop.view().read().version() == 1);
    most = 10'000;
    shop.deploy("v2");
    settle(shop);
    CHECK(shop.view().read().version() == 3);
    append(log, 900, 1000);
    most = 950;
    settle(shop);
    CHECK(shop.phase() == deployment_phase::steady);
    CHECK(shop.view().read().version() == 1);
    CHECK(rows_of(*shop.view().read()) == oracle(v1, 1000));
    CHECK(told(shop).back() == "roll_back v1 (version 1)");

    most = 10'000;  // what throws after the cut-over leads back as well
    memory_log<sale> cheap;
    append(cheap, 0, 400);
    shop_t another{options, cheap, "another"};
    another.start();
    another.deploy("v1");
    settle(another);
    another.deploy("v3");
    settle(another);
    CHECK(another.phase() == deployment_phase::watching);
    append(cheap, 400, 600);
    settle(another);
    CHECK(another.view().read().version() == 1);
    CHECK(another.outcome().find("too dear") != std::string::npos);
    CHECK(rows_of(*another.view().read()) == oracle(v1, 600));
}

TEST_CASE_METHOD(world, "the current version comes first: a new one reads while it has nothing to read",
    "[view][deployment]") {
    append(log, 0, 600);
    options.cut_over_when_valid = true;
    shop_t shop{options, log};
    shop.start();
    shop.deploy("v1");
    settle(shop);
    shop.deploy("v2");
    for (int i = 0; i < 5; ++i) {
        append(log, 600 + i * 100, 700 + i * 100);
        CHECK(shop.poll(100) == 100);
        CHECK(shop.about_candidate().records == 0);
    }
    CHECK(shop.poll(100) == 64);
    CHECK(shop.about_candidate().records == 64);
    settle(shop);
    CHECK(rows_of(*shop.view().read()) == oracle(v2, 1100));
}

TEST_CASE_METHOD(world, "a cut-over does not lead readers back: the new version has read what the old one has",
    "[view][deployment]") {
    append(log, 0, 600);
    shop_t shop{options, log};
    shop.start();
    make_current(shop, "v1");
    shop.deploy("v2");
    settle(shop);
    append(log, 600, 1000);
    CHECK(shop.poll() == 400 + 64);  // the current one is ahead
    CHECK(shop.about_candidate().records == 664);
    shop.cut_over();
    CHECK(shop.view().read().about().records == 1000);
    CHECK(rows_of(*shop.view().read()) == oracle(v2, 1000));
    reader const other{"shop", files};
    CHECK(rows_of(*other.read()) == oracle(v2, 1000));
}

TEST_CASE_METHOD(world, "a replay with limits reads at its pace", "[view][deployment]") {
    append(log, 0, 600);
    options.replay_limits = {.records = 100};
    shop_t shop{options, log};
    shop.start();
    shop.deploy("v1");
    for (std::uint64_t second = 1; second <= 6; ++second) {
        settle(shop);
        CHECK(shop.about_candidate().records == 100 * second);
        CHECK(shop.phase() == (second < 6 ? deployment_phase::replaying : deployment_phase::ready));
        fake_now = fake_now + 1_s;
    }
}

TEST_CASE_METHOD(world, "a replay begins at an offset, at a time or at a snapshot", "[view][deployment]") {
    file_log<sale> kept{"log", {.durable = every_batch, .background = false, .files = &files, .clock = &fake_clock}};
    append(kept, 0, 600);
    kept.sync();
    fake_now = fake_now + 1_h;
    auto const noon = fake_now;
    append(kept, 600, 1000);
    kept.sync();
    options.cut_over_when_valid = true;
    shop_t shop{options, kept};
    shop.start();
    CHECK(code_of([&] { shop.deploy("v1", replay_from::snapshot()); }) == error_code::not_there);
    CHECK(code_of([&] { shop.deploy("v1", replay_from::offset(1001)); }) == error_code::not_there);
    shop.deploy("v1", replay_from::offset(700));
    CHECK(shop.lag() == 300);
    settle(shop);
    CHECK(shop.view().read().about().records == 300);
    CHECK(shop.view().read().about().inputs[0].begin == 700);
    CHECK(rows_of(*shop.view().read()).begin()->first.first.start == event_time{} + 690_s);

    shop.deploy("v1", replay_from::time(noon));
    CHECK(shop.lag() <= 400 + 600);
    CHECK(shop.lag() >= 400);
    settle(shop);
    shop.finish();
    shop.deploy("v1");
    settle(shop);
    shop.finish();
    CHECK(rows_of(*shop.view().read()) == oracle(v1, 1000));

    shop.deploy("v1", replay_from::snapshot());
    CHECK(shop.lag() == 0);
    settle(shop);
    CHECK(shop.phase() == deployment_phase::watching);
    CHECK(shop.view().read().version() == 4);
    CHECK(shop.view().read().about().based_on == 3);
    CHECK(rows_of(*shop.view().read()) == oracle(v1, 1000));
    shop.finish();
    append(kept, 1000, 1200);
    kept.sync();

    CHECK(code_of([&] { shop.deploy("v2", replay_from::snapshot()); }) == error_code::not_there);  // another logic
    shop.deploy("v2", replay_from::snapshot_to_adopt());
    settle(shop);
    auto const mixed = rows_of(*shop.view().read());
    CHECK(mixed.size() == oracle(v2, 1200).size());
    CHECK(mixed.begin()->second == oracle(v1, 1200).begin()->second);
    CHECK(mixed.rbegin()->second == oracle(v2, 1200).rbegin()->second);
}

TEST_CASE_METHOD(world, "shadow output and canary: a version is seen before it is current", "[view][deployment]") {
    append(log, 0, 500);
    shop_t shop{options, log};
    rows_t shadow;
    shop.shadow_to([&](pane<std::string, std::int64_t> const& row) { shadow[{row.window, row.key}] = row.value; });
    shop.start();
    make_current(shop, "v1");
    shadow.clear();
    shop.deploy("v2");
    settle(shop);
    CHECK(shadow == oracle(v2, 500));
    shop.set_canary(5'000);
    reader other{"shop", files};
    int trial = 0;
    for (int i = 0; i < 100; ++i) {
        auto const key = "key " + std::to_string(i);
        auto const version = shop.view().read_for(key).version();
        trial += version == 2;
        CHECK(other.read_for(key).version() == version);
    }
    CHECK(trial > 30);
    CHECK(trial < 70);
    shop.stop("the canary sang");
    CHECK(shop.view().read_for("key 1").version() == 1);
    CHECK(other.refresh());
    CHECK(other.read_for("key 1").version() == 1);
}

TEST_CASE_METHOD(world, "a trial that keeps crashing is stopped by itself", "[view][deployment]") {
    append(log, 0, 100);  // fewer than a snapshot takes
    options.most_starts = 3;
    for (int start = 0; start < 4; ++start) {
        shop_t shop{options, log};
        shop.start();
        if (start == 0) shop.deploy("v1");
        CHECK(shop.phase() == deployment_phase::replaying);
        files.restart();
    }
    shop_t shop{options, log};
    shop.start();
    CHECK(shop.phase() == deployment_phase::steady);
    CHECK(shop.outcome().find("crash loop") != std::string::npos);
}

// --- what goes wrong in between -----------------------------------------------------------------------------------

TEST_CASE("a step whose audit entry could not be written is whole, and stands in the log before the next one",
    "[view][deployment]") {
    std::vector<std::string> const whole{"deploy v1 (version 1)", "validate v1 (version 1)", "cut_over v1 (version 1)",
        "deploy v2 (version 2)", "validate v2 (version 2)", "cut_over v2 (version 2)", "roll_back v1 (version 1)"};
    for (std::uint64_t n = 1;; ++n) {  // the n-th call of the cut-over fails
        INFO("call " << n);
        world here;
        auto& [files, log, options] = here;
        append(log, 0, 500);
        shop_t shop{options, log};
        shop.start();
        make_current(shop, "v1");
        shop.deploy("v2");
        settle(shop);
        files.inject(n, fault::fail);
        auto const failed = code_of([&] { shop.cut_over(); }) != error_code::none;
        files.inject(0, fault::fail);
        if (shop.view().current() == 2) {
            CHECK(shop.phase() == deployment_phase::watching);
            CHECK(shop.view().read().version() == 2);
            append(log, 500, 800);
            settle(shop);
            CHECK(rows_of(*shop.view().read()) == oracle(v2, 800));
            shop.roll_back();
            CHECK(rows_of(*shop.view().read()) == oracle(v1, 800));
            append(log, 800, 900);
            settle(shop);
            CHECK(rows_of(*shop.view().read()) == oracle(v1, 900));
            CHECK(told(shop) == whole);
        } else {  // whatever is asked of it now, it says what is wrong
            code_of([&] { settle(shop); });
            code_of([&] { shop.cut_over(); });
            CHECK(shop.view().read().version() == (shop.phase() == deployment_phase::watching ? 2 : 1));
        }
        if (!failed) break;
    }
}

TEST_CASE_METHOD(world, "a trial that cannot be stopped, as CURRENT cannot be written, is no end of the program",
    "[view][deployment]") {
    append(log, 0, 400);
    shop_t shop{options, log};
    shop.start();
    shop.deploy("v3");
    settle(shop);
    REQUIRE(shop.phase() == deployment_phase::ready);
    append(log, 400, 600);  // too dear
    files.inject(1, fault::fail);
    CHECK(code_of([&] { settle(shop); }) == error_code::io);
    files.inject(0, fault::fail);
    CHECK(code_of([&] { shop.cut_over(); }) == error_code::stopped);
    CHECK(code_of([&] { settle(shop); }) == error_code::stopped);
}

TEST_CASE("a version that follows no more is left, whether its last rows can be written or not",
    "[view][deployment]") {
    for (bool const follows : {false, true}) {
        for (std::uint64_t n = 1;; ++n) {
            INFO("call " << n << (follows ? " of the end of the window" : " of the cut-over"));
            world here;
            auto& [files, log, options] = here;
            append(log, 0, 400);
            options.keep = 0;
            if (!follows) options.rollback_window = {};
            shop_t shop{options, log};
            shop.start();
            make_current(shop, "v1");
            shop.deploy("v2");
            settle(shop);
            if (follows) shop.cut_over();
            files.inject(n, fault::fail);
            bool const failed = code_of([&] { follows ? shop.finish() : shop.cut_over(); }) != error_code::none;
            files.inject(0, fault::fail);
            bool const taken = shop.view().current() == 2 && shop.phase() == deployment_phase::steady;
            if (taken) {
                CHECK(shop.candidate() == 0);
                append(log, 400, 700);
                settle(shop);
                CHECK(shop.lag() == 0);
                CHECK(rows_of(*shop.view().read()) == oracle(v2, 700));
                code_of([&] { shop.deploy("v1"); });
                code_of([&] { settle(shop); });
                code_of([&] { shop.cut_over(); });
            }
            if (!failed) break;
        }
    }
}

TEST_CASE_METHOD(world, "a canary is still there after a restart, for the same keys as elsewhere",
    "[view][deployment]") {
    append(log, 0, 500);
    {
        shop_t shop{options, log};
        shop.start();
        make_current(shop, "v1");
        shop.deploy("v2");
        settle(shop);
        shop.set_canary(5'000);
    }
    shop_t shop{options, log};
    shop.start();
    reader const other{"shop", files};
    int trial = 0;
    for (int i = 0; i < 100; ++i) {
        auto const key = "key " + std::to_string(i);
        CHECK(shop.view().read_for(key).version() == other.read_for(key).version());
        trial += shop.view().read_for(key).version() == 2;
    }
    CHECK(trial > 30);
}

TEST_CASE_METHOD(world, "what is certified, released and retired stands in the audit log, once", "[view][deployment]") {
    append(log, 0, 300);
    options.keep = 0;
    options.cut_over_when_valid = true;
    options.rollback_window = {};
    {
        shop_t shop{options, log};
        shop.start();
        shop.deploy("v1");
        settle(shop);
        shop.certify("step 6");  // a name like those of steps hides none of them
        shop.certify("step 6");  // it does already
        CHECK(!shop.release("audited 2023"));
        CHECK(code_of([&] { shop.certify("step 6", 2); }) == error_code::not_there);
        shop.deploy("v2");
        settle(shop);
        CHECK(shop.view().versions() == std::vector<std::uint64_t>{1, 2});
        CHECK(shop.release("step 6"));
        shop.deploy("v1");
        settle(shop);
        CHECK(shop.view().versions() == std::vector<std::uint64_t>{3});
        std::vector<std::string> const all{"deploy v1 (version 1)", "validate v1 (version 1)",
            "cut_over v1 (version 1)", "certify v1 (version 1)", "deploy v2 (version 2)", "validate v2 (version 2)",
            "cut_over v2 (version 2)", "release v1 (version 1)", "deploy v1 (version 3)", "validate v1 (version 3)",
            "cut_over v1 (version 3)", "retire v1 (version 1)", "retire v2 (version 2)"};
        CHECK(told(shop) == all);
        CHECK(shop.audit().history()[3].why == "step 4: step 6");
    }
    // Killed at any call of certifying it, it is certified and told, or neither.
    for (std::uint64_t n = 1;; ++n) {
        INFO("call " << n);
        auto const name = "audit " + std::to_string(n);
        bool killed = false;
        {
            shop_t shop{options, log};
            shop.start();
            files.inject(n, n % 2 == 0 ? fault::cut : fault::after);
            killed = code_of([&] { shop.certify(name); }) != error_code::none;
        }
        files.restart();
        shop_t shop{options, log};
        shop.start();
        auto const history = shop.audit().history();
        CHECK((shop.view().certified(name) != 0) == history.back().why.ends_with(": " + name));
        if (!killed) break;
    }
}

TEST_CASE_METHOD(world, "a program that ends as it was meant to is no crash loop", "[view][deployment]") {
    append(log, 0, 100);
    options.most_starts = 3;
    for (int start = 0; start < 8; ++start) {
        shop_t shop{options, log};
        shop.start();
        if (start == 0) shop.deploy("v1");
        CHECK(shop.phase() == deployment_phase::replaying);
        shop.save();
    }
}

TEST_CASE_METHOD(world, "a build says where it began to read, also when retention has removed that",
    "[view][deployment]") {
    append(log, 0, 10'000);
    shop_t shop{options, log};
    shop.start();
    shop.deploy("v1");
    settle(shop);
    log.trim(0, 9'000);
    REQUIRE(log.begin_offset() > 0);
    append(log, 10'000, 10'001);
    settle(shop);
    CHECK(shop.about_candidate().inputs[0].offset == 10'001);
    CHECK(shop.about_candidate().inputs[0].begin == 0);
}

TEST_CASE_METHOD(world, "guards judge each version by itself", "[view][deployment]") {
    append(log, 0, 900);
    shop_t shop{options, log};
    guards watch;
    watch.add("logic", [&](measures const&) {
        return shop.about_candidate().logic_version == "v2" ? std::string{"not this one"} : std::string{};
    });
    watch.add(most_lag{.records = 500, .patience = 10_s});
    shop.guard_with("guards", watch.as_guard());
    shop.validate_with("checks", validation<std::string, std::int64_t>{}.add(counts{}).as_validator());
    shop.start();
    shop.deploy("v2");
    settle(shop);
    CHECK(shop.outcome().find("guard guards: logic: not this one") != std::string::npos);
    fake_now = fake_now + 1_h;
    shop.deploy("v1");
    settle(shop);
    CHECK(shop.phase() == deployment_phase::ready);
}

TEST_CASE_METHOD(world, "a folder that lacks its list of versions, or its current one, is not gone on with",
    "[view][deployment]") {
    {
        shop_t shop{options, log};
        shop.start();
        make_current(shop, "v1");  // of no records
    }
    {
        shop_t shop{options, log};  // nothing is missing
        shop.start();
        append(log, 0, 400);
        settle(shop);
        CHECK(rows_of(*shop.view().read()) == oracle(v1, 400));
        shop.save();
    }
    auto const list = read_whole_file("shop/CURRENT", files);
    files.remove("shop/CURRENT");
    CHECK(code_of([&] { shop_t{options, log}.start(); }) == error_code::corrupt);
    CHECK(!files.list("shop/versions/000000000001").empty());
    write_whole_file("shop", "CURRENT", *list, files);
    CHECK(code_of([&] { shop_t{options, log}.start(); }) == error_code::none);
    driftless::detail::remove_tree("shop/versions/000000000001", files);
    shop_t shop{options, log};
    CHECK(code_of([&] { shop.start(); }) == error_code::corrupt);
    CHECK(!shop.view().try_read());
}

// --- killed anywhere --------------------------------------------------------------------------------------------

namespace {
/// A program that deploys v1, cuts it over, deploys v2 while records come, cuts it over, and finishes: from wherever
/// the files say. Whatever it is asked meanwhile, a version answers that is complete.
class program : public world {
    std::int64_t told_ = 200;  // by the source, which does not crash

public:
    static constexpr std::int64_t all = 900;

    program() {
        options.most_starts = 0;
        append(log, 0, told_);
    }

    /// Comes back when all is done; throws when it is killed.
    void run(bool no_trial_ends = true) {
        shop_t shop{options, log};
        shop.validate_with("rows", [](table const* current, table const& fresh, build const&) {
            return lacks_rows(current, fresh);
        });
        shop.start();
        look(shop);
        for (;;) {
            auto const v = shop.view().current() == 0 ? std::string{} : shop.view().read().about().logic_version;
            if (shop.phase() == deployment_phase::ready) {
                shop.cut_over();
            } else if (shop.phase() == deployment_phase::watching) {
                if (told_ == all && shop.lag() == 0) shop.finish();
            } else if (shop.phase() == deployment_phase::steady) {
                if (v == "v2" && told_ == all) break;
                if (v != "v2") shop.deploy(v.empty() ? "v1" : "v2");
            }
            if (!v.empty() && told_ < all) {
                append(log, told_, told_ + 20);
                told_ += 20;
            }
            shop.poll(64);
            look(shop);
        }
        settle(shop);
        shop.save();
        look(shop);
        CHECK((rows_of(*shop.view().read()) == oracle(v2, all)));
        static_cast<void>(shop.audit().verify());
        if (!no_trial_ends) return;
        std::vector<std::string> steps;
        for (auto const& each : shop.audit().history()) steps.push_back(std::string{to_string(each.kind)});
        CHECK(steps
            == std::vector<std::string>{"deploy", "validate", "cut_over", "deploy", "validate", "cut_over"});
    }
    /// What readers are given, here and in another process, is what its logic says of a prefix of the log: no row is
    /// half of one version.
    void look(shop_t const& shop) const {
        auto const here = shop.view().try_read();
        if (here) require_whole(**here, here->about());
    }
    void look_from_outside() {
        if (!files.exists("shop/CURRENT")) return;
        reader other{"shop", files};
        try {
            auto const now = other.read();
            require_whole(*now, now.about());
        } catch (error const& problem) {
            if (problem.code() != error_code::not_there) throw;
        }
    }
    static void require_whole(table const& rows, build const& about) {
        auto const read = static_cast<std::int64_t>(about.records);
        auto const expected = about.logic_version == "v1" ? oracle(v1, read) : oracle(v2, read);
        if (rows_of(rows) != expected) throw std::logic_error{"readers see what no version has said"};
    }
};

/// Kills it again and again at a call of the file layer that the seed chooses; then lets it end.
void kill_and_resume(std::uint64_t seed, std::uint64_t span, int lives) {
    INFO("seed " << seed);
    program runs;
    auto const below = [&seed](std::uint64_t n) {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        return seed * 0x2545f4914f6cdd1d % n;
    };
    for (int life = 0; life < lives; ++life) {
        runs.files.inject(1 + below(span), below(2) == 0 ? fault::cut : fault::after);
        bool killed = false;
        try {
            runs.run();
        } catch (error const&) {
            killed = true;
        }
        if (!killed) return;
        if (below(2) == 0) runs.files.restart();
        else runs.files.lose_power(1 + below(1000));
        runs.look_from_outside();
    }
    runs.files.inject(0, fault::cut);
    runs.run();
    runs.look_from_outside();
}
}  // namespace

TEST_CASE("killed at any call across replay and cut-over, a deployment goes on where it was", "[view][deployment]") {
    // One kill at each call in turn, or at some of them in the ordinary run.
    std::uint64_t const step = test::slow() ? 1 : 37;
    for (std::uint64_t n = 1;; n += step) {
        INFO("killed at call " << n);
        program runs;
        runs.files.inject(n, n % 2 == 0 ? fault::cut : fault::after);
        bool killed = false;
        try {
            runs.run();
        } catch (error const&) {
            killed = true;
        }
        if (!killed) {
            CHECK(n > 100);
            break;
        }
        if (n % 3 == 0) runs.files.restart();
        else runs.files.lose_power(n);
        runs.look_from_outside();
        runs.run();
        runs.look_from_outside();
    }
}

TEST_CASE("killed at random, again and again, a deployment comes to its end", "[view][deployment]") {
    std::uint64_t const seeds = test::slow() ? 200 : 10;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) kill_and_resume(seed * 0x9e3779b97f4a7c15, 150, 8);
}

TEST_CASE("a call that fails once does not mix anything up: the next start has all of it", "[view][deployment]") {
    std::uint64_t const step = test::slow() ? 1 : 29;
    std::uint64_t calls = 1;
    for (std::uint64_t n = 0; n <= calls; n += n == 0 ? 1 : step) {
        INFO("call " << n << " fails");  // 0: none
        program runs;
        runs.files.inject(n, fault::fail);
        try {
            runs.run(n == 0);
        } catch (error const&) {
            CHECK(n != 0);
        }
        if (n == 0) calls = runs.files.operations();
        runs.files.inject(0, fault::fail);
        runs.look_from_outside();
        runs.files.restart();
        runs.run(false);
        runs.look_from_outside();
    }
    CHECK(calls > 300);
}
