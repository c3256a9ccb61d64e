// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/lambda_coordinator.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/distinct.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

namespace lambda_test {
using namespace driftless;
struct sale {
    std::int64_t shop;
    std::int64_t id;
    std::int64_t cents;
    event_time at;
};
}  // namespace lambda_test
BOOST_HANA_ADAPT_STRUCT(lambda_test::sale, shop, id, cents, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using lambda_test::sale;
using testing::memory_files;
using totals = std::tuple<std::int64_t, std::int64_t>;
using shown = std::map<std::pair<std::int64_t, time_window>, totals>;

event_time fake_now = event_time{} + 1000_h;
event_time fake_clock() { return fake_now; }

inline constexpr auto per_hour = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_min})
    | key_by<&sale::shop>() | window(tumbling{1_h}) | aggregate(count(), sum<&sale::cents>());

event_time minute(std::int64_t n) { return event_time{} + n * 1_min; }
time_window hour(std::int64_t n) { return {event_time{} + n * 1_h, event_time{} + (n + 1) * 1_h}; }

lambda_options on(memory_files& files) {
    return {.logic_version = "1", .files = &files, .clock = &fake_clock};
}
template <class Rows>
shown content(Rows const& rows) {
    shown out;
    for (auto const& each : rows) {
        REQUIRE(out.emplace(std::pair{each.key, each.window}, each.value).second);
    }
    return out;
}
}  // namespace

TEST_CASE("as of T the answer is that of a batch, and behind it the speed layer replaces rows", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append({i % 3, i, 10, minute(i)});
    lambda_coordinator both{"shop", on(files), per_hour, log};
    CHECK(!both.view().ready());
    CHECK_THROWS(both.view().find(1, hour(0)));
    while (both.poll() != 0) {}
    REQUIRE(both.view().ready());

    auto const contract = both.view().contract();
    CHECK(contract.number == 1);
    CHECK(contract.records == 100);
    CHECK(contract.complete());
    REQUIRE(contract.inputs.size() == 1);
    CHECK(contract.inputs[0].offset == 100);
    CHECK(contract.progress == minute(99));
    CHECK(contract.watermark.ms() == minute(60).ms());
    CHECK(contract.logic_version == "1");

    CHECK(content(both.view().snapshot().rows()) == content(run(batch{}, per_hour, log)));
    auto const fired = both.view().find(1, hour(0));
    CHECK(*fired == totals{20, 200});
    CHECK(fired.layer() == lambda_layer::batch);
    CHECK(!fired.approximate_since());
    CHECK(!fired.stale());
    CHECK(fired.speed().epoch == 100);
    auto const open = both.view().find(1, hour(1));
    CHECK(*open == totals{13, 130});
    CHECK(open.layer() == lambda_layer::open);
    CHECK(open.approximate_since() == contract.watermark);
    CHECK(!both.view().find(7, hour(0)));

    // The window fires: the speed layer has all that the batch had of it.
    for (std::int64_t i = 100; i < 130; ++i) log.append({i % 3, i, 10, minute(i)});
    both.poll();
    auto const speed = both.view().find(1, hour(1));
    CHECK(*speed == totals{20, 200});
    CHECK(speed.layer() == lambda_layer::speed);
    CHECK(speed.speed().epoch == 130);
    CHECK(speed.contract().number == 1);
    CHECK(speed.approximate_since() == contract.watermark);
    CHECK(both.report().speed_records == 30);

    // T moves: the batch answers.
    CHECK(both.run_batch());
    auto const covered = both.view().find(1, hour(1));
    CHECK(*covered == totals{20, 200});
    CHECK(covered.layer() == lambda_layer::batch);
    CHECK(covered.contract().number == 2);
    CHECK(!covered.correction());
    auto const told = both.report();
    CHECK(told.speed_records == 0);
    REQUIRE(told.overlap);
    CHECK(told.overlap->equal == 6);
    CHECK(told.overlap->agree());
    CHECK(content(both.view().snapshot().rows()) == content(run(batch{}, per_hour, log)));
}

TEST_CASE("a batch begins by time, by records, or on demand", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    auto how = on(files);
    how.every = 24_h;
    how.records = 50;
    lambda_coordinator both{"shop", how, per_hour, log};
    auto const settle = [&] {
        while (both.poll() != 0) {}
        return both.view().contract().number;
    };
    CHECK(settle() == 1);  // at once while there is no T, also over nothing
    CHECK(both.view().contract().records == 0);
    fake_now = fake_now + 24_h - 1_ns;
    CHECK(settle() == 1);
    fake_now = fake_now + 1_ns;
    CHECK(settle() == 2);
    for (std::int64_t i = 0; i < 49; ++i) log.append({1, i, 10, minute(i)});
    CHECK(settle() == 2);
    log.append({1, 49, 10, minute(49)});
    CHECK(settle() == 3);
    CHECK(both.view().contract().records == 50);
    CHECK(settle() == 3);
    both.request_batch();
    CHECK(settle() == 4);
    CHECK(both.report().batches == 4);
    CHECK(both.report().phase == lambda_phase::serving);
}

TEST_CASE("the speed layer goes on while a batch reads, and T is where it stood when that began", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append({1, i, 1, minute(i)});
    auto how = on(files);
    how.chunk = 30;
    lambda_coordinator both{"shop", how, per_hour, log};
    while (both.poll() != 0) {}
    both.request_batch();
    both.poll();
    CHECK(both.report().phase == lambda_phase::batch);
    for (std::int64_t i = 100; i < 190; ++i) log.append({1, i, 1, minute(i)});
    both.poll();
    CHECK(both.view().contract().number == 1);
    CHECK(both.view().find(1, hour(1)).layer() == lambda_layer::speed);
    auto frontier = both.view().snapshot().speed().epoch;
    CHECK(frontier == 190);
    while (both.poll() != 0) {
        auto const now = both.view().snapshot().speed().epoch;
        CHECK(now >= frontier);  // what readers were shown once they are shown again
        frontier = now;
    }
    CHECK(both.view().contract().number == 2);
    CHECK(both.view().contract().records == 100);
    CHECK(both.view().snapshot().speed().epoch == 190);
    CHECK(both.report().speed_records == 90);
    CHECK(both.report().lag == 0);
}

TEST_CASE("when T moves what it covers is gone with its last reader", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append({1, i, 1, minute(i)});
    lambda_coordinator both{"shop", on(files), per_hour, log};
    REQUIRE(both.run_batch());
    std::weak_ptr<batch_contract const> first;
    std::optional reader{both.view().snapshot()};
    first = both.view().find(1, hour(0)).contract_;
    REQUIRE(both.run_batch());
    CHECK(!first.expired());
    CHECK(reader->contract().number == 1);
    CHECK(content(reader->rows()) == content(run(batch{}, per_hour, log)));
    reader.reset();
    std::weak_ptr<batch_contract const> const second = both.view().find(1, hour(0)).contract_;
    REQUIRE(both.run_batch());
    CHECK(first.expired());
    CHECK(second.expired());  // nobody read it when the third came
}

namespace {
int calls_until_failure = -1;
std::int64_t factor = 1;
inline constexpr auto moody = from<sale>() | map([](sale in) {
    if (calls_until_failure >= 0 && calls_until_failure-- == 0) throw std::runtime_error("no rate for this currency");
    in.cents *= factor;
    return in;
}) | assign_time<&sale::at>(bounded_disorder{5_min})
    | key_by<&sale::shop>() | window(tumbling{1_h}) | aggregate(count(), sum<&sale::cents>());
}  // namespace

TEST_CASE("a batch that fails leaves T and what is served as they were, and is tried again", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append({1, i, 1, minute(i)});
    lambda_coordinator both{"shop", on(files), moody, log};
    REQUIRE(both.run_batch());
    for (std::int64_t i = 100; i < 190; ++i) log.append({1, i, 1, minute(i)});
    both.poll();
    auto const before = content(both.view().snapshot().rows());
    auto const contract = both.view().contract();

    calls_until_failure = 150;
    CHECK(!both.run_batch());
    calls_until_failure = -1;
    CHECK(both.view().contract() == contract);
    CHECK(content(both.view().snapshot().rows()) == before);
    CHECK(both.report().batch_failures == 1);
    CHECK(both.report().batch_failure.find("no rate for this currency") != std::string::npos);
    CHECK(both.report().phase == lambda_phase::serving);
    CHECK(files.list("shop/versions").size() == 1);

    log.append({1, 190, 1, minute(190)});
    both.poll();
    CHECK(both.view().snapshot().speed().epoch == 191);  // the speed layer has noticed nothing
    CHECK(both.view().contract() == contract);           // it is not tried again at once
    fake_now = fake_now + 1_min;
    while (both.poll() != 0) {}
    CHECK(both.view().contract().number > contract.number);
    CHECK(both.view().contract().records == 191);
    CHECK(both.report().batch_failure.empty());
}

TEST_CASE("a speed layer that fails is served stale, or the batch layer is, until a batch brings a new one",
    "[view][lambda]") {
    for (auto const then : {when_speed_fails::serve_stale, when_speed_fails::batch_only}) {
        memory_files files;
        memory_log<sale> log;
        for (std::int64_t i = 0; i < 100; ++i) log.append({1, i, 1, minute(i)});
        auto how = on(files);
        how.speed_failure = then;
        lambda_coordinator both{"shop", how, moody, log};
        REQUIRE(both.run_batch());
        for (std::int64_t i = 100; i < 190; ++i) log.append({1, i, 1, minute(i)});
        both.poll();
        CHECK(*both.view().find(1, hour(1)) == totals{60, 60});
        CHECK(!both.view().find(1, hour(1)).stale());

        for (std::int64_t i = 190; i < 250; ++i) log.append({1, i, 1, minute(i)});
        calls_until_failure = 30;
        both.poll();
        CHECK(both.report().speed_failures == 1);
        CHECK(both.report().speed_failure.find("no rate") != std::string::npos);
        auto const answer = both.view().find(1, hour(1));
        CHECK(answer.stale());
        if (then == when_speed_fails::serve_stale) {
            CHECK(*answer == totals{60, 60});
            CHECK(answer.layer() == lambda_layer::speed);
        } else {
            CHECK(*answer == totals{40, 40});  // the plain batch as of T
            CHECK(answer.layer() == lambda_layer::open);
            CHECK(content(both.view().snapshot().rows()).size() == 2);
        }
        CHECK(both.view().contract().number == 1);
        calls_until_failure = 120;
        CHECK(!both.run_batch());  // the batch meets it, too
        calls_until_failure = -1;
        CHECK(both.run_batch());
        CHECK(both.report().speed_failure.empty());
        CHECK(!both.view().find(1, hour(1)).stale());
        CHECK(*both.view().find(1, hour(3)) == totals{60, 60});
    }
}

TEST_CASE("after T has moved an answer says what it said before, and why it says something else", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append({1, i, 10, minute(i)});
    lambda_coordinator both{"shop", on(files), moody, log};
    REQUIRE(both.run_batch());
    CHECK(!both.view().find(1, hour(0)).correction());  // there was no T before
    for (std::int64_t i = 100; i < 190; ++i) log.append({1, i, 10, minute(i)});
    both.poll();

    // The batch finds another rate than the speed layer had: they disagree over the very same records.
    factor = 3;
    REQUIRE(both.run_batch());
    factor = 1;
    auto const answer = both.view().find(1, hour(1));
    CHECK(*answer == totals{60, 1800});
    REQUIRE(answer.correction());
    CHECK(answer.correction()->was == totals{60, 600});
    CHECK(answer.correction()->is == totals{60, 1800});
    CHECK(answer.correction()->why == change_cause::correction);
    CHECK(answer.correction()->contract == 2);
    // This window is new to readers: the speed layer had told nothing of it.
    auto const open = both.view().find(1, hour(3));
    REQUIRE(open.correction());
    CHECK(!open.correction()->was);
    CHECK(open.correction()->why == change_cause::first_result);

    auto const told = both.report();
    CHECK(told.corrections == 4);
    REQUIRE(told.overlap);
    CHECK(told.overlap->disagreeing() == 3);
    CHECK(told.overlap->drift() == 1.0);
    REQUIRE(!told.overlap->samples.empty());
    CHECK(told.overlap->samples[0].left.value().find("600") != std::string::npos);
    CHECK(told.overlap->samples[0].right.value().find("1800") != std::string::npos);
    CHECK(told.overlap_disagreeing == 3);
    std::size_t each = 0;
    both.view().snapshot().each_correction([&](auto const&, time_window, auto const&) { ++each; });
    CHECK(each == 4);
}

TEST_CASE("other logic: the rows at T are served, stale, until a batch has made new ones", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append({1, i, 10, minute(i)});
    {
        lambda_coordinator both{"shop", on(files), moody, log};
        REQUIRE(both.run_batch());
        factor = 2;
        REQUIRE(both.run_batch());
        factor = 1;
        REQUIRE(both.view().find(1, hour(0)).correction());
    }
    {
        lambda_coordinator both{"shop", on(files), moody, log};
        auto const again = both.view().find(1, hour(0));
        REQUIRE(again.correction());  // it is kept with the rows
        CHECK(again.correction()->was == totals{60, 600});
        CHECK(again.correction()->why == change_cause::correction);
        CHECK(!again.stale());
    }
    auto how = on(files);
    how.logic_version = "2";
    factor = 5;
    lambda_coordinator both{"shop", how, moody, log};
    auto const before = both.view().find(1, hour(0));
    CHECK(*before == totals{60, 1200});
    CHECK(before.stale());
    CHECK(before.contract().logic_version == "1");
    CHECK(both.report().speed_failure.find("another logic version") != std::string::npos);
    while (both.poll() != 0) {}
    factor = 1;
    auto const after = both.view().find(1, hour(0));
    CHECK(*after == totals{60, 3000});
    CHECK(!after.stale());
    CHECK(after.contract().logic_version == "2");
    REQUIRE(after.correction());
    CHECK(after.correction()->was == totals{60, 1200});
    CHECK(after.correction()->why == change_cause::new_build);
}

TEST_CASE("batch only: readers are given T, and nothing runs beside the batch", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append({1, i, 10, minute(i)});
    auto how = on(files);
    how.mode = lambda_mode::batch_only;
    lambda_coordinator nightly{"shop", how, per_hour, log};
    REQUIRE(nightly.run_batch());
    auto const at_contract = content(run(batch{}, per_hour, log));
    for (std::int64_t i = 100; i < 190; ++i) log.append({1, i, 10, minute(i)});
    CHECK(nightly.poll() == 0);
    CHECK(content(nightly.view().snapshot().rows()) == at_contract);
    CHECK(nightly.view().find(1, hour(1)).speed().epoch == 100);
    CHECK(!nightly.view().find(1, hour(1)).stale());
    CHECK(nightly.report().lag == 90);
    REQUIRE(nightly.run_batch());
    CHECK(content(nightly.view().snapshot().rows()) == content(run(batch{}, per_hour, log)));

    // A reader may ask for it at any time, of a coordinator that has both.
    lambda_coordinator both{"both", on(files), per_hour, log};
    REQUIRE(both.run_batch());
    for (std::int64_t i = 190; i < 300; ++i) log.append({1, i, 10, minute(i)});
    both.poll();
    CHECK(*both.view().find(1, hour(3)) == totals{60, 600});
    both.view().serve(lambda_mode::batch_only);
    CHECK(*both.view().find(1, hour(3)) == totals{10, 100});
    both.view().serve(lambda_mode::merged);
    CHECK(*both.view().find(1, hour(3)) == totals{60, 600});
}

TEST_CASE("rows of the speed layer expire by time, and answers say that they lack them", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 90; ++i) log.append({1, i, 10, minute(i)});
    auto how = on(files);
    how.keep_speed = 3_h;
    lambda_coordinator both{"shop", how, per_hour, log};
    REQUIRE(both.run_batch());
    for (std::int64_t i = 90; i < 240; ++i) log.append({1, i, 10, minute(i)});
    both.poll();
    CHECK(*both.view().find(1, hour(1)) == totals{60, 600});
    CHECK(!both.view().find(1, hour(1)).expired());
    for (std::int64_t i = 240; i < 600; ++i) log.append({1, i, 10, minute(i)});
    both.poll();
    auto const gone = both.view().find(1, hour(1));
    CHECK(!gone);
    CHECK(gone.expired());
    CHECK(!both.view().find(1, hour(0)).expired());  // it is in the batch
    CHECK(*both.view().find(1, hour(8)) == totals{60, 600});
    REQUIRE(both.run_batch());
    CHECK(both.report().overlap->agree());
    CHECK(*both.view().find(1, hour(1)) == totals{60, 600});
    CHECK(!both.view().find(1, hour(1)).expired());
}

TEST_CASE("freshness: merged answers of a speed layer that was not heard of are stale", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 90; ++i) log.append({1, i, 10, minute(i)});
    auto how = on(files);
    how.fresh = {.max = 10_s};
    lambda_coordinator both{"shop", how, per_hour, log};
    REQUIRE(both.run_batch());
    both.poll();
    CHECK(!both.view().find(1, hour(0)).stale());
    fake_now = fake_now + 11_s;
    CHECK(both.view().find(1, hour(0)).stale());
    both.poll();
    CHECK(!both.view().find(1, hour(0)).stale());
}

TEST_CASE("partitions, named inputs, and earlier T that were kept", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log{2};
    for (std::int64_t i = 0; i < 90; ++i) log.append({i % 3, i, 10, minute(i)}, i % 3 == 0 ? 1 : 0);
    auto how = on(files);
    how.keep = 1;
    auto const named = from<sale>("sales"_name) | assign_time<&sale::at>(bounded_disorder{5_min})
        | key_by<&sale::shop>() | window(tumbling{1_h}) | aggregate(count(), sum<&sale::cents>());
    lambda_coordinator both{"shop", how, named, bind("sales"_name, log)};
    REQUIRE(both.run_batch());
    auto const first = content(run(batch{}, per_hour, log));
    CHECK(content(both.view().snapshot().rows()) == first);
    auto const contract = both.view().contract();
    REQUIRE(contract.inputs.size() == 2);
    CHECK(contract.inputs[0].offset == 60);
    CHECK(contract.inputs[1].offset == 30);
    CHECK(contract.inputs[1].partition == 1);
    CHECK(contract.inputs[1].input == "sales");
    for (std::int64_t i = 90; i < 150; ++i) log.append({i % 3, i, 10, minute(i)}, i % 3 == 0 ? 1 : 0);
    both.poll();
    REQUIRE(both.run_batch());
    // The merge of the speed layer waits for a partition that has no more: T is where it stands in each.
    auto const second = both.view().contract();
    CHECK(second.records > 120);
    CHECK(second.records == second.inputs[0].offset + second.inputs[1].offset);
    memory_log<sale> prefix{2};
    for (std::uint32_t p = 0; p < 2; ++p) {
        for (std::uint64_t i = 0; i < second.inputs[p].offset; ++i) prefix.append(log.read(p, i)[0], p);
    }
    CHECK(content(both.view().snapshot().rows()) == content(run(batch{}, per_hour, prefix)));
    both.load_contract(1);
    CHECK(content(both.view().as_of_contract(1).rows()) == first);
    CHECK(both.view().as_of_contract(1).contract() == contract);
}

namespace {
/// A log whose beginning retention has removed.
struct trimmed_log {
    using value_type = sale;
    memory_log<sale> const& all;
    std::uint64_t begin = 0;
    [[nodiscard]] std::uint32_t partitions() const { return 1; }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t) const { return begin; }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p) const { return all.end_offset(p); }
    [[nodiscard]] auto read(std::uint32_t p, std::uint64_t from) const { return all.read(p, from); }
};
}  // namespace

TEST_CASE("a batch over a log that has lost its beginning fails, and says so", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 90; ++i) log.append({1, i, 10, minute(i)});
    trimmed_log kept{log};
    lambda_coordinator both{"shop", on(files), per_hour, kept};
    REQUIRE(both.run_batch());
    kept.begin = 10;
    CHECK(!both.run_batch());
    CHECK(both.report().batch_failure.find("what retention has removed") != std::string::npos);
    CHECK(*both.view().find(1, hour(0)) == totals{60, 600});
}

TEST_CASE("T lies before what a loss of power could take back: a batch waits until its records are durable",
    "[view][lambda]") {
    test::temporary_folder const folder;
    memory_files files;
    file_log<sale> log{folder.path() + "/sales", {.durable = every(1_h)}};
    for (std::int64_t i = 0; i < 50; ++i) log.append({1, i, 10, minute(i)});
    log.sync();
    for (std::int64_t i = 50; i < 90; ++i) log.append({1, i, 10, minute(i)});
    lambda_coordinator both{"shop", on(files), per_hour, log};
    CHECK(both.poll() == 0);
    CHECK(both.report().phase == lambda_phase::batch);
    CHECK(!both.view().ready());
    log.sync();
    while (both.poll() != 0) {}
    CHECK(both.view().contract().records == 90);
    CHECK(both.view().contract().inputs[0].log == to_string(log.id()));
    CHECK(content(both.view().snapshot().rows()) == content(run(batch{}, per_hour, log)));

    // A T is of its logs, and of no others.
    file_log<sale> other{folder.path() + "/other", {.durable = every(1_h)}};
    for (std::int64_t i = 0; i < 90; ++i) other.append({1, i, 10, minute(i)});
    files.restart();
    CHECK_THROWS_AS((lambda_coordinator{"shop", on(files), per_hour, other}), error);
}

TEST_CASE("a bad parameter is refused", "[view][lambda]") {
    memory_files files;
    memory_log<sale> log;
    auto how = on(files);
    how.chunk = 0;
    CHECK_THROWS_AS((lambda_coordinator{"shop", how, per_hour, log}), error);
    how.chunk = 1;
    how.every = duration{-1};
    CHECK_THROWS_AS((lambda_coordinator{"shop", how, per_hour, log}), error);
}
