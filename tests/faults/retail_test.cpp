// SPDX-License-Identifier: BSL-1.0
// The jobs of examples/retail, crashed.
#include "../../examples/retail/retail.hpp"

#include <faults/data.hpp>
#include <faults/job_world.hpp>
#include <support/catch.hpp>

using namespace driftless;
using namespace driftless::literals;
using namespace faults;

namespace {
constexpr std::size_t prefix = 2000;
auto records(std::size_t most) { return first_records<retail::line>("retail/lines.csv", most); }

using log_t = memory_log<retail::line>;
template <auto const& P>
using world = job_world<std::remove_cvref_t<decltype(P)>, log_t>;
using visits_world = world<retail::customer_sessions_30m30s>;
using distinct_world = two_sinks_world<name<"duplicates">, retail::line,
    std::remove_cv_t<decltype(retail::distinct_lines)>, log_t>;

template <auto const& P>
void crash_prefix(char const* name) {
    auto const log = records(prefix);
    if (!log) return;
    crash_everywhere(every_step(name, 400), [&] { return std::make_unique<world<P>>(P, *log, 151); });
}
}  // namespace

TEST_CASE("retail: visits of customers, crashed at every step", "[faults][retail]") {
    crash_prefix<retail::customer_sessions_30m30s>("retail.visits");
}

TEST_CASE("retail: distinct lines and their duplicates, crashed at every step", "[faults][retail]") {
    auto const log = records(prefix);
    if (!log) return;
    crash_everywhere(every_step("retail.distinct", 400),
        [&] { return std::make_unique<distinct_world>(retail::distinct_lines, *log, 151); });
}

TEST_CASE("retail: other tables, crashed at every step", "[faults][retail]") {
    if (thinned()) return;
    crash_prefix<retail::hop_3h_1h>("retail.hop");
    crash_prefix<retail::net_per_day_country>("retail.countries");
}
TEST_CASE("retail: all lines, crashed at 500 steps", "[faults][retail]") {
    if (thinned()) return;
    auto const log = records(~std::size_t{0});
    if (!log) return;
    auto const every = log->end_offset() / 20;
    crash_everywhere(at_500_steps("retail.all_visits"),
        [&] { return std::make_unique<visits_world>(retail::customer_sessions_30m30s, *log, every); });
}
