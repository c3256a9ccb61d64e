// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/fail_on_late.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct hit {
    int page;
    event_time at;
};
hit hit_at(std::int64_t seconds, int page = 1) { return {page, event_time::from_ms(seconds * 1000)}; }
constexpr auto counts = from<hit>() | assign_time<&hit::at>() | key_by<&hit::page>() | window(tumbling{60_s})
    | fail_on_late() | aggregate(count()).id("per_minute"_name);
}  // namespace

static_assert(operator_on<fail_on_late_op, event<int>>);
static_assert(!operator_on<fail_on_late_op, int>);

TEST_CASE("fail_on_late ends the run at the first late record, and says which", "[op][fail_on_late]") {
    std::vector<hit> const good{hit_at(10), hit_at(59), hit_at(50), hit_at(61)};
    std::vector<hit> const bad{hit_at(10), hit_at(61), hit_at(50), hit_at(40)};
    for (int const threads : {1, 2}) {
        CHECK(run(stream{.threads = threads, .until = drained}, counts, good).size() == 2);
        stream const mode{.threads = threads, .on_error = on_error::skip, .until = drained};
        auto const failed = try_run(mode, counts, bad);
        REQUIRE_FALSE(failed.has_value());
        CHECK(failed.error().code() == error_code::expectation);
        CHECK(failed.error().offset() == 2);
        CHECK(std::string{failed.error().what()}.find("aggregate 'per_minute' refused a record as late")
            != std::string::npos);
    }
    CHECK(run(batch{}, counts, bad).size() == 2);  // nothing is late
}
