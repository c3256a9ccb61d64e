// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_EXACTLY_ONCE_PAYMENTS_HPP
#define EXAMPLES_EXACTLY_ONCE_PAYMENTS_HPP

#include <driftless/driftless.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace payments {
namespace dl = driftless;
using namespace driftless::literals;

/// A line of the input. Who made it numbers what it makes, so that nothing gets into the log twice.
struct payment {
    std::uint64_t producer = 0;
    std::uint64_t sequence = 0;
    dl::text account;
    std::int64_t amount = 0;
    dl::event_time time;
};
struct total {
    std::int64_t payments, amount;
};
}  // namespace payments

BOOST_HANA_ADAPT_STRUCT(payments::payment, producer, sequence, account, amount, time);
BOOST_HANA_ADAPT_STRUCT(payments::total, payments, amount);

namespace payments {
/// Payments per account and minute. What comes more than ten seconds behind the newest, when its minute is closed, is
/// kept apart: batch and stream agree on which these are, as the declared watermark counts in both.
inline constexpr auto totals_per_minute =
    dl::from<payment>("payments"_name)
    | dl::assign_time<&payment::time>(dl::bounded_disorder{10_s}, dl::as_declared)
    | dl::key_by<&payment::account>()
    | dl::window(dl::tumbling{1_min})
    | dl::late_to("late"_name)
    | dl::aggregate<total>(dl::count(), dl::sum<&payment::amount>());

using payment_log = dl::file_log<payment>;
using total_row = dl::pane<dl::text, total>;
using late_row = dl::pane<dl::text, payment>;

/// What a run has said, a line of text for each row: to be compared.
struct result {
    std::vector<std::string> totals{};
    std::vector<std::string> late{};
    std::int64_t payments = 0;  // of all rows
    std::int64_t amount = 0;

    void add_total(total_row const& row) {
        totals.push_back(row.key.str() + ',' + std::to_string(row.window.start.ms()) + ','
            + std::to_string(row.value.payments) + ',' + std::to_string(row.value.amount));
        payments += row.value.payments;
        amount += row.value.amount;
    }
    void add_late(payment const& of) {
        late.push_back(std::to_string(of.producer) + ',' + std::to_string(of.sequence) + ',' + of.account.str() + ','
            + std::to_string(of.amount) + ',' + std::to_string(of.time.ms()));
        ++payments;
        amount += of.amount;
    }
};
}  // namespace payments
#endif
