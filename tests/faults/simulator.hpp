// SPDX-License-Identifier: BSL-1.0
// Crashes a world at its steps and compares what it has committed in the end with one that never crashed. A step is one
// record pushed or one call of the file layer. Everything is seeded; docs/faults.md says how to play one crash again.
//
// A world is
//   memory_files files;                        what outlives a process
//   void live(lifeline&);                      a process: goes on where `files` stand, to the end; tells each record
//   std::vector<std::string> shown();          what readers see of its outputs: "OUTPUT ROW", in order
#ifndef DRIFTLESS_TESTS_FAULTS_SIMULATOR_HPP
#define DRIFTLESS_TESTS_FAULTS_SIMULATOR_HPP

#include <driftless/core/error.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faults {
using namespace driftless;
using testing::fault;
using testing::memory_files;

/// Thrown by a process that dies between two records.
struct died {};

/// Counts the records that a process pushes, and ends it behind one of them.
class lifeline {
    std::uint64_t pushed_ = 0;
    std::uint64_t dies_at_ = 0;  // 0: it lives on

public:
    explicit lifeline(std::uint64_t dies_at = 0) : dies_at_(dies_at) {}
    /// So many records may be pushed before somebody asks again.
    [[nodiscard]] std::size_t room(std::size_t wanted) const {
        auto const left = dies_at_ == 0 ? wanted : static_cast<std::size_t>(dies_at_ - pushed_);
        return std::min(wanted, left);
    }
    void pushed(std::size_t records) {
        pushed_ += records;
        if (records != 0 && pushed_ == dies_at_) throw died{};
    }
    [[nodiscard]] std::uint64_t records() const noexcept { return pushed_; }
};

/// How a process ends at a step.
enum class death : std::uint8_t {
    killed_in,      ///< in the middle of the call: a write has written half. Behind the record
    killed_behind,  ///< the call is done
    power_in,       ///< the same, with a loss of power: of what was not synced the seed decides what stays
    power_behind,
    failed,  ///< the call fails, what comes after it works: the job ends with an error
};
inline char const* to_string(death how) {
    constexpr char const* names[] = {
        "killed in it", "killed behind it", "loss of power in it", "loss of power behind it", "it fails"};
    return names[static_cast<std::size_t>(how)];
}

struct step {
    char const* kind;   // "record", or what the call says when it fails
    std::uint64_t nth;  // record, or call
    [[nodiscard]] bool is_record() const { return std::string_view{kind} == "record"; }
};

struct plan {
    std::string name;          ///< of the world, for DRIFTLESS_FAULT
    std::size_t crashes = 0;   ///< so many, spread evenly by kind of step; 0: every step, in every way
    bool power = true;         ///< a loss of power may take decisions back that nobody has seen: not for such worlds
    std::uint64_t seed = 1;
};
inline bool thinned() { return !test::slow(); }
/// Every step in the slow suite, so many in the ordinary one.
inline plan every_step(std::string name, std::size_t when_thinned, bool power = true) {
    return {std::move(name), thinned() ? when_thinned : 0, power};
}
/// For whole data sets.
inline plan at_500_steps(std::string name) { return {std::move(name), 500}; }

/// xorshift* (Vigna 2014)
inline std::uint64_t mixed(std::uint64_t seed, std::uint64_t with) {
    seed = (seed + 1) * 0x9e3779b97f4a7c15 ^ (with + 1) * 0xbf58476d1ce4e5b9;
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 0x2545f4914f6cdd1d;
}

template <class MakeWorld>
class simulation {
    using rows = std::vector<std::string>;

    plan plan_;
    MakeWorld make_;
    rows expected_;
    std::vector<step> steps_;
    std::uint64_t records_ = 0;
    std::uint64_t calls_ = 0;
    std::uint64_t crashes_ = 0;

public:
    simulation(plan how, MakeWorld make) : plan_(std::move(how)), make_(std::move(make)) {}

    /// The uninterrupted run first, then each crash. Returns how many there were.
    std::uint64_t run() {
        uninterrupted();
        for (auto const& [at, how] : crashes()) crash(at, how);
        return crashes_;
    }
    [[nodiscard]] rows const& expected() const noexcept { return expected_; }
    [[nodiscard]] std::vector<step> const& steps() const noexcept { return steps_; }

private:
    void uninterrupted() {
        auto world = make_();
        std::vector<char const*> calls;
        world->files.note_operations(&calls);
        lifeline alive;
        world->live(alive);
        world->files.note_operations(nullptr);
        world->files.restart();
        expected_ = world->shown();
        records_ = alive.records();
        calls_ = calls.size();
        REQUIRE(records_ > 0);
        REQUIRE(calls_ > 0);
        for (std::uint64_t i = 1; i <= records_; ++i) steps_.push_back({"record", i});
        for (std::uint64_t i = 1; i <= calls_; ++i) steps_.push_back({calls[i - 1], i});
    }
    [[nodiscard]] std::vector<death> ways(step const& at) const {
        using enum death;
        if (at.is_record()) return plan_.power ? std::vector{killed_in, power_in} : std::vector{killed_in};
        if (!plan_.power) return {killed_in, killed_behind, failed};
        return {killed_in, power_in, killed_behind, power_behind, failed};
    }
    /// Which steps, and how.
    [[nodiscard]] std::vector<std::pair<step, death>> crashes() const {
        std::vector<std::pair<step, death>> out;
        if (char const* const one = std::getenv("DRIFTLESS_FAULT"); one != nullptr) return only(one);
        if (plan_.crashes == 0) {
            for (auto const& each : steps_) {
                for (auto const how : ways(each)) out.emplace_back(each, how);
            }
            return out;
        }
        std::map<std::string, std::vector<step>> by_kind;
        for (auto const& each : steps_) by_kind[each.kind].push_back(each);
        auto const share = std::max<std::size_t>(1, plan_.crashes / by_kind.size());
        for (auto const& [kind, all] : by_kind) {
            auto const wanted = std::min(share, all.size());
            for (std::size_t i = 0; i < wanted; ++i) {
                auto const& at = all[(i * all.size() + mixed(plan_.seed, i) % all.size()) / wanted % all.size()];
                auto const how = ways(at);
                out.emplace_back(at, how[out.size() % how.size()]);
            }
        }
        return out;
    }
    /// NAME/record/17/0, NAME/call/42/3: world, step, way.
    [[nodiscard]] std::vector<std::pair<step, death>> only(std::string const& one) const {
        std::vector<std::pair<step, death>> out;
        for (auto const& each : steps_) {
            for (auto const how : ways(each)) {
                if (name_of(each, how) == one) out.emplace_back(each, how);
            }
        }
        return out;
    }
    [[nodiscard]] std::string name_of(step const& at, death how) const {
        return plan_.name + (at.is_record() ? "/record/" : "/call/") + std::to_string(at.nth) + "/"
            + std::to_string(static_cast<int>(how));
    }

    void crash(step const& at, death how) {
        ++crashes_;
        auto const seed = mixed(plan_.seed, at.nth * 8 + static_cast<std::uint64_t>(how));
        auto world = make_();
        if (!at.is_record()) {
            bool const behind = how == death::killed_behind || how == death::power_behind;
            world->files.inject(at.nth, how == death::failed ? fault::fail : behind ? fault::after
                                                                                    : fault::cut);
        }
        auto problem = life(*world, at.is_record() ? at.nth : 0);
        bool const power = how == death::power_in || how == death::power_behind;
        end(*world, power, seed);
        auto const between = world->shown();
        // And once more in some of them, soon after the start or far behind it.
        if (problem.empty() && seed % 3 == 0) {
            auto const nth = 1 + mixed(seed, 1) % (seed % 2 == 0 ? 40 : calls_);
            world->files.inject(nth, seed % 5 == 0 ? fault::fail : seed % 5 < 3 ? fault::cut
                                                                                : fault::after);
            problem = life(*world, 0);
            end(*world, power, seed + 1);
        }
        if (problem.empty()) {
            try {
                lifeline alive;
                world->live(alive);
            } catch (std::exception const& why) {
                problem = std::string{"the restart throws "} + why.what();
            }
        }
        world->files.restart();
        if (problem.empty() && !is_prefix(between)) problem = "what was committed at the crash is no prefix of it all";
        if (problem.empty()) problem = difference(world->shown());
        if (problem.empty()) return;
        FAIL_CHECK(plan_.name << ", " << at.kind << " " << at.nth << ", " << to_string(how) << ", seed " << plan_.seed
                              << ": " << problem << "\nto play it again: DRIFTLESS_FAULT=" << name_of(at, how));
    }
    /// What is wrong with the way it ended.
    template <class World>
    static std::string life(World& world, std::uint64_t dies_at) {
        try {
            lifeline until{dies_at};
            world.live(until);
        } catch (died) {  // NOLINT(bugprone-empty-catch)
        } catch (error const& why) {
            if (why.code() != error_code::io && why.code() != error_code::stopped) {
                return std::string{"the fault is told as "} + why.what();
            }
        }
        return {};
    }
    template <class World>
    static void end(World& world, bool power, std::uint64_t seed) {
        world.files.inject(0, fault::fail);
        if (power) world.files.lose_power(seed % 4 == 0 ? 0 : seed);
        else world.files.restart();
    }
    /// Of each output, which is named before the first space of a row.
    [[nodiscard]] bool is_prefix(rows const& of) const {
        std::map<std::string, rows> parts[2];
        for (auto const& each : of) parts[0][each.substr(0, each.find(' '))].push_back(each);
        for (auto const& each : expected_) parts[1][each.substr(0, each.find(' '))].push_back(each);
        for (auto const& [output, seen] : parts[0]) {
            auto const& all = parts[1][output];
            if (seen.size() > all.size() || !std::equal(seen.begin(), seen.end(), all.begin())) return false;
        }
        return true;
    }
    [[nodiscard]] std::string difference(rows const& shown) const {
        auto const [is, should] = std::mismatch(shown.begin(), shown.end(), expected_.begin(), expected_.end());
        if (is == shown.end() && should == expected_.end()) return {};
        auto const text = [](auto at, rows const& of) { return at == of.end() ? std::string{"(nothing)"} : *at; };
        return "row " + std::to_string(is - shown.begin()) + " is " + text(is, shown) + " and should be "
            + text(should, expected_) + " (" + std::to_string(shown.size()) + " and " + std::to_string(expected_.size())
            + " rows)";
    }
};

/// Crashes what make() makes (a pointer to a world) as planned.
template <class MakeWorld>
std::uint64_t crash_everywhere(plan how, MakeWorld make) {
    return simulation<MakeWorld>{std::move(how), std::move(make)}.run();
}
}  // namespace faults
#endif
