// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_BANK_BANK_HPP
#define EXAMPLES_BANK_BANK_HPP

#include "../support/runner.hpp"
#include "../support/table.hpp"

#include <driftless/driftless.hpp>

#include <cstdint>

namespace bank {
namespace dl = driftless;
using namespace driftless::literals;

/// A transfer; its time is a whole second, and it arrives up to ten seconds later.
struct transfer {
    dl::event_time ts;
    std::int64_t id = 0;
    std::int32_t from_account = 0;
    std::int32_t to_account = 0;
    std::int64_t amount = 0;
};

/// Transfers per second that a watermark `lag` behind the newest one lets in. Which are refused is part of the answer,
/// so the declared watermark counts in batch as well. As times are whole seconds, a transfer is behind the watermark
/// exactly when its second has closed.
constexpr auto accepted_per_second(dl::duration lag) {
    return dl::from<transfer>()
        | dl::assign_time<&transfer::ts>(dl::bounded_disorder{lag}, dl::as_declared)
        | dl::window(dl::tumbling{1_s})
        | dl::late_to("dropped"_name)
        | dl::aggregate(dl::count());
}

using transfer_log = dl::file_log<transfer, dl::columns>;
using second_table = support::table<std::int64_t, std::int64_t, std::int64_t>;
using summary_table = support::table<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

second_table make_accepted_per_second_lag5s(support::runner<transfer_log> const& run);
summary_table make_accepted_summary(support::runner<transfer_log> const& run);
}  // namespace bank

BOOST_HANA_ADAPT_STRUCT(bank::transfer, ts, id, from_account, to_account, amount);
#endif
