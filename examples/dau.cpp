// SPDX-License-Identifier: BSL-1.0
// examples/dau.cpp - daily active users, served: the job keeps a view of them, late visits correct days that have been
// shown, and another process reads what it publishes. That process opens the log as well and compares each answer with
// plain loops over the records that it is of.
// expect: day 3, shown first: 1846 users; now: 1852, since late data came
// expect: refused as late: 204 visits
// expect: the other process compared every answer with plain loops: all the same
#include "support/kept_log.hpp"
#include "support/program.hpp"
#include "support/random.hpp"

#include <driftless/driftless.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/view.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace dl = driftless;
using namespace driftless::literals;

struct visit {
    std::int64_t user;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(visit, user, at);

constexpr auto disorder = 1_h;
constexpr auto lateness = 2_d;
inline constexpr auto daily_active_users =
    dl::from<visit>()
    | dl::assign_time<&visit::at>(dl::bounded_disorder{disorder})
    | dl::window(dl::tumbling{1_d}, dl::allowed_lateness{lateness})
    | dl::aggregate(dl::distinct<&visit::user>());

namespace {
using visit_log = dl::file_log<visit>;
using dau_view = dl::view<dl::unkeyed, std::int64_t>;
constexpr std::int64_t days = 10;
constexpr std::uint64_t visits = 40'000;

constexpr dl::time_window day(std::int64_t n) { return dl::tumbling{1_d}.assign(dl::event_time{} + n * 1_d); }

/// The same by plain loops: what is over is shown, and what comes later counts for two days more.
class by_loops {
    visit_log const& log_;
    std::uint64_t read_ = 0;
    dl::event_time newest_ = dl::event_time::min();
    std::map<std::int64_t, std::set<std::int64_t>> users_;

public:
    std::uint64_t refused = 0;

    explicit by_loops(visit_log const& log) : log_(log) {}
    void read_until(std::uint64_t offset) {
        dl::read_offsets(log_, 0, {read_, offset}, [&](dl::partition_offset const&, visit const& v) {
            auto const n = v.at.ms() / 86'400'000;
            if (newest_ - disorder >= day(n).end + lateness) ++refused;
            else users_[n].insert(v.user);
            newest_ = std::max(newest_, v.at);
        });
        read_ = offset;
    }
    /// Day and users, of days that the watermark has passed.
    [[nodiscard]] std::map<std::int64_t, std::int64_t> shown() const {
        std::map<std::int64_t, std::int64_t> out;
        for (auto const& [n, users] : users_) {
            if (newest_ - disorder >= day(n).end) out[n] = static_cast<std::int64_t>(users.size());
        }
        return out;
    }
};

/// The process that reads. Returns its exit status.
int read_and_compare(std::string const& folder, int ready, ::pid_t writer) try {
    visit_log const log{folder + "/log", {.access = dl::log_access::read}};
    by_loops expected{log};
    dl::view_reader<dl::unkeyed, std::int64_t> shown{folder, "dau"};
    for (int answers = 1;; ++answers) {
        expected.read_until(shown.at().epoch);
        std::map<std::int64_t, std::int64_t> rows;
        shown.for_each([&](auto const& row) { rows[row.window.start.ms() / 86'400'000] = row.value; });
        if (rows != expected.shown()) return 1;
        if (answers == 1 && ::write(ready, "!", 1) != 1) return 2;
        if (shown.at().epoch == visits) return answers > 1 ? 0 : 3;
        while (!shown.refresh()) {
            if (::getppid() != writer) return 5;
            ::usleep(100);
        }
    }
} catch (std::exception const& problem) {
    std::cerr << "dau, the process that reads: " << problem.what() << '\n';
    return 4;
}

int serve_and_compare() {
    support::temporary_folder const folder;
    visit_log log{folder.path() + "/log", {.durable = dl::on_close}};
    dau_view shown{{.name = "dau", .history = {.keep = 1_d}}};
    dl::job running{dl::stream{}, daily_active_users, log, shown};
    dl::publish_file(shown.snapshot(), folder.path(), "dau");

    int ready[2];
    if (::pipe(ready) != 0) return 1;
    auto const writer = ::getpid();
    auto const reader = ::fork();
    if (reader < 0) return 1;
    if (reader == 0) ::_exit(read_and_compare(folder.path(), ready[1], writer));
    char mark = 0;
    if (::read(ready[0], &mark, 1) != 1) return 1;  // it has seen the empty view

    support::random random{3};
    dl::event_time when_day_3_was_new{};
    for (std::uint64_t i = 0; i < visits; ++i) {
        // Phones report when they are back in a network: one in fifty hours or days later.
        auto const now = dl::event_time{} + dl::duration{days * (1_d).ns() / std::int64_t{visits} * std::int64_t(i)};
        auto const ago = random.one_in(50) ? random.below((4_d).ns()) : random.below(disorder.ns());
        log.append({random.below(random.one_in(2) ? 400 : 4000), std::max(dl::event_time{}, now - dl::duration{ago})});
        if ((i + 1) % 500 != 0) continue;
        log.flush();
        running.poll();
        auto const third = shown.find(dl::unkeyed{}, day(3));
        if (third && when_day_3_was_new == dl::event_time{}) when_day_3_was_new = third.at().published;
        dl::publish_file(shown.snapshot(), folder.path(), "dau");
    }

    auto const told = shown.reported(dl::unkeyed{}, when_day_3_was_new, day(3));
    std::cout << "day 3, shown first: " << *told.then << " users; now: " << *told.now << ", since "
              << to_string(told.changed->why) << " came\n";
    by_loops all{log};
    all.read_until(visits);
    auto const refused = running.metrics().refused(dl::reason::late);
    std::cout << "refused as late: " << refused << " visits\n";
    int status = 0;
    ::waitpid(reader, &status, 0);
    if (status != 0 || refused != all.refused) {
        std::cout << "an answer of the other process, or a refusal, was another than that of plain loops\n";
        return 1;
    }
    std::cout << "the other process compared every answer with plain loops: all the same\n";
    return 0;
}
}  // namespace

int main() { return support::framed("dau", serve_and_compare); }
