// SPDX-License-Identifier: BSL-1.0
// examples/changes_in_a_log.cpp - sessions of users, corrected as late clicks come, in a log that only grows: whoever
// reads it gets the last version of each, and compact() makes it small.
// expect: Ada 0 to 26 min: 3 clicks
// expect: Bob 24 to 34 min: 1 click
// expect: Ada 32 to 50 min: 2 clicks
// expect: 7 changes, 3 of them count
#include <driftless/driftless.hpp>
#include <driftless/io/compact.hpp>
#include <driftless/io/latest.hpp>
#include <driftless/io/log_sink.hpp>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>

namespace dl = driftless;
using namespace driftless::literals;

struct click {
    dl::text user;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(click, user, at);

inline constexpr auto visits =
    dl::from<click>()
    | dl::assign_time<&click::at>(dl::monotone{})
    | dl::key_by<&click::user>()
    | dl::window(dl::session{10_min}, dl::allowed_lateness{2_h})
    | dl::aggregate(dl::count());

using changes_log = dl::file_log<dl::logged_row<dl::text, std::int64_t>>;

int main() {
    auto const folder = (std::filesystem::temp_directory_path() / "driftless_changes_in_a_log").string();
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);

    dl::memory_log<click> clicks;
    for (std::int64_t const minutes : {0, 16, 24, 40, 8, 32}) {  // the last two come late, and join others
        clicks.append({minutes == 24 ? "Bob" : "Ada", dl::event_time{} + minutes * 1_min});
    }
    changes_log changes{folder + "/sessions"};
    dl::log_sink sink{changes};
    dl::run(dl::stream{.snapshots = folder, .until = dl::drained}, visits, clicks, sink);

    for (auto const& each : dl::latest(changes)) {
        auto const [start, end] = each.window;
        std::cout << each.key.view() << ' ' << start.ms() / 60'000 << " to " << end.ms() / 60'000 << " min: "
                  << each.value << (each.value == 1 ? " click\n" : " clicks\n");
    }
    changes_log small{folder + "/small"};
    auto const done = dl::compact(changes, small, {.keep_removed = false});
    std::cout << done.read << " changes, " << done.kept << " of them count\n";
    std::filesystem::remove_all(folder);
}
