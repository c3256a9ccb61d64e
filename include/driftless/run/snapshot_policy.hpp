// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_SNAPSHOT_POLICY_HPP
#define DRIFTLESS_RUN_SNAPSHOT_POLICY_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/snapshot_options.hpp>
#include <driftless/run/snapshot_store.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace driftless::inline v0 {

/// What is known of a job: measured (measure_snapshots), or estimated.
struct snapshot_measures {
    std::uint64_t state_bytes = 0;  ///< of a full snapshot
    duration save{};                ///< how long one takes: the job reads nothing meanwhile
    duration restore{};             ///< how long a start from one takes, up to the first record
    double arriving = 0;            ///< records per second that the inputs grow by, when it matters
    double replayed = 0;            ///< records per second that the job reads while it catches up
    double changed = 1;             ///< the part of the state that changes within a second: 0.01 is 1 %; 1 or more: all
};

/// What a snapshot_policy comes to: the options, and what to expect of them.
struct snapshot_plan {
    snapshot_options options;    ///< every, keep and full_every are set
    duration restore;            ///< a start from the newest snapshot
    duration replay;             ///< then, at worst, until the end of the inputs is reached
    std::uint64_t replay_records = 0;
    std::uint64_t storage = 0;   ///< bytes in the folder, at most
    duration pause;              ///< how long a full snapshot stops the job
    double share = 0;            ///< of its time that the job spends on snapshots, on average

    [[nodiscard]] duration recovery() const noexcept { return restore + replay; }
    /// Three lines, for people.
    [[nodiscard]] std::string str() const {
        auto const text = [](duration d) { return detail::plan_text(rounded(d)); };
        // NOLINTNEXTLINE(bugprone-incorrect-roundings): it is not negative
        auto const per_mille = static_cast<std::uint64_t>(share * 1000 + 0.5);
        return detail::sentence({"a snapshot every ", text(options.every), ", one in ",
            std::uint64_t{options.full_every},
            " full, ", std::uint64_t{options.keep}, " kept: ", storage, " bytes at most\n", "restore ", text(restore),
            ", replay ", text(replay), " (", replay_records, " records at most): recovery within ", text(recovery()),
            "\n", "a full snapshot stops the job for ", text(pause), ", snapshots take ", per_mille / 10, ".",
            per_mille % 10, " % of its time\n"});
    }

private:
    /// To milliseconds, or microseconds where there are few: nobody reads more.
    static duration rounded(duration d) noexcept {
        std::int64_t const unit = d.ns() >= 100'000'000 ? 1'000'000 : 1'000;
        return duration{(d.ns() + unit / 2) / unit * unit};
    }
};

/// How a job is to keep its snapshots, from how soon it must be back and how much room there is.
///
/// Time        After a crash at the worst moment a job has lost what it read since the last complete snapshot: `every`,
///             and the time that the next one was taking. It restores, then reads that, and what has arrived meanwhile,
///             at `replayed` records per second. `every` is the longest that keeps all of this within `recovery`.
/// State       Incremental snapshots lie in the folder until the full one before them is not needed: `full_every` is
///             the largest, up to 100, that `storage` has room for, with one snapshot that is being written. Two are
///             kept, so that a damaged one costs an older start; one only where two do not fit.
/// Errors      invalid_argument says what would be possible: `recovery` that no interval reaches, `storage` that a full
///             snapshot and the one after it do not fit into, inputs that grow as fast as the job reads.
/// Complexity  Arithmetic.
/// Example     docs/snapshots.md
struct snapshot_policy {
    duration recovery{};        ///< from a start until the end of the inputs is reached, at most
    std::uint64_t storage = 0;  ///< bytes for the folder, at most; 0: any
    double most_share = 0.2;    ///< of its time that the job may spend on snapshots

    [[nodiscard]] snapshot_plan plan(snapshot_measures const& of) const {
        if (of.replayed <= of.arriving) {
            refuse(
                "a job that reads no faster than its inputs grow never catches up: `replayed` must be more than "
                "`arriving`");
        }
        if (most_share <= 0 || most_share >= 1) refuse("most_share is between 0 and 1");
        auto const save = seconds(of.save);
        auto const restore = seconds(of.restore);
        auto const lead = of.arriving / (of.replayed - of.arriving);  // seconds of replay for a second of input
        // restore + lead * (every + save + restore) <= recovery
        auto const longest = lead > 0 ? (seconds(recovery) - restore) / lead - save - restore : a_day;
        auto const shortest = save * (1 - most_share) / most_share + 0.001;
        if (seconds(recovery) < restore || longest < shortest) {
            auto const best = at_least(restore + lead * (shortest + save + restore)).ns() / 1'000'000 + 1;
            // NOLINTNEXTLINE(bugprone-incorrect-roundings): it is not negative
            auto const percent = static_cast<std::uint64_t>(most_share * 100 + 0.5);
            refuse(detail::sentence({"no interval between snapshots reaches this recovery time: restoring takes ",
                detail::plan_text(of.restore), ", and with ", percent,
                " % of the time for snapshots the job is back within ", best, "ms at best"}));
        }
        auto const every = longest < a_day ? longest : a_day;

        snapshot_plan out;
        out.options.every = at_most(every);
        out.restore = of.restore;
        out.pause = of.save;
        auto const lost = every + save + restore;
        out.replay = at_most(lead * lost);
        out.replay_records = static_cast<std::uint64_t>(of.arriving * (lost + lead * lost));
        choose_files(of, every, out);
        auto const n = static_cast<double>(out.options.full_every);
        auto const part = part_of(of, every);
        auto const mean = save * (1 + (n - 1) * part) / n;
        out.share = mean / (every + mean);
        return out;
    }

private:
    static constexpr double a_day = 86'400;
    static constexpr std::size_t most_in_a_row = 100;

    [[noreturn]] static void refuse(std::string const& why) {
        throw error{error_code::invalid_argument, "snapshot_policy: " + why};
    }
    static double seconds(duration d) noexcept { return static_cast<double>(d.ns()) / 1e9; }
    /// To whole nanoseconds, down or up.
    static duration at_most(double seconds) noexcept { return duration{static_cast<std::int64_t>(seconds * 1e9)}; }
    static duration at_least(double seconds) noexcept { return at_most(seconds) + duration{1}; }
    /// Of a full snapshot that an incremental one writes.
    static double part_of(snapshot_measures const& of, double every) noexcept {
        auto const part = of.changed * every;
        return part < 1 ? part : 1;
    }
    /// The files that the `keep` newest need, and a full one that is being written.
    ///
    /// The oldest that is kept needs a full one and up to full_every - 1 that came behind it; the others have a file
    /// each, of which one in full_every is full.
    static double bytes_for(double full, double part, std::size_t keep, std::size_t full_every) noexcept {
        auto const younger = keep - 1;
        auto const fulls = (younger + full_every - 1) / full_every;
        auto const parts = full_every - 1 + (younger - fulls);
        return full * static_cast<double>(2 + fulls) + full * part * static_cast<double>(parts);
    }
    void choose_files(snapshot_measures const& of, double every, snapshot_plan& out) const {
        auto const full = static_cast<double>(of.state_bytes);
        auto const part = part_of(of, every);
        auto const fits = [&](std::size_t keep, std::size_t n) {
            return storage == 0 || bytes_for(full, part, keep, n) <= static_cast<double>(storage);
        };
        out.options.keep = fits(2, 1) ? 2 : 1;
        if (!fits(out.options.keep, 1)) {
            refuse(detail::sentence({"a full snapshot has ", of.state_bytes,
                " bytes, and two must fit into `storage`: one is kept while the next is written"}));
        }
        // Where most of the state changes an incremental one saves little, and a full one frees those before it.
        std::size_t n = 1;
        while (part <= 0.5 && n < most_in_a_row && fits(out.options.keep, n + 1)) ++n;
        out.options.full_every = n;
        out.storage = static_cast<std::uint64_t>(bytes_for(full, part, out.options.keep, n) + 0.999);
    }
};

/// Measures a job over inputs that hold something: reads what is there, takes a snapshot, starts again from it.
///
/// make        Makes the job anew: [&] { return job{stream{.snapshots = folder, ...}, pipeline, log}; }
/// returns     All but `arriving` and `changed`, which only the world knows.
/// Errors      Those of the job; invalid_argument where there is nothing to read.
template <class Make>
[[nodiscard]] snapshot_measures measure_snapshots(
    std::string const& folder, Make const& make, file_system& files = real_files(), event_time (*clock)() = nullptr) {
    auto const now = [&] { return clock != nullptr ? clock() : detail::system_time(); };
    snapshot_measures out;
    {
        auto running = make();
        auto const start = now();
        auto const records = running.poll();
        auto const read = now();
        running.save_snapshot();
        out.save = now() - read;
        if (records == 0 || read <= start) {
            throw error{error_code::invalid_argument, "measure_snapshots needs inputs that hold records not read yet"};
        }
        out.replayed = static_cast<double>(records) * 1e9 / static_cast<double>((read - start).ns());
    }
    snapshot_store const store{folder, files};
    for (auto const& member : store.read(store.numbers().back()).members) {
        for (auto const& each : member.extents) out.state_bytes += each.size;
    }
    auto const start = now();
    auto const again = make();
    out.restore = now() - start;
    return out;
}
}  // namespace driftless::inline v0
#endif
