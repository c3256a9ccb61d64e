// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_JOB_HPP
#define DRIFTLESS_RUN_JOB_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/wakeup.hpp>
#include <driftless/op/detail/shards.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/decisions.hpp>
#include <driftless/run/detail/snapshot_visitors.hpp>
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
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

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
    static constexpr bool tells_clock = streams && !is_replayable<P>;
    static constexpr std::size_t chunk = 16384;  // records between two looks at stop() and two publications
    static constexpr std::string_view snapshot_file = "snapshot";

    enum class phase : std::uint8_t {
        open,
        ended,
        failed
    };

    Mode mode_;
    std::string snapshots_;  // the job's own: the mode borrows the path
    detail::executor_handle workers_;
    results_of<output_of<P>> rows_;
    engine_t engine_;
    struct no_watch {
        no_watch(engine_t&, Mode const&) {}
    };
    std::conditional_t<streams, detail::decisions<engine_t, tells_clock>, no_watch> watch_;
    detail::throttle limits_;
    wakeup wakeup_;
    std::atomic<bool> stop_{false};
    phase phase_ = phase::open;
    mutable std::mutex publishing_;
    report published_;

public:
    job(Mode mode, P const& description, Args&&... args)
        : mode_(mode),
          snapshots_([&] {
              if constexpr (streams) return std::string{mode.snapshots};
              else return std::string{};
          }()),
          workers_(detail::thread_count_of<decltype(Mode::threads)>{mode.threads}.start()),
          engine_(description, &rows_, mode.on_error, workers_.get(), std::forward<Args>(args)...),
          watch_(engine_, mode),
          limits_(limits_of(mode, false), limits_of(mode, true), engine_.lanes()) {
        if (limits_.active()) engine_.limit(limits_);
        if constexpr (streams) {
            if (!snapshots_.empty()) take_up_snapshot();
        }
        publish();
        engine_.subscribe(wakeup_);  // last: what throws before it leaves nobody to wake
    }
    job(job const&) = delete;
    job& operator=(job const&) = delete;
    ~job() { engine_.unsubscribe(wakeup_); }

    /// Reads what the inputs hold now, at most `max` records; returns how many. Where several partitions
    /// or inputs are merged, one that is open, empty and not idle (stream::idle_after) holds the others.
    std::size_t poll(std::size_t max = std::numeric_limits<std::size_t>::max()) {
        return guarded([&] {
            auto const fed = poll_engine(max, false, tell_time());
            publish();
            return fed;
        });
    }

    /// Batch: reads everything, once. Stream: follows the inputs until stop(), or as `until` says.
    void run() {
        if constexpr (!streams) {
            guarded([&] { return engine_.run_to_end(), 0; });
            phase_ = phase::ended;
        } else if (mode_.until == until::stopped) {
            follow();
        } else {
            bool const all = guarded([&] { return read_to_present_end(true); });
            if (mode_.until == until::drained) {
                if (all) finish();
            } else if (!snapshots_.empty()) {
                leave_snapshot();
            }
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
            guarded([&] { return read_to_present_end(false); });
            finish();
            publish();
        } else {
            run();
        }
    }

    /// The state of all stages and the offsets read so far, as bytes.
    ///
    /// Errors      A state without a codec is a sentence at compile time.
    [[nodiscard]] std::string snapshot() {
        return guarded([&] {
            std::string body;
            byte_writer out{body};
            out.write(fingerprint(engine_.pipeline())).write(engine_.records()).write(engine_.failures());
            out.write(static_cast<std::uint64_t>(engine_.lanes().size()));
            for (auto const* const each : engine_.lanes()) out.write(each->next);
            if constexpr (streams) watch_.save(out);
            engine_.visit_state(detail::save_visitor{body});
            std::string whole;
            byte_writer{whole}.write(snapshot_version).write(xxh3_64(body.data(), body.size()));
            return whole += body;
        });
    }
    /// Takes a snapshot up: the job goes on where the other one was, on any number of threads. What was
    /// collected in results() is not part of it.
    ///
    /// Errors      Damaged bytes (malformed); another pipeline, or inputs that are shorter (mismatch).
    void restore(std::string_view bytes) {
        guarded([&] { return load(bytes), 0; });
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

    /// The books as of the last chunk; may be called from any thread.
    [[nodiscard]] report metrics() const {
        std::lock_guard const lock{publishing_};
        return published_;
    }

private:
    static constexpr std::uint32_t snapshot_version = 4;

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
            throw;
        }
    }
    static rate_limit limits_of(Mode const& mode, bool partition) {
        if constexpr (streams) return partition ? mode.partition_limits : mode.limits;
        else return {};
    }
    void publish() {
        auto now = engine_.make_report();
        now.held_back = limits_.held_back();
        std::lock_guard const lock{publishing_};
        published_ = std::move(now);
    }
    void finish() {
        guarded([&] { return engine_.finish(), 0; });
        phase_ = phase::ended;
    }
    /// Processing time, before what is read next; -inf where nothing asks for it.
    event_time tell_time() {
        if constexpr (streams) {
            if (!watch_.asks_clock() && !limits_.active()) return event_time::min();
            auto const now = mode_.clock != nullptr ? mode_.clock() : detail::system_time();
            if (limits_.active()) limits_.fill(now);
            if (!watch_.asks_clock()) return event_time::min();
            if (tells_clock && !watch_.needed()) engine_.each_chain([&](auto& chain) { chain.on_clock(now); });
            return now;
        } else {
            return event_time::min();
        }
    }
    std::size_t poll_engine(std::size_t max, bool cut, event_time now) {
        if constexpr (streams) {
            if (watch_.needed()) return watch_.poll(max, cut, now);
        }
        return engine_.poll(max, cut);
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
        bool timed = false;
        if constexpr (streams) timed = watch_.asks_clock();
        if (timed) std::this_thread::sleep_for(std::chrono::milliseconds{10});  // something may come due
        else wakeup_.wait(seen);
    }
    void follow() {
        while (!stop_.load(std::memory_order_acquire)) {
            auto const seen = wakeup_.seen();
            if (poll(chunk) == 0 && !stop_.load(std::memory_order_acquire)) wait(seen);
        }
        stop_.store(false, std::memory_order_release);
    }
    /// The cut: every partition ends where it ends now, so that none holds the others.
    /// False if stop() cut it short.
    bool read_to_present_end(bool may_stop) {
        if (watch_.needed()) watch_.begin_cut();
        else engine_.extend();
        auto now = tell_time();
        for (;;) {
            if (poll_engine(chunk, true, now) == 0) {
                if (!limits_.holds()) break;
                wait_for_limit();
                now = tell_time();
            }
            publish();
            if (may_stop && stop_.exchange(false, std::memory_order_acq_rel)) return false;
            if (limits_.active()) now = tell_time();
        }
        stop_.store(false, std::memory_order_release);
        return true;
    }

    void load(std::string_view bytes) {
        byte_reader head{bytes};
        if (head.read<std::uint32_t>() != snapshot_version) {
            throw error{error_code::mismatch, "the snapshot has another version than this library writes"};
        }
        auto const sum = head.read<std::uint64_t>();
        auto const body = bytes.substr(static_cast<std::size_t>(head.offset()));
        if (sum != xxh3_64(body.data(), body.size())) {
            throw error{error_code::malformed,
                "the snapshot is damaged: its checksum is " + std::to_string(xxh3_64(body.data(), body.size()))
                    + " and should be " + std::to_string(sum)};
        }
        byte_reader in{body};
        if (in.read<std::uint64_t>() != fingerprint(engine_.pipeline())) {
            throw error{error_code::mismatch,
                "the snapshot is of another pipeline (operators, parameters or records differ): restore it "
                "into the pipeline it was taken from, or start without it"};
        }
        auto const records = in.read<std::uint64_t>();
        auto const failures = in.read<std::uint64_t>();
        if (in.read<std::uint64_t>() != engine_.lanes().size()) {
            throw error{error_code::mismatch, "the snapshot has another number of partitions than the inputs"};
        }
        for (auto* const each : engine_.lanes()) each->idle = false;
        engine_.extend();
        for (auto* const each : engine_.lanes()) {
            auto const next = in.read<std::uint64_t>();
            if (next > each->end) {
                throw error{error_code::mismatch,
                    "the snapshot has read up to offset " + std::to_string(next) + " and the input ends at "
                        + std::to_string(each->end) + ": it is another log, or a shorter one"};
            }
            each->next = next;
            each->looked = false;
        }
        if constexpr (streams) watch_.load(in);
        engine_.visit_state(detail::load_visitor{in});
        in.expect_end();
        engine_.resume(records, failures);
    }
    void take_up_snapshot() {
        real_files().make_folder(snapshots_);
        if (auto const bytes = read_whole_file(snapshots_ + "/" + std::string{snapshot_file})) load(*bytes);
    }
    void leave_snapshot() {
        auto const bytes = snapshot();
        write_whole_file(snapshots_, std::string{snapshot_file}, bytes);
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
}  // namespace driftless::inline v0
#endif
