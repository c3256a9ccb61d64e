// SPDX-License-Identifier: BSL-1.0
// bench/snapshot.cpp - snapshots of 10M entries (count and sum per key, 64-bit keys, windows that are open): against a
// bare write of the same bytes; full against incremental with one window in a hundred touched; and what updates cost
// that have to note what they touch. Files are in memory unless DRIFTLESS_BENCH_DIR says where.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>
#include <support/scratch_folder.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
constexpr auto size_of_window = 10_s;
constexpr std::size_t entries = 10'000'000;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{100'000_s})  // no window fires
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{size_of_window})
    | dl::aggregate(dl::count(), dl::sum<&sale::cents>());

struct nothing {
    void write(auto const&) {}
    void remove(auto const&, dl::time_window) {}
};
using log_t = dl::memory_log<sale>;
using job_t = dl::job<dl::stream, std::remove_const_t<decltype(per_user)>, log_t&, nothing&>;

sale sale_of(std::size_t user, std::size_t window) {
    bench::random scatter{user};
    auto const at = static_cast<std::int64_t>(window) * size_of_window.ns() + static_cast<std::int64_t>(user % 10'000);
    return {static_cast<std::int64_t>(scatter()), static_cast<std::int64_t>(user % 10'000), dl::event_time{at}};
}
void fill(log_t& log, std::size_t windows) {
    std::vector<sale> some;
    for (std::size_t w = 0; w < windows; ++w) {
        some.clear();
        for (std::size_t user = 0; user < entries / windows; ++user) some.push_back(sale_of(user, w));
        log.append(some);
    }
}
dl::stream in_folder(std::string const& folder, std::size_t full_every) {
    return {.snapshots = folder, .snapshot_options = {.every = {}, .keep = 1, .full_every = full_every}};
}

std::string newest_state(std::string const& folder) {
    std::string newest;
    for (auto const& each : std::filesystem::directory_iterator{folder}) {
        auto const name = each.path().string();
        if (name.ends_with(".state") && name > newest) newest = name;
    }
    return newest;
}
std::string bytes_of(std::string const& path) {
    std::string out(std::filesystem::file_size(path), '\0');
    auto* const file = std::fopen(path.c_str(), "rb");
    if (file == nullptr || std::fread(out.data(), 1, out.size(), file) != out.size()) std::exit(1);
    std::fclose(file);
    return out;
}
/// Into a new file, which then takes the place of the one before.
std::size_t write_bare(std::string const& folder, std::string const& bytes) {
    constexpr std::size_t at_once = std::size_t{256} << 10;
    auto const name = folder + "/fresh";
    auto const fd = ::open(name.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0) std::exit(1);
    for (std::size_t at = 0; at < bytes.size(); at += at_once) {
        auto const n = std::min(at_once, bytes.size() - at);
        if (::pwrite(fd, bytes.data() + at, n, static_cast<off_t>(at)) != static_cast<ssize_t>(n)) std::exit(1);
    }
    ::fsync(fd);
    ::close(fd);
    std::filesystem::rename(name, folder + "/last");
    return bytes.size();
}

/// A snapshot of everything, and a start from it, against writing its bytes.
void full(char const* name, std::size_t windows, bool with_goal) {
    bench::scratch_folder const scratch;
    log_t log{1};
    fill(log, windows);
    nothing sink;
    auto const folder = scratch.fresh("state");
    job_t running{in_folder(folder, 1), per_user, log, sink};
    running.poll();
    running.save_snapshot();
    auto const bytes = bytes_of(newest_state(folder));
    std::printf("info %s %zu bytes, %.1f per entry; %.0f per entry in tables\n", bench::named(name).c_str(),
        bytes.size(), static_cast<double>(bytes.size()) / entries,
        static_cast<double>(running.metrics().state_bytes) / static_cast<double>(entries));
    auto const apart = scratch.fresh("bare");
    auto const taken_up = scratch.fresh("taken up");
    std::filesystem::create_directory(apart);
    std::filesystem::copy(folder, taken_up);

    bench::contest<std::size_t> game{name, entries};
    auto const bare = game.add("bare write", [&] { return write_bare(apart, bytes); });
    auto const save = game.add("snapshot", [&] {
        running.save_snapshot();
        return std::filesystem::file_size(newest_state(folder));
    });
    auto const start = game.add("restore", [&] {
        job_t again{in_folder(taken_up, 1), per_user, log, sink};
        if (again.metrics().records != entries) std::exit(1);
        return bytes.size();
    });
    game.run({.seconds = bench::full() ? 20.0 : 5.0, .least_rounds = 5});
    auto const say = [&](std::string const& what, auto who, double goal) {
        if (with_goal) game.ratio(what, who, bare, {goal});
        else game.info(what, who, bare);
    };
    say(std::string{name} + "_write", save, 2.2);
    say(std::string{name} + "_restore", start, 2.6);
}

/// One window in a hundred has had a record since the snapshot before.
void incremental() {
    constexpr std::size_t windows = 100;
    bench::scratch_folder const scratch;
    nothing sink;
    struct side {
        log_t log{1};
        std::unique_ptr<job_t> running;
    };
    side sides[2];
    for (std::size_t i = 0; i < 2; ++i) {
        fill(sides[i].log, windows);
        auto const folder = scratch.fresh(i == 0 ? "full" : "incremental");
        auto const how = in_folder(folder, i == 0 ? 1 : 1'000'000);
        sides[i].running = std::make_unique<job_t>(how, per_user, sides[i].log, sink);
        sides[i].running->poll();
        sides[i].running->save_snapshot();
    }
    std::size_t round = 0;
    auto const save = [&](side& in) {
        in.log.append(sale_of(round++ % 1000, 37));
        in.running->poll();
        in.running->save_snapshot();
        return std::size_t{0};
    };
    bench::contest<std::size_t> game{"incremental", entries};
    auto const full = game.add("full", [&] { return save(sides[0]); });
    auto const part = game.add("1 % touched", [&] { return save(sides[1]); });
    game.run({.seconds = 3.0, .least_rounds = 5});
    game.ratio("snapshot_incremental", part, full, {0.1});
}

/// Updates between snapshots, the snapshots not counted: in a job that has to note what they touch, and in one that
/// takes none.
void tracking() {
    constexpr std::size_t records = 2'000'000;
    constexpr std::size_t between = 50'000;
    bench::scratch_folder const scratch;
    log_t log{1};
    log.append(bench::make_sales(records, 10'000, 1_ms, 5_s));
    nothing sink;
    constexpr auto pipe = dl::from<sale>()
        | dl::assign_time<&sale::at>(dl::bounded_disorder{5_s})
        | dl::key_by<&sale::user>()
        | dl::window(dl::tumbling{size_of_window})
        | dl::aggregate(dl::count(), dl::sum<&sale::cents>());
    using tracked_t = dl::job<dl::stream, std::remove_const_t<decltype(pipe)>, log_t&, nothing&>;
    // Laps: the updates, and what stands between them.
    bench::laps laps{2};
    auto const run = [&](std::string const& folder) {
        dl::stream how;
        if (!folder.empty()) how = in_folder(folder, 10);
        tracked_t running{how, pipe, log, sink};
        for (std::size_t read = 0; read < records; read += between) {
            laps.mark(1);
            running.poll(between);
            laps.mark(0);
            if (!folder.empty()) running.save_snapshot();
            else bench::keep(running.snapshot());
        }
        return running.metrics().stages[0].applied;
    };
    double sums[2] = {};
    std::vector<double> quotients;
    for (int round = 0; round < 15; ++round) {
        for (int i = 0; i < 2; ++i) {
            laps.start();
            auto const applied = run(i == 0 ? std::string{} : scratch.fresh("state"));
            if (applied != records) std::exit(1);
            sums[i] = laps.stop()[0];
        }
        quotients.push_back(sums[1] / sums[0]);
    }
    auto const value = bench::spread_of(quotients);
    std::printf("info %s %.2f ns/record, quartiles of the quotient %.3f to %.3f\n", bench::named("tracking").c_str(),
        sums[1] * 1e9 / records, value.low, value.high);
    std::printf("ratio %s %.3f goal 1.06\n", bench::named("snapshot_tracking").c_str(), value.median);
}
}  // namespace

int main() {
    bench::print_circumstances();
    full("snapshot", 100, true);
    full("snapshot_one_window", 1, false);
    incremental();
    tracking();
}
