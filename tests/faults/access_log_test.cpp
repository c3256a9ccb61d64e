// SPDX-License-Identifier: BSL-1.0
// The jobs of examples/access_log, crashed.
#include "../../examples/access_log/access_log.hpp"

#include <faults/data.hpp>
#include <faults/job_world.hpp>
#include <support/catch.hpp>

using namespace driftless;
using namespace driftless::literals;
using namespace faults;

BOOST_HANA_ADAPT_STRUCT(access_log::totals_so_far, hits, bytes, errors, newest);

namespace {
constexpr std::size_t prefix = 2000;
auto records(std::size_t most) { return first_records<access_log::request>("access_log/events.csv", most); }

using log_t = memory_log<access_log::request>;
template <auto const& P>
using world = job_world<std::remove_cvref_t<decltype(P)>, log_t>;

template <auto const& P>
void crash_prefix(char const* name) {
    auto const log = records(prefix);
    if (!log) return;
    crash_everywhere(every_step(name, 400), [&] { return std::make_unique<world<P>>(P, *log, 151); });
}
}  // namespace

TEST_CASE("access_log: a count trigger, crashed at every step", "[faults][access_log]") {
    crash_prefix<access_log::count_trigger_500>("access_log.every_500");
}

TEST_CASE("access_log: 404 and then 200, crashed at every step", "[faults][access_log]") {
    crash_prefix<access_log::interval_join_404_then_200_60s>("access_log.join");
}

TEST_CASE("access_log: other tables, crashed at every step", "[faults][access_log]") {
    if (thinned()) return;
    crash_prefix<access_log::sessions_30m>("access_log.sessions");
    crash_prefix<access_log::hop_15m_5m_by_status_class>("access_log.hop");
    crash_prefix<access_log::dedup_first_arrival>("access_log.first");
}
TEST_CASE("access_log: all requests, crashed at 500 steps", "[faults][access_log]") {
    if (thinned()) return;
    auto const log = records(~std::size_t{0});
    if (!log) return;
    auto const every = log->end_offset() / 20;
    crash_everywhere(at_500_steps("access_log.all_joined"), [&] {
        return std::make_unique<world<access_log::interval_join_404_then_200_60s>>(
            access_log::interval_join_404_then_200_60s, *log, every);
    });
}
