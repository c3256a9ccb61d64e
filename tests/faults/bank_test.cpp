// SPDX-License-Identifier: BSL-1.0
// The jobs of examples/bank, crashed.
#include "../../examples/bank/bank.hpp"

#include <faults/data.hpp>
#include <faults/job_world.hpp>
#include <support/catch.hpp>

using namespace driftless;
using namespace driftless::literals;
using namespace faults;

namespace {
constexpr std::size_t prefix = 2000;
auto records(std::size_t most) { return first_records<bank::transfer>("bank/transactions.csv", most); }
auto const late = bank::accepted_per_second(2_s);
auto const balances = bank::balances_accepted(5_s);

using log_t = memory_log<bank::transfer>;
using late_world = two_sinks_world<name<"dropped">, logged_row<unkeyed, bank::transfer>,
    std::remove_cv_t<decltype(late)>, log_t>;
using balances_world = job_world<std::remove_cv_t<decltype(balances)>, log_t>;
}  // namespace

TEST_CASE("bank: transfers per second and the late ones, crashed at every step", "[faults][bank]") {
    auto const log = records(prefix);
    if (!log) return;
    crash_everywhere(every_step("bank.late", 400), [&] { return std::make_unique<late_world>(late, *log, 151); });
}

TEST_CASE("bank: balances by way of seconds, crashed at every step", "[faults][bank]") {
    auto const log = records(prefix);
    if (!log) return;
    crash_everywhere(
        every_step("bank.balances", 400), [&] { return std::make_unique<balances_world>(balances, *log, 151); });
}

TEST_CASE("bank: all transfers, crashed at 500 steps", "[faults][bank]") {
    if (thinned()) return;
    auto const log = records(~std::size_t{0});
    if (!log) return;
    auto const every = log->end_offset() / 20;
    crash_everywhere(at_500_steps("bank.all_late"), [&] { return std::make_unique<late_world>(late, *log, every); });
    crash_everywhere(at_500_steps("bank.all_balances"),
        [&] { return std::make_unique<balances_world>(balances, *log, every); });
}
