// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_DECISIONS_HPP
#define DRIFTLESS_RUN_DETAIL_DECISIONS_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/journal.hpp>
#include <driftless/run/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace driftless::inline v0::detail {
/// What the world decides while a job runs: what time it is, who is idle and who active again, how far the watermark
/// moves while nothing comes, where a run cuts its inputs. Each is written down, then done; or as the journal says.
/// Positions are counted in records of the job: the merge is deterministic, so that a number of records is an
/// offset of every partition.
///
/// TellsClock  The pipeline asks for processing time.
/// State       Which lanes are idle, how far the journal has been read, whether what was open has been fired, the cut
///             that is being read to: part of the snapshot. Since when lanes are silent is not: after a restart that
///             counts anew.
template <class Engine, bool TellsClock>
class decisions {
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
    event_time told_ = event_time::min();  // processing time, as the pipeline knows it
    bool closed_ = false;
    bool wants_cut_ = false;  // a run that ends at the present end has begun
    bool cut_ = false;        // the lanes end where a cut says: it stands until all have been read so far

public:
    decisions(Engine& engine, stream const& mode)
        : engine_(engine),
          idle_after_(mode.idle_after),
          when_quiet_(mode.when_quiet),
          silent_(engine.lanes().size()) {
        auto const refuse = [](char const* why) { throw error{error_code::invalid_argument, why}; };
        if (idle_after_ < duration{}) refuse("stream needs idle_after >= 0: 0 declares nothing idle");
        if (when_quiet_.what != quiet_policy::action::hold && idle_after_ == duration{}) {
            refuse("stream has a policy for quiet inputs and never finds them quiet: set idle_after as well");
        }
        if (when_quiet_.after < duration{} || when_quiet_.by < duration{}) refuse("close_after needs durations >= 0");
        keep_journal(mode.journal);
    }

    /// Somebody asked for it: otherwise a job polls without.
    [[nodiscard]] bool needed() const noexcept { return idle_after_ > duration{} || journal_.log != nullptr; }
    /// Something may be decided, and nobody has said where it is written down.
    [[nodiscard]] bool wants_journal() const {
        if (journal_.log != nullptr) return false;
        bool wanted = TellsClock || idle_after_ > duration{} || engine_.lanes().size() > 1;
        for (auto* each = engine_.services().asking; each != nullptr; each = each->next) wanted |= each->meets_others;
        return wanted;
    }
    /// Before anything is read or loaded.
    void keep_journal(journal_ref journal) noexcept {
        journal_ = journal;
        for (auto* each = engine_.services().asking; each != nullptr; each = each->next) {
            each->decided = each->meets_others && journal_.log != nullptr;
        }
    }
    /// Before a snapshot counts.
    void sync_journal() const {
        if (journal_.log != nullptr) journal_.sync(journal_.log);
    }
    [[nodiscard]] bool asks_clock() const noexcept { return TellsClock || idle_after_ > duration{}; }

    /// The polls that follow, with `cut`, read what the inputs hold now.
    void begin_cut() noexcept { wants_cut_ = true; }
    /// As Engine::poll.
    std::size_t poll(std::size_t budget, bool cut, event_time now) {
        if (!cut_ && (!cut || wants_cut_)) engine_.extend();
        std::size_t fed = 0;
        for (;;) {
            while (replaying() && next().position == engine_.records()) {
                if (static_cast<kind>(next().what) != kind::cut) close_cut(cut);  // a cut has several entries
                take(next());
            }
            close_cut(cut);
            if (!replaying()) {
                if (!cut_ && (!cut || wants_cut_)) wake_lanes();
                if (!cut_ && cut && wants_cut_) make_cut();
                tell_clock(now);
            }
            auto const left = replaying() ? until_next(budget - fed) : budget - fed;
            auto const some = engine_.feed(left, cut || cut_);
            fed += some;
            if (cut_ && some < left && !engine_.held_back()) continue;
            if (replaying()) {
                if (some == left && fed < budget) continue;
                break;
            }
            if (fed == budget || cut || cut_ || idle_after_ == duration{} || !declare_idle(now)) break;
        }
        if (!replaying() && idle_after_ > duration{} && !cut) while_quiet(now);
        if (!replaying()) hand_on_answers();
        engine_.pause();
        return fed;
    }

    void save(auto& out) const {
        for (auto const* const each : engine_.lanes()) out.write(each->idle);
        out.write(taken_).write(closed_).write(cut_);
        if (cut_) {
            for (auto const* const each : engine_.lanes()) out.write(each->end);
        }
    }
    void load(auto& in) {
        for (auto* const each : engine_.lanes()) {
            in.read(each->idle);
            if (each->idle) each->end = each->next;
        }
        in.read(taken_).read(closed_).read(cut_);
        if (cut_) {
            for (auto* const each : engine_.lanes()) in.read(each->end);
        }
        told_ = event_time::min();
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

    void decide(kind what, lane const* of, std::int64_t ns = 0) {
        auto const code = static_cast<std::uint8_t>(what);
        journal_entry entry{.position = engine_.records(), .what = code, .time_ns = ns};
        if (of != nullptr) {
            entry.input = of->input;
            entry.partition = of->partition;
            entry.offset = what == kind::cut ? of->end : of->next;
        }
        if (journal_.log != nullptr) journal_.append(journal_.log, entry);
        take(entry);
    }
    void take(journal_entry const& entry) {
        ++taken_;
        auto const what = static_cast<kind>(entry.what);
        switch (what) {
            case kind::moved:
                closed_ = true;
                return engine_.each_chain([&](auto& chain) { chain.on_quiet(duration{entry.time_ns}); });
            case kind::clock: return set_clock(event_time{entry.time_ns});
            case kind::answers: return let_answers_go(entry);
            case kind::idle:
            case kind::active:
            case kind::cut:
                for (auto* const each : engine_.lanes()) {
                    if (each->input == entry.input && each->partition == entry.partition) return take(entry, *each);
                }
        }
        refuse_journal();
    }
    void take(journal_entry const& entry, lane& of) {
        auto const what = static_cast<kind>(entry.what);
        if (what == kind::cut) {
            of.extend();
            if (entry.offset < of.next || entry.offset > of.end) refuse_journal();
            of.end = entry.offset;
            cut_ = true;
        } else {
            if (of.next != entry.offset || of.idle == (what == kind::idle)) refuse_journal();
            set_idle(of, what == kind::idle);
        }
    }
    /// How many answers are there when the inputs pause is for the outside to say.
    void hand_on_answers() {
        if (journal_.log == nullptr) return;
        std::uint32_t which = 0;
        for (auto* each = engine_.services().asking; each != nullptr; each = each->next, ++which) {
            auto const ready = each->decided && each->waits() ? each->ready() : 0;
            if (ready != 0) decide_answers(which, ready);
        }
    }
    void decide_answers(std::uint32_t which, std::uint64_t records) {
        journal_entry const entry{.position = engine_.records(),
            .offset = records,
            .input = which,
            .what = static_cast<std::uint8_t>(kind::answers)};
        journal_.append(journal_.log, entry);
        take(entry);
    }
    void let_answers_go(journal_entry const& entry) {
        auto* each = engine_.services().asking;
        for (auto n = entry.input; each != nullptr && n != 0; --n) each = each->next;
        if (each == nullptr) refuse_journal();
        each->let_go(entry.offset);
        engine_.each_chain([](auto& chain) { chain.on_chunk(); });
    }
    void set_clock(event_time now) {
        told_ = now;
        engine_.on_clock(now);
    }
    /// Where something comes due, or records come: they arrive at that time.
    void tell_clock(event_time now) {
        if constexpr (TellsClock) {
            if (now <= told_) return;
            bool due = false;
            engine_.each_chain([&](auto& chain) { due = due || chain.clock_deadline() <= now; });
            for (auto const* const each : engine_.lanes()) due = due || each->has_record();
            if (due) decide(kind::clock, nullptr, now.ns());
        }
    }
    /// All that a cut left has been read: the partitions go on.
    void close_cut(bool cut) {
        if (!cut_) return;
        for (auto const* const each : engine_.lanes()) {
            if (each->has_record()) return;
        }
        cut_ = false;
        if (replaying() || !cut || wants_cut_) engine_.extend();
    }
    /// Where a partition ends is news only where others would wait for it.
    void make_cut() {
        wants_cut_ = false;
        if (engine_.lanes().size() == 1) return;
        for (auto const* const each : engine_.lanes()) {
            if (!each->idle) decide(kind::cut, each);
        }
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
            decide(kind::moved, nullptr, step.ns());
        } else if (when_quiet_.what == quiet_policy::action::close && !closed_
            && now - quiet_since_ >= when_quiet_.after) {
            decide(kind::moved, nullptr, when_quiet_.by.ns());
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
