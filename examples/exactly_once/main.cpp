// SPDX-License-Identifier: BSL-1.0
// examples/exactly_once - kill it whenever you like and start it again: what it has committed is what one run would
// have, and it checks that itself. `exactly_once --help` says the rest.
// with: sqlite
// args:
// expect: the committed output is that of a batch run over the log
#include "command_line.hpp"
#include "feeder.hpp"
#include "made_up.hpp"
#include "outputs.hpp"
#include "payments.hpp"
#include "run_job.hpp"

#include "../support/kept_log.hpp"
#include "../support/output.hpp"
#include "../support/random.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {
namespace dl = driftless;
using namespace payments;

output const& output_for(asked const& to) {
    if (!to.to_sqlite()) return as_csv_files;
#ifdef DRIFTLESS_WITH_SQLITE
    return as_sqlite_tables;
#else
    throw support::usage_error{
        "--out " + to.out + ": this program was built without SQLite (Debian package libsqlite3-dev): name a folder"};
#endif
}
void make_folders(std::string const& path) {
    std::error_code problem;
    std::filesystem::create_directories(path, problem);
    if (problem) throw dl::error{dl::error_code::io, "cannot make a folder: " + problem.message(), path};
}

/// Where two lists of lines part; empty if they do not.
std::string difference(char const* name, std::vector<std::string> committed, std::vector<std::string> batch) {
    std::sort(committed.begin(), committed.end());
    std::sort(batch.begin(), batch.end());
    auto const [a, b] = std::mismatch(committed.begin(), committed.end(), batch.begin(), batch.end());
    if (a == committed.end() && b == batch.end()) return {};
    auto const shown = [](auto at, auto const& of) { return at == of.end() ? std::string{"(no more rows)"} : *at; };
    return std::string{name} + ", sorted, part at row " + std::to_string(a - committed.begin() + 1) + "\n  committed  "
        + shown(a, committed) + "\n  batch      " + shown(b, batch) + '\n';
}

/// What has been committed against a batch run over the log, and both against what the log holds.
bool verdict(payment_log const& log, output const& at, std::string const& out) {
    auto const committed = at.read(out);
    result batch;
    dl::run(dl::batch{}, totals_per_minute, log, dl::bind("late"_name, dl::to([&](auto const& row) {
        batch.add_late(row.value);
    })),
        dl::to([&](auto const& row) { batch.add_total(row); }));

    producers const in_log{log};  // throws where one is there twice
    std::int64_t amount = 0;
    for (auto offset = log.begin_offset(), end = log.end_offset(); offset < end;) {
        auto const block = log.read(0, offset);
        for (std::size_t i = 0; i < block.size(); ++i) amount += block[i].amount;
        offset += block.size();
    }
    auto const payments = static_cast<std::int64_t>(log.end_offset() - log.begin_offset());
    support::print("log: " + std::to_string(payments) + " payments of " + std::to_string(in_log.count())
        + " producers, each once, " + std::to_string(amount) + " in all\nout: " + std::to_string(committed.payments)
        + " payments, " + std::to_string(committed.amount) + " in all; " + std::to_string(committed.totals.size())
        + " totals, " + std::to_string(committed.late.size()) + " late payments\n");

    auto problems =
        difference("totals", committed.totals, batch.totals) + difference("late", committed.late, batch.late);
    if (committed.payments != payments || committed.amount != amount) {
        problems += "the books of log and output differ\n";
    }
    if (problems.empty()) {
        support::print("the committed output is that of a batch run over the log\n");
        return true;
    }
    std::cerr << "exactly_once: the committed output is not that of a batch run over the log (do --state and --out "
                 "belong together?): "
              << problems;
    return false;
}

/// One that was just killed may hold it for a moment.
std::unique_ptr<payment_log> open_log(std::string const& path) {
    for (int tries = 0;; ++tries) {
        try {
            return std::make_unique<payment_log>(path, dl::file_log_options{.durable = dl::every(20_ms)});
        } catch (dl::error const& problem) {
            if (problem.code() != dl::error_code::in_use || tries == 40) throw;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
}

int work(asked const& to) {
    auto const& at = output_for(to);
    make_folders(to.state);
    // The first thing: of two programs over one state the second goes no further.
    auto const opened = open_log(to.state + "/log");
    auto& log = *opened;
    if (!to.to_sqlite()) make_folders(to.out);

    std::atomic<bool> stop{false};
    feeder feed{to.input, to.rate, to.die_after, log, stop};
    auto const snapshots = to.state + "/snapshots";
    dl::snapshot_store const kept{snapshots, dl::real_files()};
    if (auto const all = kept.numbers(); !all.empty() && kept.read(all.back()).ended) {
        // A job that has told what is open at the end cannot go on behind it.
        if (auto const more = feed.count_new(); more != 0) {
            throw dl::error{dl::error_code::stopped,
                "the job has read its input to the end and is done, and there are " + std::to_string(more)
                    + " more payments now: give these a --state and an --out of their own",
                to.state};
        }
    }
    if (!at.run(log, snapshots, feed, stop, to.out)) {
        std::cerr << stopped;
        return 3;
    }
    if (feed.left_out != 0) support::print(std::to_string(feed.left_out) + " lines were in the log before\n");
    return verdict(log, at, to.out) ? 0 : 1;
}

/// The program against itself: child processes that are killed, and one that is not.
template <class Child>
int kill_and_restart(Child child) {
    support::random random{11};
    constexpr int kills = 5;
    for (int i = 0;; ++i) {
        auto const process = ::fork();
        if (process < 0) throw dl::error{dl::error_code::io, "cannot start a process"};
        if (process == 0) {
            auto const status = child();
            std::fflush(stdout);
            ::_exit(status);
        }
        if (i < kills) {
            ::usleep(150'000 + random.below(500'000U));
            ::kill(process, SIGKILL);
        }
        int status = 0;
        ::waitpid(process, &status, 0);
        if (WIFEXITED(status)) return WEXITSTATUS(status);
        support::print("killed, and started again\n");
    }
}
int demonstrate(asked to) {
    support::temporary_folder const folder;
    to.input = folder.path() + "/payments.csv";
    to.state = folder.path() + "/state";
    to.out = folder.path() + "/out";
    if (to.rate == 0) to.rate = 10'000;
    make_payments(to.input, 20'000, to.seed);
    return kill_and_restart([&] {
        try {
            return work(to);
        } catch (std::exception const& problem) {
            std::cerr << "exactly_once: " << plain(problem.what()) << '\n';
            return 1;
        }
    });
}
}  // namespace

int main(int argc, char** argv) {
    auto const complain = [&](std::string_view sentence, int status) {
        std::cerr << "exactly_once: " << plain(sentence) << '\n';
        return status;
    };
    try {
        auto const to = parse(argc, argv);
        if (to.help) {
            support::print(std::string{usage});
            return 0;
        }
        for (int const signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = true; });
        watched = to.watch;
        if (to.generate != 0) {
            make_payments(to.input, to.generate, to.seed);
            return 0;
        }
        return to.demo() ? demonstrate(to) : work(to);
    } catch (support::usage_error const& problem) {
        return complain(problem.what() + std::string{"; see --help"}, 2);
    } catch (std::exception const& problem) {
        return complain(problem.what(), 1);
    }
}
