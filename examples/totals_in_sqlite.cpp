// SPDX-License-Identifier: BSL-1.0
// examples/totals_in_sqlite.cpp - revenue per article and hour in a table of SQLite, exactly once: the job is stopped
// and started again, and the table is what one run would have made.
// needs: sqlite
// expect: apples 0h: 2 orders, 30 cents
// expect: apples 1h: 1 order, 5 cents
// expect: pears 0h: 1 order, 7 cents
// expect: committed with snapshot 2
#include <driftless/adapt/sqlite.hpp>
#include <driftless/driftless.hpp>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>

namespace dl = driftless;
using namespace driftless::literals;

struct order {
    dl::text sku;
    std::int64_t cents;
    dl::event_time at;
};
struct revenue {
    std::int64_t orders;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(order, sku, cents, at);
BOOST_HANA_ADAPT_STRUCT(revenue, orders, cents);

inline constexpr auto revenue_per_hour =
    dl::from<order>()
    | dl::assign_time<&order::at>(dl::bounded_disorder{10_min})
    | dl::key_by<&order::sku>()
    | dl::window(dl::tumbling{1_h})
    | dl::aggregate<revenue>(dl::count(), dl::sum<&order::cents>());

using revenue_table = dl::sqlite_sink<dl::pane<dl::text, revenue>>;
dl::sqlite_options const in_revenue{.table = "revenue", .key_columns = {"sku"}};

void run_to_the_end(dl::memory_log<order>& orders, std::string const& folder) {
    revenue_table table{folder + "/shop.db", in_revenue};
    dl::run(dl::stream{.snapshots = folder, .until = dl::end_of_log}, revenue_per_hour, orders, table);
}

int main() {
    auto const folder = (std::filesystem::temp_directory_path() / "driftless_totals_in_sqlite").string();
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);

    dl::memory_log<order> orders;
    auto const at = [](std::int64_t minutes) { return dl::event_time{} + minutes * 1_min; };
    orders.append({"apples", 10, at(5)});
    orders.append({"pears", 7, at(40)});
    orders.append({"apples", 20, at(59)});
    run_to_the_end(orders, folder);  // nothing is closed yet: no row, and a snapshot
    orders.append({"apples", 5, at(61)});
    orders.append({"pears", 1, at(140)});
    run_to_the_end(orders, folder);

    dl::sqlite_row_id last;
    dl::read_sqlite<dl::pane<dl::text, revenue>>(folder + "/shop.db", in_revenue, [&](auto const& row, auto id) {
        std::cout << row.key.view() << ' ' << row.window.start.ms() / 3'600'000 << "h: " << row.value.orders
                  << (row.value.orders == 1 ? " order, " : " orders, ") << row.value.cents << " cents\n";
        last = id;
    });
    std::cout << "committed with snapshot " << last.epoch << '\n';
    std::filesystem::remove_all(folder);
}
