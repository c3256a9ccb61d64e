// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/correction.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/time/session.hpp>
#include <driftless/view/deployment.hpp>
#include <driftless/view/versioned_view_reader.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::fault;
using testing::memory_files;

namespace correct_test {
struct sale {
    text shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace correct_test
BOOST_HANA_ADAPT_STRUCT(correct_test::sale, shop, cents, at);

namespace {
using correct_test::sale;
using table = view<std::string, std::int64_t>;
using shop_t = deployment<std::string, std::int64_t>;
using reader = versioned_view_reader<std::string, std::int64_t>;
using rows_t = std::map<std::pair<time_window, std::string>, std::int64_t>;

event_time fake_now{};
event_time fake_clock() { return fake_now; }
event_time at(std::int64_t seconds) { return event_time{seconds * 1'000'000'000}; }

template <class Windows>
auto revenue(std::int64_t (*of)(sale const&), Windows windows) {
    auto const paid = [](sale const& s) { return s.cents > 0; };
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | filter(paid)
        | key_by<&sale::shop>() | window(windows, allowed_lateness{30_s}) | aggregate(sum(of)).id("revenue"_name);
}
std::int64_t without_tax(sale const& s) { return s.cents; }
std::int64_t with_tax(sale const& s) { return s.cents * 120; }
auto const v1 = revenue(without_tax, tumbling{10_s});
auto const v2 = revenue(with_tax, tumbling{10_s});

/// A second each; every eleventh record is 25 s late: its window has fired, and takes it all the same.
sale nth(std::int64_t i) {
    static char const* const shops[] = {"north", "south", "east", "a shop with a longer name"};
    return {text{shops[i * 7 % 4]}, i + 1, at(i) - (i % 11 == 5 ? 25_s : i % 3 * 700_ms)};
}
void append(auto& log, std::int64_t from, std::int64_t to) {
    for (auto i = from; i < to; ++i) log.append(nth(i));
}
/// What a batch over the first records says of the windows that a stream has fired by then.
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
/// Of v2 in windows that end behind a time, of v1 elsewhere.
template <class P, class Q>
rows_t corrected(P const& before, Q const& behind, event_time from, std::int64_t records) {
    rows_t out;
    for (auto const& [key, value] : oracle(before, records)) {
        if (key.first.end <= from) out[key] = value;
    }
    for (auto const& [key, value] : oracle(behind, records)) {
        if (key.first.end > from) out[key] = value;
    }
    return out;
}
rows_t rows_in(table const& of) {
    rows_t out;
    of.snapshot().for_each([&](auto const& row) { out[{row.window, std::string{row.key}}] = row.value; });
    return out;
}
deployment_options on(memory_files& files) {
    deployment_options out;
    out.rollback_window = 1_h;
    out.replay_chunk = 64;
    out.snapshots.every = {};
    out.snapshots.records = 100;
    out.snapshots.keep = 10;
    out.files = &files;
    out.clock = &fake_clock;
    out.who = "a test";
    out.rows.history.keep = 1_d;
    return out;
}
void settle(shop_t& shop) {
    while (shop.poll(64) != 0) {}
}
error_code code_of(auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem.code();
    }
    return error_code::none;
}
void begin(shop_t& shop, memory_log<sale>& log, auto const& p1, auto const& p2) {
    fake_now = event_time::from_ms(1'700'000'000'000);
    shop.define("v1", p1, log);
    shop.define("v2", p2, log);
    shop.start();
    shop.deploy("v1");
    settle(shop);
    shop.cut_over();
}
auto const some_time = at(603);  // in the middle of a window
}  // namespace

TEST_CASE("a correction replays from the nearest snapshot, and all its rows are shown at once", "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 1000);
    shop_t shop{"shop", on(files)};
    begin(shop, log, v1, v2);
    auto const told_then = fake_now;
    CHECK(rows_in(*shop.view().read()) == oracle(v1, 1000));

    fake_now = fake_now + 1_min;
    shop.correct("v2", {.from = some_time, .why = "the tax was forgotten"});
    CHECK(shop.about_candidate().based_on == 1);
    CHECK(shop.about_candidate().records == 600);  // 600 is the last snapshot before any record of [600 s, 610 s)
    // The job goes on, and late records come for both sides: nobody sees anything but the old answer.
    std::int64_t told = 1000;
    while (shop.phase() == deployment_phase::replaying) {
        append(log, told, told + 10);
        told += 10;
        shop.poll(16);
        auto const read = static_cast<std::int64_t>(shop.view().read().about().records);
        REQUIRE(rows_in(*shop.view().read()) == oracle(v1, read));
        if (told > 2000) break;
        if (told > 1200) settle(shop);
    }
    REQUIRE(shop.phase() == deployment_phase::ready);
    auto const before = shop.view().read();
    reader outside{"shop", files};
    auto const old = rows_in(*before);
    fake_now = fake_now + 1_min;
    shop.cut_over();
    CHECK(shop.view().read().version() == 2);
    auto const read = static_cast<std::int64_t>(shop.view().read().about().records);
    auto const now = rows_in(*shop.view().read());
    CHECK(now == corrected(v1, v2, some_time, read));
    CHECK(outside.refresh());
    CHECK(rows_in(*outside.read()) == now);
    CHECK(rows_in(*before) == old);  // who holds it

    append(log, told, told + 200);
    told += 200;
    settle(shop);
    CHECK(rows_in(*shop.view().read()) == corrected(v1, v2, some_time, told));

    // Why it is otherwise now.
    auto const fixes = read_corrections<std::string, std::int64_t>("shop", files);
    REQUIRE(fixes.size() == 1);
    CHECK(fixes[0].version == 2);
    CHECK(fixes[0].corrects == 1);
    CHECK(fixes[0].why == "the tax was forgotten");
    CHECK(fixes[0].who == "a test");
    CHECK(fixes[0].since == fake_now);
    CHECK(!fixes[0].undone);
    rows_t changed;
    for (auto const& each : fixes[0].rows) {
        REQUIRE(each.before);
        REQUIRE(each.after);
        CHECK(each.window.end > some_time);
        CHECK(old.at({each.window, each.key}) == *each.before);
        CHECK(now.at({each.window, each.key}) == *each.after);
        changed[{each.window, each.key}] = *each.after;
    }
    for (auto const& [key, value] : now) {
        if (key.first.end > some_time) CHECK(changed.count(key) == 1);
    }
    time_window const fixed{at(700), at(710)};
    REQUIRE(fixes[0].find(text{"north"}, fixed) != nullptr);
    CHECK(fixes[0].find(text{"north"}, time_window{at(500), at(510)}) == nullptr);

    // The history of the view goes on over the correction: what was told, and what is told now.
    auto const rows = shop.view().read();
    auto const then = rows->reported("north", told_then + 1_s, fixed);
    REQUIRE(then.then);
    CHECK(*then.then * 120 == *then.now);
    REQUIRE(then.changed);
    CHECK(then.changed->why == change_cause::new_build);
    CHECK(then.changed->at.build == 2);
    CHECK(then.changed->at.published == fake_now);
    auto const same = rows->reported("north", told_then + 1_s, time_window{at(500), at(510)});
    REQUIRE(same.then);
    CHECK(!same.changed);

    shop.roll_back("it was right before");
    CHECK(rows_in(*shop.view().read()) == oracle(v1, told));
    auto const undone = read_corrections<std::string, std::int64_t>("shop", files);
    REQUIRE(undone.size() == 1);
    CHECK(undone[0].undone);
    auto const audit = shop.audit().history();
    CHECK(std::any_of(audit.begin(), audit.end(), [](audit_entry const& each) {
        return each.kind == audit_kind::correct && each.why.find("the tax was forgotten") != std::string::npos;
    }));
    static_cast<void>(shop.audit().verify());
}

TEST_CASE("a correction waits until the rows it does not touch cannot change", "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 600);
    shop_t shop{"shop", on(files)};
    begin(shop, log, v1, v2);
    auto const from = at(590);  // [580 s, 590 s) still takes records up to the watermark 620 s
    shop.correct("v2", {.from = from, .why = "a test"});
    settle(shop);
    CHECK(shop.lag() == 0);
    CHECK(shop.phase() == deployment_phase::replaying);
    auto const before = rows_in(*shop.view().read());
    append(log, 600, 618);  // 610 % 11 == 5: a record of 585 s, late, for the row that is not corrected
    settle(shop);
    CHECK(shop.phase() == deployment_phase::replaying);
    CHECK(rows_in(*shop.view().read()) != before);
    std::int64_t told = 618;
    for (; shop.phase() == deployment_phase::replaying && told < 700; ++told) {
        append(log, told, told + 1);
        settle(shop);
    }
    CHECK(told > 620);
    REQUIRE(shop.phase() == deployment_phase::ready);
    shop.cut_over();
    CHECK(rows_in(*shop.view().read()) == corrected(v1, v2, from, told));
    CHECK(corrected(v1, v2, from, told) != corrected(v1, v2, from, 600));
}

TEST_CASE("a row that is closed for the version that made it stays, also where the new logic would still take records",
    "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 600);
    auto const longer = from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | key_by<&sale::shop>()
        | window(tumbling{10_s}, allowed_lateness{300_s}) | aggregate(sum(with_tax)).id("revenue"_name);
    shop_t shop{"shop", on(files)};
    begin(shop, log, v1, longer);
    shop.correct("v2", {.from = at(500), .why = "a test"});
    settle(shop);
    shop.cut_over();
    auto const before = rows_in(*shop.view().read());
    log.append(sale{text{"north"}, 1, at(495)});  // 105 s late: v1 has closed its window
    log.append(sale{text{"north"}, 1, at(515)});
    settle(shop);
    auto now = rows_in(*shop.view().read());
    CHECK(now.at({{at(510), at(520)}, "north"}) == before.at({{at(510), at(520)}, "north"}) + 120);
    now[{{at(510), at(520)}, "north"}] -= 120;
    CHECK(now == before);
}

TEST_CASE("where no snapshot will do, a correction replays the log from its beginning", "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 1000);
    SECTION("they were all taken later") {
        shop_t shop{"shop", on(files)};
        begin(shop, log, v1, v2);
        shop.correct("v2", {.from = at(90), .why = "a test"});
        CHECK(shop.about_candidate().records == 0);
        settle(shop);
        shop.cut_over();
        CHECK(rows_in(*shop.view().read()) == corrected(v1, v2, at(90), 1000));
    }
    SECTION("it is told to") {
        shop_t shop{"shop", on(files)};
        begin(shop, log, v1, v2);
        shop.correct("v2", {.from = some_time, .why = "a test", .whole_log = true});
        CHECK(shop.about_candidate().records == 0);
        settle(shop);
        shop.cut_over();
        CHECK(rows_in(*shop.view().read()) == corrected(v1, v2, some_time, 1000));
    }
    SECTION("the windows are others") {
        shop_t shop{"shop", on(files)};
        auto const wider = revenue(with_tax, tumbling{20_s});
        begin(shop, log, v1, wider);
        shop.correct("v2", {.from = some_time, .why = "a test"});
        CHECK(shop.about_candidate().records == 0);
        settle(shop);
        shop.cut_over();
        auto const expected = corrected(v1, wider, some_time, 1000);
        CHECK(rows_in(*shop.view().read()) == expected);
        auto const fixes = read_corrections<std::string, std::int64_t>("shop", files);
        REQUIRE(fixes.size() == 1);
        auto const gone = std::count_if(
            fixes[0].rows.begin(), fixes[0].rows.end(), [](auto const& each) { return !each.after; });
        CHECK(gone > 50);
        for (auto const& each : fixes[0].rows) CHECK((each.before || each.after));
    }
    SECTION("sessions may have begun at any time") {
        shop_t shop{"shop", on(files)};
        auto const s1 = revenue(without_tax, session{3_s});
        auto const s2 = revenue(with_tax, session{3_s});
        begin(shop, log, s1, s2);
        shop.correct("v2", {.from = some_time, .why = "a test"});
        CHECK(shop.about_candidate().records == 0);
        settle(shop);
        shop.cut_over();
        CHECK(rows_in(*shop.view().read()) == corrected(s1, s2, some_time, 1000));
    }
}

TEST_CASE("a correction of windows that overlap begins before the first that it touches", "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 1000);
    shop_t shop{"shop", on(files)};
    auto const s1 = revenue(without_tax, sliding{120_s, 30_s});
    auto const s2 = revenue(with_tax, sliding{120_s, 30_s});
    begin(shop, log, s1, s2);
    shop.correct("v2", {.from = some_time, .why = "a test"});
    CHECK(shop.about_candidate().records == 500);  // [510 s, 630 s) is the first one
    settle(shop);
    append(log, 1000, 1050);
    settle(shop);
    REQUIRE(shop.phase() == deployment_phase::ready);
    shop.cut_over();
    CHECK(rows_in(*shop.view().read()) == corrected(s1, s2, some_time, 1050));
}

TEST_CASE("a correction of windows of windows, and one of a log whose beginning has been removed", "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 1000);
    auto const of = [](auto f) {
        return revenue(f, tumbling{10_s}) | window(tumbling{60_s}, allowed_lateness{30_s})
            | aggregate(sum([](pane<text, std::int64_t> const& row) { return row.value; })).id("minutes"_name);
    };
    auto const m1 = of(without_tax);
    auto const m2 = of(with_tax);
    {
        shop_t shop{"shop", on(files)};
        begin(shop, log, m1, m2);
        append(log, 1000, 1100);
        settle(shop);
        shop.save();
    }
    driftless::detail::log_from<memory_log<sale>> const rest{log, {550}};  // what was before is gone
    shop_t shop{"shop", on(files)};
    shop.define("v1", m1, rest);
    shop.define("v2", m2, rest);
    shop.start();
    CHECK(code_of([&] { shop.correct("v2", {.from = at(500), .why = "x"}); }) == error_code::not_there);
    CHECK(shop.phase() == deployment_phase::steady);
    shop.correct("v2", {.from = some_time, .why = "a test"});
    CHECK(shop.about_candidate().records == 600);
    settle(shop);
    REQUIRE(shop.phase() == deployment_phase::ready);
    shop.cut_over();
    auto const now = rows_in(*shop.view().read());
    CHECK(now == corrected(m1, m2, some_time, 1100));
    CHECK(now.size() > 60);
}

TEST_CASE("what a correction cannot begin with it says", "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 300);
    auto const total = from<sale>() | key_by<&sale::shop>() | aggregate(sum(without_tax), unbounded_state{});
    shop_t shop{"shop", on(files)};
    fake_now = event_time::from_ms(1'700'000'000'000);
    shop.define("v1", v1, log);
    shop.define("v2", v2, log);
    shop.define("total", total, log);
    CHECK(code_of([&] { shop.correct("v2", {.from = at(100), .why = "x"}); }) == error_code::stopped);
    shop.start();
    CHECK(code_of([&] { shop.correct("v2", {.from = at(100), .why = "x"}); }) == error_code::invalid_argument);
    shop.deploy("v1");
    settle(shop);
    shop.cut_over();
    CHECK(code_of([&] { shop.correct("v2", {.from = at(100), .why = ""}); }) == error_code::invalid_argument);
    CHECK(code_of([&] { shop.correct("v9", {.from = at(100), .why = "x"}); }) == error_code::invalid_argument);
    CHECK(code_of([&] { shop.correct("total", {.from = at(100), .why = "x"}); }) == error_code::invalid_argument);
    CHECK(shop.phase() == deployment_phase::steady);
    shop.correct("v2", {.from = at(100), .why = "x"});
    CHECK(code_of([&] { shop.correct("v2", {.from = at(100), .why = "x"}); }) == error_code::stopped);
    settle(shop);
    REQUIRE(shop.phase() == deployment_phase::ready);
    CHECK(code_of([&] { shop.set_canary(100); }) == error_code::invalid_argument);
    shop.stop("enough");
    CHECK(shop.view().read().version() == 1);
    CHECK(read_corrections<std::string, std::int64_t>("shop", files).empty());
}

TEST_CASE("after a restart a correction goes on as it was, and no replay takes its rows for those of its logic",
    "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 1000);
    {
        shop_t shop{"shop", on(files)};
        begin(shop, log, v1, v2);
        shop.correct("v2", {.from = some_time, .why = "a test"});
        settle(shop);
        shop.cut_over();
        shop.finish();
        shop.save();
    }
    append(log, 1000, 1300);
    shop_t shop{"shop", on(files)};
    shop.define("v1", v1, log);
    shop.define("v2", v2, log);
    shop.start();
    settle(shop);
    CHECK(rows_in(*shop.view().read()) == corrected(v1, v2, some_time, 1300));
    CHECK(read_corrections<std::string, std::int64_t>("shop", files).size() == 1);
    CHECK(code_of([&] { shop.deploy("v2", replay_from::snapshot()); }) == error_code::not_there);
    shop.correct("v1", {.from = at(800), .why = "the tax has been abolished"});  // and once more
    settle(shop);
    shop.cut_over();
    auto expected = corrected(v1, v2, some_time, 1300);
    for (auto& [key, value] : expected) {
        if (key.first.end > at(800)) value /= 120;
    }
    CHECK(rows_in(*shop.view().read()) == expected);
    auto const fixes = read_corrections<std::string, std::int64_t>("shop", files);
    REQUIRE(fixes.size() == 2);
    CHECK(fixes[1].corrects == 2);
}

TEST_CASE("threads that read never see half of a correction", "[view][correct]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 1000);
    shop_t shop{"shop", on(files)};
    begin(shop, log, v1, v2);
    // Of every snapshot of rows either all windows behind the time are with tax, or none is.
    std::atomic<bool> done{false};
    std::atomic<int> bad{0};
    auto const expect_v1 = oracle(v1, 1000);
    auto const look = [&] {
        while (!done) {
            int taxed = 0;
            int plain = 0;
            for (auto const& [key, value] : rows_in(*shop.view().read())) {
                auto const was = expect_v1.at(key);
                if (key.first.end <= some_time) bad += value != was;
                else ++(value == was * 120 ? taxed : plain);
            }
            bad += taxed != 0 && plain != 0;
        }
    };
    std::thread one{look};
    std::thread two{look};
    for (int i = 0; i < 3; ++i) {
        shop.correct("v2", {.from = some_time, .why = "a test"});
        while (shop.phase() != deployment_phase::ready) shop.poll(64);
        shop.cut_over();
        shop.roll_back("and back");
    }
    done = true;
    one.join();
    two.join();
    CHECK(bad == 0);
}

// --- killed anywhere --------------------------------------------------------------------------------------------

namespace {
/// A program that serves v1, corrects it while records come, late ones too, and goes on: from wherever the files say.
class program {
    memory_files& files_;
    memory_log<sale>& log_;
    std::int64_t& told_;

public:
    static constexpr std::int64_t all = 700;
    static constexpr std::int64_t from_second = 353;

    program(memory_files& files, memory_log<sale>& log, std::int64_t& told) : files_(files), log_(log), told_(told) {}

    static event_time from() { return at(from_second); }
    static deployment_options how(memory_files& files) {
        auto options = on(files);
        options.most_starts = 0;
        options.snapshots.tolerated_failures = 0;
        return options;
    }
    void define(shop_t& shop) const {
        shop.define("v1", v1, log_);
        shop.define("v2", v2, log_);
    }
    void run() {
        shop_t shop{"shop", how(files_)};
        define(shop);
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
                if (v.empty()) shop.deploy("v1");
                else if (v == "v1") shop.correct("v2", {.from = from(), .why = "the tax"});
            }
            if (!v.empty() && told_ < all) {
                append(log_, told_, told_ + 20);
                told_ += 20;
            }
            shop.poll(64);
            look(shop);
        }
        settle(shop);
        shop.save();
        look(shop);
        CHECK(rows_in(*shop.view().read()) == corrected(v1, v2, from(), all));
        static_cast<void>(shop.audit().verify());
        auto const fixes = read_corrections<std::string, std::int64_t>("shop", files_);
        REQUIRE(!fixes.empty());  // a write that failed may have undone one
        for (std::size_t i = 0; i < fixes.size(); ++i) CHECK(fixes[i].undone.has_value() == (i + 1 < fixes.size()));
        CHECK(fixes.back().why == "the tax");
        CHECK(fixes.back().rows.size() > 20);
    }
    void look(shop_t const& shop) const {
        auto const here = shop.view().try_read();
        if (here) require_whole(**here, here->about());
    }
    void look_from_outside() const {
        if (!files_.exists("shop/CURRENT")) return;
        reader other{"shop", files_};
        try {
            auto const now = other.read();
            require_whole(*now, now.about());
            static_cast<void>(read_corrections<std::string, std::int64_t>("shop", files_));
        } catch (error const& problem) {
            if (problem.code() != error_code::not_there) throw;
        }
    }
    static void require_whole(table const& rows, build const& about) {
        auto const read = static_cast<std::int64_t>(about.records);
        auto const expected = about.logic_version == "v1" ? oracle(v1, read) : corrected(v1, v2, from(), read);
        if (rows_in(rows) != expected) throw std::logic_error{"readers see half of a correction"};
    }
};
/// A view that is served with v1, and the calls of the file layer that this took.
void serve_v1(memory_files& files, memory_log<sale>& log, std::int64_t told) {
    fake_now = event_time::from_ms(1'700'000'000'000);
    append(log, 0, told);
    shop_t shop{"shop", program::how(files)};
    shop.define("v1", v1, log);
    shop.define("v2", v2, log);
    shop.start();
    shop.deploy("v1");
    settle(shop);
    shop.cut_over();
    shop.save();
}
}  // namespace

TEST_CASE("killed at any call, a correction goes on or leaves the old answer", "[view][correct]") {
    std::uint64_t const step = test::slow() ? 1 : 23;
    for (std::uint64_t n = 1;; n += step) {
        INFO("killed at call " << n);
        memory_files files;
        memory_log<sale> log;
        std::int64_t told = 400;
        serve_v1(files, log, told);
        program runs{files, log, told};
        files.inject(n, n % 2 == 0 ? fault::cut : fault::after);
        bool killed = false;
        try {
            runs.run();
        } catch (error const&) {
            killed = true;
        }
        if (!killed) {
            CHECK(n > 150);
            break;
        }
        if (n % 3 == 0) files.restart();
        else files.lose_power(n);
        runs.look_from_outside();
        runs.run();
        runs.look_from_outside();
    }
}

TEST_CASE("a call that fails once leaves the old answer, or the corrected one", "[view][correct]") {
    std::uint64_t const step = test::slow() ? 1 : 29;
    std::uint64_t calls = 1;
    for (std::uint64_t n = 0; n <= calls; n += n == 0 ? 1 : step) {
        INFO("call " << n << " fails");  // 0: none
        memory_files files;
        memory_log<sale> log;
        std::int64_t told = 400;
        serve_v1(files, log, told);
        program runs{files, log, told};
        auto const before = files.operations();
        files.inject(n, fault::fail);
        try {
            runs.run();
        } catch (error const&) {
            CHECK(n != 0);
        }
        if (n == 0) calls = files.operations() - before;
        files.inject(0, fault::fail);
        runs.look_from_outside();
        files.restart();
        runs.run();
        runs.look_from_outside();
    }
    CHECK(calls > 150);
}
