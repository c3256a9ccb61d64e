// SPDX-License-Identifier: BSL-1.0
// C-01 and the bank of DRIFTLESS_DATA_DIR: money moves between accounts, none is made or lost in any version.
#include <driftless/op/as_inserts.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/io/csv.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/table_join.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace consistency {
struct transfer {
    std::int64_t seq = 0;
    std::int64_t id = 0;
    std::int64_t from_account = 0;
    std::int64_t to_account = 0;
    std::int64_t amount = 0;
    event_time ts;
};
}  // namespace consistency
BOOST_HANA_ADAPT_STRUCT(consistency::transfer, seq, id, from_account, to_account, amount, ts);
using consistency::transfer;

namespace {
struct balance {
    std::int64_t account;
    std::int64_t amount;
};
constexpr auto transfers =
    from<transfer>() | assign_time<&transfer::ts>(bounded_disorder{10_s}) | as_inserts() | share("transfers"_name);
constexpr auto sums = aggregate(sum<&transfer::amount>(), max_keys{100});
constexpr auto credits = transfers | key_by<&transfer::to_account>() | sums
    | map([](auto const& row) { return balance{row.key, row.value}; });
constexpr auto debits = transfers | key_by<&transfer::from_account>() | sums
    | map([](auto const& row) { return balance{row.key, -row.value}; });
constexpr auto balances = merge(credits, debits) | aggregate(sum<&balance::amount>(), max_keys{100});
/// The same by a join of two tables, as the published workload has it.
constexpr auto credit_table = transfers | key_by<&transfer::to_account>() | sums;
constexpr auto debit_table = transfers | key_by<&transfer::from_account>() | sums;
using sum_row = pane<std::int64_t, std::int64_t>;
constexpr auto joined_balances =
    join(credit_table, debit_table, full_outer{}, [](sum_row const* credit, sum_row const* debit) {
        auto const account = credit != nullptr ? credit->key : debit->key;
        return balance{account, (credit != nullptr ? credit->value : 0) - (debit != nullptr ? debit->value : 0)};
    });

/// Beside the total, how much is on accounts that have some: that changes with nearly every transfer.
constexpr auto total_of(auto rows) {
    return rows | key_by([](balance const&) { return 0; })
        | aggregate(sum<&balance::amount>(),
            sum([](balance const& of) { return of.amount > 0 ? of.amount : 0; }), max_keys{1});
}
constexpr auto total = total_of(balances | map([](auto const& row) { return balance{row.key, row.value}; }));
constexpr auto joined_total = total_of(joined_balances);

struct totals {
    std::size_t versions = 0;
    std::size_t wrong = 0;
    void write(pane<int, std::tuple<std::int64_t, std::int64_t>> const& row) {
        ++versions;
        wrong += std::get<0>(row.value) != 0;
    }
    void remove(int, time_window) {}
};
struct accounts {
    std::array<std::int64_t, 10> of{};
    std::size_t epochs = 0;
    std::size_t wrong = 0;
    void write(pane<std::int64_t, std::int64_t> const& row) { of.at(static_cast<std::size_t>(row.key)) = row.value; }
    void write(pane<std::int64_t, balance> const& row) { of.at(static_cast<std::size_t>(row.key)) = row.value.amount; }
    void remove(std::int64_t account, time_window) { of.at(static_cast<std::size_t>(account)) = 0; }
    void on_epoch(std::uint64_t) {
        ++epochs;
        std::int64_t sum = 0;
        for (auto const each : of) sum += each;
        wrong += sum != 0;
    }
};

template <class Total, class Balances>
void check(Total const& of_all, Balances const& of_each, memory_log<transfer> const& log, std::size_t least_versions) {
    for (bool const streaming : {false, true}) {
        totals all;
        accounts each;
        if (streaming) {
            run(stream{.until = drained}, of_all, log, all);
            run(stream{.until = drained}, of_each, log, each);
        } else {
            run(batch{}, of_all, log, all);
            run(batch{}, of_each, log, each);
        }
        CHECK(all.wrong == 0);
        CHECK(all.versions >= least_versions);
        CHECK(each.wrong == 0);
        CHECK(each.epochs == log.end_offset());
    }
}
}  // namespace

TEST_CASE("C-01: the total of all balances is 0 in every version", "[cases][consistency]") {
    memory_log<transfer> log;
    for (std::int64_t i = 0; i < 100'000; ++i) {
        log.append(transfer{i, i, i % 10, (i + 1) % 10, 1, event_time::from_ms(i)});
    }
    check(joined_total, joined_balances, log, 10);
    check(total, balances, log, 10);  // from 10 transfers on each account is at 0, or one of them is at -1 and one at 1
}

TEST_CASE("C-01 with random accounts, delayed by up to ten seconds", "[cases][consistency]") {
    char const* const data = std::getenv("DRIFTLESS_DATA_DIR");
    std::string const path = std::string{data != nullptr ? data : ""} + "/bank/transactions.csv";
    if (data == nullptr || !std::ifstream{path}) {
        WARN("skipped: DRIFTLESS_DATA_DIR is not set, or holds no bank");
        return;
    }
    memory_log<transfer> log;
    csv_options<transfer> how;
    csv_reader<transfer> reader{csv_input{path}, std::move(how)};
    for (transfer row; reader.next(row);) log.append(row);
    REQUIRE(log.end_offset() == 50'000);
    check(total, balances, log, 20'000);
    check(joined_total, joined_balances, log, 20'000);
}
