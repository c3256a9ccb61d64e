// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_LAMBDA_COORDINATOR_HPP
#define DRIFTLESS_VIEW_LAMBDA_COORDINATOR_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/logic_version.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/view/detail/lambda_corrections.hpp>
#include <driftless/view/detail/lambda_logs.hpp>
#include <driftless/view/detail/lambda_overlap.hpp>
#include <driftless/view/detail/lambda_run.hpp>
#include <driftless/view/lambda_options.hpp>
#include <driftless/view/lambda_view.hpp>
#include <driftless/view/reconcile.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Runs one pipeline as a batch layer and as a speed layer, and serves both as one answer: the Lambda architecture
/// without a second program.
///
///     dl::lambda_coordinator shop{"views/revenue", {.every = 24_h}, revenue, orders};
///     while (running) shop.poll();              // the speed layer first, and a piece of the batch that runs
///     auto const answer = shop.view().find("shoes", today);   // any thread
///
/// Shape       A batch reads the logs from their beginning up to where the speed layer stands when it begins: that is
///             T, offsets and not a time. When it has ended, its rows, its state and T are written, a new speed layer
///             starts from that state and reads what the present one has read, and readers are moved to all of it in
///             one step. So every record has exactly one owner at every T. A batch begins when it is due (every,
///             records), when request_batch() was called, and at once while there is no T, or one of other logic. It
///             waits until its records are durable in their logs.
///             P         a pipeline that ends in rows, or add_layers(pipeline)
///             Inputs    logs, or bind(name, log): borrowed
/// Time        The declared watermark (assign_time) decides in both layers what is late. `every` goes by the clock of
///             the options.
/// State       A folder, as of versioned_view: of each T that is kept a folder with its rows and the state that it left
///             (a snapshot). One write of CURRENT publishes a T. The speed layer is in memory, and a start reads its
///             records again, from T on: what it costs is bounded by how often T moves. When a T covers it, it goes.
/// Errors      The constructor throws driftless::error: in_use, corrupt, io; mismatch where the logs are others. What a
///             batch throws leaves T and what is served as they were: report().batch_failure, and it is tried again.
///             What the speed layer throws is report().speed_failure; readers are given what `speed_failure` says until
///             the next T.
/// Threads     One polls. view() is read by any number, report() may be called by any.
/// Complexity  A batch reads all records; publishing a T looks at all rows, to know what it corrects.
/// Source      N. Marz, J. Warren, "Big Data" (2015); the state that a batch leaves takes the place of their second
///             program.
/// Example     examples/lambda_orders
template <class P, class... Inputs>
class lambda_coordinator {
    using side = detail::lambda_side<P>;
    using pipeline_t = typename side::pipeline;
    using merge_t = typename side::merge;

public:
    using key_type = typename side::key;
    using value_type = typename merge_t::shown;
    using view_type = lambda_view<key_type, value_type, merge_t>;

private:
    using layers_t = typename view_type::layers_type;
    using versions_t = detail::lambda_versions<key_type, typename layers_t::stored, layers_t>;
    using run_t = detail::lambda_run<side, Inputs...>;
    using overlap_t = detail::lambda_overlap<layers_t>;
    static_assert(is_replayable<pipeline_t>,
        "driftless: a lambda_coordinator runs its pipeline twice over the same records, and this one asks the clock or "
        "the outside world: its layers would not agree; write down what they say in the records, before the log");
    static_assert(side::has_rows,
        "driftless: a lambda_view keeps a row per key and window, and this pipeline yields plain records: end it in an "
        "aggregate, or put key_by<&T::member>() before its end");
    static_assert(!has_text<key_type> && !has_text<value_type>,
        "driftless: a lambda_view hands out keys and values that own their text: give the struct that the pipeline "
        "yields std::string in place of text");
    static_assert((detail::sliced_input<Inputs>::borrowed && ...),
        "driftless: a lambda_coordinator borrows its logs, and one of them is a temporary: give it a name and pass "
        "that");

    lambda_options options_;
    pipeline_t pipeline_;
    std::uint64_t fingerprint_;
    std::string logic_;
    detail::lambda_logs<Inputs...> logs_;
    versions_t versions_;
    view_type view_;
    std::unique_ptr<run_t> speed_;  // of the T that is served; null where it has failed, or is not wanted
    std::unique_ptr<run_t> batch_;  // which reads
    std::unique_ptr<run_t> fresh_;  // the speed layer of the T that is published next
    std::uint64_t next_ = 0;        // the number of that T; 0: none is being made
    std::vector<std::uint64_t> cut_;     // where it will be, while it is known
    std::vector<std::uint64_t> served_;  // how far readers have been shown the speed layer
    std::optional<overlap_t> overlap_;   // what the speed layer says there
    build about_;                        // what the rows that are served were made of
    build about_next_;                   // and those of the next T
    std::uint64_t corrected_ = 0;        // rows that it changes
    std::uint64_t old_ = 0;              // the T before it
    std::string fresh_failure_;          // of its speed layer
    std::string undecided_;              // not empty: a cut-over has begun, and why it has not ended
    bool wanted_ = false;
    event_time failed_at_ = event_time::min();
    std::vector<std::uint64_t> abandoned_;  // versions that are to be removed
    mutable std::mutex telling_;
    lambda_report report_;

public:
    lambda_coordinator(std::string folder, lambda_options options, P const& pipeline, Inputs&&... logs)
        : options_(std::move(options)),
          pipeline_(side::make(pipeline)),
          fingerprint_(driftless::fingerprint(pipeline_)),
          logic_(options_.logic_version.empty() ? build_id() : options_.logic_version),
          logs_(detail::sliced_input<Inputs>::of(logs)...),
          versions_(std::move(folder), versions_like(options_)),
          view_(versions_, side::merge_of(pipeline), options_.keep_speed, options_.mode) {
        if (options_.every < duration{} || options_.chunk == 0 || options_.retry_after < duration{}) {
            throw error{error_code::invalid_argument,
                "lambda_options needs every and retry_after >= 0, and a chunk of at least 1 record"};
        }
        start();
    }
    lambda_coordinator(lambda_coordinator const&) = delete;
    lambda_coordinator& operator=(lambda_coordinator const&) = delete;

    /// What readers ask.
    [[nodiscard]] view_type const& view() const noexcept { return view_; }
    [[nodiscard]] view_type& view() noexcept { return view_; }
    [[nodiscard]] lambda_report report() const {
        std::lock_guard const lock{telling_};
        return report_;
    }

    /// Reads what is there: the speed layer at most `max` records, then the batch that runs a piece. Returns how many
    /// records were read; 0: there is nothing to do now.
    ///
    /// Errors      None of the layers': see report().
    std::size_t poll(std::size_t max = std::numeric_limits<std::size_t>::max()) {
        std::size_t fed = 0;
        // While the next speed layer catches up, the present one waits for it.
        if (!fresh_) fed += poll_speed(max);
        if (next_ == 0 && due()) prepare_batch();
        if (next_ != 0) fed += step();
        tell();
        return fed;
    }
    /// Takes the rows of a T that was kept into memory: view().as_of_contract(number).
    ///
    /// Errors      not_there.
    void load_contract(std::uint64_t number) {
        if (number == versions_.list().current) return;
        versions_.load(number);
        auto& made = *versions_.at(number);
        take_contract(made->rows(), made->about());
    }
    /// The next poll() begins a batch, unless one runs.
    void request_batch() noexcept { wanted_ = true; }
    /// Runs a batch now, or the one that runs, to its end. True if it was published; else report().batch_failure says
    /// why not.
    bool run_batch() {
        auto const before = report().batches;
        if (next_ == 0) {
            poll_speed(std::numeric_limits<std::size_t>::max());
            failed_at_ = event_time::min();
            prepare_batch();
        }
        int undecided = 0;
        for (int waits = 0; next_ != 0;) {
            if (step() != 0 || next_ == 0) continue;
            if (!undecided_.empty() && ++undecided == 3) break;
            if (!undecided_.empty()) continue;
            if (++waits == 10000) fail_batch("a log does not make durable what a batch would have to read");
            else std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        tell();
        return report().batches != before;
    }

private:
    // --- starting -----------------------------------------------------------------------------------------------

    static versioned_view_options versions_like(lambda_options const& from) {
        versioned_view_options out;
        out.keep = from.keep;
        out.git_hash = from.git_hash;
        out.files = from.files;
        out.clock = from.clock;
        out.rows.name = from.name;
        out.rows.fresh = from.fresh;
        out.rows.keep = from.keep_speed;
        out.rows.clock = from.clock;
        return out;
    }
    void start() {
        auto const current = versions_.list().current;
        // What a batch that did not end has left behind.
        for (auto const each : versions_.versions()) {
            if (each > current) versions_.retire(each);
        }
        if (current == 0) return;
        versions_.retire_old();
        auto& made = *versions_.at(current);
        about_ = made->about();
        take_contract(made->rows(), about_);
        report_.contract = *made->rows().contract;
        if (options_.mode == lambda_mode::batch_only) {
            versions_.show(current);
            return;
        }
        if (!same_logic(about_)) {
            // Its state is not ours to go on from: its rows are served until a batch has made ours.
            made->rows().speed_is = speed_state_after_failure();
            tell_speed_failure(
                "the rows at T are of another logic version, or of another pipeline: a batch makes new ones",
                false);
        } else {
            try {
                speed_ = open_speed(current, about_);
                made->rows().speed_is = detail::speed_state::live;
            } catch (error const& problem) {
                if (problem.code() == error_code::mismatch || problem.code() == error_code::in_use) throw;
                made->rows().speed_is = speed_state_after_failure();
                tell_speed_failure(problem.what(), true);
            }
        }
        versions_.show(current);
    }
    [[nodiscard]] bool same_logic(build const& of) const {
        return of.logic_version == logic_ && of.fingerprint == fingerprint_;
    }
    static void take_contract(layers_t& of, build const& about) {
        of.contract = std::make_shared<batch_contract const>(detail::contract_of(about));
        of.speed_start = merge_t::adds ? 0 : about.records;
    }

    // --- the speed layer ----------------------------------------------------------------------------------------

    [[nodiscard]] stream mode_of(std::string const& state) const {
        stream out{.threads = options_.threads,
            .on_error = options_.on_error,
            .until = until::end_of_log,
            .clock = options_.clock};
        if constexpr (!merge_t::adds) {
            out.snapshots = state;
            out.snapshot_options.every = {};
            out.snapshot_options.job = "lambda";
            out.snapshot_options.logic_version = logic_;
            out.snapshot_options.files = options_.files;
        }
        return out;
    }
    [[nodiscard]] std::unique_ptr<run_t> open(std::uint64_t number, typename run_t::target into,
        std::vector<std::uint64_t> const& from, std::vector<std::uint64_t> const& until) {
        return open(number, into, from, until, std::index_sequence_for<Inputs...>{});
    }
    template <std::size_t... I>
    std::unique_ptr<run_t> open(std::uint64_t number, typename run_t::target into,
        std::vector<std::uint64_t> const& from, std::vector<std::uint64_t> const& until, std::index_sequence<I...>) {
        auto const state = versions_.folder_of(number) + "/state";
        return std::make_unique<run_t>(versions_.read_version(number), (*versions_.at(number))->rows(), into,
            mode_of(state), pipeline_,
            logs_.template slice<I>(from, until)...);
    }
    [[nodiscard]] std::unique_ptr<run_t> open_speed(std::uint64_t number, build const& at) {
        std::vector<std::uint64_t> from;
        if constexpr (merge_t::adds) {
            for (auto const& each : at.inputs) from.push_back(each.offset);
        }
        return open(number, run_t::target::speed, from, {});
    }
    std::size_t poll_speed(std::size_t max) {
        if (!speed_) return 0;
        try {
            auto const fed = speed_->running().poll(max);
            if (fed != 0) served_ = speed_->positions();
            return fed;
        } catch (std::exception const& problem) {
            fail_speed(problem.what());
            return 0;
        }
    }
    [[nodiscard]] detail::speed_state speed_state_after_failure() const noexcept {
        return options_.speed_failure == when_speed_fails::batch_only ? detail::speed_state::left
                                                                      : detail::speed_state::failed;
    }
    void fail_speed(std::string_view why) {
        (*versions_.at(speed_->number()))->rows().speed_is = speed_state_after_failure();
        speed_.reset();
        tell_speed_failure(why, true);
    }
    void tell_speed_failure(std::string_view why, bool counts) {
        std::lock_guard const lock{telling_};
        if (counts) ++report_.speed_failures;
        report_.speed_failure = why;
    }

    // --- the batch layer ----------------------------------------------------------------------------------------

    [[nodiscard]] bool due() const {
        auto const now = versions_.now();
        if (wanted_) return true;
        if (failed_at_ != event_time::min() && now - failed_at_ < options_.retry_after) return false;
        if (report_.contract.number == 0 || failed_at_ != event_time::min() || !same_logic(about_)) return true;
        if (options_.every > duration{} && now - report_.contract.published >= options_.every) return true;
        return options_.records != 0 && logs_.records_behind(about_.inputs) >= options_.records;
    }
    /// T is where the speed layer stands, so that both can be compared; without one, where the logs end.
    void prepare_batch() {
        wanted_ = false;
        cut_.clear();
        overlap_.reset();
        try {
            clean_up();
            if (speed_) {
                cut_ = speed_->positions();
                if constexpr (!merge_t::adds) overlap_.emplace(versions_.read(), options_.keep_speed);
            } else {
                cut_ = logs_.ends();
            }
            logs_.require_whole(about_.inputs);
            next_ = versions_.begin(logic_).number();
        } catch (std::exception const& problem) {
            fail_batch(problem.what());
        }
    }
    /// One piece of what leads to the next T.
    std::size_t step() {
        try {
            if (!undecided_.empty()) return settle(), 1;
            if (fresh_) return catch_up();
            if (!batch_) {
                if (!logs_.durable_up_to(cut_)) return 0;
                batch_ = open(next_, run_t::target::base, {}, cut_);
            }
            auto const fed = batch_->running().poll(options_.chunk);
            if (fed == 0) end_batch();
            return fed != 0 ? fed : 1;
        } catch (std::exception const& problem) {
            if (undecided_.empty()) {
                fail_batch(problem.what());
            } else {  // nobody knows what CURRENT says: it is asked again
                undecided_ = problem.what();
                std::lock_guard const lock{telling_};
                report_.batch_failure = undecided_;
            }
            return 0;
        }
    }
    void end_batch() {
        auto& made = *versions_.at(next_);
        auto& layers = made->rows();
        auto about = made->about();
        batch_->running().run();  // the rest, and the state that it leaves
        batch_->describe(about);
        about.fingerprint = fingerprint_;
        // What ends here, the stream tells again when it is complete.
        batch_->sink().turn_to(run_t::target::open);
        batch_->running().stop_snapshots();
        batch_->running().drain();
        batch_.reset();
        detail::show_rows(layers, about);
        if (overlap_) overlap_->compare(layers, options_.samples);
        take_contract(layers, about);
        about_next_ = std::move(about);
        if (options_.mode != lambda_mode::batch_only) fresh_ = open_speed(next_, about_next_);
        else publish();
    }
    std::size_t catch_up() {
        std::size_t fed = 0;
        try {
            if (!has_caught_up()) fed = fresh_->running().poll(options_.chunk);
        } catch (std::exception const& problem) {
            if (speed_) throw;  // the present one goes on: it is the new one that has something
            fail_fresh(problem.what());
            publish();
            return 1;
        }
        if (fed == 0 || has_caught_up()) publish();
        return fed != 0 ? fed : 1;
    }
    [[nodiscard]] bool has_caught_up() {
        auto const at = fresh_->positions();
        for (std::size_t i = 0; i < served_.size(); ++i) {
            if (at[i] < served_[i]) return false;
        }
        return true;
    }
    void fail_fresh(std::string_view why) {
        fresh_.reset();
        fresh_failure_ = why;
    }
    /// Rows, state and T become what readers are given, in one step.
    void publish() {
        auto const number = next_;
        auto& made = *versions_.at(number);
        auto& layers = made->rows();
        bool const speeds = options_.mode != lambda_mode::batch_only;
        layers.speed_is = fresh_ ? detail::speed_state::live
            : speeds             ? speed_state_after_failure()
                                 : detail::speed_state::none;
        if (fresh_) fresh_->running().poll(0);  // it says where it stands, even at T itself
        std::uint64_t corrected = 0;
        if (auto const before = versions_.try_read()) {
            bool const same_records = speed_ && fresh_ && speed_->positions() == fresh_->positions();
            corrected = detail::find_corrections<key_type, value_type>(view_.merge(), versions_.read(),
                versions_.read_version(number), view_.mode(), options_.keep_speed, layers.corrections,
                {.same_records = same_records, .same_logic = (*before)->contract->logic_version == logic_});
        }
        made->tell(about_next_);
        versions_.save(number);
        about_next_ = made->about();
        take_contract(layers, about_next_);
        old_ = versions_.list().current;
        undecided_ = "?";
        corrected_ = corrected;
        versions_.cut_over(number);
        conclude();
    }
    /// A cut-over that failed: CURRENT names the new version, or it does not.
    void settle() {
        versions_.reread();
        if (versions_.list().current != next_) return fail_batch(undecided_);
        versions_.show(next_);
        conclude();
    }
    /// Readers have it.
    void conclude() {
        auto& layers = (*versions_.at(next_))->rows();
        undecided_.clear();
        speed_ = std::move(fresh_);
        if (speed_) served_ = speed_->positions();
        if (old_ != 0 && options_.keep != 0) versions_.unload(old_);
        about_ = about_next_;
        next_ = 0;
        failed_at_ = event_time::min();
        tell_of(*layers.contract);
        overlap_.reset();
        try {
            versions_.retire_old();  // nobody but readers holds the T before any more
        } catch (std::exception const&) {  // NOLINT(bugprone-empty-catch): the next T, or the next start, removes it
        }
    }
    void tell_of(batch_contract const& contract) {
        std::lock_guard const lock{telling_};
        ++report_.batches;
        report_.batch_failure.clear();
        report_.speed_failure = std::exchange(fresh_failure_, {});
        if (!report_.speed_failure.empty()) ++report_.speed_failures;
        report_.contract = contract;
        report_.corrections = corrected_;
        if (overlap_ && overlap_->found()) {
            report_.overlap = overlap_->found();
            report_.overlap_rows += report_.overlap->rows();
            report_.overlap_disagreeing += report_.overlap->disagreeing();
        } else {
            report_.overlap.reset();
        }
    }
    void fail_batch(std::string why) {
        batch_.reset();
        fresh_.reset();
        overlap_.reset();
        fresh_failure_.clear();
        undecided_.clear();
        if (next_ != 0) abandoned_.push_back(std::exchange(next_, 0));
        failed_at_ = versions_.now();
        {
            std::lock_guard const lock{telling_};
            ++report_.batch_failures;
            report_.batch_failure = std::move(why);
        }
        try {
            clean_up();
        } catch (std::exception const&) {  // NOLINT(bugprone-empty-catch): the next batch, or start, tries again
        }
    }
    /// Nothing stays of batches that failed.
    void clean_up() {
        versions_.reread();
        while (!abandoned_.empty()) {
            auto const number = abandoned_.back();
            if (versions_.list().find(number) != nullptr && number != versions_.list().current)
                versions_.retire(number);
            abandoned_.pop_back();
        }
        for (auto const each : versions_.versions()) {
            if (each > versions_.list().current) versions_.retire(each);
        }
        versions_.retire_old();
    }
    void tell() {
        std::uint64_t lag = 0;
        std::uint64_t since = 0;
        if (speed_) {
            auto const at = speed_->positions();
            auto const ends = logs_.ends();
            for (std::size_t i = 0; i < at.size(); ++i) {
                if (ends[i] > at[i]) lag += ends[i] - at[i];
                if (i < about_.inputs.size() && at[i] > about_.inputs[i].offset)
                    since += at[i] - about_.inputs[i].offset;
            }
        } else {
            lag = logs_.records_behind(about_.inputs);
        }
        std::lock_guard const lock{telling_};
        report_.phase = next_ == 0 ? lambda_phase::serving : fresh_ ? lambda_phase::catch_up
                                                                    : lambda_phase::batch;
        report_.lag = lag;
        report_.speed_records = since;
    }
};
template <class P, class... Inputs>
lambda_coordinator(std::string, lambda_options, P, Inputs&&...) -> lambda_coordinator<P, Inputs...>;
template <class P, class... Inputs>
lambda_coordinator(char const*, lambda_options, P, Inputs&&...) -> lambda_coordinator<P, Inputs...>;
}  // namespace driftless::inline v0
#endif
