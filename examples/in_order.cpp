// SPDX-License-Identifier: BSL-1.0
// examples/in_order.cpp - readings that come out of order are handed on by time; one that comes too late is set aside.
// Then plain rows that wait for their window, and windows of so many records.
// expect: in order: 1 2 3 5 6
// expect: too late: 4
// expect: minute 0: 1 2 3, minute 1: 5 6
// expect: by twos: 3 8 6
#include <driftless/driftless.hpp>
#include <driftless/op/count_window.hpp>

#include <cstdint>
#include <iostream>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct reading {
    std::int64_t value;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(reading, value, at);

inline constexpr auto readings =
    dl::from<reading>() | dl::assign_time<&reading::at>(dl::bounded_disorder{10_s}, dl::as_declared);
inline constexpr auto in_order = readings | dl::late_to("too late"_name) | dl::sorted_by_time();

int main() {
    auto const second = [](std::int64_t s) { return dl::event_time{} + s * 1_s; };
    std::vector<reading> const log{{2, second(20)}, {1, second(12)}, {3, second(22)}, {5, second(75)},
        {4, second(60)},  // 15 s behind the newest, 5 more than was promised
        {6, second(80)}};

    std::cout << "in order:";
    std::vector<std::int64_t> late;
    auto print = dl::to([](reading const& r) { std::cout << ' ' << r.value; });
    auto aside = dl::to([&](reading const& r) { late.push_back(r.value); });
    dl::run(dl::batch{}, in_order, log, dl::bind("too late"_name, aside), print);
    std::cout << "\ntoo late:";
    for (auto const value : late) std::cout << ' ' << value;

    auto minute = dl::event_time::min();
    auto by_minute = dl::to([&](dl::pane<dl::unkeyed, reading> const& row) {
        if (row.window.start != minute) {
            std::cout << (minute == dl::event_time::min() ? "\nminute " : ", minute ")
                      << row.window.start.ms() / 60'000 << ':';
            minute = row.window.start;
        }
        std::cout << ' ' << row.value.value;
    });
    dl::run(dl::batch{}, in_order | dl::window(dl::tumbling{1_min}) | dl::release_on_close(), log,
        dl::bind("too late"_name, aside), by_minute);

    std::cout << "\nby twos:";
    auto sums = dl::to([](dl::pane<dl::unkeyed, std::int64_t> const& row) { std::cout << ' ' << row.value; });
    dl::run(dl::batch{}, in_order | dl::window(dl::count_window{2}) | dl::aggregate(dl::sum<&reading::value>()), log,
        dl::bind("too late"_name, aside), sums);
    std::cout << '\n';
}
