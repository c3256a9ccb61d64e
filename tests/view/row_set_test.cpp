// SPDX-License-Identifier: BSL-1.0
// rows_of(): the rows of whatever shows some.
#include <driftless/view/row_set.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/validate.hpp>
#include <driftless/view/view.hpp>
#include <driftless/view/view_file.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>

using namespace driftless;
using namespace driftless::literals;

namespace shown_rows {
struct hit {
    text page;
    event_time at;
};
}  // namespace shown_rows
BOOST_HANA_ADAPT_STRUCT(shown_rows::hit, page, at);

TEST_CASE("rows_of takes a view, a snapshot of it, what was published, and panes", "[view][row_set]") {
    using shown_rows::hit;
    constexpr auto hits = from<hit>() | assign_time<&hit::at>(bounded_disorder{0_s}) | key_by<&hit::page>()
        | window(tumbling{10_s}) | aggregate(count());
    memory_log<hit> log;
    for (std::int64_t s = 0; s < 100; ++s) log.append({s % 3 == 0 ? "home" : "away", event_time::from_ms(s * 1000)});
    view<std::string, std::int64_t> shown;
    job running{stream{}, hits, log, shown};
    running.drain();

    auto const expected = rows_of(run(batch{}, hits, log));
    REQUIRE(expected.size() == 20);
    CHECK(reconcile(expected, rows_of(shown)).agree());
    CHECK(reconcile(expected, rows_of(shown.snapshot())).agree());
    CHECK(reconcile(expected, rows_of(shown.snapshot().rows())).agree());
    CHECK(reconcile(expected, rows_of<std::string, std::int64_t>(shown)).agree());

    testing::memory_files files;
    files.make_folder("at");
    REQUIRE(publish_file(shown.snapshot(), "at", "hits", files));
    view_reader<std::string, std::int64_t> const reader{"at", "hits", files};
    CHECK(reconcile(expected, rows_of(reader)).agree());

    // Checks look at two views as they are.
    validation<std::string, std::int64_t> checks;
    checks.add(same_checksum{});
    auto const validator = checks.as_validator();
    view<std::string, std::int64_t> const empty;
    CHECK(validator(&shown, shown, 0).empty());
    CHECK_FALSE(validator(&empty, shown, 0).empty());
}
