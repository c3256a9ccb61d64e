// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DEPLOYMENT_HPP
#define DRIFTLESS_VIEW_DEPLOYMENT_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/log/detail/plain_name.hpp>
#include <driftless/view/audit_log.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/detail/build_job.hpp>
#include <driftless/view/detail/deployed_versions.hpp>
#include <driftless/view/detail/deployment_state.hpp>
#include <driftless/view/detail/meet.hpp>
#include <driftless/view/detail/snapshot_search.hpp>
#include <driftless/view/detail/step_notes.hpp>
#include <driftless/view/validate.hpp>
#include <driftless/view/versioned_view.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

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
    using definition_t = detail::build_definition<K, V, View>;
    using job_ptr = std::unique_ptr<job_t>;

public:
    using versions = versioned_view<K, V, View>;
    /// Compares a version that has caught up with the current one (null if there is none), both as of the same offsets.
    /// Returns what is wrong; empty if nothing is.
    using validator = std::function<std::string(View const* current, View const& fresh, build const& about)>;
    /// Looks at the version on trial after each poll. Returns why it must not go on; empty if it may.
    using guard = std::function<std::string(trial_health const&)>;
    using shadow_sink = std::function<void(pane<K, V> const&)>;

private:
    deployment_options options_;
    detail::deployed_versions<K, V, View> view_;
    detail::step_notes notes_;
    detail::deployment_state state_;
    std::vector<std::unique_ptr<definition_t>> definitions_;
    std::vector<std::pair<std::string, validator>> validators_;
    std::vector<std::pair<std::string, guard>> guards_;
    shadow_sink shadow_;
    job_ptr current_;
    job_ptr previous_;
    job_ptr candidate_;
    bool started_ = false;
    std::uint64_t trial_snapshot_ = 0;  // of the version on trial, when this program started

public:
    /// Opens the folder, or makes it if its parent is there.
    explicit deployment(std::string folder, deployment_options options = {})
        : options_(std::move(options)),
          view_(std::move(folder), versions_by(options_)),
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
        detail::require_plain_name(logic_version, view_.folder());
        if (started_) throw error{error_code::stopped, "define() comes before start()", view_.folder()};
        if (find(logic_version) != nullptr) {
            throw error{error_code::invalid_argument,
                detail::sentence({"`", logic_version, "` is defined twice: a name stands for one logic"}),
                view_.folder()};
        }
        if constexpr (logs && borrowed) {
            using made = detail::typed_build_definition<K, V, View, P, std::remove_cvref_t<Inputs>...>;
            definitions_.push_back(std::make_unique<made>(
                std::string{logic_version}, p, detail::definition_input<std::remove_cvref_t<Inputs>>::of(inputs)...));
        }
    }
    /// What a new version must pass before it is ready. In the order in which they are added; all are asked.
    void validate_with(std::string name, validator f) { validators_.emplace_back(std::move(name), std::move(f)); }
    /// The same with checks of view/validate.hpp, all of them.
    void validate_with(validation<K, V> checks) {
        validate_with("checks", [checks = std::move(checks)](View const* current, View const& fresh, build const&) {
            auto const found = checks.run_views(fresh, current);
            return found.passed() ? std::string{} : found.str();
        });
    }
    /// What watches a version on trial: before the cut-over it ends the trial, after it, it rolls back.
    void guard_with(std::string name, guard f) { guards_.emplace_back(std::move(name), std::move(f)); }
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

    // --- what it does -------------------------------------------------------------------------------------------

    /// Takes up what the folder says; then readers are given the current version.
    ///
    /// Errors      invalid_argument where a version that is in use is not defined; those of the snapshots.
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
            lost = tried([&] { current_ = open(current); });
        } else if (current != 0) {
            current_ = open(current);
        }
        if (state_.previous != 0) {
            auto const why = tried([&] { previous_ = open(state_.previous); });
            if (!lost.empty() && !why.empty()) throw error{error_code::stopped, lost + "; " + why, view_.folder()};
            if (!lost.empty()) back(lost);
            else if (!why.empty()) give_up_previous(why);
        }
        if (state_.candidate != 0) {
            auto const why = tried([&] { candidate_ = open(state_.candidate); });
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
        if (phase() != deployment_phase::steady) {
            throw error{error_code::stopped,
                detail::sentence({"a version is on trial (", to_string(phase()),
                    "): cut_over(), stop(), roll_back() or finish() comes first"}),
                view_.folder()};
        }
        auto const& of = defined(logic_version);
        auto const number = view_.list().next;
        detail::listed_version made{number, std::string{logic_version}, 0, view_.now(), {}, {}};
        view_.make_folder(number);
        auto const why = detail::place_start(made, of, from, view_.list(), view_.folder(), view_.files());
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::replaying);
        next.candidate = number;
        next.starts = 0;
        next.outcome.clear();
        note(next, audit_kind::deploy, number, logic_version, why);
        step(next, [&](detail::listed_versions& list) {
            ++list.next;
            list.versions.push_back(made);
        });
        auto const problem = tried([&] { candidate_ = open(number); });
        if (!problem.empty()) return stop(problem);
        note_trial();
        notes_.append(state_.note);
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
            auto const why = tried([&] { fed += previous_->poll(max); });
            if (!why.empty()) give_up_previous(why);
        }
        if (candidate_ && (!busy || options_.replay_limits.any())) {
            auto const why = tried([&] { fed += candidate_->poll(options_.replay_chunk); });
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
        auto const why = tried([&] {
            detail::meet(current_.get(), *candidate_, options_.replay_chunk);
            candidate_->save_snapshot();  // what readers in other processes, and the next start, are given
        });
        if (!why.empty()) return stop(why);
        auto next = state_;
        auto const old = view_.list().current;
        bool const follows = old != 0 && options_.rollback_window > duration{};
        next.phase = static_cast<std::uint8_t>(follows ? deployment_phase::watching : deployment_phase::steady);
        next.candidate = 0;
        next.previous = follows ? old : 0;
        next.window_ends = view_.now() + options_.rollback_window;
        next.starts = 0;
        next.outcome = detail::sentence({"version ", number, " is current"});
        auto const from = old != 0 ? detail::sentence({"from version ", old}) : std::string{};
        note(next, audit_kind::cut_over, number, logic_of(number), from);
        step(next, [&](detail::listed_versions& list) { view_.set_current(list, number); });
        view_.show(number);
        auto old_job = std::exchange(current_, std::move(candidate_));
        if (follows) previous_ = std::move(old_job);
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
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::steady);
        next.candidate = 0;
        next.outcome = detail::sentence({"version ", number, " was stopped: ", why});
        note(next, audit_kind::stop, number, logic_of(number), why);
        step(next, [&](detail::listed_versions& list) { list.erase(number); });
        candidate_.reset();
        view_.forget(number);
        notes_.append(state_.note);
    }
    /// Of 10'000 keys so many are read from the version on trial by view().read_for(key); 0 ends it.
    void set_canary(std::uint32_t share) {
        require_started();
        require_phase(deployment_phase::ready, "a canary needs a version that is ready");
        if (share != 0) candidate_->save_snapshot();  // for other processes
        view_.set_canary(share != 0 ? state_.candidate : 0, share);
    }
    /// As versioned_view::certify, with an entry in the audit log.
    void certify(std::string_view name, std::uint64_t number = 0) {
        if (number == 0) number = view_.list().current;
        if (!view_.certifies_anew(name, number)) return;
        auto next = state_;
        note(next, audit_kind::certify, number, logic_of(number), name);
        step(next, [&](detail::listed_versions& list) { list.find(number)->certified.emplace_back(name); });
        notes_.append(state_.note);
    }
    /// As versioned_view::release, with an entry in the audit log.
    bool release(std::string_view name) {
        auto const number = view_.certified(name);
        if (number == 0) return false;
        auto next = state_;
        note(next, audit_kind::release, number, logic_of(number), name);
        step(next, [&](detail::listed_versions& list) { std::erase(list.find(number)->certified, name); });
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
        if (started_) count_from_here();
    }

private:
    static versioned_view_options versions_by(deployment_options const& from) {
        return {.keep = from.keep,
            .git_hash = from.git_hash,
            .files = from.files,
            .clock = from.clock,
            .rows = from.rows};
    }

    // --- steps --------------------------------------------------------------------------------------------------

    /// One write decides: the list of versions with the state in it. The caller brings what is in memory after it, and
    /// then the audit log, which may fail: then the next step, or the next start, gives it this one first.
    template <class F>
    void step(detail::deployment_state next, F&& edit) {
        notes_.append(state_.note);
        view_.change([&](detail::listed_versions& list) {
            edit(list);
            list.owner = encode(next);
        });
        state_ = std::move(next);
    }
    static void note(detail::deployment_state& into, audit_kind kind, std::uint64_t number, std::string_view logic,
        std::string_view why, std::string_view verdict = {}) {
        into.note = detail::step_notes::behind(into.note, kind, number, logic, why, verdict);
    }
    void back(std::string const& why) {
        auto const failed = view_.list().current;
        auto const number = state_.previous;
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::steady);
        next.previous = 0;
        next.outcome = detail::sentence({"rolled back from version ", failed, " to version ", number, ": ", why});
        note(next, audit_kind::roll_back, number, logic_of(number), detail::sentence({"from version ", failed}), why);
        step(next, [&](detail::listed_versions& list) { view_.set_current(list, number); });
        view_.show(number);
        current_ = std::move(previous_);
        notes_.append(state_.note);
        retire_old();
    }
    void close_window() {
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::steady);
        next.previous = 0;
        step(next, [](auto&) {});
        retire_job(std::move(previous_));
        retire_old();
    }
    void give_up_previous(std::string const& why) {
        auto const number = state_.previous;
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::steady);
        next.previous = 0;
        next.outcome = detail::sentence({"version ", number, " follows no more, and there is no way back: ", why});
        note(next, audit_kind::stop, number, logic_of(number), why);
        step(next, [](auto&) {});
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
            auto next = state_;
            note(next, audit_kind::retire, number, logic_of(number), "beyond those that are kept");
            step(next, [&](detail::listed_versions& list) { list.erase(number); });
            view_.forget(number);
            notes_.append(state_.note);
        }
        view_.collect();
    }
    /// What comes before is no crash loop.
    void count_from_here() {
        if (state_.starts == 0) return;
        auto next = state_;
        next.starts = 0;
        step(next, [](auto&) {});
    }

    std::size_t poll_current(std::size_t max) {
        if (phase() != deployment_phase::watching) return current_->poll(max);
        std::size_t fed = 0;
        auto const why = tried([&] { fed = current_->poll(max); });
        if (why.empty()) return fed;
        back(why);
        return current_->poll(max);
    }
    void ask_guards() {
        auto* const trial = phase() == deployment_phase::watching ? current_.get() : candidate_.get();
        if (trial == nullptr) return;
        if (trial->about().snapshot != trial_snapshot_) count_from_here();  // it gets on
        if (guards_.empty()) return;
        trial_health const health{phase(), trial->about(), trial->lag(), view_.now(), state_.starts};
        for (auto const& [name, asked] : guards_) {
            if (auto const why = asked(health); !why.empty()) {
                return end_trial(detail::sentence({"guard ", name, ": ", why}));
            }
        }
    }
    void advance() {
        if (phase() == deployment_phase::watching && view_.now() >= state_.window_ends) close_window();
        if (phase() == deployment_phase::replaying && candidate_ && caught_up()) validate();
        if (phase() == deployment_phase::ready && options_.cut_over_when_valid) cut_over();
    }
    /// It has read all that there is, and so has the current one.
    bool caught_up() {
        if (candidate_->lag() != 0) return false;
        auto const why = tried([&] { detail::meet(current_.get(), *candidate_, options_.replay_chunk); });
        if (why.empty()) return detail::met(current_.get(), *candidate_);
        stop(why);
        return false;
    }
    void validate() {
        auto const number = state_.candidate;
        std::string wrong;
        for (auto const& [name, asked] : validators_) {
            std::string found;
            auto const threw = tried([&] {
                found = asked(current_ ? &std::as_const(current_->version()).rows() : nullptr,
                    std::as_const(candidate_->version()).rows(), candidate_->about());
            });
            if (!threw.empty()) found = threw;
            if (!found.empty()) wrong += (wrong.empty() ? "" : "; ") + name + ": " + found;
        }
        if (!wrong.empty()) return stop("not valid: " + wrong);
        auto const why = tried([&] { candidate_->save_snapshot(); });
        if (!why.empty()) return stop(why);
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::ready);
        next.starts = 0;
        note(next, audit_kind::validate, number, logic_of(number),
            detail::sentence({"after ", candidate_->about().records, " records"}), "passed");
        step(next, [](auto&) {});
        notes_.append(state_.note);
    }

    // --- jobs ---------------------------------------------------------------------------------------------------

    job_ptr open(std::uint64_t number) {
        auto const& listed = *view_.list().find(number);
        auto const& of = defined(listed.logic_version);
        detail::build_place<K, V, View> at;
        at.version = &**view_.add(listed);
        at.folder = view_.folder_of(number);
        at.files = &view_.files();
        at.about = at.version->about();
        at.starts = listed.starts;
        at.mode.until = until::end_of_log;
        at.mode.clock = options_.clock;
        at.mode.snapshot_options = options_.snapshots;
        if (number == state_.candidate) {
            at.mode.limits = options_.replay_limits;
            at.shadow = shadow_;
        }
        try {
            return of.open(std::move(at));
        } catch (...) {
            view_.unload(number);  // what there is of its rows is nothing to be read
            throw;
        }
    }
    [[nodiscard]] definition_t const* find(std::string_view logic_version) const {
        for (auto const& each : definitions_) {
            if (each->logic_version == logic_version) return each.get();
        }
        return nullptr;
    }
    [[nodiscard]] definition_t const& defined(std::string_view logic_version) const {
        if (auto const* const found = find(logic_version)) return *found;
        throw error{error_code::invalid_argument,
            detail::sentence({"`", logic_version,
                "` is not defined in this program: define() every logic that is in use, and the new one"}),
            view_.folder()};
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

    /// What f threw, as a sentence. What nobody can go on after is thrown on.
    template <class F>
    static std::string tried(F&& f) {
        try {
            f();
            return {};
        } catch (std::exception const& problem) {
            return problem.what();
        }
    }
    void require_started() const {
        if (!started_) throw error{error_code::stopped, "start() comes first", view_.folder()};
    }
    void require_phase(deployment_phase needed, char const* why) const {
        if (phase() != needed) throw error{error_code::stopped, why, view_.folder()};
    }
};
}  // namespace driftless::inline v0
#endif
