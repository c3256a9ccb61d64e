// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DEPLOYMENT_HPP
#define DRIFTLESS_VIEW_DEPLOYMENT_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/log/detail/plain_name.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/run/snapshot_manifest.hpp>
#include <driftless/view/audit_log.hpp>
#include <driftless/view/correction.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/detail/build_job.hpp>
#include <driftless/view/detail/correcting.hpp>
#include <driftless/view/detail/correction_start.hpp>
#include <driftless/view/detail/deployment_state.hpp>
#include <driftless/view/detail/snapshot_search.hpp>
#include <driftless/view/row_set.hpp>
#include <driftless/view/validate.hpp>
#include <driftless/view/versioned_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

namespace detail {
/// An input as it is forwarded: a log that outlives the call, or a name bound to one.
template <class X>
inline constexpr bool borrows = std::is_lvalue_reference_v<X>;
template <class Name, class X>
inline constexpr bool borrows<bound<Name, X>> = std::is_lvalue_reference_v<X>;
template <class Name, class X>
inline constexpr bool borrows<bound<Name, X>&> = std::is_lvalue_reference_v<X>;

template <class X>
inline constexpr bool is_log_input = readable_log<typename definition_input<X>::log>;

/// The versions of a deployment: what it changes itself.
template <class K, class V, class View>
class deployed_versions : public versioned_view<K, V, View> {
    using base = versioned_view<K, V, View>;

public:
    deployed_versions(std::string in, versioned_view_options how) : base(std::move(in), std::move(how), false) {}
    using base::add;
    using base::change;
    using base::files;
    using base::folder_of;
    using base::forget;
    using base::list;
    using base::make_folder;
    using base::now;
    using base::retire_old;
    using base::set_current;
    using base::show;
    using base::unload;
    using base::write;
};
}  // namespace detail

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
///             throws comes out of poll() where nothing is left to go back to.
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
    audit_log audit_;
    detail::deployment_state state_;
    std::vector<std::unique_ptr<definition_t>> definitions_;
    std::vector<std::pair<std::string, validator>> validators_;
    std::vector<std::pair<std::string, guard>> guards_;
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
          view_(std::move(folder), versions_by(options_)),
          audit_(view_.folder() + "/audit", {.files = options_.files, .clock = options_.clock}) {
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
            auto const rows_in = [](View const& of) {
                row_set<K, V> out;
                detail::each_row<K, V>(of,
                    [&](auto const& key, time_window window, auto const& value) { out.add(key, window, value); });
                return std::move(out).finish();
            };
            auto const candidate = rows_in(fresh);
            auto const found =
                current != nullptr ? checks.run(candidate, rows_in(*current)) : checks.run(candidate);
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
    [[nodiscard]] audit_log const& audit() const noexcept { return audit_; }

    /// The corrections that readers have seen, as read_corrections() has them.
    [[nodiscard]] std::vector<correction<K, V>> corrections() const {
        return read_corrections<K, V>(view_.folder(), view_.files());
    }

    // --- what it does -------------------------------------------------------------------------------------------

    /// Takes up what the folder says; then readers are given the current version.
    ///
    /// Errors      invalid_argument where a version that is in use is not defined; those of the snapshots.
    void start() {
        if (started_) throw error{error_code::stopped, "this deployment has started", view_.folder()};
        append_note();
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
        require_steady();
        auto const& of = defined(logic_version);
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
        auto const& of = defined(logic_version);
        auto const current = view_.list().current;
        auto const refuse = [&](char const* why) {
            throw error{error_code::invalid_argument, why, view_.folder()};
        };
        if (current == 0) refuse("there is no current version to correct: deploy() one");
        if (what.why.empty()) refuse("a correction says why, for who asks later: correction_request{.why = ...}");
        auto const reach = of.reach(what.from);
        if (!reach.windowed || !defined(logic_of(current)).reach(what.from).windowed) {
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
            meet();
            if (correcting_) take_other_rows();
            candidate_->save_snapshot();  // what readers in other processes, and the next start, are given
            if (correcting_) tell_changes(number);
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
        auto from = old != 0 ? detail::sentence({"from version ", old}) : std::string{};
        if (correcting_) from = detail::sentence({from, ", corrected: ", correcting_->why});
        note(next, audit_kind::cut_over, number, logic_of(number), from);
        step(next, [&](detail::listed_versions& list) { view_.set_current(list, number); });
        view_.show(number);
        if (follows) previous_ = std::move(current_);
        else retire_job(current_);
        current_ = std::move(candidate_);
        correcting_.reset();
        note_trial();
        view_.retire_old(used());
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
        candidate_.reset();
        correcting_.reset();
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::steady);
        next.candidate = 0;
        next.outcome = detail::sentence({"version ", number, " was stopped: ", why});
        note(next, audit_kind::stop, number, logic_of(number), why);
        step(next, [&](detail::listed_versions& list) { list.erase(number); });
        view_.forget(number);
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
        view_.certify(name, number);
        audit_.append(audit_kind::certify, label(number, logic_of(number)), options_.who, name);
    }
    bool release(std::string_view name) {
        auto const number = view_.certified(name);
        if (!view_.release(name)) return false;
        audit_.append(audit_kind::release, label(number, logic_of(number)), options_.who, name);
        return true;
    }
    /// As versioned_view::load.
    void load(std::uint64_t number) { view_.load(number); }
    /// Snapshots of all jobs, now: before a planned end.
    void save() {
        for (auto* const each : {&current_, &previous_, &candidate_}) {
            if (*each) (*each)->save_snapshot();
        }
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

    /// A new version beside the current one; place(listed_version&) makes its folder what its job is to begin with, and
    /// says where that is.
    template <class F>
    void begin_trial(std::string_view logic_version, audit_kind kind, F&& place) {
        auto const number = view_.list().next;
        detail::listed_version made{number, std::string{logic_version}, 0, view_.now(), {}, {}};
        view_.make_folder(number);
        std::string const why = place(made);
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::replaying);
        next.candidate = number;
        next.starts = 0;
        next.outcome.clear();
        note(next, kind, number, logic_version, why);
        step(next, [&](detail::listed_versions& list) {
            ++list.next;
            list.versions.push_back(made);
        });
        auto const problem = tried([&] { candidate_ = open(number); });
        if (!problem.empty()) return stop(problem);
        note_trial();
    }
    /// One write decides: the list of versions with the state in it.
    template <class F>
    void step(detail::deployment_state next, F&& edit) {
        view_.change([&](detail::listed_versions& list) {
            edit(list);
            list.owner = encode(next);
        });
        state_ = std::move(next);
        append_note();
    }
    void note(detail::deployment_state& into, audit_kind kind, std::uint64_t number, std::string_view logic,
        std::string_view why, std::string_view verdict = {}) const {
        into.note = {into.note.number + 1, static_cast<std::uint8_t>(kind), label(number, logic),
            detail::sentence({"step ", into.note.number + 1, why.empty() ? "" : ": ", why}), std::string{verdict}};
    }
    /// The audit log has the last step, or is given it: once, however often it is tried.
    void append_note() {
        auto const& last = state_.note;
        if (last.number == 0) return;
        auto const tag = detail::sentence({"step ", last.number});
        for (auto const& each : audit_.history()) {
            if (each.why == tag || each.why.starts_with(tag + ":")) return;
        }
        audit_.append(static_cast<audit_kind>(last.kind), last.version, options_.who, last.why, last.verdict);
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
        previous_.reset();
        view_.retire_old(used());
    }
    void close_window() {
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::steady);
        next.previous = 0;
        step(next, [](auto&) {});
        retire_job(previous_);
        view_.retire_old(used());
    }
    void give_up_previous(std::string const& why) {
        auto const number = state_.previous;
        previous_.reset();
        auto next = state_;
        next.phase = static_cast<std::uint8_t>(deployment_phase::steady);
        next.previous = 0;
        next.outcome = detail::sentence({"version ", number, " follows no more, and there is no way back: ", why});
        note(next, audit_kind::stop, number, logic_of(number), why);
        step(next, [](auto&) {});
    }
    void end_trial(std::string const& why) {
        if (phase() == deployment_phase::watching) back(why);
        else if (state_.candidate != 0) stop(why);
    }
    /// Its rows are kept as of now.
    static void retire_job(job_ptr& of) {
        if (of) of->save_snapshot();
        of.reset();
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
        if (state_.starts != 0 && trial->about().snapshot != trial_snapshot_) {  // it gets on: no crash loop
            auto next = state_;
            next.starts = 0;
            step(next, [](auto&) {});
        }
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
        if (phase() == deployment_phase::replaying && candidate_ && caught_up() && settled()) validate();
        if (phase() == deployment_phase::ready && options_.cut_over_when_valid) cut_over();
    }
    /// It has read all that there is, and so has the current one.
    bool caught_up() {
        if (candidate_->lag() != 0) return false;
        std::string const why = tried([&] { meet(); });
        if (why.empty()) return candidate_ != nullptr && met();
        stop(why);
        return false;
    }
    /// How many records further the current one has read.
    [[nodiscard]] std::int64_t ahead(bool& same) const {
        same = true;
        return current_ ? detail::ahead_of(current_->about(), candidate_->about(), same) : 0;
    }
    [[nodiscard]] bool met() const {
        bool same = false;
        static_cast<void>(ahead(same));
        return same;
    }
    /// Brings both to the same offsets, while the logs grow. A throttle may hold the new one back: then not yet.
    void meet() {
        for (int tries = 0; tries < 1000; ++tries) {
            bool same = false;
            auto const by = ahead(same);
            if (same) return;
            std::size_t fed = 0;
            if (by > 0) fed = candidate_->poll(static_cast<std::size_t>(by));
            else if (by < 0) fed = current_->poll(static_cast<std::size_t>(-by));
            else fed = current_->poll(options_.replay_chunk) + candidate_->poll(options_.replay_chunk);
            if (fed == 0) return;
        }
    }
    /// Of a correction: the rows that are not its own cannot change any more. It is given them.
    bool settled() {
        if (!correcting_) return true;
        auto const of = defined(logic_of(view_.list().current)).reach(correcting_->from);
        if (current_->about().watermark < of.settled) return false;
        auto const why = tried([&] { take_other_rows(); });
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
    }

    // --- jobs ---------------------------------------------------------------------------------------------------

    job_ptr open(std::uint64_t number, std::function<void(View&)> const& fill = {}) {
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
    [[nodiscard]] static std::string label(std::uint64_t number, std::string_view logic) {
        return detail::sentence({logic, " (version ", number, ")"});
    }
    [[nodiscard]] std::vector<std::uint64_t> used() const { return {state_.candidate, state_.previous}; }
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
        } catch (error const& problem) {
            return problem.what();
        } catch (std::exception const& problem) {
            return problem.what();
        }
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
