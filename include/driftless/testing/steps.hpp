// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_STEPS_HPP
#define DRIFTLESS_TESTING_STEPS_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing {

/// The event time that lies `since_epoch` after the epoch: at(10_s).
[[nodiscard]] constexpr event_time at(duration since_epoch) noexcept { return event_time{since_epoch.ns()}; }

/// A step: a record that comes from `partition`. A record without this comes from partition 0.
template <class T>
struct from_partition {
    std::uint32_t partition;
    event<T> record;
};
template <class T>
from_partition(std::uint32_t, event<T>) -> from_partition<T>;

/// A step of a script: the watermark is now `to`; it is exclusive, and a script never takes it back.
/// It is said of all partitions that are active, or of one: watermark(at(5_s)).of(1).
struct watermark {
    event_time to;
    std::optional<std::uint32_t> partition{};
    explicit constexpr watermark(event_time t) : to(t) {}
    [[nodiscard]] constexpr watermark of(std::uint32_t p) const {
        auto out = *this;
        out.partition = p;
        return out;
    }
};
/// A step: processing time is now `now`; a script never takes it back.
struct clock_at {
    event_time now;
    explicit constexpr clock_at(event_time t) : now(t) {}
};
/// A step: `partition` has nothing to say for now, and leaves the minimum of the watermarks.
struct idle {
    std::uint32_t partition = 0;
};
/// A step: an idle `partition` is active again, unaligned until its watermark reaches that of the input.
struct active {
    std::uint32_t partition = 0;
};
/// A step: `partition` has ended for good.
struct end_of_partition {
    std::uint32_t partition = 0;
};
/// A step: the source has nothing more just now; what is open stays open.
struct pause_of_input {};  // not `pause`: POSIX has a function of that name
/// A step: the input ends, the watermark goes to +inf.
struct end_of_input {};
/// A step: all state is saved, the stages are thrown away, new ones take the state up.
struct snapshot_and_restore {};

namespace detail {
[[noreturn]] inline void refuse_script(char const* why) {
    throw error{error_code::invalid_argument, std::string{"this script cannot be: "} + why};
}

template <class T>
struct step {
    enum class what : std::uint8_t {
        record,
        watermark,
        clock,
        idle,
        active,
        end_partition,
        pause,
        restore,
        end
    };
    static constexpr std::uint32_t all = UINT32_MAX;

    what kind;
    std::optional<event<T>> record{};
    event_time to{};
    std::uint32_t partition = 0;

    // NOLINTBEGIN(google-explicit-constructor)
    step(event<T> r) : step(from_partition<T>{0, std::move(r)}) {}
    step(from_partition<T> r) : kind(what::record), record(std::move(r.record)), partition(r.partition) {
        check();
        if (record->at.is_infinite()) refuse_script("a record has the event time -inf or +inf");
    }
    step(testing::watermark w) : kind(what::watermark), to(w.to), partition(w.partition.value_or(all)) {
        if (w.partition) check();
        if (to == event_time::max()) refuse_script("a watermark is +inf: end the input with end_of_input{}");
    }
    step(clock_at c) : kind(what::clock), to(c.now) {
        if (to.is_infinite()) refuse_script("the clock is at -inf or +inf");
    }
    step(testing::idle p) : kind(what::idle), partition(p.partition) { check(); }
    step(testing::active p) : kind(what::active), partition(p.partition) { check(); }
    step(end_of_partition p) : kind(what::end_partition), partition(p.partition) { check(); }
    step(testing::pause_of_input) : kind(what::pause) {}
    step(snapshot_and_restore) : kind(what::restore) {}
    step(end_of_input) : kind(what::end) {}
    // NOLINTEND(google-explicit-constructor)

    /// One line for people; times in nanoseconds.
    [[nodiscard]] std::string str() const {
        constexpr char const* names[] = {"record", "watermark", "clock", "idle", "active", "end_of_partition",
            "pause_of_input", "snapshot_and_restore", "end_of_input"};
        std::string out = names[static_cast<std::size_t>(kind)];
        if (kind == what::record) {
            if constexpr (requires { std::to_string(record->value); }) out += ' ' + std::to_string(record->value);
            else if constexpr (requires { out += record->value; }) (out += ' ') += record->value;
            out += " at " + std::to_string(record->at.ns());
        }
        if (kind == what::watermark || kind == what::clock) out += ' ' + std::to_string(to.ns());
        bool const names_partition = kind == what::idle || kind == what::active || kind == what::end_partition;
        if (names_partition || (partition != 0 && partition != all)) out += ", partition " + std::to_string(partition);
        return out;
    }

private:
    void check() const {
        if (partition > 1023) refuse_script("a partition is beyond 1023");
    }
};
}  // namespace detail

/// What a script is made of, checked when it is built: neither watermarks nor the clock go back, an idle or ended
/// partition says nothing, nothing follows the end. A plain value: it can be copied, listed, and shrunk.
template <class T>
class script {
    struct partition_state {
        event_time watermark = event_time::min();
        bool idle = false;
        bool ended = false;
    };
    std::vector<detail::step<T>> steps_;
    std::vector<partition_state> partitions_{1};
    event_time of_all_ = event_time::min();  // what was said of all holds for partitions named later
    event_time clock_ = event_time::min();

public:
    script() = default;
    template <class... Steps>
        requires(sizeof...(Steps) > 0)
    explicit script(Steps... steps) {
        (add(detail::step<T>(std::move(steps))), ...);
    }
    void add(detail::step<T> next) {
        check(next);
        steps_.push_back(std::move(next));
    }
    [[nodiscard]] std::vector<detail::step<T>> const& steps() const noexcept { return steps_; }
    /// How many partitions the steps name: the greatest + 1.
    [[nodiscard]] std::uint32_t partitions() const noexcept { return static_cast<std::uint32_t>(partitions_.size()); }

    /// The script without step `i`; nothing where it could not be without it. This is how scripts are shrunk.
    [[nodiscard]] std::optional<script> without(std::size_t i) const {
        script out;
        try {
            for (std::size_t k = 0; k < steps_.size(); ++k) {
                if (k != i) out.add(steps_[k]);
            }
        } catch (error const&) {
            return std::nullopt;
        }
        return out;
    }
    /// One line per step.
    [[nodiscard]] std::string str() const {
        std::string out;
        for (auto const& each : steps_) out += each.str() + '\n';
        return out;
    }

private:
    void check(detail::step<T> const& next) {
        using what = typename detail::step<T>::what;
        if (!steps_.empty() && steps_.back().kind == what::end) detail::refuse_script("something follows end_of_input");
        if (next.kind == what::clock) {
            if (next.to < clock_) detail::refuse_script("the clock goes back");
            clock_ = next.to;
            return;
        }
        if (next.kind == what::watermark && next.partition == next.all) return check_watermark_of_all(next.to);
        if (next.kind == what::pause || next.kind == what::restore || next.kind == what::end) return;
        if (partitions_.size() <= next.partition) partitions_.resize(next.partition + std::size_t{1}, {of_all_});
        auto& its = partitions_[next.partition];
        if (its.ended) detail::refuse_script("a partition that has ended goes on");
        switch (next.kind) {
            case what::idle: its.idle = true; break;
            case what::active: its.idle = false; break;
            case what::end_partition: its.ended = true; break;
            default:
                if (its.idle) detail::refuse_script("an idle partition goes on: say active{partition} before");
                if (next.kind != what::watermark) break;
                if (next.to < its.watermark) detail::refuse_script("a watermark goes back");
                its.watermark = next.to;
        }
    }
    void check_watermark_of_all(event_time to) {
        if (to < of_all_) detail::refuse_script("a watermark goes back");
        for (auto& each : partitions_) {
            if (each.idle || each.ended) continue;
            if (to < each.watermark) detail::refuse_script("a watermark goes back");
            each.watermark = to;
        }
        of_all_ = to;
    }
};
}  // namespace driftless::inline v0::testing
#endif
