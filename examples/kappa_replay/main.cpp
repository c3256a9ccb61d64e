// SPDX-License-Identifier: BSL-1.0
// examples/kappa_replay - version 1 of a report forgot the tax. Version 2 is replayed beside it from the log, compared,
// cut over, rolled back and cut over again, while records come in and four threads read: no answer is wrong, and none
// is of two versions. At the end the report is that of a batch run.
//   kappa_replay [--input FILE] [--records N] [--csv]   invoice lines of a file, or N made up; --csv prints the report
//   kappa_replay --watch                                 says on standard error how far it is
// args:
// expect: verdict: the report of version 2 is that of a batch run, and no answer was wrong or mixed
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv"
// expect: verdict: the report of version 2 is that of a batch run, and no answer was wrong or mixed
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/net_per_day_country.csv
#include "readers.hpp"
#include "report.hpp"

#include "../retail/read_lines.hpp"
#include "../support/kept_log.hpp"
#include "../support/options.hpp"
#include "../support/random.hpp"
#include "../support/watch.hpp"

#include <driftless/driftless.hpp>
#include <driftless/log/object_store.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/view/deployment.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

namespace {
namespace dl = driftless;
using namespace driftless::literals;
using namespace kappa;
using retail::line;

struct asked {
    std::string input;
    std::uint64_t records = 200'000;
    bool csv = false;
    bool watch = false;
};
asked parse(int argc, char** argv) {
    asked out;
    for (int i = 1; i < argc; ++i) {
        std::string const word = argv[i];
        if (word == "--csv") out.csv = true;
        else if (word == "--watch") out.watch = true;
        else if (word == "--input" && i + 1 < argc) out.input = argv[++i];
        else if (word == "--records" && i + 1 < argc)
            out.records = support::parse_count<std::uint64_t>(word, argv[++i], 1'000'000'000);
        else throw support::usage_error{
            "usage: kappa_replay [--input FILE] [--records N] [--csv] [--watch], not '" + word + "'"};
    }
    return out;
}

/// The lines as they come: a log owns its text.
using lines_t = dl::memory_log<line>;

/// Ninety days that are long past and fourteen of today: one line in thirty is a refund.
void make_up(std::uint64_t count, lines_t& into) {
    constexpr dl::text countries[] = {"United Kingdom", "EIRE", "France", "Germany", "Norway", "Spain"};
    auto const first = dl::event_time::from_ms(1'291'161'600'000);
    auto const step = dl::duration{(104_d).ns() / static_cast<std::int64_t>(count)};
    support::random random{2010};
    for (std::uint64_t i = 0; i < count; ++i) {
        line made{};
        made.seq = static_cast<std::int64_t>(i);
        made.country = countries[std::min(random.below(6), random.below(6))];
        made.quantity = (random.one_in(30) ? -1 : 1) * (1 + random.below(12));
        made.unit_price_pence = 50 + random.below(1000);
        made.ts = first + step * static_cast<std::int64_t>(i) + dl::duration{random.below((30_min).ns())};
        into.append(made);
    }
}
/// The log of the shop: what is older than two weeks (two days, of a file) lies in a cold folder.
using log_t = dl::tiered_log<retail::line_log>;
/// What time it is in the shop: that of its newest line.
std::atomic<std::int64_t> shop_time{0};
dl::event_time shop_clock() { return dl::event_time{shop_time.load()}; }

void append_nth(lines_t const& from, std::uint64_t n, log_t& into) {
    auto const block = from.read(0, n);
    auto const at = block[0].ts.ns();
    if (at > shop_time) shop_time = at;
    into.append(block[0]);
}

/// A line that nobody sold, some days later: it lets the last day close.
line the_end_of(lines_t const& lines) {
    line out{};
    out.country = "nowhere";
    dl::read_offsets(lines, 0, {}, [&](line const& each) { out.ts = std::max(out.ts, each.ts); });
    out.ts = out.ts + 2_d;
    return out;
}

/// Appends what comes in while the program runs.
class shop_door {
    log_t& log_;
    lines_t const& lines_;
    std::atomic<std::uint64_t> done_;
    std::atomic<std::uint64_t> may_;
    std::atomic<bool> closing_{false};
    std::thread thread_;

public:
    shop_door(log_t& log, lines_t const& lines, std::uint64_t from)
        : log_(log), lines_(lines), done_(from), may_(from), thread_([this] { work(); }) {}
    shop_door(shop_door const&) = delete;
    shop_door& operator=(shop_door const&) = delete;
    ~shop_door() {
        closing_ = true;
        thread_.join();
    }
    /// Lets so many more in, in a while.
    void open_for(std::uint64_t more) { may_ = std::min(may_ + more, lines_.end_offset()); }
    /// All that are left; comes back when they are in the log.
    void let_all_in() {
        may_ = lines_.end_offset();
        while (done_ < may_) std::this_thread::yield();
    }

private:
    void work() {
        while (!closing_) {
            for (int i = 0; i < 50 && done_ < may_; ++i) {
                append_nth(lines_, done_, log_);
                ++done_;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
    }
};

int run(asked const& what) {
    lines_t lines;
    if (what.input.empty()) make_up(what.records, lines);
    else retail::read_lines(what.input, lines);
    auto const truth = rows_of_batch(lines);

    support::temporary_folder const folder;
    dl::file_log_options how;
    how.segment_age = what.input.empty() ? 7_d : 1_d;
    how.clock = &shop_clock;
    how.background = false;  // a segment is as old as its lines, not as the time when another thread comes to them
    log_t log{folder.path() + "/log", dl::cold_folder{folder.path() + "/cold"},
        dl::tiering{.hot_age = what.input.empty() ? 14_d : 2_d}, how};
    // Nine tenths have been there for long; the last one comes while version 2 is replayed.
    auto const there = lines.end_offset() / 10 * 9;
    for (std::uint64_t i = 0; i < there; ++i) append_nth(lines, i, log);
    log.sync();
    log.move();

    std::ostream& say = what.csv ? std::cerr : std::cout;
    say << log.hot_offset() << " lines are cold, " << log.end_offset() - log.hot_offset() << " hot\n";
    if (log.hot_offset() == 0) {
        throw std::runtime_error{
            "nothing has become cold: the lines are too few, or all of the last days; try with more of them"};
    }
    dl::deployment_options options;
    options.rollback_window = 1_h;
    options.replay_chunk = 2'000;
    options.git_hash = "unknown";
    options.who = "kappa_replay";
    report_deployment report{folder.path() + "/report", options};
    report.define("forgets_the_tax", without_tax, log);
    report.define("with_tax", with_tax, log);
    report.validate_with(checks());
    report.start();

    support::watch status{what.watch};
    auto const look = [&] {
        status.tick([&] {
            auto const behind = std::to_string(report.lag()) + " records behind";
            auto const phase = std::string{to_string(report.phase())};
            return support::watch::words{{"report: " + phase, "  " + behind}, "report: " + phase + ", " + behind};
        });
    };
    auto const build = [&](std::string const& logic, dl::replay_from const& from = {}) {
        report.deploy(logic, from);
        auto const begun = std::chrono::steady_clock::now();
        auto const behind = report.lag();
        while (report.phase() == dl::deployment_phase::replaying) report.poll(), look();
        if (report.phase() != dl::deployment_phase::ready) throw std::runtime_error{report.outcome()};
        auto const took = std::chrono::steady_clock::now() - begun;
        say << logic << ": replayed " << behind << " records in "
            << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
        report.cut_over();
    };
    build("forgets_the_tax");

    readers four{report.view(), truth, 4};
    {
        shop_door door{log, lines, there};
        door.open_for((lines.end_offset() - there) / 2);
        build("with_tax");
        for (int i = 0; i < 50; ++i) report.poll(), look();
        report.roll_back("to see how fast that is");
        for (int i = 0; i < 50; ++i) report.poll(), look();
        build("with_tax", dl::replay_from::snapshot());  // version 2 was kept, with its state
        door.let_all_in();
    }
    log.append(the_end_of(lines));
    log.sync();
    while (report.poll() != 0) look();
    report.finish();
    four.stop();

    auto const current = report.view().read();
    auto const rows = rows_of(*current);
    for (auto const& each : report.audit().history()) say << each.str() << '\n';
    say << four.answers() << " answers, " << four.wrong() << " wrong, " << four.mixed() << " mixed, of "
        << four.versions() << " versions\n";
    if (what.csv) print_csv(rows);
    if (rows != truth.with_tax) {
        say << "verdict: the report differs from that of a batch run: " << rows.size() << " rows, "
            << truth.with_tax.size() << " expected\n";
        return 1;
    }
    if (four.wrong() + four.mixed() != 0 || four.answers() == 0 || four.versions() < 3) {
        say << "verdict: readers were given what they should not be given: " << four.example() << '\n';
        return 1;
    }
    say << "verdict: the report of version 2 is that of a batch run, and no answer was wrong or mixed\n";
    return 0;
}
}  // namespace

int main(int argc, char** argv) {
    try {
        return run(parse(argc, argv));
    } catch (support::usage_error const& problem) {
        std::cerr << "kappa_replay: " << problem.what() << '\n';
        return 2;
    } catch (std::exception const& problem) {
        std::cerr << "kappa_replay: " << problem.what() << '\n';
        return 1;
    }
}
