// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_WATERMARK_VALVE_HPP
#define DRIFTLESS_TIME_WATERMARK_VALVE_HPP

#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace driftless::inline v0 {

/// Combines the watermarks of several inputs, or of the partitions of one, into one.
///
/// Time        The output is the least watermark over the inputs that are active and aligned; it only grows, and an
///             input that has not reported holds it at -inf. An idle input leaves the minimum. One that resumes is
///             unaligned until its own watermark reaches the output (equal is enough); till then its values are
///             recorded and do not count. With no input active and aligned the output holds. An input that has
///             ended leaves for good; once all have ended the output is +inf.
/// State       One watermark and three flags per input, and the output; part of the snapshot.
/// Errors      None: a watermark that goes back, or of an input that has ended, is ignored.
/// Complexity  O(inputs) per call; O(1) for a watermark of an input that is ahead of the output.
/// Source      Apache Flink, StatusWatermarkValve; it emits the maximum when the last input goes idle, this holds.
class watermark_valve {
    std::vector<event_time> values_;
    std::vector<std::uint8_t> flags_;
    event_time output_ = event_time::min();
    static constexpr std::uint8_t idle_flag = 1, unaligned_flag = 2, ended_flag = 4;

public:
    explicit watermark_valve(std::size_t inputs) : values_(inputs, event_time::min()), flags_(inputs, 0) {}

    /// Makes room for `inputs` at least; new ones have not reported and hold the output.
    void include(std::size_t inputs) {
        if (values_.size() >= inputs) return;
        values_.resize(inputs, event_time::min());
        while (flags_.size() < inputs) flags_.push_back(0);  // resize: GCC 12 warns of an overflow at -O3
    }
    [[nodiscard]] std::size_t inputs() const noexcept { return values_.size(); }
    [[nodiscard]] event_time output() const noexcept { return output_; }
    [[nodiscard]] event_time watermark_of(std::size_t input) const { return values_[input]; }
    [[nodiscard]] bool is_idle(std::size_t input) const { return (flags_[input] & idle_flag) != 0; }
    [[nodiscard]] bool is_aligned(std::size_t input) const { return (flags_[input] & unaligned_flag) == 0; }
    [[nodiscard]] bool has_ended(std::size_t input) const { return (flags_[input] & ended_flag) != 0; }
    /// It is active and aligned: the output waits for it.
    [[nodiscard]] bool counts(std::size_t input) const { return flags_[input] == 0; }
    /// No input is active: each is idle or has ended.
    [[nodiscard]] bool quiet() const noexcept {
        for (auto const each : flags_) {
            if ((each & (idle_flag | ended_flag)) == 0) return false;
        }
        return true;
    }

    /// These say what an input reports; true if the output has grown.
    bool advance(std::size_t input, event_time watermark) {
        if (has_ended(input) || watermark <= values_[input]) return false;
        // One that counts and is ahead of the output does not hold it: another does.
        bool const ahead = counts(input) && values_[input] > output_;
        values_[input] = watermark;
        return !ahead && recompute(input);
    }
    bool idle(std::size_t input) {
        if (has_ended(input)) return false;
        flags_[input] = static_cast<std::uint8_t>(flags_[input] | idle_flag);
        return recompute(input);
    }
    bool resume(std::size_t input) {
        if (has_ended(input) || !is_idle(input)) return false;
        flags_[input] = unaligned_flag;
        return recompute(input);
    }
    bool end(std::size_t input) {
        flags_[input] = ended_flag;
        return recompute(input);
    }

    /// Somebody else knows better while no input says anything: the output is at least `to`.
    void raise(event_time to) noexcept {
        grow(to);
    }

    void save(auto& out) const { out.write(values_).write(flags_).write(output_); }
    void load(auto& in) { in.read(values_).read(flags_).read(output_); }

private:
    bool recompute(std::size_t changed) {
        if (flags_[changed] == unaligned_flag && values_[changed] >= output_) flags_[changed] = 0;
        auto least = event_time::max();
        bool counted = false;
        bool ended = true;
        for (std::size_t i = 0; i < values_.size(); ++i) {
            ended = ended && has_ended(i);
            if (!counts(i)) continue;
            counted = true;
            if (values_[i] < least) least = values_[i];
        }
        return (counted || ended) && grow(least);
    }
    bool grow(event_time to) noexcept {
        if (to <= output_) return false;
        output_ = to;
        return true;
    }
};
}  // namespace driftless::inline v0
#endif
