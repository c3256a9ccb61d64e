// SPDX-License-Identifier: BSL-1.0
// examples/user_stats.cpp - events, revenue and distinct sessions of each user, always up to date: an aggregate without
// windows, served by a view with an index by revenue and one by sessions. One thread appends, one runs the job, two
// read; in the end each answer is checked against plain loops over the very records that it says it is of.
// expect: best by revenue: user-4 51179, user-12 49887, user-2 49669
// expect: with 530 sessions or more: 11 users
// expect: each answer was that of plain loops over the records it is of, none was older than 10 s
#include "support/random.hpp"

#include <driftless/driftless.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/view.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct user_event {
    dl::text user;
    std::int64_t session;
    std::int64_t cents;  // 0: looked around
};
struct user_stats {
    std::int64_t events, cents, sessions;

    friend bool operator==(user_stats const&, user_stats const&) = default;
};
BOOST_HANA_ADAPT_STRUCT(user_event, user, session, cents);
BOOST_HANA_ADAPT_STRUCT(user_stats, events, cents, sessions);

inline constexpr auto stats_by_user =
    dl::from<user_event>()
    | dl::as_inserts()  // each record is answered at once; without it, an aggregate without windows waits for the end
    | dl::key_by<&user_event::user>()
    | dl::aggregate<user_stats>(dl::count(), dl::sum<&user_event::cents>(), dl::distinct<&user_event::session>(),
        dl::max_keys{1'000'000});

using stats_view =
    dl::view<std::string, user_stats, dl::indexed_by<&user_stats::cents>, dl::indexed_by<&user_stats::sessions>>;

namespace {
constexpr std::int64_t users = 40;
std::string name_of(std::int64_t user) { return "user-" + std::to_string(user); }

void append_events(dl::memory_log<user_event>& log) {
    support::random random{8};
    for (int i = 0; i < 50'000; ++i) {
        auto const user = name_of(random.below(users));
        log.append({user, random.below(600), random.one_in(10) ? 100 + random.below(500) : 0});
    }
}

/// What a reader was told, and of how many records.
struct told {
    std::uint64_t epoch;
    std::string user;  // empty: `value` is that of the user with the greatest revenue
    user_stats value;
};
void read_until(std::atomic<bool> const& done, stats_view const& shown, std::vector<told>& into) {
    for (std::int64_t i = 0; !done || i < users; ++i) {
        if (into.size() > 200'000) continue;
        auto const user = name_of(i % users);
        if (auto const found = shown.find(user)) into.push_back({found.epoch(), user, *found});
        auto const now = shown.snapshot();
        for (auto const& best : now.top_by<&user_stats::cents>(1)) into.push_back({now.at().epoch, {}, best.value});
        std::this_thread::yield();
    }
}

/// The same by plain loops over the log, asked at each prefix that a reader was told of.
std::size_t count_wrong(dl::memory_log<user_event> const& log, std::vector<told> answers) {
    struct counted {
        user_stats stats{};
        std::set<std::int64_t> sessions;
    };
    std::map<std::string, counted> all;
    std::sort(answers.begin(), answers.end(), [](told const& a, told const& b) { return a.epoch < b.epoch; });
    std::size_t wrong = 0;
    auto next = answers.begin();
    dl::read_offsets(log, 0, {0, log.end_offset()}, [&](dl::partition_offset const& at, user_event const& e) {
        auto& of = all[e.user.str()];
        of.sessions.insert(e.session);
        of.stats = {of.stats.events + 1, of.stats.cents + e.cents, static_cast<std::int64_t>(of.sessions.size())};
        for (; next != answers.end() && next->epoch == at.offset + 1; ++next) {
            auto const is_best = [&](auto const& each) { return each.second.stats.cents <= next->value.cents; };
            bool const right = next->user.empty()
                ? std::all_of(all.begin(), all.end(), is_best)
                    && std::any_of(all.begin(), all.end(), [&](auto const& u) { return u.second.stats == next->value; })
                : all[next->user].stats == next->value;
            wrong += right ? 0 : 1;
        }
    });
    return wrong + static_cast<std::size_t>(answers.end() - next);
}
}  // namespace

int main() {
    dl::memory_log<user_event> log;
    // Who asks is given an error rather than an answer of a job that has not been heard of for ten seconds.
    stats_view shown{{.name = "user_stats", .fresh = {.max = 10_s, .then = dl::freshness::action::error}}};
    dl::job running{dl::stream{}, stats_by_user, log, shown};

    std::atomic<bool> done{false};
    std::vector<told> answers[2];
    std::thread readers[] = {std::thread{[&] { read_until(done, shown, answers[0]); }},
        std::thread{[&] { read_until(done, shown, answers[1]); }}};
    std::thread appending{[&] { append_events(log); }};
    while (shown.at().epoch < 50'000) running.poll(500);
    done = true;
    for (auto& each : readers) each.join();
    appending.join();

    auto const now = shown.snapshot();
    char const* comma = "best by revenue: ";
    for (auto const& best : now.top_by<&user_stats::cents>(3)) {
        std::cout << comma << best.key << ' ' << best.value.cents;
        comma = ", ";
    }
    std::cout << "\nwith 530 sessions or more: " << now.range_by<&user_stats::sessions>(530, 601).size() << " users\n";

    answers[0].insert(answers[0].end(), answers[1].begin(), answers[1].end());
    auto const asked = answers[0].size();
    auto const wrong = count_wrong(log, std::move(answers[0]));
    if (wrong != 0 || asked < 2 * users) {
        std::cout << wrong << " of " << asked << " answers were wrong\n";
        return 1;
    }
    std::cout << "each answer was that of plain loops over the records it is of, none was older than 10 s\n";
}
