// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/replay_plan.hpp>
#include <support/catch.hpp>

#include <driftless/agg.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/evolution.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/snapshot_manifest.hpp>
#include <driftless/testing/memory_files.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using Catch::Matchers::Contains;

namespace replay_plan_test {
struct sale {
    std::int32_t shop;
    std::int64_t cents;
    dl::event_time at;
};
struct other_sale {
    std::int32_t shop;
    double euros;
    dl::event_time at;
};
struct newer_sale {
    std::int32_t shop;
    std::int64_t cents;
    dl::event_time at;
    std::int64_t tax;
};
}  // namespace replay_plan_test
BOOST_HANA_ADAPT_STRUCT(replay_plan_test::sale, shop, cents, at);
BOOST_HANA_ADAPT_STRUCT(replay_plan_test::other_sale, shop, euros, at);
BOOST_HANA_ADAPT_STRUCT(replay_plan_test::newer_sale, shop, cents, at, tax);
template <>
inline constexpr auto driftless::schema_evolution<replay_plan_test::newer_sale> = driftless::evolving;

namespace {
using replay_plan_test::newer_sale;
using replay_plan_test::sale;
using dl::replay_from;

constexpr auto totals(dl::duration size = 1_h) {
    return dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{0_s}) | dl::key_by<&sale::shop>()
        | dl::window(dl::tumbling{size}) | dl::aggregate(dl::count());
}
sale nth(std::int64_t i) { return {static_cast<std::int32_t>(i % 5), i, dl::event_time{} + i * 1_min}; }

std::int64_t now_ns = 0;
dl::event_time fake_clock() { return dl::event_time{now_ns}; }

dl::file_log_options in(dl::testing::memory_files& files) {
    dl::file_log_options out{
        .durable = dl::every_batch, .background = false, .segment_bytes = 4096, .block_bytes = 1024};
    out.files = &files;
    out.clock = &fake_clock;
    return out;
}
bool has(std::vector<std::string> const& all, std::string const& part) {
    for (auto const& each : all) {
        if (each.find(part) != std::string::npos) return true;
    }
    return false;
}
/// Leaves snapshots of a job that has read `records`.
template <class P, class Log>
void run_to(P const& p, Log const& log, std::uint64_t records, dl::file_system& files, std::string_view logic) {
    auto mode = dl::stream{.snapshots = "state", .until = dl::end_of_log};
    mode.clock = &fake_clock;
    mode.snapshot_options.files = &files;
    mode.snapshot_options.logic_version = logic;
    mode.snapshot_options.every = dl::duration{};
    dl::job job{mode, p, log, dl::to([](auto const&) {})};
    job.poll(records);
    job.save_snapshot();
}
}  // namespace

TEST_CASE("a replay of a log in memory is possible, and takes what the throttle lets through", "[view][replay_plan]") {
    dl::memory_log<sale> log{2};
    for (int i = 0; i < 1000; ++i) log.append(nth(i), static_cast<std::uint32_t>(i % 2));
    auto const plan = dl::plan_replay(totals(), {.limits = {.records = 100}, .logic_version = "v2"}, log);
    CHECK(plan.possible());
    CHECK(plan.refusals.empty());
    CHECK_NOTHROW(plan.require());
    CHECK(plan.records == 1000);
    CHECK(plan.bytes_to_read == 1000 * sizeof(sale));
    CHECK(plan.time == 10_s);
    CHECK(plan.state == dl::state_class::windowed);
    CHECK(plan.inputs.size() == 2);
    CHECK(plan.fingerprint == dl::fingerprint(totals()));
    for (auto const* const part : {"replay of logic version v2", "reads 1000 records, 24000 bytes at most",
             "takes 10s", "state is windowed", "\npossible\n"}) {
        CHECK_THAT(plan.str(), Contains(part));
    }
    CHECK(dl::plan_replay(totals(), {.limits = {.bytes = 2400}}, log).time == 10_s);
    // An hour of events in each second: 999 minutes.
    auto const paced = dl::plan_replay(totals(), {.limits = {.event_time = 1_h}}, log);
    REQUIRE(paced.time);
    CHECK(*paced.time > 16_s);
    CHECK(*paced.time < 17_s);
    // The slowest counts; a measured speed does, too.
    CHECK(dl::plan_replay(totals(), {.limits = {.records = 100}, .records_per_second = 10}, log).time == 100_s);
    auto const unknown = dl::plan_replay(totals(), {}, log);
    CHECK_FALSE(unknown.time);
    CHECK_THAT(unknown.str(), Contains("is not known"));
    // Half of it.
    auto const half = dl::plan_replay(totals(), {.from = replay_from::offset(250), .limits = {.records = 100}}, log);
    CHECK(half.records == 500);
    CHECK(half.time == 5_s);
    CHECK(has(half.notes, "the state is empty at the start"));
    auto const by_partition = dl::plan_replay(totals(), {.from = replay_from::offsets({500, 400})}, log);
    CHECK(by_partition.records == 100);
}

TEST_CASE("a range that retention has cut into is refused, whatever says where it begins", "[view][replay_plan]") {
    dl::testing::memory_files files;
    now_ns = 0;
    dl::file_log<sale> log{"sales", in(files)};
    for (int i = 0; i < 2000; ++i) {
        now_ns = i * 1'000'000'000LL;
        log.append(nth(i));
    }
    CHECK(dl::plan_replay(totals(), {}, log).possible());
    CHECK(dl::plan_replay(totals(), {.from = replay_from::time(dl::event_time{} + 1000_s)}, log).possible());
    CHECK(dl::plan_replay(totals(), {.from = replay_from::time(dl::event_time{})}, log).possible());
    log.trim(0, 900);
    auto const begin = log.begin_offset();
    REQUIRE(begin > 0);
    REQUIRE(begin <= 900);
    auto const all = dl::plan_replay(totals(), {}, log);
    CHECK_FALSE(all.possible());
    CHECK(has(all.refusals, "begins at offset " + std::to_string(begin)));
    CHECK_THROWS_WITH(all.require(), Contains("retention has removed"));
    CHECK_THAT(all.str(), Contains("refused: partition 0 begins") && Contains("\nnot possible\n"));
    CHECK(dl::plan_replay(totals(), {.from = replay_from::offset(begin)}, log).possible());
    CHECK_FALSE(dl::plan_replay(totals(), {.from = replay_from::offset(begin - 1)}, log).possible());
    auto const at_end = dl::plan_replay(totals(), {.from = replay_from::offset(2000)}, log);
    CHECK(at_end.possible());
    CHECK(at_end.records == 0);
    CHECK_FALSE(dl::plan_replay(totals(), {.from = replay_from::offset(2001)}, log).possible());
    CHECK_FALSE(dl::plan_replay(totals(), {.from = replay_from::time(dl::event_time{} + 100_s)}, log).possible());
    // What was appended at the very time may have been removed, too.
    auto const first = log.read(0, begin).append_time();
    CHECK_FALSE(dl::plan_replay(totals(), {.from = replay_from::time(first)}, log).possible());
    CHECK(dl::plan_replay(totals(), {.from = replay_from::time(first + 1_ns)}, log).possible());
    auto const late = dl::plan_replay(totals(), {.from = replay_from::time(dl::event_time{} + 1500_s)}, log);
    CHECK(late.possible());
    CHECK(late.records >= 500);
    CHECK(late.records < 600);
    CHECK_FALSE(dl::plan_replay(totals(), {.from = replay_from::offsets({begin, begin})}, log).possible());
}

TEST_CASE("a plan knows the bytes of a log in files, and who pins them", "[view][replay_plan]") {
    dl::testing::memory_files files;
    now_ns = 0;
    dl::file_log<sale> log{"sales", in(files)};
    std::vector<sale> all;
    for (int i = 0; i < 2000; ++i) all.push_back(nth(i));
    log.append(all);
    log.flush();
    auto const plan = dl::plan_replay(totals(), {.clock = &fake_clock}, log);
    CHECK(plan.possible());
    CHECK(plan.bytes_to_read >= 2000 * sizeof(sale));
    CHECK(plan.bytes_to_read < 4000 * sizeof(sale));
    CHECK(has(plan.notes, "is not pinned"));
    {
        auto const pin = log.pin(0, 0);
        CHECK_FALSE(has(dl::plan_replay(totals(), {.clock = &fake_clock}, log).notes, "is not pinned"));
        auto const before = files.operations();
        static_cast<void>(dl::plan_replay(totals(), {.clock = &fake_clock}, log));
        now_ns = 10'000'000'000'000'000;
        CHECK(has(dl::plan_replay(totals(), {.clock = &fake_clock}, log).notes, "is not pinned"));  // expired
        now_ns = 0;
        CHECK(files.operations() > before);
    }
    auto const pin = log.pin(0, 700);
    CHECK(has(dl::plan_replay(totals(), {.clock = &fake_clock}, log).notes, "is not pinned"));
    auto const behind = dl::plan_replay(totals(), {.from = replay_from::offset(700), .clock = &fake_clock}, log);
    CHECK_FALSE(has(behind.notes, "is not pinned"));
}

TEST_CASE("a dry run writes nothing, makes nothing and removes nothing", "[view][replay_plan]") {
    dl::testing::memory_files files;
    now_ns = 0;
    dl::file_log<sale> log{"sales", in(files)};
    for (int i = 0; i < 500; ++i) log.append(nth(i));
    log.flush();
    auto const pin = log.pin(0, 0);
    run_to(totals(), log, 100, files, "v1");
    now_ns = 10'000'000'000'000'000;  // the pin has expired, and stays
    std::vector<char const*> done;
    files.note_operations(&done);
    dl::replay_plan_options options{.snapshots = {"state", "nowhere"}, .clock = &fake_clock};
    options.files = &files;
    static_cast<void>(dl::plan_replay(totals(), options, log));
    files.note_operations(nullptr);
    REQUIRE_FALSE(done.empty());
    for (std::string const each : done) {  // a folder that is there is not made
        CHECK((each == "cannot open a file" || each == "cannot make a folder"));
    }
    CHECK_FALSE(files.exists("nowhere"));
}

TEST_CASE("segments whose records cannot be read are refused if they lie in the range", "[view][replay_plan]") {
    dl::testing::memory_files files;
    {
        dl::file_log<sale> log{"sales", in(files)};
        for (int i = 0; i < 500; ++i) log.append(nth(i));
    }
    // What a summary finds in old segments of another record.
    auto const summary = dl::summarize_log("sales", files);
    dl::planned_input input;
    dl::detail::look_at_segments<replay_plan_test::other_sale>(input, summary.partitions[0]);
    // A type that evolves is asked by its rules.
    dl::planned_input evolved;
    dl::detail::look_at_segments<newer_sale>(evolved, summary.partitions[0]);
    CHECK(evolved.unreadable.size() == dl::can_read_all<newer_sale>("sales", files).unreadable.size());
    dl::planned_input same;
    dl::detail::look_at_segments<sale>(same, summary.partitions[0]);
    CHECK(same.unreadable.empty());
    REQUIRE_FALSE(input.unreadable.empty());
    CHECK_THAT(input.unreadable[0], Contains("cannot be read: it holds "));
    dl::replay_plan plan;
    input.end = 500;
    plan.inputs.push_back(input);
    dl::detail::place_replay(plan, replay_from::beginning());
    CHECK(plan.refusals.size() == input.unreadable.size());
    dl::replay_plan later;
    later.inputs.push_back(input);
    dl::detail::place_replay(later, replay_from::offset(input.unreadable_end[0]));
    CHECK(later.refusals.size() == input.unreadable.size() - 1);
}

TEST_CASE("a replay begins with the compatible snapshot that has read furthest", "[view][replay_plan]") {
    dl::testing::memory_files files;
    now_ns = 0;
    dl::file_log<sale> log{"sales", in(files)};
    for (int i = 0; i < 1000; ++i) log.append(nth(i));
    log.sync();
    run_to(totals(), log, 300, files, "v1");
    run_to(totals(), log, 400, files, "v1");
    auto const plan_of = [&](replay_from from, std::string_view logic, auto const& p) {
        dl::replay_plan_options options{.from = from, .logic_version = logic, .snapshots = {"state"}};
        options.row_bytes = 1000;
        options.files = &files;
        return dl::plan_replay(p, options, log);
    };
    auto const found = plan_of(replay_from::snapshot(), "v1", totals());
    INFO(found.str());
    REQUIRE(found.possible());
    CHECK(found.from_snapshot);
    CHECK(found.snapshot->records == 700);
    CHECK(found.records == 300);
    CHECK(found.inputs[0].from == 700);
    REQUIRE(found.state_bytes);
    CHECK(*found.state_bytes > 0);
    CHECK(found.bytes_to_write == *found.state_bytes + 1000);
    CHECK_THAT(found.str(), Contains("begins with snapshot 2 in state"));
    // From the beginning it is only mentioned.
    auto const all = plan_of(replay_from::beginning(), "v1", totals());
    CHECK(all.records == 1000);
    CHECK_FALSE(all.from_snapshot);
    CHECK(has(all.notes, "could begin with snapshot 2 in state, and need not read 700 records"));
    {
        auto const whole = dl::read_whole_file("state/000000000002.manifest", files);
        REQUIRE(whole);
        dl::write_whole_file("state", "000000000002.manifest", whole->substr(0, whole->size() / 2), files);
        auto const older = plan_of(replay_from::snapshot(), "v1", totals());
        CHECK(older.records == 700);
        CHECK(has(older.notes, "snapshot 2 in state cannot be read"));
        dl::write_whole_file("state", "000000000002.manifest", *whole, files);
    }
    auto const other_logic = plan_of(replay_from::snapshot(), "v2", totals());
    CHECK_FALSE(other_logic.possible());
    CHECK(has(other_logic.refusals, "no snapshot that the replay can begin with"));
    CHECK(has(other_logic.notes, "its functions have logic version v1, these v2"));
    CHECK(plan_of(replay_from::snapshot_to_adopt(), "v2", totals()).possible());
    auto const other_pipeline = plan_of(replay_from::snapshot_to_adopt(), "v1", totals(2_h));
    CHECK_FALSE(other_pipeline.possible());
    CHECK(has(other_pipeline.notes, "it is of another pipeline"));
    // Retention has removed what comes behind it.
    dl::file_log<sale> fresh{"fresh", in(files)};
    dl::replay_plan_options options{.from = replay_from::snapshot(), .logic_version = "v1", .snapshots = {"state"}};
    options.files = &files;
    auto const over_fresh = dl::plan_replay(totals(), options, fresh);
    CHECK_FALSE(over_fresh.possible());
    CHECK(has(over_fresh.notes, "it was taken over another log"));
    log.trim(0, 1000);
    REQUIRE(log.begin_offset() > 700);
    auto const trimmed = plan_of(replay_from::snapshot(), "v1", totals());
    CHECK_FALSE(trimmed.possible());
    CHECK(has(trimmed.notes, "retention has removed what comes behind it"));
}

TEST_CASE("a snapshot says why it does not fit", "[view][replay_plan]") {
    dl::replay_plan plan;
    plan.fingerprint = 7;
    plan.logic_version = "v1";
    for (std::uint32_t p : {0U, 1U}) {
        dl::planned_input in;
        in.name = "sales";
        in.log = "one";
        in.partition = p;
        in.begin = 10;
        in.end = 20;
        plan.inputs.push_back(in);
    }
    dl::snapshot_manifest fits;
    fits.fingerprint = 7;
    fits.logic_version = "v1";
    for (std::uint32_t p : {0U, 1U}) {
        fits.inputs.emplace_back();
        fits.inputs.back().name = "sales";
        fits.inputs.back().log = "one";
        fits.inputs.back().partition = p;
        fits.inputs.back().offset = p == 0 ? 10 : 20;  // the bounds belong to it
    }
    CHECK(dl::detail::why_not(plan, false, fits).empty());
    auto const why = [&](auto const& change, bool adopts = false) {
        auto other = fits;
        change(other);
        return dl::detail::why_not(plan, adopts, other);
    };
    CHECK_THAT(why([](auto& m) { m.ended = true; }), Contains("drained"));
    CHECK_THAT(why([](auto& m) { m.fingerprint = 8; }, true), Contains("another pipeline"));
    CHECK_THAT(why([](auto& m) { m.logic_version = "v2"; }), Contains("logic version v2, these v1"));
    CHECK(why([](auto& m) { m.logic_version = "v2"; }, true).empty());
    CHECK_THAT(why([](auto& m) { m.inputs.pop_back(); }), Contains("number of partitions"));
    CHECK_THAT(why([](auto& m) { m.inputs[1].name = "returns"; }), Contains("other inputs"));
    CHECK_THAT(why([](auto& m) { m.inputs[1].partition = 2; }), Contains("other inputs"));
    CHECK_THAT(why([](auto& m) { m.inputs[1].log = "two"; }), Contains("another log"));
    CHECK(why([](auto& m) { m.inputs[1].log.clear(); }).empty());
    CHECK_THAT(why([](auto& m) { m.inputs[0].offset = 9; }), Contains("retention has removed"));
    CHECK_THAT(why([](auto& m) { m.inputs[1].offset = 21; }), Contains("partition 1 of 'sales' ends before it"));
    dl::detail::place_replay(plan, replay_from::time(dl::event_time{}));  // these logs cannot say where that is
    CHECK(plan.refusals.size() == 2);
    CHECK(has(plan.refusals, "does not know when its records were appended"));
}

TEST_CASE("a replay writes a snapshot at its end, and those on the way", "[view][replay_plan]") {
    dl::replay_plan plan;
    dl::planned_input in;
    in.end = 1000;
    plan.inputs.push_back(in);
    plan.state_bytes = 10;
    auto once = plan;
    dl::detail::estimate_replay(once, {.records = 100}, {}, 5, 0);
    CHECK(once.bytes_to_write == 15);
    auto often = plan;
    dl::detail::estimate_replay(often, {.records = 100}, 1_s, 5, 0);
    CHECK(often.bytes_to_write == 11 * 15);
    dl::detail::estimate_replay(plan, {.records = 1, .per = dl::duration::max()}, 1_s, 5, 0);
    CHECK(plan.time == dl::duration::max());
}

TEST_CASE("a pipeline that asks the clock or the outside needs what was written down then", "[view][replay_plan]") {
    dl::memory_log<sale> log;
    log.append(nth(1));
    auto const timed = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{0_s})
        | dl::key_by<&sale::shop>()
        | dl::window(dl::tumbling{1_h}, dl::at_watermark().early(dl::after{1_s}))
        | dl::aggregate(dl::count());
    static_assert(!dl::is_replayable<decltype(timed)>);
    auto const refused = dl::plan_replay(timed, {}, log);
    CHECK_FALSE(refused.possible());
    CHECK(has(refused.refusals, "asks the clock"));
    dl::memory_log<dl::journal_entry> journal;
    CHECK_FALSE(dl::plan_replay(timed, {.journal = dl::journal_in(journal)}, log).possible());
    journal.append(dl::journal_entry{});
    CHECK(dl::plan_replay(timed, {.journal = dl::journal_in(journal)}, log).possible());
}

TEST_CASE("all reasons against a replay are told, of inputs by name", "[view][replay_plan]") {
    dl::memory_log<sale> left;
    dl::memory_log<sale> right;
    for (int i = 0; i < 10000; ++i) left.append(nth(i));
    right.append(nth(0));
    left.trim(0, 5000);
    REQUIRE(left.begin_offset() > 0);
    auto const both = dl::merge(dl::from<sale>("left"_name), dl::from<sale>("right"_name));
    auto const plan = dl::plan_replay(
        both, {.from = replay_from::offset(5)}, dl::bind("right"_name, right), dl::bind("left"_name, left));
    CHECK(plan.refusals.size() == 2);
    CHECK(has(plan.refusals, "partition 0 of 'left' begins at offset"));
    CHECK(has(plan.refusals, "partition 0 of 'right' ends at offset 1, before offset 5"));
    CHECK_THROWS_WITH(plan.require(), Contains("'left'") && Contains("'right'"));
}
