// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_IDLE_WATCH_HPP
#define DRIFTLESS_RUN_DETAIL_IDLE_WATCH_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/journal.hpp>
#include <driftless/run/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace driftless::inline v0::detail {
/// Declares partitions idle and active again, moves the watermark while nothing comes, and writes that down; or does
/// what the journal says. Positions are counted in records of the job: the merge is deterministic, so that a number of
/// records is an offset of every partition.
///
/// State       Which lanes are idle, how far the journal has been read, whether what was open has been fired: part of
///             the snapshot. Since when lanes are silent is not: after a restart that counts anew.
template <class Engine>
class idle_watch {
    struct silence {
        event_time since = event_time::max();  // when it was first seen at its end, with nothing read since
        std::uint64_t at = 0;                  // the offset it stood at
    };
    Engine& engine_;
    duration idle_after_;
    quiet_policy when_quiet_;
    journal_ref journal_;
    std::vector<silence> silent_;
    std::uint64_t taken_ = 0;  // entries of the journal that have taken effect
    event_time quiet_since_ = event_time::max();
    event_time moved_at_ = event_time::max();
    bool closed_ = false;

public:
    idle_watch(Engine& engine, stream const& mode)
        : engine_(engine),
          idle_after_(mode.idle_after),
          when_quiet_(mode.when_quiet),
          journal_(mode.journal),
          silent_(engine.lanes().size()) {
        auto const refuse = [](char const* why) { throw error{error_code::invalid_argument, why}; };
        if (idle_after_ < duration{}) refuse("stream needs idle_after >= 0: 0 declares nothing idle");
        if (when_quiet_.what != quiet_policy::action::hold && idle_after_ == duration{}) {
            refuse("stream has a policy for quiet inputs and never finds them quiet: set idle_after as well");
        }
        if (when_quiet_.after < duration{} || when_quiet_.by < duration{}) refuse("close_after needs durations >= 0");
    }

    /// Somebody asked for it: otherwise a job polls without.
    [[nodiscard]] bool needed() const noexcept { return idle_after_ > duration{} || journal_.log != nullptr; }
    [[nodiscard]] bool asks_clock() const noexcept { return idle_after_ > duration{}; }

    /// As Engine::poll.
    std::size_t poll(std::size_t budget, bool cut, event_time now) {
        if (!cut) engine_.extend();
        std::size_t fed = 0;
        for (;;) {
            while (replaying() && next().position == engine_.records()) take(next());
            if (!replaying()) wake_lanes();
            auto const left = replaying() ? until_next(budget - fed) : budget - fed;
            auto const some = engine_.feed(left, cut);
            fed += some;
            if (replaying()) {
                if (some == left && fed < budget) continue;
                break;
            }
            if (fed == budget || cut || !asks_clock() || !declare_idle(now)) break;
        }
        if (!replaying() && asks_clock() && !cut) while_quiet(now);
        engine_.each_chain([](auto& chain) { chain.on_chunk(); });
        return fed;
    }

    void save(auto& out) const {
        for (auto const* const each : engine_.lanes()) out.write(each->idle);
        out.write(taken_).write(closed_);
    }
    void load(auto& in) {
        for (auto* const each : engine_.lanes()) {
            in.read(each->idle);
            if (each->idle) each->end = each->next;
        }
        in.read(taken_).read(closed_);
        silent_.assign(silent_.size(), {});
        quiet_since_ = moved_at_ = event_time::max();
        if (journal_.log == nullptr) return;
        if (auto const there = journal_.size(journal_.log); taken_ > there) {
            throw error{error_code::mismatch,
                sentence({"the snapshot was taken after ", taken_, " entries of the journal, and the journal has ",
                    there, ": it is another one, or has lost its end"})};
        }
    }

private:
    using kind = journal_entry::kind;

    [[nodiscard]] bool replaying() const { return journal_.log != nullptr && taken_ < journal_.size(journal_.log); }
    [[nodiscard]] journal_entry next() const { return journal_.read(journal_.log, taken_); }
    [[nodiscard]] std::size_t until_next(std::size_t budget) const {
        auto const position = next().position;
        if (position < engine_.records()) refuse_journal();
        auto const left = position - engine_.records();
        return left < budget ? static_cast<std::size_t>(left) : budget;
    }
    [[noreturn]] static void refuse_journal() {
        throw error{error_code::mismatch,
            "the journal does not fit the inputs: it is of another run, or begins before the snapshot"};
    }

    void decide(kind what, lane const* of, duration step = {}) {
        auto const code = static_cast<std::uint8_t>(what);
        journal_entry entry{.position = engine_.records(), .what = code, .step_ns = step.ns()};
        if (of != nullptr) {
            entry.input = of->input;
            entry.partition = of->partition;
            entry.offset = of->next;
        }
        if (journal_.log != nullptr) journal_.append(journal_.log, entry);
        take(entry);
    }
    void take(journal_entry const& entry) {
        ++taken_;
        auto const what = static_cast<kind>(entry.what);
        if (what == kind::moved) {
            closed_ = true;
            return engine_.each_chain([&](auto& chain) { chain.on_quiet(duration{entry.step_ns}); });
        }
        if (what != kind::idle && what != kind::active) refuse_journal();
        for (auto* const each : engine_.lanes()) {
            if (each->input != entry.input || each->partition != entry.partition) continue;
            if (each->next != entry.offset || each->idle == (what == kind::idle)) break;
            return set_idle(*each, what == kind::idle);
        }
        refuse_journal();
    }
    void set_idle(lane& which, bool idle) {
        bool const was_quiet = quiet(which.input);
        which.idle = idle;
        if (idle) which.end = which.next;
        else which.extend();
        closed_ = false;
        bool const is_quiet = quiet(which.input);
        if (was_quiet && !is_quiet) which.on_idle(false);
        which.on_partition_idle(idle);
        if (!was_quiet && is_quiet) which.on_idle(true);
    }
    /// All partitions of an input are idle.
    [[nodiscard]] bool quiet(std::uint32_t input) const {
        for (auto const* const each : engine_.lanes()) {
            if (each->input == input && !each->idle) return false;
        }
        return true;
    }
    [[nodiscard]] bool all_quiet() const {
        for (auto const* const each : engine_.lanes()) {
            if (!each->idle) return false;
        }
        return true;
    }

    /// Idle lanes that have records are active again.
    void wake_lanes() {
        for (auto* const each : engine_.lanes()) {
            if (!each->idle) continue;
            each->extend();
            if (each->has_record()) decide(kind::active, each);
        }
    }
    /// Lanes that have been read to their end, and stayed there for idle_after, are idle; true if there is a new one.
    bool declare_idle(event_time now) {
        bool any = false;
        for (std::size_t i = 0; i < silent_.size(); ++i) {
            auto* const each = engine_.lanes()[i];
            auto& its = silent_[i];
            if (each->idle) continue;
            if (each->has_record()) {
                its.since = event_time::max();
            } else if (its.since == event_time::max() || its.at != each->next) {
                its = {now, each->next};
            } else if (now - its.since >= idle_after_) {
                decide(kind::idle, each);
                its.since = event_time::max();
                any = true;
            }
        }
        return any;
    }
    void while_quiet(event_time now) {
        if (!all_quiet()) {
            quiet_since_ = event_time::max();
            return;
        }
        if (quiet_since_ == event_time::max()) quiet_since_ = moved_at_ = now;
        if (when_quiet_.what == quiet_policy::action::advance && now - moved_at_ >= idle_after_) {
            auto const step = now - moved_at_;
            moved_at_ = now;
            decide(kind::moved, nullptr, step);
        } else if (when_quiet_.what == quiet_policy::action::close && !closed_
            && now - quiet_since_ >= when_quiet_.after) {
            decide(kind::moved, nullptr, when_quiet_.by);
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
