// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_BANK_BANK_HPP
#define EXAMPLES_BANK_BANK_HPP

#include "../support/runner.hpp"
#include "../support/table.hpp"

#include <driftless/driftless.hpp>

#include <cstdint>
#include <string_view>
#include <tuple>

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

/// What a transfer means for one of its two accounts.
struct booking {
    std::int32_t account = 0;
    std::int64_t credit = 0;
    std::int64_t debit = 0;
};
inline constexpr auto bookings = dl::flat_map<booking>([](transfer const& t, auto out) {
    out(booking{t.to_account, t.amount, 0});
    out(booking{t.from_account, 0, t.amount});
});
inline constexpr auto balance = dl::aggregate(dl::sum<&booking::credit>(), dl::sum<&booking::debit>());
inline constexpr auto balance_of_all =
    dl::aggregate(dl::sum<&booking::credit>(), dl::sum<&booking::debit>(), dl::max_keys{1000});

/// Windows that begin together and end one step after the other: what there is up to then.
struct cumulating {
    static constexpr std::string_view kind = "cumulating";
    dl::duration size;
    dl::duration step;

    void assign_each(dl::event_time at, auto&& f) const {
        auto const whole = dl::tumbling{size}.assign(at);
        for (auto end = dl::tumbling{step}.assign(at).end; end <= whole.end; end = end + step) {
            f(dl::time_window{whole.start, end});
        }
    }
    void validate() const {}
    constexpr void describe(auto&& parameter) const {
        parameter("size", size);
        parameter("step", step);
    }
};

/// Nothing is late: transfers come up to ten seconds after their time.
inline constexpr auto transfers = dl::from<transfer>() | dl::assign_time<&transfer::ts>(dl::bounded_disorder{10_s});
inline constexpr auto balances_all =
    transfers | bookings | dl::key_by<&booking::account>() | dl::window(dl::global{}) | balance_of_all;
inline constexpr auto balances_after_each_second =
    transfers | bookings | dl::key_by<&booking::account>() | dl::window(cumulating{1_min, 1_s}) | balance;
inline constexpr auto flow =
    transfers
    | dl::key_by<&transfer::from_account, &transfer::to_account>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::sum<&transfer::amount>());

/// The balances of what a watermark `lag` behind the newest transfer lets in: per second first, where it is decided.
constexpr auto balances_accepted(dl::duration lag) {
    return dl::from<transfer>()
        | dl::assign_time<&transfer::ts>(dl::bounded_disorder{lag}, dl::as_declared)
        | bookings
        | dl::key_by<&booking::account>()
        | dl::window(dl::tumbling{1_s})
        | balance
        | dl::map([](auto const& row) { return booking{row.key, std::get<0>(row.value), std::get<1>(row.value)}; })
        | dl::window(dl::global{})
        | balance_of_all;
}

using transfer_log = dl::file_log<transfer, dl::columns>;
using second_table = support::table<std::int64_t, std::int64_t, std::int64_t>;
using summary_table = support::table<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

using account_table = support::table<std::int32_t, std::int64_t, std::int64_t, std::int64_t>;
using balance_table = support::table<std::int64_t, std::int32_t, std::int64_t>;
using flow_table = support::table<std::int64_t, std::int32_t, std::int32_t, std::int64_t>;

account_table make_balances_all(support::runner<transfer_log> const& run);
account_table make_balances_accepted_lag5s(support::runner<transfer_log> const& run);
balance_table make_balance_after_each_second(support::runner<transfer_log> const& run);
flow_table make_flow_tumble_10s(support::runner<transfer_log> const& run);
second_table make_accepted_per_second_lag5s(support::runner<transfer_log> const& run);
summary_table make_accepted_summary(support::runner<transfer_log> const& run);
}  // namespace bank

BOOST_HANA_ADAPT_STRUCT(bank::transfer, ts, id, from_account, to_account, amount);
#endif
