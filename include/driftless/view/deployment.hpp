// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DEPLOYMENT_HPP
#define DRIFTLESS_VIEW_DEPLOYMENT_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/view/audit_log.hpp>
#include <driftless/view/correction.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/detail/build_definitions.hpp>
#include <driftless/view/detail/build_job.hpp>
#include <driftless/view/detail/correcting.hpp>
#include <driftless/view/detail/correction_start.hpp>
#include <driftless/view/detail/deployed_versions.hpp>
#include <driftless/view/detail/deployment_state.hpp>
#include <driftless/view/detail/deployment_steps.hpp>
#include <driftless/view/detail/meet.hpp>
#include <driftless/view/detail/rows_file.hpp>
#include <driftless/view/detail/snapshot_search.hpp>
#include <driftless/view/detail/step_notes.hpp>
#include <driftless/view/detail/trial_checks.hpp>
#include <driftless/view/validate.hpp>
#include <driftless/view/versioned_view.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Replays a log through a new version of a pipeline beside the current one, compares, moves all readers to it at once,
/// and back if need be: the Kappa architecture without a second system.
///
///     dl::deployment<std::string, totals> shop{"views/revenue"};
///     shop.define("v1", revenue_1, orders);
///     shop.define("v2", revenue_2, orders);
///     shop.start();                       // goes on where it was, whatever ended it
///     if (shop.phase() == dl::deployment_phase::steady) shop.deploy("v2");
///     while (...) shop.poll();            // the current version first, the new one in what time is left
///     if (shop.phase() == dl::deployment_phase::ready) shop.cut_over();
///
/// Shape       define() names pipelines with their logs; a name stands for its logic for ever: changed functions need
///             another name. deploy() begins a version of one. It replays until it has read what the current one has,
///             is compared with it at the same offsets, and is ready: it follows the logs. cut_over() makes it the
///             current one; the old version follows until the rollback window ends. One version at a time is on trial.
/// Time        All by the clock of the options. The rows of each version are those of a stream over its log, so by the
///             law of no drift those of a batch.
/// State       A folder: the versions, each with the snapshots of its job and the rows that belong to them; CURRENT,
///             one write of which is each step; the audit log. Killed at any point, the next start() goes on from the
///             last step: a replay from its last snapshot. Readers are never given a version that is not complete.
/// Errors      driftless::error. What a version on trial throws ends the trial, with its reason in outcome() and in the
///             audit log, and nothing else; after a cut-over it leads back to the old version. What the current version
///             throws comes out of poll() where nothing is left to go back to. Where the audit log cannot be written,
///             the step has been taken all the same; the next step, or start(), writes it down first.
/// Threads     One thread defines, polls and decides. view() is read by any number.
/// Complexity  cut_over and roll_back do not depend on the number of rows but for the snapshot that the new version
///             takes before a cut-over.
/// Source      J. Kreps, "Questioning the Lambda Architecture" (2014).
/// Example     examples/kappa_replay
template <class K, class V, class View = view<K, V>>
class deployment {
    using job_t = detail::build_job<K, V, View>;
    using job_ptr = std::unique_ptr<job_t>;

public:
    using versions = versioned_view<K, V, View>;
    /// Compares a version that has caught up with the current one (null if there is none), both as of the same offsets.
    /// Returns what is wrong; empty if nothing is.
    using validator = typename detail::trial_checks<View>::validator;
    /// Looks at the version on trial after each poll. Returns why it must not go on; empty if it may.
    using guard = typename detail::trial_checks<View>::guard;
    using shadow_sink = std::function<void(pane<K, V> const&)>;

private:
    deployment_options options_;
    detail::deployed_versions<K, V, View> view_;
    detail::step_notes notes_;
    detail::deployment_state state_;
    detail::build_definitions<K, V, View> definitions_;
    detail::trial_checks<View> checks_;
    shadow_sink shadow_;
    job_ptr current_;
    job_ptr previous_;
    job_ptr candidate_;
    std::optional<detail::correction_note> correcting_;  // where the version on trial is a correction
    bool started_ = false;
    std::uint64_t trial_snapshot_ = 0;  // of the version on trial, when this program started

public:
    /// Opens the folder, or makes it if its parent is there.
    explicit deployment(std::string folder, deployment_options options = {})
        : options_(std::move(options)),
          view_(std::move(folder), options_),
          notes_(view_.folder() + "/audit", {.files = options_.files, .clock = options_.clock}, options_.who) {
        if (!view_.list().owner.empty()) state_ = decode<detail::deployment_state>(view_.list().owner);
    }
    deployment(deployment const&) = delete;
    deployment& operator=(deployment const&) = delete;

    // --- what there is ------------------------------------------------------------------------------------------

    /// A pipeline and its logs, in the order of its from<T>s, or by name: define("v1", p, bind("orders"_name, log)).
    /// Before start(); the logs outlive the deployment.
    template <pipeline P, class... Inputs>
    void define(std::string_view logic_version, P const& p, Inputs&&... inputs) {
        constexpr bool logs = (detail::is_log_input<std::remove_cvref_t<Inputs>> && ...);
        constexpr bool borrowed = (detail::borrows<Inputs> && ...);
        static_assert(logs,
            "driftless: a deployment replays logs: give define() a memory_log, a file_log or another log, or "
            "bind(\"...\"_name, log)");
        static_assert(borrowed,
            "driftless: a deployment borrows its logs: give define() logs that outlive it, not temporaries");
        if (started_) throw error{error_code::stopped, "define() comes before start()", view_.folder()};
        if constexpr (logs && borrowed) definitions_.add(logic_version, view_.folder(), p, inputs...);
    }
    /// What a new version must pass before it is ready. In the order in which they are added; all are asked.
    void validate_with(std::string name, validator f) { checks_.add(std::move(name), std::move(f)); }
    /// The same with checks of view/validate.hpp, all of them.
    void validate_with(validation<K, V> checks) {
        validate_with("checks", [checks = std::move(checks)](View const* current, View const& fresh, build const&) {
            auto const found = checks.run_views(fresh, current);
            return found.passed() ? std::string{} : found.str();
        });
    }
    /// What watches a version on trial: before the cut-over it ends the trial, after it, it rolls back.
    void guard_with(std::string name, guard f) { checks_.watch(std::move(name), std::move(f)); }
    /// Is shown every row that a version writes before it is current: its shadow output. After a crash some come again.
    void shadow_to(shadow_sink f) { shadow_ = std::move(f); }

    /// The versions, to be read.
    [[nodiscard]] versions const& view() const noexcept { return view_; }
    [[nodiscard]] deployment_phase phase() const noexcept { return static_cast<deployment_phase>(state_.phase); }
    /// The version on trial before its cut-over; 0: none.
    [[nodiscard]] std::uint64_t candidate() const noexcept { return state_.candidate; }
    /// The version that roll_back() goes back to; 0: none.
    [[nodiscard]] std::uint64_t previous() const noexcept { return state_.previous; }
    /// How the last trial ended, for people.
    [[nodiscard]] std::string const& outcome() const noexcept { return state_.outcome; }
    /// Records that the new version has not read yet; without one, that the current one has not.
    [[nodiscard]] std::uint64_t lag() const {
        if (candidate_) return candidate_->lag();
        return current_ ? current_->lag() : 0;
    }
    /// What a version is made of, as of now; the current one, or the one on trial.
    [[nodiscard]] build about_current() const { return current_ ? current_->about() : build{}; }
    [[nodiscard]] build about_candidate() const { return candidate_ ? candidate_->about() : build{}; }
    [[nodiscard]] audit_log const& audit() const noexcept { return notes_.log(); }

    /// The corrections that readers have seen, as read_corrections() has them.
    [[nodiscard]] std::vector<correction<K, V>> corrections() const {
        return read_corrections<K, V>(view_.folder(), view_.files());
    }

    // --- what it does -------------------------------------------------------------------------------------------

    /// Takes up what the folder says; then readers are given the current version.
    ///
    /// Errors      invalid_argument where a version that is in use is not defined; corrupt where its rows are missing;
    ///             those of the snapshots.
    void start() {
        if (started_) throw error{error_code::stopped, "this deployment has started", view_.folder()};
        notes_.append(state_.note);
        auto const current = view_.list().current;
        bool const on_trial = phase() != deployment_phase::steady;
        if (on_trial) {
            ++state_.starts;
            step(state_, [](auto&) {});
        }
        std::string lost;
        if (current != 0 && phase() == deployment_phase::watching) {
            lost = detail::thrown_by([&] { current_ = open(current); });
        } else if (current != 0) {
            current_ = open(current);
        }
        if (state_.previous != 0) {
            auto const why = detail::thrown_by([&] { previous_ = open(state_.previous); });
            if (!lost.empty() && !why.empty()) throw error{error_code::stopped, lost + "; " + why, view_.folder()};
            if (!lost.empty()) back(lost);
            else if (!why.empty()) give_up_previous(why);
        }
        if (state_.candidate != 0) {
            auto const why = detail::thrown_by([&] { candidate_ = open(state_.candidate); });
            if (!why.empty()) stop(why);
        }
        view_.show(view_.list().current);
        started_ = true;
        note_trial();
        if (on_trial && options_.most_starts != 0 && state_.starts > options_.most_starts) {
            end_trial(detail::sentence({"crash loop: ", state_.starts, " starts without a snapshot in between"}));
        }
    }

    /// Begins a version of a logic beside the current one.
    ///
    /// Errors      stopped while another one is on trial; invalid_argument, not_there where it cannot begin there.
    void deploy(std::string_view logic_version, replay_from const& from = {}) {
        require_started();
        require_steady();
        auto const& of = definitions_.at(logic_version, view_.folder());
        begin_trial(logic_version, audit_kind::deploy, [&](detail::listed_version& made) {
            return detail::place_start(made, of, from, view_.list(), view_.folder(), view_.files());
        });
    }
    /// Corrects what readers see from a time on: replays the log through another logic from the nearest snapshot that
    /// was taken before, while the current version goes on, and then moves all readers to the corrected rows at once.
    ///
    ///     shop.correct("v2", {.from = two_o_clock, .why = "the tax was forgotten since the release at two"});
    ///
    /// Shape       A version on trial, as deploy() begins one: it is compared, waits for cut_over(), can be rolled
    ///             back, and is then the one that follows the log. Its rows of windows that end behind what.from are
    ///             those of its logic over all records of these windows; the others are those of the current version,
    ///             to the byte. It is ready when the latter cannot change any more: their windows have closed, with the
    ///             allowed lateness.
    /// State       The rows that it changes are kept with both values and the reason: read_corrections(). The history
    ///             of its view begins with that of the version that it corrects.
    /// Errors      invalid_argument: no version is current, no reason is given, or rows have no windows that close;
    ///             not_there: a part of the log that is needed has been removed; those of deploy().
    void correct(std::string_view logic_version, correction_request const& what) {
        require_started();
        require_steady();
        auto const& of = definitions_.at(logic_version, view_.folder());
        auto const current = view_.list().current;
        auto const refuse = [&](char const* why) {
            throw error{error_code::invalid_argument, why, view_.folder()};
        };
        if (current == 0) refuse("there is no current version to correct: deploy() one");
        if (what.why.empty()) refuse("a correction says why, for who asks later: correction_request{.why = ...}");
        auto const reach = of.reach(what.from);
        if (!reach.windowed || !definitions_.at(logic_of(current), view_.folder()).reach(what.from).windowed) {
            refuse("a correction from a time on needs windows that the watermark closes: deploy() the new logic");
        }
        begin_trial(logic_version, audit_kind::correct, [&](detail::listed_version& made) {
            auto const begins = detail::place_correction<K, V>(
                made, of, reach, what.whole_log, view_.list(), view_.folder(), view_.files());
            detail::write_correction_note(
                view_.folder_of(made.number), {what.from, current, what.why, options_.who}, view_.files());
            return detail::sentence({begins, ", windows that end behind ",
                std::string_view{detail::plan_text(what.from)}, ": ", what.why});
        });
    }

    /// Reads on: the current version at most `max` records, the one that follows behind it as many, and the one on
    /// trial a chunk when the current one had nothing left to read, or as its limits allow. Takes the steps that are
    /// due. Returns how many records were read.
    std::size_t poll(std::size_t max = 16384) {
        require_started();
        std::size_t fed = 0;
        bool busy = false;
        if (current_) {
            auto const some = poll_current(max);
            fed += some;
            busy = some >= max;
        }
        if (previous_) {
            auto const why = detail::thrown_by([&] { fed += previous_->poll(max); });
            if (!why.empty()) give_up_previous(why);
        }
        if (candidate_ && (!busy || options_.replay_limits.any())) {
            auto const why = detail::thrown_by([&] { fed += candidate_->poll(options_.replay_chunk); });
            if (!why.empty()) {
                stop(why);
                return fed;
            }
        }
        ask_guards();
        advance();
        return fed;
    }

    /// Makes the new version the current one, for all readers at once.
    ///
    /// Errors      stopped unless it is ready.
    void cut_over() {
        require_started();
        require_phase(deployment_phase::ready, "cut_over() needs a version that is ready: poll() until it is");
        auto const number = state_.candidate;
        auto const why = detail::thrown_by([&] {
            detail::meet(current_.get(), *candidate_, options_.replay_chunk);
            if (correcting_) take_other_rows();
            candidate_->save_snapshot();  // what readers in other processes, and the next start, are given
            if (correcting_) tell_changes(number);
        });
        if (!why.empty()) return stop(why);
        auto const old = view_.list().current;
        bool const follows = old != 0 && options_.rollback_window > duration{};
        auto const ends = view_.now() + options_.rollback_window;
        auto const why_now = correcting_ ? std::string_view{correcting_->why} : std::string_view{};
        step(detail::after_cut_over(state_, logic_of(number), old, follows, ends, why_now),
            [&](auto& list) { view_.set_current(list, number); });
        view_.show(number);
        auto old_job = std::exchange(current_, std::move(candidate_));
        if (follows) previous_ = std::move(old_job);
        correcting_.reset();
        note_trial();
        notes_.append(state_.note);
        retire_job(std::move(old_job));
        retire_old();
    }
    /// Goes back to the version that was current before, for all readers at once.
    ///
    /// Errors      stopped outside the rollback window.
    void roll_back(std::string_view why = "asked for") {
        require_started();
        require_phase(deployment_phase::watching, "there is no version to go back to: the rollback window has ended");
        back(std::string{why});
    }
    /// Ends the rollback window now: the old version follows no more.
    void finish() {
        require_started();
        require_phase(deployment_phase::watching, "there is no rollback window to end");
        close_window();
    }
    /// Ends the trial of a version that is not current: it is removed.
    ///
    /// Errors      stopped if there is none.
    void stop(std::string_view why) {
        auto const number = state_.candidate;
        if (number == 0) throw error{error_code::stopped, "there is no version on trial to stop", view_.folder()};
        step(detail::after_stop(state_, logic_of(number), why), [&](auto& list) { list.erase(number); });
        candidate_.reset();
        correcting_.reset();
        view_.forget(number);
        notes_.append(state_.note);
    }
    /// Of 10'000 keys so many are read from the version on trial by view().read_for(key); 0 ends it.
    void set_canary(std::uint32_t share) {
        require_started();
        require_phase(deployment_phase::ready, "a canary needs a version that is ready");
        if (correcting_) {
            throw error{error_code::invalid_argument,
                "a correction moves all readers at once: it has no canary, roll_back() undoes it", view_.folder()};
        }
        if (share != 0) candidate_->save_snapshot();  // for other processes
        view_.set_canary(share != 0 ? state_.candidate : 0, share);
    }
    /// As versioned_view::certify, with an entry in the audit log.
    void certify(std::string_view name, std::uint64_t number = 0) {
        if (number == 0) number = view_.list().current;
        if (!view_.certifies_anew(name, number)) return;
        step(detail::noted(state_, audit_kind::certify, number, logic_of(number), name),
            [&](auto& list) { list.find(number)->certified.emplace_back(name); });
        notes_.append(state_.note);
    }
    /// As versioned_view::release, with an entry in the audit log.
    bool release(std::string_view name) {
        auto const number = view_.certified(name);
        if (number == 0) return false;
        step(detail::noted(state_, audit_kind::release, number, logic_of(number), name),
            [&](auto& list) { std::erase(list.find(number)->certified, name); });
        notes_.append(state_.note);
        return true;
    }
    /// As versioned_view::load.
    void load(std::uint64_t number) { view_.load(number); }
    /// Snapshots of all jobs, now: before a planned end, which is no crash.
    void save() {
        for (auto* const each : {&current_, &previous_, &candidate_}) {
            if (*each) (*each)->save_snapshot();
        }
        if (started_) forget_starts();
    }

private:
    // --- steps --------------------------------------------------------------------------------------------------

    /// A new version beside the current one; place(listed_version&) makes its folder what its job is to begin with, and
    /// says where that is.
    template <class F>
    void begin_trial(std::string_view logic_version, audit_kind kind, F&& place) {
        auto const number = view_.list().next;
        detail::listed_version made{number, std::string{logic_version}, 0, view_.now(), {}, {}};
        view_.make_folder(number);
        std::string const why = place(made);
        step(detail::after_deploy(state_, number, logic_version, why, kind), [&](auto& list) {
            ++list.next;
            list.versions.push_back(made);
        });
        auto const problem = detail::thrown_by([&] { candidate_ = open(number); });
        if (!problem.empty()) return stop(problem);
        note_trial();
        notes_.append(state_.note);
    }
    /// One write decides: the list of versions with the state in it. The caller brings what is in memory after it, and
    /// then the audit log, which may fail: then the next step, or the next start, gives it this one first.
    template <class F>
    void step(detail::deployment_state next, F&& edit) {
        notes_.append(state_.note);
        view_.change([&](auto& list) {
            edit(list);
            list.owner = encode(next);
        });
        state_ = std::move(next);
    }
    void back(std::string const& why) {
        auto const number = state_.previous;
        step(detail::after_roll_back(state_, view_.list().current, logic_of(number), why),
            [&](auto& list) { view_.set_current(list, number); });
        view_.show(number);
        current_ = std::move(previous_);
        notes_.append(state_.note);
        retire_old();
    }
    void close_window() {
        step(detail::after_window(state_), [](auto&) {});
        retire_job(std::move(previous_));
        retire_old();
    }
    void give_up_previous(std::string const& why) {
        step(detail::after_loss(state_, logic_of(state_.previous), why), [](auto&) {});
        previous_.reset();
        notes_.append(state_.note);
    }
    void end_trial(std::string const& why) {
        if (phase() == deployment_phase::watching) back(why);
        else if (state_.candidate != 0) stop(why);
    }
    /// Its rows are kept as of now; whatever comes of it, it follows no more.
    static void retire_job(job_ptr of) {
        if (of) of->save_snapshot();
    }
    /// Removes the versions beyond those that are kept: each is a step.
    void retire_old() {
        for (auto const number : view_.beyond_keep({state_.candidate, state_.previous})) {
            constexpr auto why = "beyond those that are kept";
            step(detail::noted(state_, audit_kind::retire, number, logic_of(number), why),
                [&](auto& list) { list.erase(number); });
            view_.forget(number);
            notes_.append(state_.note);
        }
        view_.collect();
    }
    void forget_starts() {
        if (state_.starts != 0) step(detail::without_starts(state_), [](auto&) {});
    }

    std::size_t poll_current(std::size_t max) {
        if (phase() != deployment_phase::watching) return current_->poll(max);
        std::size_t fed = 0;
        auto const why = detail::thrown_by([&] { fed = current_->poll(max); });
        if (why.empty()) return fed;
        back(why);
        return current_->poll(max);
    }
    void ask_guards() {
        auto* const trial = phase() == deployment_phase::watching ? current_.get() : candidate_.get();
        if (trial == nullptr) return;
        if (trial->about().snapshot != trial_snapshot_) forget_starts();  // it gets on
        if (!checks_.watches()) return;
        trial_health const health{phase(), trial->about(), trial->lag(), view_.now(), state_.starts};
        if (auto const why = checks_.objection(health); !why.empty()) end_trial(why);
    }
    void advance() {
        if (phase() == deployment_phase::watching && view_.now() >= state_.window_ends) close_window();
        if (phase() == deployment_phase::replaying && candidate_ && caught_up() && settled()) validate();
        if (phase() == deployment_phase::ready && options_.cut_over_when_valid) cut_over();
    }
    /// It has read all that there is, and so has the current one.
    bool caught_up() {
        if (candidate_->lag() != 0) return false;
        auto const why = detail::thrown_by([&] { detail::meet(current_.get(), *candidate_, options_.replay_chunk); });
        if (why.empty()) return detail::met(current_.get(), *candidate_);
        stop(why);
        return false;
    }
    /// Of a correction: the rows that are not its own cannot change any more. It is given them.
    bool settled() {
        if (!correcting_) return true;
        auto const of = definitions_.at(logic_of(view_.list().current), view_.folder()).reach(correcting_->from);
        if (current_->about().watermark < of.settled) return false;
        auto const why = detail::thrown_by([&] { take_other_rows(); });
        if (!why.empty()) stop(why);
        return why.empty();
    }
    void take_other_rows() {
        detail::take_other_rows<K, V>(std::as_const(current_->version()).rows(), candidate_->version().rows(),
            correcting_->from, candidate_->about());
    }
    /// What the correction changes is written down, and its view becomes one that has shown the rows before.
    void tell_changes(std::uint64_t number) {
        auto const before = detail::set_of_rows<K, V>(std::as_const(current_->version()).rows());
        auto const after = detail::set_of_rows<K, V>(std::as_const(candidate_->version()).rows());
        auto const changes = detail::differences(before, after);
        detail::write_corrected_rows(view_.folder_of(number), changes, view_.files());
        candidate_.reset();
        view_.unload(number);
        candidate_ = open(number, [&](View& rows) { detail::take_history(current_->version().rows(), rows, changes); });
    }
    void validate() {
        View const* const current = current_ ? &current_->version().rows() : nullptr;
        auto const wrong = checks_.wrong(current, candidate_->version().rows(), candidate_->about());
        if (!wrong.empty()) return stop("not valid: " + wrong);
        auto const why = detail::thrown_by([&] { candidate_->save_snapshot(); });
        if (!why.empty()) return stop(why);
        auto const logic = logic_of(state_.candidate);
        step(detail::after_validation(state_, logic, candidate_->about().records), [](auto&) {});
        notes_.append(state_.note);
    }

    // --- jobs ---------------------------------------------------------------------------------------------------

    job_ptr open(std::uint64_t number, std::function<void(View&)> const& fill = {}) {
        auto const& listed = *view_.list().find(number);
        auto const& of = definitions_.at(listed.logic_version, view_.folder());
        if (number != state_.candidate && detail::newest_rows_in(view_.folder_of(number), view_.files()) == 0) {
            throw error{error_code::corrupt,
                detail::sentence({"the rows of version ", number,
                    ", which readers were moved to, are missing: bring its folder back from a copy"}),
                view_.folder_of(number)};
        }
        detail::build_place<K, V, View> at;
        at.version = &**view_.add(listed);
        at.folder = view_.folder_of(number);
        at.files = &view_.files();
        at.about = at.version->about();
        at.starts = listed.starts;
        at.mode.until = until::end_of_log;
        at.mode.clock = options_.clock;
        at.mode.snapshot_options = options_.snapshots;
        auto note = detail::read_correction_note(at.folder, view_.files());
        if (note) at.rows_from = note->from;
        if (number == state_.candidate) {
            at.mode.limits = options_.replay_limits;
            at.shadow = shadow_;
            correcting_ = std::move(note);
        }
        try {
            if (fill) fill(at.version->rows());
            at.has_rows = static_cast<bool>(fill);
            return of.open(std::move(at));
        } catch (...) {
            view_.unload(number);  // what there is of its rows is nothing to be read
            throw;
        }
    }
    [[nodiscard]] std::string logic_of(std::uint64_t number) const {
        auto const* const found = view_.list().find(number);
        return found != nullptr ? found->logic_version : std::string{};
    }
    /// What the version on trial has done before this program.
    void note_trial() {
        auto* const trial = phase() == deployment_phase::watching ? current_.get() : candidate_.get();
        trial_snapshot_ = trial != nullptr ? trial->about().snapshot : 0;
    }

    void require_started() const {
        if (!started_) throw error{error_code::stopped, "start() comes first", view_.folder()};
    }
    void require_steady() const {
        if (phase() == deployment_phase::steady) return;
        throw error{error_code::stopped,
            detail::sentence({"a version is on trial (", to_string(phase()),
                "): cut_over(), stop(), roll_back() or finish() comes first"}),
            view_.folder()};
    }
    void require_phase(deployment_phase needed, char const* why) const {
        if (phase() != needed) throw error{error_code::stopped, why, view_.folder()};
    }
};
}  // namespace driftless::inline v0
#endif
