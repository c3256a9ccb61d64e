// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/lambda_coordinator.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/distinct.hpp>
#include <driftless/agg/sum.hpp>
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

#include <cstddef>
#include <cstdint>
#include <map>
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
