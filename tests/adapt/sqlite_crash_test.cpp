// SPDX-License-Identifier: BSL-1.0
// A job with a SQLite sink dies at every call that changes a file, and by SIGKILL; what it shows is what a job that
// never died would have shown.
#include <driftless/adapt/sqlite.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/triggered_session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>
#include <support/temporary_folder.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>

#include <csignal>
#include <sqlite3.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace driftless;
using namespace driftless::literals;

namespace sqlite_crash {
struct click {
    text who;
    std::int64_t cents;
    event_time at;
};
}  // namespace sqlite_crash
BOOST_HANA_ADAPT_STRUCT(sqlite_crash::click, who, cents, at);

namespace {
using sqlite_crash::click;
using row = pane<text, std::tuple<std::int64_t, std::int64_t>>;
constexpr std::int64_t records = 400;
constexpr std::size_t between_snapshots = 60;

/// Sessions that are told early and late, and merged: rows are written again and taken away.
auto clicks_per_session() {
    return from<click>() | assign_time<&click::at>(bounded_disorder{4_s}) | key_by<&click::who>()
        | window(session{3_s}, at_watermark().early(every(2)), allowed_lateness{20_s})
        | aggregate(count(), sum<&click::cents>());
}
void fill(memory_log<click>& log) {
    static char const* const names[] = {"ann", "bob", "o'neil", "dora \"d\"", "eve"};
    std::uint64_t dice = 7;
    for (std::int64_t i = 0; i < records; ++i) {
        dice = dice * 6364136223846793005U + 1442695040888963407U;
        auto const late = static_cast<std::int64_t>(dice >> 33U) % 9000;
        log.append(click{text{names[(dice >> 50U) % 5]}, i, event_time::from_ms(i * 400 - late)});
    }
}

/// Thousands of transactions: in memory, where there is a folder for that.
std::filesystem::path quick_folder() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

/// What outlives the process: the last snapshot.
struct manifest {
    std::uint64_t n = 0;
    std::uint64_t taken_by = 0;
    std::string state;
};

/// Runs the job from where the manifest says, with a snapshot behind each so many records.
template <class Mode, class Keep>
void live(std::string const& path, manifest const& start, std::uint64_t instance, Keep keep) {
    memory_log<click> log;
    fill(log);
    sqlite_sink<row, Mode> sink{path, {.table = "sessions", .buffer_bytes = 700}};
    sink.recover({"clicks", start.n, start.taken_by, instance});
    job running{stream{}, clicks_per_session(), log,
        to([&](auto const& each) { sink.write(each); },
            [&](text key, time_window window) { sink.remove(key, window); })};
    if (start.n != 0) running.restore(start.state);
    for (auto n = start.n + 1; running.poll(between_snapshots) != 0; ++n) {
        manifest now{n, instance, running.snapshot()};
        sink.prepare(n);
        keep(now);
        sink.commit(n);
    }
}
/// All of a table that is not the version, and what is noted for the job.
template <class Mode>
std::string shown(std::string const& path) {
    std::string out;
    read_sqlite<row, Mode>(path, {.table = "sessions"}, [&](row const& each, sqlite_row_id id) {
        if constexpr (std::is_same_v<Mode, sqlite_append>) {
            out += std::to_string(id.epoch) + '/' + std::to_string(id.index) + (id.removed ? " gone " : " ");
        }
        out += each.key.str() + ' ' + std::to_string(each.window.start.ms()) + ' '
            + std::to_string(each.window.end.ms()) + ' ' + std::to_string(std::get<0>(each.value)) + ' '
            + std::to_string(std::get<1>(each.value)) + '\n';
    });
    return out;
}
std::uint64_t committed(std::string const& path) {
    driftless::detail::sqlite_database in{path, true, 1_s};
    driftless::detail::sqlite_statement books{in, "SELECT max(committed) FROM driftless_sinks"};
    return books.step() ? books.number(0) : 0;
}

/// The system calls by which SQLite changes files: from the nth on none does anything any more.
struct disk {
    static inline std::uint64_t calls = 0;
    static inline std::uint64_t dies_at = 0;  // 0: never
    static inline int says = EIO;
    static inline ssize_t (*real_pwrite)(int, void const*, size_t, off_t) = nullptr;
    static inline ssize_t (*real_write)(int, void const*, size_t) = nullptr;
    static inline int (*real_ftruncate)(int, off_t) = nullptr;
    static inline int (*real_unlink)(char const*) = nullptr;

    static bool dead() {
        ++calls;
        if (dies_at == 0 || calls < dies_at) return false;
        errno = says;
        return true;
    }
    static ssize_t pwrite(int to, void const* bytes, size_t size, off_t at) {
        return dead() ? -1 : real_pwrite(to, bytes, size, at);
    }
    static ssize_t write(int to, void const* bytes, size_t size) { return dead() ? -1 : real_write(to, bytes, size); }
    static int ftruncate(int what, off_t size) { return dead() ? -1 : real_ftruncate(what, size); }
    static int unlink(char const* path) { return dead() ? -1 : real_unlink(path); }

    template <class F>
    static void replace(sqlite3_vfs* in, char const* name, F* with, F*& real) {
        auto const there = in->xGetSystemCall(in, name);
        if (there == nullptr) return;
        if (real == nullptr) real = reinterpret_cast<F*>(there);
        in->xSetSystemCall(in, name, reinterpret_cast<sqlite3_syscall_ptr>(with));
    }
    disk() {
        auto* const vfs = sqlite3_vfs_find(nullptr);
        replace(vfs, "pwrite", &pwrite, real_pwrite);
        replace(vfs, "pwrite64", &pwrite, real_pwrite);
        replace(vfs, "write", &write, real_write);
        replace(vfs, "ftruncate", &ftruncate, real_ftruncate);
        replace(vfs, "unlink", &unlink, real_unlink);
        calls = dies_at = 0;
    }
    disk(disk const&) = delete;
    disk& operator=(disk const&) = delete;
    ~disk() {
        auto* const vfs = sqlite3_vfs_find(nullptr);
        vfs->xSetSystemCall(vfs, nullptr, nullptr);
    }
};
}  // namespace

TEMPLATE_TEST_CASE("a job that dies at any write of its SQLite sink shows what one that never died does",
    "[adapt][sqlite][crash]", sqlite_upsert, sqlite_append) {
    test::temporary_folder const folder{quick_folder()};
    disk const faults;
    std::map<std::uint64_t, std::string> at_snapshot{{0, ""}};
    std::uint64_t last = 0;
    std::uint64_t all_calls = 0;
    {
        auto const path = folder.path() + "/whole.db";
        live<TestType>(path, {}, 1, [&](manifest const& now) { last = now.n; });
        all_calls = disk::calls;
        // Once more, with a look at each snapshot.
        auto const looked = folder.path() + "/looked.db";
        live<TestType>(looked, {}, 1, [&](manifest const& now) { at_snapshot[now.n - 1] = shown<TestType>(looked); });
        at_snapshot[last] = shown<TestType>(looked);
        CHECK(shown<TestType>(path) == at_snapshot[last]);
    }
    REQUIRE(last == (records + between_snapshots - 1) / between_snapshots);
    REQUIRE(all_calls > 100);
    std::uint64_t const step = quick_folder() == "/dev/shm" ? 1 : 7;
    std::uint64_t crashes = 0;
    for (std::uint64_t nth = 1; nth <= all_calls; nth += step) {
        auto const path = folder.path() + "/" + std::to_string(nth) + ".db";
        manifest kept;
        std::uint64_t instance = 0;
        // It dies at the nth call, then, restarted, at the 9th, and then lives.
        for (std::uint64_t const dies_at : {nth, std::uint64_t{9}, std::uint64_t{0}}) {
            disk::calls = 0;
            disk::dies_at = dies_at;
            disk::says = nth % 2 == 0 ? EIO : ENOSPC;
            bool died = false;
            try {
                live<TestType>(path, kept, ++instance, [&](manifest const& now) { kept = now; });
            } catch (error const& problem) {
                died = true;
                CHECK(problem.path() == path);
            }
            disk::dies_at = 0;
            crashes += died ? 1 : 0;
            INFO("call " << nth << ", dies at " << dies_at << ", snapshot " << kept.n);
            if (!died) continue;
            std::uint64_t there = 0;
            try {
                there = committed(path);
            } catch (error const&) {
                continue;  // it died before there was a table
            }
            CHECK((there == kept.n || there + 1 == kept.n));
            CHECK(shown<TestType>(path) == at_snapshot[there]);
        }
        INFO("call " << nth);
        CHECK(kept.n == last);
        CHECK(committed(path) == last);
        CHECK(shown<TestType>(path) == at_snapshot[last]);
        std::filesystem::remove(path);
    }
    CHECK(crashes > all_calls / step);
}

namespace {
int const kills = test::slow() ? 150 : 8;
constexpr std::string_view kept_in = "manifest";

manifest read_manifest(std::string const& folder) {
    auto const bytes = read_whole_file(folder + "/" + std::string{kept_in});
    if (!bytes) return {};
    manifest out;
    std::memcpy(&out.n, bytes->data(), 8);
    std::memcpy(&out.taken_by, bytes->data() + 8, 8);
    out.state = bytes->substr(16);
    return out;
}
void write_manifest(std::string const& folder, manifest const& now) {
    std::string bytes(16, '\0');
    std::memcpy(bytes.data(), &now.n, 8);
    std::memcpy(bytes.data() + 8, &now.taken_by, 8);
    write_whole_file(folder, std::string{kept_in}, bytes += now.state);
}
}  // namespace

TEST_CASE("a job with a SQLite sink that is killed again and again shows what one that never was does",
    "[adapt][sqlite][crash]") {
    test::temporary_folder const folder;
    auto const whole = folder.path() + "/whole.db";
    live<sqlite_upsert>(whole, {}, 1, [](manifest const&) {});
    auto const expected = shown<sqlite_upsert>(whole);

    int killed = 0;
    for (int round = 0; killed < kills; ++round) {
        REQUIRE(round < 4 * kills);
        auto const home = folder.path() + "/" + std::to_string(round);
        std::filesystem::create_directory(home);
        auto const path = home + "/out.db";
        for (std::uint64_t instance = 1;; ++instance) {
            auto const child = ::fork();
            REQUIRE(child >= 0);
            if (child == 0) {
                try {
                    live<sqlite_upsert>(path, read_manifest(home), instance,
                        [&](manifest const& now) { write_manifest(home, now); });
                } catch (...) {
                    ::_exit(1);
                }
                ::_exit(0);
            }
            if (instance <= 4) {
                auto const lives = 500 + 1700 * (round * 5 % 13) * static_cast<int>(instance);
                std::this_thread::sleep_for(std::chrono::microseconds{lives});
                REQUIRE(::kill(child, SIGKILL) == 0);
            }
            int status = 0;
            REQUIRE(::waitpid(child, &status, 0) == child);
            if (!WIFSIGNALED(status)) {
                REQUIRE(WIFEXITED(status));
                CHECK(WEXITSTATUS(status) == 0);
                break;
            }
            ++killed;
        }
        INFO("round " << round);
        CHECK(shown<sqlite_upsert>(path) == expected);
        CHECK(committed(path) == read_manifest(home).n);
    }
}
