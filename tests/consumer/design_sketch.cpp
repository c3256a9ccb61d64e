// SPDX-License-Identifier: BSL-1.0
// The first code block of DESIGN section 3 as it stands, with a memory log in place of the file log.
#include <driftless/driftless.hpp>
namespace dl = driftless;
using namespace driftless::literals;

struct order {
    dl::text sku;
    std::int64_t cents;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(order, sku, cents, at);          // reflection: codec, schema, columns, CSV

inline constexpr auto revenue =                          // a literal value: put it in a header, use it everywhere
    dl::from<order>("orders"_name)                       // the name is part of the type; a single input needs none
    | dl::assign_time<&order::at>(dl::bounded_disorder{5_s})
    | dl::filter([](order const& o) { return o.cents > 0; })
    | dl::key_by<&order::sku>()
    | dl::window(dl::tumbling{1_h}, dl::allowed_lateness{2_h})
    | dl::aggregate(dl::count(), dl::sum<&order::cents>());

// What the sketch leaves to the reader: orders, a folder, a sink, and a look at the answers.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace {
void require(bool holds, char const* what) {
    if (holds) return;
    std::fprintf(stderr, "design_sketch: not so: %s\n", what);
    std::exit(1);
}
dl::event_time at(std::int64_t minutes) { return dl::event_time{minutes * 60'000'000'000}; }
}  // namespace

int main() {
    dl::memory_log<order> orders;                        // in the sketch: dl::file_log<order> orders{"data/orders"}
    orders.append({"tea", 300, at(1)});
    orders.append({"tea", -300, at(2)});                 // a refund: filtered out
    orders.append({"cups", 1500, at(59)});
    orders.append({"tea", 450, at(61)});
    orders.append({"cups", 700, at(58)});                // late, and allowed: it corrects the row of its hour

    auto totals =
        dl::run(dl::batch{.threads = 2}, revenue, orders);  // a range of dl::pane<K, V>, with totals.report()
    std::map<std::pair<std::string, std::int64_t>, std::tuple<std::int64_t, std::int64_t>> batch;
    for (auto const& row : totals) batch[{row.key, row.window.start.ms() / 3'600'000}] = row.value;
    require(batch.size() == 3, "three rows");
    require((batch[{"tea", 0}] == std::tuple<std::int64_t, std::int64_t>{1, 300}), "tea in the first hour");
    require((batch[{"cups", 0}] == std::tuple<std::int64_t, std::int64_t>{2, 2200}), "cups in the first hour");
    require((batch[{"tea", 1}] == std::tuple<std::int64_t, std::int64_t>{1, 450}), "tea in the second hour");
    require(totals.report().records == 5, "five records read");

    decltype(batch) streamed;
    auto sink = dl::to(
        [&](dl::pane<dl::text, std::tuple<std::int64_t, std::int64_t>> const& row) {
            streamed[{row.key.str(), row.window.start.ms() / 3'600'000}] = row.value;
        },
        [&](dl::text key, dl::time_window window) { streamed.erase({key.str(), window.start.ms() / 3'600'000}); });
    std::filesystem::remove_all("state");
    dl::run(dl::stream{.snapshots = "state/", .until = dl::end_of_log}, revenue, orders, sink);
    require(streamed.size() == 2, "the second hour is still open");
    dl::run(dl::stream{.snapshots = "state/", .until = dl::drained}, revenue, orders, sink);
    require(streamed == batch, "batch = stream");
    std::filesystem::remove_all("state");
}
