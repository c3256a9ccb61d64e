// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_JOB_HPP
#define DRIFTLESS_RUN_JOB_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/wakeup.hpp>
#include <driftless/op/detail/shards.hpp>
#include <driftless/run/answers.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/decisions.hpp>
#include <driftless/run/detail/partition_workers.hpp>
#include <driftless/run/detail/snapshot_keeper.hpp>
#include <driftless/run/detail/state_bytes.hpp>
#include <driftless/run/detail/stuck_visitor.hpp>
#include <driftless/run/detail/throttle.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/run/results.hpp>
#include <driftless/run/stream.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A pipeline that runs for a while: it can be polled, paused, resumed, snapshotted, drained and
/// watched, and it gives the answers that a batch run over the same log gives.
///
/// Mode        stream, or batch (then run() reads to the end, and poll is for streams only)
/// Args        inputs, sinks and side outputs, as in run(); without a sink the rows are in results()
/// State       Owns the stages; borrows logs and sinks that are lvalues. Neither copied nor moved.
/// Threads     One thread polls or runs it. stop() and metrics() may be called from any thread.
/// Errors      Throws driftless::error. After an error the job has failed: what is asked of it then
///             throws code `stopped`; take up an earlier snapshot with a new job.
template <class Mode, class P, class... Args>
class job {
    static constexpr bool streams = std::is_same_v<Mode, stream>;
    static constexpr bool threads = !std::is_same_v<decltype(Mode::threads), one_thread>;
    using run_mode = std::conditional_t<streams, streaming, detail::batch_mode<P, threads>>;
    using engine_t = detail::engine<run_mode, P, Args...>;
    /// Something in the pipeline asks for processing time.
    static constexpr bool tells_clock = streams && detail::told_the_clock<P>;
    static constexpr std::size_t chunk = 16384;  // records between two looks at stop() and two publications
    static constexpr bool exactly_once = engine_t::has_transactional_sinks;

    enum class phase : std::uint8_t {
        open,
        ended,
        failed
    };

    Mode mode_;
    detail::executor_handle workers_;
    results_of<output_of<P>> rows_;
    engine_t engine_;
    struct no_watch {
        no_watch(engine_t&, Mode const&) {}
    };
    using watch_t = std::conditional_t<streams, detail::decisions<engine_t, tells_clock>, no_watch>;
    watch_t watch_;
    detail::throttle limits_;
    std::vector<std::string> warnings_;
    std::optional<detail::snapshot_keeper<engine_t, watch_t>> keeper_;
    bool ended_before_ = false;  // the snapshot taken up is of a drained job
    bool is_woken_ = false;      // by all inputs: nobody else has to look whether they have grown
    alignas(64) wakeup wakeup_;  // written by those who append
    alignas(64) std::atomic<bool> stop_{false};
    phase phase_ = phase::open;
    mutable std::mutex publishing_;
    report reports_[2];  // one is published, the other takes the next one: their memory is used again
    std::size_t published_ = 0;
    mutable std::atomic<bool> asked_{false};  // a batch publishes when somebody has asked

public:
    job(Mode mode, P const& description, Args&&... args)
        : mode_(mode),
          workers_(detail::thread_count_of<decltype(Mode::threads)>{mode.threads}.start()),
          engine_(description, &rows_, mode.on_error, workers_.get(), std::forward<Args>(args)...),
          watch_(engine_, mode),
          limits_(limits_of(mode, false), limits_of(mode, true), engine_.lanes()) {
        if (limits_.active()) engine_.limit(limits_);
        engine_.services().answers = mode.answers;
        if constexpr (streams) {
            if constexpr (exactly_once) read_durable_only();
            if (!mode.snapshots.empty()) {
                keeper_.emplace(engine_, watch_, std::string{mode.snapshots}, mode.snapshot_options, warnings_);
                keeper_->start();
                ended_before_ = keeper_->ended();
            }
        }
        if (!keeper_) engine_.begin_transaction(job_name());
        publish();
        is_woken_ = engine_.subscribe(wakeup_);  // last: what throws before it leaves nobody to wake
    }
    job(job const&) = delete;
    job& operator=(job const&) = delete;
    ~job() { engine_.unsubscribe(wakeup_); }

    /// Reads what the inputs hold now, at most `max` records; returns how many. Where several partitions
    /// or inputs are merged, one that is open, empty and not idle (stream::idle_after) holds the others.
    std::size_t poll(std::size_t max = std::numeric_limits<std::size_t>::max()) {
        if (ended_before()) return require_nothing_new();
        return guarded([&] {
            auto const fed = poll_engine(max, false);
            if (fed != 0 || moves_by_itself()) publish();
            return fed;
        });
    }

    /// Batch: reads everything, once. Stream: follows the inputs until stop(), or as `until` says. With snapshots, a
    /// run that comes back leaves one.
    void run() {
        if constexpr (!streams) {
            guarded([&] {
                engine_.run_to_end([this] {
                    if (asked_.load(std::memory_order_relaxed)) publish();
                });
                return engine_.commit_transaction(), 0;
            });
            phase_ = phase::ended;
        } else {
            require_commits();
            if (ended_before()) {
                require_nothing_new();
                return;
            }
            if (mode_.until == until::stopped) {
                follow();
            } else if (guarded([&] { return read_to_present_end(true); }) && mode_.until == until::drained) {
                finish();
            }
            if (phase_ == phase::open && keeper_) guarded([&] { return keeper_->take(now(), false), 0; });
        }
        publish();
    }

    /// Makes run() come back, soon; may be called from any thread, also before run().
    void stop() noexcept {
        stop_.store(true, std::memory_order_release);
        wakeup_.notify();
    }

    /// Reads what the inputs hold now and ends: the watermark +inf fires all that is open.
    void drain() {
        if constexpr (streams) {
            if (ended_before()) {
                require_nothing_new();
                return;
            }
            guarded([&] { return read_to_present_end(false); });
            finish();
            publish();
        } else {
            run();
        }
    }

    /// Takes a snapshot into stream::snapshots, now; what sinks of two phases were given is then visible.
    ///
    /// Errors      invalid_argument without a folder; io, or fenced where another instance of the job has started.
    void save_snapshot() {
        guarded([&] {
            if (!keeper_)
                throw error{error_code::invalid_argument, "there is no folder for it: stream{.snapshots = ...}"};
            return keeper_->take(now(), false), 0;
        });
        publish();
    }

    /// Takes no more snapshots, not even by save_snapshot(): what follows is no part of what the next start takes up.
    void stop_snapshots() noexcept {
        if (keeper_) keeper_->stop();
    }

    /// The state of all stages and the offsets read so far, as bytes.
    ///
    /// Errors      A state without a codec is a sentence at compile time.
    [[nodiscard]] std::string snapshot() {
        return guarded([&] { return detail::state_bytes(engine_, watch_); });
    }
    /// Takes a snapshot up: the job goes on where the other one was, on any number of threads. What was
    /// collected in results() is not part of it.
    ///
    /// Errors      Damaged bytes (malformed); another pipeline, or inputs that are shorter (mismatch).
    void restore(std::string_view bytes) {
        guarded([&] { return detail::take_state(engine_, watch_, bytes), 0; });
        if (keeper_) keeper_->forget();
        publish();
    }

    /// The rows so far, in canonical order; for a job without a sink.
    [[nodiscard]] results_of<output_of<P>> const& results() {
        static_assert(!detail::last_stage<P, Args...>::has_sink,
            "driftless: this job writes to a sink: its rows are there, not in results()");
        rows_.settle(engine_.make_report());
        return rows_;
    }

    /// The same, moved out of a job that is done with.
    [[nodiscard]] results_of<output_of<P>> take_results() {
        static_cast<void>(results());
        return std::move(rows_);
    }

    /// Why nothing comes out, for people: which partition or input holds the watermark and which the merge, up to which
    /// watermark panes are held back, and the next watermark for which each operator waits. One line each.
    [[nodiscard]] std::string explain_stuck() {
        using sources = typename detail::sources_of<detail::type_list<>, P>::type;
        std::string out;
        guarded([&] {
            engine_.extend();
            if (limits_.holds()) out = "a rate limit holds the next record for " + detail::plan_text(limits_.wait());
            detail::say_who_is_waited_for<sources>(engine_.lanes(), out);
            auto each = engine_.lanes().begin();  // in the order of the chains
            engine_.each_chain([&](auto& chain) {
                auto const input = (*each)->input;
                chain.visit_state(detail::stuck_visitor{out, detail::input_text(sources{}, input)});
                while (each != engine_.lanes().end() && (*each)->input == input) ++each;
            });
            return 0;
        });
        return out;
    }

    /// Where the job stands now: f(input, log, partition, next) for each partition, with the offset of its next record.
    /// On the thread of the job, also for its sinks.
    template <class F>
    void each_position(F&& f) {
        auto const* at = engine_.lanes().begin();
        engine_.each_named_input([&](std::string_view input, auto const& log) {
            for (std::uint32_t p = 0; p < log.partitions(); ++p) f(input, log, p, (*at++)->next);
        });
    }
    /// The books as of now. On the thread of the job, also for its sinks.
    [[nodiscard]] report books() { return engine_.make_report(); }
    /// The books as of the last chunk, and where its inputs end now; may be called from any thread. A batch that runs
    /// makes them when somebody has asked: what it answers is as of a chunk behind the question before.
    [[nodiscard]] report metrics() const {
        report out;
        {
            std::lock_guard const lock{publishing_};
            out = reports_[published_];
        }
        asked_.store(true, std::memory_order_relaxed);
        bool waits = false;
        for (std::size_t i = 0; i < out.partitions.size(); ++i) {
            look_at_end(out.partitions[i], *engine_.lanes()[i]);
            waits = waits || out.partitions[i].lag_records() != 0;
        }
        for (auto& each : out.partitions) each.holds_merge = streams && waits && !each.idle && each.lag_records() == 0;
        return out;
    }

private:
    /// Lets nothing go on after an error.
    template <class F>
    auto guarded(F&& f) {
        if (phase_ != phase::open) {
            throw error{error_code::stopped,
                phase_ == phase::failed ? "this job has failed: start a new one, from a snapshot if there is one"
                                        : "this job has ended (drain, or a finished batch): start a new one"};
        }
        try {
            return f();
        } catch (...) {
            phase_ = phase::failed;
            std::lock_guard const lock{publishing_};
            auto& last = reports_[published_];
            last.has_failed = true;
            engine_.fill_sinks(last);
            if (keeper_) last.snapshots = keeper_->told();
            throw;
        }
    }
    static rate_limit limits_of(Mode const& mode, bool partition) {
        if constexpr (streams) return partition ? mode.partition_limits : mode.limits;
        else return {};
    }
    /// Something may happen without a record.
    [[nodiscard]] bool moves_by_itself() {
        if (engine_.services().waiting() != nullptr) return true;
        if constexpr (streams) return keeper_ || limits_.active() || watch_.needed() || watch_.asks_clock();
        else return false;
    }
    void publish() {
        asked_.store(false, std::memory_order_relaxed);
        auto& now = reports_[1 - published_];  // nobody else changes which one that is
        engine_.fill(now);
        now.warnings = warnings_;
        now.held_back = limits_.held_back();
        now.keeps_snapshots = keeper_.has_value();
        if (keeper_) now.snapshots = keeper_->told();
        std::lock_guard const lock{publishing_};
        published_ = 1 - published_;
    }
    /// The lag in records and in event time. What the log cannot tell now stays as it was.
    static void look_at_end(partition_report& of, detail::lane const& from) {
        try {
            of.end = from.visible_end();
            if (of.end <= of.next || of.next <= from.begin()) return;
            auto const newest = from.time_at(of.end - 1);
            auto const read = from.time_at(of.next - 1);
            if (read != event_time::min() && newest > read) of.lag = newest - read;
        } catch (...) {
            return;
        }
    }
    void finish() {
        guarded([&] {
            engine_.finish();
            if (keeper_) keeper_->take(now(), true);
            else engine_.commit_transaction();
            return 0;
        });
        phase_ = phase::ended;
    }
    /// The newest snapshot is that of a job that was drained: all is done.
    [[nodiscard]] bool ended_before() const { return phase_ == phase::open && ended_before_; }
    std::size_t require_nothing_new() {
        return guarded([&] {
            engine_.extend();
            for (auto const* const each : engine_.lanes()) {
                if (!each->has_record()) continue;
                throw error{error_code::stopped,
                    "this job has been drained, and its inputs have grown since: give what follows a job, and a "
                    "folder for its snapshots, of its own"};
            }
            return std::size_t{0};
        });
    }

    // --- sinks of two phases ------------------------------------------------------------------------------------

    [[nodiscard]] std::string_view job_name() const {
        if constexpr (streams) return mode_.snapshot_options.job;
        else return "job";
    }
    void require_commits() const {
        if (!exactly_once || keeper_ || mode_.until == until::drained) return;
        throw error{error_code::invalid_argument,
            "a sink of this job shows rows when a snapshot is complete, and the job takes none: give it a folder, "
            "stream{.snapshots = ...}"};
    }
    /// What a loss of power could take back must not have been committed.
    void read_durable_only() {
        for (auto* const each : engine_.lanes()) each->durable = true;
        engine_.each_named_input([](std::string_view, auto const& log) {
            if constexpr (requires { log.durable()->what(); }) {
                if (log.durable()
                    && log.durable()->what() == std::remove_cvref_t<decltype(log.durable()->what())>::on_close) {
                    throw error{error_code::invalid_argument,
                        "a job with a sink that delivers exactly once reads what is durable, and this log makes "
                        "nothing so before it is closed: open it with .durable = every(...) or every_batch",
                        log.path()};
                }
            }
        });
    }
    /// Before a cut at the present end: all that is there is durable.
    void wait_until_durable() {
        if constexpr (exactly_once) {
            for (auto* const each : engine_.lanes()) {
                auto const wanted = each->visible_end();
                for (int tries = 0; each->extend(), each->end < wanted; ++tries) {
                    if (tries == 10000) {
                        throw error{error_code::io,
                            "the end of an input does not become durable: is the writer of the log still there?", {},
                            each->end};
                    }
                    std::this_thread::sleep_for(std::chrono::milliseconds{1});
                }
            }
        }
    }

    // --- reading ------------------------------------------------------------------------------------------------

    [[nodiscard]] event_time now() const {
        if constexpr (streams) return mode_.clock != nullptr ? mode_.clock() : detail::system_time();
        else return event_time::min();
    }
    /// Processing time, before what is read next; -inf where nothing asks for it.
    event_time tell_time() {
        if constexpr (streams) {
            bool const asked = watch_.asks_clock();
            if (!asked && !limits_.active() && !(keeper_ && keeper_->tells_time())) return event_time::min();
            auto const told = now();
            if (limits_.active()) limits_.fill(told);
            if (asked && tells_clock && !watch_.needed()) engine_.on_clock(told);
            return told;
        } else {
            return event_time::min();
        }
    }
    /// As the engine's; takes snapshots where they are due.
    std::size_t poll_engine(std::size_t max, bool cut) {
        if constexpr (streams) {
            std::size_t fed = 0;
            for (;;) {
                auto const room = keeper_ ? keeper_->until_due(max - fed) : max;
                auto const told = tell_time();
                auto const some = watch_.needed() ? watch_.poll(room, cut, told) : engine_.poll(room, cut);
                fed += some;
                if (!keeper_) return fed;
                if (keeper_->due(told)) keeper_->take(keeper_->tells_time() ? told : now(), false);
                if (some < room || fed == max) return fed;
            }
        } else {
            return engine_.poll(max, cut);
        }
    }
    /// A rate limit holds the next record back: until it may be read, or somebody may have called stop(), or the clock
    /// (which is not everybody's) may have moved.
    void wait_for_limit() {
        constexpr std::int64_t shortest = 50'000;
        constexpr std::int64_t longest = 10'000'000;
        auto const ns = limits_.wait().ns();
        std::this_thread::sleep_for(
            std::chrono::nanoseconds{ns < shortest ? shortest : (ns > longest ? longest : ns)});
    }
    void wait(std::uint32_t seen) {
        if (limits_.holds()) return wait_for_limit();
        if (auto* const asking = engine_.services().waiting()) return asking->wait(duration{10'000'000});
        bool timed = !is_woken_ || exactly_once;  // what becomes durable wakes nobody
        if constexpr (streams) timed = timed || watch_.asks_clock() || (keeper_ && keeper_->tells_time());
        if (timed) std::this_thread::sleep_for(std::chrono::milliseconds{10});  // something may come due
        else wakeup_.wait(seen);
    }
    void follow() {
        while (!stop_.load(std::memory_order_acquire)) {
            auto const seen = wakeup_.seen();
            if (poll(engine_.enough_for_a_poll(chunk)) == 0 && !stop_.load(std::memory_order_acquire)) wait(seen);
        }
        stop_.store(false, std::memory_order_release);
    }
    /// The cut: every partition ends where it ends now, so that none holds the others.
    /// False if stop() cut it short.
    bool read_to_present_end(bool may_stop) {
        wait_until_durable();
        if (watch_.needed()) watch_.begin_cut();
        else engine_.extend();
        for (;;) {
            if (poll_engine(engine_.enough_for_a_poll(chunk), true) == 0) {
                if (!limits_.holds()) break;
                wait_for_limit();
            }
            publish();
            if (may_stop && stop_.exchange(false, std::memory_order_acq_rel)) return false;
        }
        detail::wait_for_answers(engine_.services(), [&] { poll_engine(chunk, true); });
        stop_.store(false, std::memory_order_release);
        return true;
    }
};
template <class Mode, class P, class... Args>
job(Mode, P, Args&&...) -> job<Mode, P, Args...>;

/// Runs a pipeline as a streaming job, as mode.until says; see run(batch, ...) for the arguments.
///
/// returns     without a sink the rows in their final state, `results`; with one the `report`
/// Errors      Throws driftless::error; try_run returns it in a result.
template <pipeline P, class... Args>
    requires(!is_ill_formed<P>)
auto run(stream mode, P const& p, Args&&... args) {
    job<stream, P, Args...> running{mode, p, std::forward<Args>(args)...};
    running.run();
    if constexpr (detail::last_stage<P, Args...>::has_sink) return running.metrics();
    else return running.take_results();
}

/// Runs a pipeline as a batch job that leaves its state: run(batch{.leave_state = "state"}, p, log), then
/// run(stream{.snapshots = "state"}, p, log, sink).
///
/// Shape       As run(batch, ...): all rows, also of windows that are open where the inputs end. The snapshot is of the
///             moment before these are told; the stream tells them again when they are complete.
/// Time        The declared watermark decides, as in the stream that follows: what is late by it is refused.
/// State       The folder's next snapshot, of the whole input: what was there before is left aside.
/// Errors      Those of run. A sink of two phases does not compile: what the batch says of open windows would stay in
///             it.
template <class Threads, class Leave, pipeline P, class... Args>
    requires(!is_ill_formed<P> && !std::is_same_v<Leave, no_state>)
auto run(batch<Threads, Leave> const& mode, P const& p, Args&&... args) {
    static_assert(!(transactional_sink<std::remove_cvref_t<decltype(detail::target_of(args))>> || ...),
        "driftless: a batch with .leave_state tells what is open, and the stream tells it again: into a sink that "
        "delivers exactly once run(stream{.snapshots = ..., .until = end_of_log}, ...) instead");
    stream as{.on_error = mode.on_error, .snapshots = std::string_view{mode.leave_state}, .until = until::end_of_log};
    if constexpr (!std::is_same_v<Threads, one_thread>) as.threads = thread_count{mode.threads};
    as.snapshot_options.every = {};
    as.answers = mode.answers;
    as.snapshot_options.begin_anew = true;
    job<stream, P, Args...> running{as, p, std::forward<Args>(args)...};
    running.run();
    running.stop_snapshots();
    running.drain();
    if constexpr (detail::last_stage<P, Args...>::has_sink) return running.metrics();
    else return running.take_results();
}
}  // namespace driftless::inline v0
#endif
