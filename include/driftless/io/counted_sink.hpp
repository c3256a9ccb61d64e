// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_COUNTED_SINK_HPP
#define DRIFTLESS_IO_COUNTED_SINK_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/frontier.hpp>
#include <driftless/core/sink_counts.hpp>
#include <driftless/core/transactional_sink.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class Sink>
struct same_encoding {};
template <class Sink>
    requires requires { typename Sink::keeps_rows; }
struct same_encoding<Sink> {
    using keeps_rows = void;
};
}  // namespace detail

/// A sink that counts what another one is given and what it throws. Made by counted().
///
/// Shape       The same sink: all that it can do goes through, and what it throws.
/// Delivery    That of the other one.
/// State       A few counters, no part of snapshots.
/// Errors      Those of the other one. Each is counted, one with code in_use as a timeout too: somebody else has kept
///             the target locked for longer than the sink waits.
/// Threads     That of the job. The metrics of the job show the counts (run/job_metrics.hpp).
/// Complexity  A counter per row.
template <class Sink>
class counted_sink : public detail::same_encoding<std::remove_cvref_t<Sink>> {
    using target = std::remove_cvref_t<Sink>;
    Sink sink_;
    sink_counts counts_{};
    bool failed_ = false;  // the last prepare or commit

    template <class F>
    decltype(auto) watched(F&& f) {
        try {
            return f();
        } catch (error const& problem) {
            ++counts_.errors;
            if (problem.code() == error_code::in_use) ++counts_.timeouts;
            throw;
        } catch (...) {
            ++counts_.errors;
            throw;
        }
    }
    template <class F>
    void step(F&& f) {
        if (failed_) ++counts_.retries;
        failed_ = true;
        watched(f);
        failed_ = false;
    }

public:
    using is_sink = void;
    static constexpr delivery delivers = delivery_of<target>;

    explicit counted_sink(Sink&& sink) : sink_(std::forward<Sink>(sink)) {}

    template <class Row>
    void write(Row const& row)
        requires requires(target& to) { to.write(row); }
    {
        watched([&] { sink_.write(row); });
        ++counts_.rows;
    }
    template <class T>
    void write_record(T const& record)
        requires requires(target& to) { to.write_record(record); }
    {
        watched([&] { sink_.write_record(record); });
        ++counts_.rows;
    }
    template <class Key, class Window>
    void remove(Key const& key, Window window)
        requires requires(target& to) { to.remove(key, window); }
    {
        watched([&] { sink_.remove(key, window); });
        ++counts_.removed;
    }
    template <class Row>
    void retract(Row const& row)
        requires requires(target& to) { to.retract(row); }
    {
        watched([&] { sink_.retract(row); });
        ++counts_.removed;
    }
    void on_epoch(std::uint64_t epoch)
        requires requires(target& to) { to.on_epoch(epoch); }
    {
        watched([&] { sink_.on_epoch(epoch); });
    }
    void on_frontier(frontier const& at)
        requires requires(target& to) { to.on_frontier(at); }
    {
        watched([&] { sink_.on_frontier(at); });
    }
    template <class Visit>
    void visit_state(Visit&& visit)
        requires requires(target& to) { to.visit_state(visit); }
    {
        sink_.visit_state(visit);
    }
    void recover(sink_position const& at)
        requires transactional_sink<target>
    {
        watched([&] { sink_.recover(at); });
    }
    void prepare(std::uint64_t number)
        requires transactional_sink<target>
    {
        step([&] { sink_.prepare(number); });
    }
    void commit(std::uint64_t number)
        requires transactional_sink<target>
    {
        step([&] { sink_.commit(number); });
        ++counts_.commits;
    }
    [[nodiscard]] std::uint64_t committed()
        requires transactional_sink<target>
    {
        return sink_.committed();
    }

    [[nodiscard]] target& sink() noexcept { return sink_; }
    /// What was counted here; and what the sink itself says of retries, timeouts and rows that it gave up.
    [[nodiscard]] sink_counts counts() const {
        auto out = counts_;
        if constexpr (detail::counting_sink<target>) {
            sink_counts const own = sink_.counts();
            out.retries += own.retries;
            out.timeouts += own.timeouts;
            out.dead += own.dead;
        }
        return out;
    }
};

/// A sink that counts: auto out = counted(sink); run(stream{}, p, log, out). A sink that is an lvalue is borrowed.
template <class Sink>
[[nodiscard]] counted_sink<Sink> counted(Sink&& sink) {
    return counted_sink<Sink>{std::forward<Sink>(sink)};
}
}  // namespace driftless::inline v0
#endif
