// SPDX-License-Identifier: BSL-1.0
// examples/totals_in_files.cpp - revenue per article and hour as CSV files of a folder, exactly once: the job is
// stopped and started again, and the files together are what one run would have written.
// expect: job.out.000000000002.csv
// expect: sku,window_start_ms,window_end_ms,orders,cents
// expect: pears,0,3600000,1,7
// expect: apples,0,3600000,2,30
// expect: apples,3600000,7200000,1,5
#include <driftless/driftless.hpp>
#include <driftless/io/directory_sink.hpp>

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

void run_to_the_end(dl::memory_log<order>& orders, std::string const& folder) {
    dl::directory_sink<dl::pane<dl::text, revenue>> files{folder + "/revenue", {}, {.key_columns = {"sku"}}};
    dl::run(dl::stream{.snapshots = folder, .until = dl::end_of_log}, revenue_per_hour, orders, files);
}

int main() {
    auto const folder = (std::filesystem::temp_directory_path() / "driftless_totals_in_files").string();
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);

    dl::memory_log<order> orders;
    auto const at = [](std::int64_t minutes) { return dl::event_time{} + minutes * 1_min; };
    orders.append({"apples", 10, at(5)});
    orders.append({"pears", 7, at(40)});
    orders.append({"apples", 20, at(59)});
    run_to_the_end(orders, folder);  // nothing is closed yet: no file, and a snapshot
    orders.append({"apples", 5, at(61)});
    orders.append({"pears", 1, at(140)});
    run_to_the_end(orders, folder);

    for (auto const& part : dl::directory_parts(folder + "/revenue")) {
        std::cout << std::filesystem::path{part.path}.filename().string() << '\n'
                  << *dl::read_whole_file(part.path);
    }
    std::filesystem::remove_all(folder);
}
