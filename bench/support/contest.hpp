// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_CONTEST_HPP
#define DRIFTLESS_BENCH_SUPPORT_CONTEST_HPP

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#ifndef DRIFTLESS_BENCH_SUFFIX
#define DRIFTLESS_BENCH_SUFFIX "unknown"
#endif

// How benchmarks here measure: floor and candidates do the same work on the same input, one after the other
// in every round, and what counts is the median over rounds of the quotient within a round. A neighbour on
// the machine then slows both sides of a quotient, and a round in which it hit only one side is an outlier.
// That works for runs of a few milliseconds. Longer ones would all be hit, so they are timed in laps: the
// time of a run is the sum over laps of the median over rounds, and the quotient is that of the sums.

namespace bench {

/// NAME_gcc_O2 and the like: what a result line is called in this program.
inline std::string named(std::string_view name) { return std::string{name} + "_" DRIFTLESS_BENCH_SUFFIX; }

/// The whole matrix was asked for: ./dev bench NAME --full.
inline bool full() {
    char const* const set = std::getenv("DRIFTLESS_BENCH_FULL");
    return set != nullptr && *set != '\0' && std::string_view{set} != "0";
}

/// CPU time of this thread. Everything measured here runs in one thread, and the time that other programs
/// take away from it is not its own.
inline double cpu_seconds() {
    std::timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The value is used, for all the compiler knows.
template <class T>
void keep(T const& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

/// The middle of a sample, and the quartiles around it.
struct spread {
    double median = 0;
    double low = 0;
    double high = 0;
};
inline spread spread_of(std::vector<double> sample) {
    std::sort(sample.begin(), sample.end());
    auto const at = [&](double part) {
        double const place = part * static_cast<double>(sample.size() - 1);
        auto const left = static_cast<std::size_t>(place);
        auto const right = std::min(left + 1, sample.size() - 1);
        return sample[left] + (place - static_cast<double>(left)) * (sample[right] - sample[left]);
    };
    return {at(0.5), at(0.25), at(0.75)};
}

/// At most `maximum`; at_least(x) turns it round.
struct goal {
    double bound;
    bool at_least = false;
};

/// Splits a run into laps. Who runs calls mark(k) where everybody else does: what went before, since the mark
/// before, belongs to lap k; what comes after the last mark, to the last lap.
class laps {
    std::vector<double> seconds_;
    double last_ = 0;

public:
    explicit laps(std::size_t count) : seconds_(count) {}
    void mark(std::size_t lap) {
        auto const now = cpu_seconds();
        seconds_[std::min(lap, seconds_.size() - 1)] += now - last_;
        last_ = now;
    }
    void start() {
        std::fill(seconds_.begin(), seconds_.end(), 0.0);
        last_ = cpu_seconds();
    }
    std::vector<double> const& stop() {
        mark(seconds_.size() - 1);
        return seconds_;
    }
    [[nodiscard]] std::size_t size() const { return seconds_.size(); }
};

/// Contestants that do the same work, measured side by side.
///
/// Before anything is timed everybody answers once, and all answers must be equal; if not, the program ends with a
/// message. Rounds go on for about `seconds`, at least `least_rounds` and at most `most_rounds`; the order within a
/// round rotates, so that nobody always inherits the same cache. Input that is to come from memory is cut into
/// slices, one for each run: short runs make many rounds, and a slice has left the cache when its turn comes again.
template <std::equality_comparable Answer>
class contest {
    struct contestant {
        std::string name;
        std::function<Answer(std::size_t)> run;
        std::vector<std::vector<double>> seconds;  // of each lap, in each round
        bool must_agree;
    };
    std::string name_;
    double records_;
    std::size_t slices_;
    laps* laps_;
    laps whole_{1};
    std::vector<contestant> all_;
    std::size_t rounds_ = 0;

public:
    using handle = std::size_t;
    struct pace {
        double seconds = 2;
        std::size_t least_rounds = 7;
        std::size_t most_rounds = 501;
    };

    /// records    how many one run processes, for ns/record
    /// slices     a run is given a number below this
    /// in         the laps that contestants mark, if runs are long
    contest(std::string name, std::size_t records, std::size_t slices = 1, laps* in = nullptr)
        : name_(std::move(name)),
          records_(static_cast<double>(records)),
          slices_(slices),
          laps_(in != nullptr ? in : &whole_) {}
    contest(contest const&) = delete;
    contest& operator=(contest const&) = delete;

    template <class F>
    handle add(std::string name, F run) {
        if constexpr (std::invocable<F&, std::size_t>) {
            all_.push_back({std::move(name), std::move(run), {}, true});
        } else {
            all_.push_back({std::move(name), [run](std::size_t) { return run(); }, {}, true});
        }
        return all_.size() - 1;
    }
    /// One that does less work: it is measured, its answer is not compared.
    template <class F>
    handle add_unequal(std::string name, F run) {
        auto const made = add(std::move(name), std::move(run));
        all_[made].must_agree = false;
        return made;
    }

    void run() { run(pace{}); }
    void run(pace how) {
        check();
        double one_round = 0;
        for (auto& each : all_) one_round += timed(each, 0);
        rounds_ = std::clamp(static_cast<std::size_t>(how.seconds / one_round), how.least_rounds, how.most_rounds);
        for (auto& each : all_) each.seconds.resize(laps_->size());
        for (std::size_t round = 0, slice = 0; round < rounds_; ++round) {
            for (std::size_t i = 0; i < all_.size(); ++i, ++slice) {
                auto& each = all_[(i + round) % all_.size()];
                timed(each, slice % slices_);
                auto const& seconds = laps_->stop();
                for (std::size_t lap = 0; lap < seconds.size(); ++lap) each.seconds[lap].push_back(seconds[lap]);
            }
        }
        for (auto const& each : all_) {
            auto const time = time_of(each);
            double const unit = 1e9 / records_;
            std::printf("info %s %s %.3f ns/record, quartiles %.3f to %.3f, %zu rounds\n", named(name_).c_str(),
                each.name.c_str(), time.median * unit, time.low * unit, time.high * unit, rounds_);
        }
        std::fflush(stdout);
    }

private:
    static spread time_of(contestant const& who) {
        spread sum;
        for (auto const& lap : who.seconds) {
            auto const one = spread_of(lap);
            sum.median += one.median;
            sum.low += one.low;
            sum.high += one.high;
        }
        return sum;
    }
    void check() const {
        for (std::size_t slice = 0; slice < slices_; ++slice) {
            Answer const expected = all_[0].run(slice);
            for (auto const& each : all_) {
                if (!each.must_agree || each.run(slice) == expected) continue;
                std::fprintf(stderr, "bench: %s: %s and %s do not agree\n", name_.c_str(), each.name.c_str(),
                    all_[0].name.c_str());
                std::exit(1);
            }
        }
    }
    double timed(contestant const& who, std::size_t slice) {
        auto const before = cpu_seconds();
        laps_->start();
        keep(who.run(slice));
        return cpu_seconds() - before;
    }

public:
    /// The quotient of two contestants.
    [[nodiscard]] spread quotient(handle candidate, handle floor) const {
        auto const& above = all_[candidate].seconds;
        auto const& below = all_[floor].seconds;
        if (laps_->size() > 1) {
            auto const a = time_of(all_[candidate]);
            auto const b = time_of(all_[floor]);
            return {a.median / b.median, a.low / b.low, a.high / b.high};
        }
        std::vector<double> sample;
        for (std::size_t i = 0; i < rounds_; ++i) sample.push_back(above[0][i] / below[0][i]);
        return spread_of(std::move(sample));
    }
    /// Of several floors, the one with the best median.
    [[nodiscard]] handle best(std::vector<handle> const& floors) const {
        return *std::min_element(floors.begin(), floors.end(),
            [&](handle a, handle b) { return time_of(all_[a]).median < time_of(all_[b]).median; });
    }
    [[nodiscard]] std::string const& name_of(handle who) const { return all_[who].name; }

    /// Prints `ratio NAME VALUE goal GOAL`.
    void ratio(std::string_view name, handle candidate, handle floor, goal aim) const {
        auto const value = quotient(candidate, floor);
        std::printf("info %s quartiles %.3f to %.3f of %s / %s\n", named(name).c_str(), value.low, value.high,
            all_[candidate].name.c_str(), all_[floor].name.c_str());
        std::printf("ratio %s %.3f goal %s%.2f\n", named(name).c_str(), value.median, aim.at_least ? ">= " : "",
            aim.bound);
        std::fflush(stdout);
    }
    /// Prints `info NAME VALUE`: worth knowing, no goal.
    void info(std::string_view name, handle candidate, handle floor) const {
        auto const value = quotient(candidate, floor);
        std::printf("info %s %.3f, quartiles %.3f to %.3f of %s / %s\n", named(name).c_str(), value.median, value.low,
            value.high, all_[candidate].name.c_str(), all_[floor].name.c_str());
        std::fflush(stdout);
    }
};

/// A peer that is not installed.
inline void skipped(std::string_view name, std::string_view why) {
    std::printf("skipped %s %.*s\n", named(name).c_str(), static_cast<int>(why.size()), why.data());
}

/// Machine, compiler and flags, once per program.
inline void print_circumstances() {
    std::string cpu = "unknown processor";
    if (auto* const file = std::fopen("/proc/cpuinfo", "r")) {
        char line[512];
        while (std::fgets(line, sizeof line, file) != nullptr) {
            std::string_view const text{line};
            if (!text.starts_with("model name")) continue;
            auto const from = text.find(": ");
            if (from != text.npos) cpu = std::string{text.substr(from + 2, text.find('\n') - from - 2)};
            break;
        }
        std::fclose(file);
    }
#if defined(__clang__)
    char const* const compiler = "Clang " __clang_version__;
#else
    char const* const compiler = "GCC " __VERSION__;
#endif
    std::printf("info %s on %s, built by %s, CPU time of one thread\n", DRIFTLESS_BENCH_SUFFIX, cpu.c_str(), compiler);
}
}  // namespace bench
#endif
