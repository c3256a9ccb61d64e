// SPDX-License-Identifier: BSL-1.0
// examples/count_events.cpp - events per user and minute, as a batch and as a stream from one pipeline.
// expect: batch  bob, minute 0: 1
// expect: batch  ann, minute 0: 2
// expect: batch  ann, minute 1: 1
// expect: stream bob, minute 0: 1
// expect: stream ann, minute 0: 2
// expect: stream ann, minute 1: 1
#include <driftless/driftless.hpp>

#include <iostream>

namespace dl = driftless;
using namespace driftless::literals;

struct click {
    dl::text user;
    bool by_robot;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(click, user, by_robot, at);

inline constexpr auto clicks_per_minute =
    dl::from<click>()
    | dl::assign_time<&click::at>(dl::bounded_disorder{30_s})
    | dl::filter([](click const& one) { return !one.by_robot; })
    | dl::key_by<&click::user>()
    | dl::window(dl::tumbling{1_min})
    | dl::aggregate(dl::count());

int main() {
    auto const at = [](dl::duration since_start) { return dl::event_time{} + since_start; };
    dl::memory_log<click> clicks;
    clicks.append(click{"ann", false, at(5_s)});
    clicks.append(click{"bot", true, at(10_s)});
    clicks.append(click{"ann", false, at(70_s)});
    clicks.append(click{"ann", false, at(50_s)});  // 20 seconds behind: in time for minute 0
    clicks.append(click{"bob", false, at(59_s)});

    auto const print = [](char const* mode, auto const& panes) {
        for (auto const& [user, window, count, info] : panes) {
            std::cout << mode << user << ", minute " << window.start.ms() / 60'000 << ": " << count << '\n';
        }
    };
    print("batch  ", dl::run(dl::batch{}, clicks_per_minute, clicks));
    print("stream ", dl::run(dl::stream{.until = dl::drained}, clicks_per_minute, clicks));
}
