// SPDX-License-Identifier: BSL-1.0
// examples/served_view.cpp - revenue per customer of a shop, read by four threads while the job runs: each answer says
// of which prefix of the log it is, and is the answer over it. A correction of yesterday's number is explained.
// With --watch it says on standard error how far the job is.
// expect: the least of day 2: 1 with 1023, 2 with 2024, 3 with 3025
// expect: customer 1 and day 2, reported: 1023; now: 1523, since late data came
// expect: every answer was that of a whole epoch
// expect: the view is what batch says
#include <driftless/driftless.hpp>
#include <driftless/view.hpp>

#include "support/watch.hpp"

#include <atomic>
#include <cstdint>
#include <iostream>
#include <thread>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct line {
    std::int64_t customer;
    std::int64_t pence;
    dl::event_time at;
};
struct revenue {
    std::int64_t lines;
    std::int64_t pence;
};
BOOST_HANA_ADAPT_STRUCT(line, customer, pence, at);
BOOST_HANA_ADAPT_STRUCT(revenue, lines, pence);

inline constexpr auto per_customer_and_day =
    dl::from<line>()
    | dl::assign_time<&line::at>(dl::bounded_disorder{1_h})
    | dl::key_by<&line::customer>()
    | dl::window(dl::tumbling{1_d}, dl::allowed_lateness{3_d})
    | dl::aggregate<revenue>(dl::count(), dl::sum<&line::pence>());

using revenue_view = dl::view<std::int64_t, revenue, dl::indexed_by<&revenue::pence>>;
constexpr std::int64_t customers = 200;
constexpr std::int64_t days = 20;
dl::time_window day(std::int64_t n) { return {dl::event_time{} + n * 1_d, dl::event_time{} + (n + 1) * 1_d}; }

// On day d each customer c buys eleven times, for 91 * c + d pence: a whole row is eleven times that.
std::vector<line> lines_of(std::int64_t d) {
    std::vector<line> out;
    for (std::int64_t n = 0; n < 11; ++n) {
        for (std::int64_t c = 1; c <= customers; ++c) out.push_back({c, 91 * c + d, day(d).start + n * 2_h});
    }
    return out;
}
/// Eleven purchases, or the one that came late.
bool is_whole(std::int64_t c, std::int64_t d, revenue const& row) {
    return row.pence == 11 * (91 * c + d) || (c == 1 && d == 2 && row.pence == 11 * (91 * c + d) + 500);
}

int main(int argc, char** argv) {
    support::watch status{support::take_watch(argc, argv)};
    dl::memory_log<line> log;
    revenue_view shown{{.name = "revenue", .history = {.keep = 7_d}}};
    dl::job running{dl::stream{}, per_customer_and_day, log, shown};

    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (std::int64_t reader = 0; reader < 4; ++reader) {
        readers.emplace_back([&, reader] {
            std::uint64_t newest = 0;
            for (std::int64_t i = reader; !done.load(); ++i) {
                auto const found = shown.find(i % customers + 1, day(i % days));
                if (found && !is_whole(i % customers + 1, i % days, *found)) ++wrong;
                if (found.epoch() < newest) ++wrong;
                newest = found.epoch();
                // Of one state, either all customers of a day are there or none.
                auto const rows = shown.snapshot().rows(day(i % days));
                if (!rows.empty() && rows.size() != customers) ++wrong;
            }
        });
    }
    dl::event_time that_evening{};
    for (std::int64_t d = 0; d < days; ++d) {
        log.append(lines_of(d));
        running.poll();
        status.tick([&] { return running.metrics(); });
        if (d == 3) {
            that_evening = shown.at().published;
            std::cout << "the least of day 2:";
            char const* comma = " ";
            for (auto const& row : shown.snapshot().range_by<&revenue::pence>(0, 3100)) {
                if (row.window != day(2)) continue;
                std::cout << comma << row.key << " with " << row.value.pence;
                comma = ", ";
            }
            std::cout << '\n';
            log.append({1, 500, day(2).start + 3_h});  // late, and taken
        }
    }
    running.drain();
    done = true;
    for (auto& each : readers) each.join();

    auto const then = shown.reported(1, that_evening, day(2));
    std::cout << "customer 1 and day 2, reported: " << then.then->pence << "; now: " << then.now->pence << ", since "
              << to_string(then.changed->why) << " came\n";

    bool same = wrong == 0;
    for (auto const& row : dl::run(dl::batch{}, per_customer_and_day, log)) {
        auto const found = shown.find(row.key, row.window);
        same = same && found && found->pence == row.value.pence && found->lines == row.value.lines;
    }
    std::cout << (wrong == 0 ? "every answer was that of a whole epoch\n" : "a reader saw a part of an epoch\n")
              << (same ? "the view is what batch says\n" : "the view differs from batch\n");
    return same ? 0 : 1;
}
