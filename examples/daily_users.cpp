// SPDX-License-Identifier: BSL-1.0
// examples/daily_users.cpp - daily active users while late visits still come in: every correction is an upsert of the
// day's row. Counted twice: as distinct users, and as users that were not there and now are; both say the same.
// expect: day 0: 2 users, on time
// expect: day 0: 3 users, late
// expect: day 1: 1 users, on time
// expect: refused: 1
// expect: both ways: day 0 3, day 1 1
// expect: in batch:  day 0 4, day 1 1
#include <driftless/driftless.hpp>

#include <cstdint>
#include <iostream>
#include <map>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct visit {
    dl::text user;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(visit, user, at);

inline constexpr auto per_day = dl::window(dl::tumbling{1_d}, dl::allowed_lateness{12_h});
inline constexpr auto visits =
    dl::from<visit>() | dl::assign_time<&visit::at>(dl::bounded_disorder{1_h});

inline constexpr auto distinct_users = visits | per_day | dl::aggregate(dl::distinct<&visit::user>());

// A user's first visit of a day changes (nothing) to a row: one user more. Further visits change one row to another:
// one less, one more.
inline constexpr auto users_that_came =
    visits
    | dl::key_by<&visit::user>()
    | per_day
    | dl::aggregate(dl::count())
    | dl::key_by([](auto const&) { return 0; })
    | dl::aggregate(dl::count());

/// What a table of the latest rows holds in the end.
using table = std::map<std::int64_t, std::int64_t>;
std::int64_t day_of(dl::time_window window) { return window.start.ms() / 86'400'000; }

template <class Mode>
table latest(Mode mode, auto const& pipeline, dl::memory_log<visit> const& log) {
    table rows;
    for (auto const& row : dl::run(mode, pipeline, log)) rows[day_of(row.window)] = row.value;
    return rows;
}
void print(char const* how, table const& rows) {
    std::cout << how;
    char const* comma = "";
    for (auto const& [day, users] : rows) {
        std::cout << comma << "day " << day << ' ' << users;
        comma = ", ";
    }
    std::cout << '\n';
}

int main() {
    auto const at = [](dl::duration since_start) { return dl::event_time{} + since_start; };
    dl::memory_log<visit> log;
    log.append(std::vector<visit>{
        {"ann", at(9_h)}, {"bob", at(10_h)}, {"ann", at(21_h)},
        {"cem", at(26_h)},   // the next day: day 0 is over
        {"dan", at(23_h)},   // late, and taken
        {"cem", at(37_h)},   // now day 0 is closed
        {"eve", at(20_h)},   // too late
    });

    dl::stream const to_the_end{.until = dl::drained};
    auto const report = dl::run(to_the_end, distinct_users, log,
        dl::to(
            [](auto const& row) {
                std::cout << "day " << day_of(row.window) << ": " << row.value << " users, "
                          << to_string(row.info.timing) << '\n';
            },
            [](auto const&, dl::time_window) {}));
    std::cout << "refused: " << report.refused(dl::reason::late) << '\n';

    auto const rows = latest(to_the_end, distinct_users, log);
    if (rows != latest(to_the_end, users_that_came, log)) return 1;
    print("both ways: ", rows);
    // A batch knows the whole log: nothing is late.
    print("in batch:  ", latest(dl::batch{}, distinct_users, log));
}
