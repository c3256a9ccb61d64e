// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_SEEDED_CALLS_HPP
#define DRIFTLESS_TESTING_SEEDED_CALLS_HPP

#include <driftless/core/call_executor.hpp>
#include <driftless/testing/detail/seeded.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

namespace driftless::inline v0::testing {

/// The outside for tests of enrich: calls take times drawn from a seed, by a clock that only the test moves. Nothing
/// runs beside the test, nothing sleeps, and a seed fails again as it failed.
///
///     testing::seeded_calls outside{seed, 1_ms, 50_ms};
///     auto const p = from<order>() | enrich(f, concurrency{4}, calls_on(outside));
///
/// Time        A call returns between `least` and `most` after it was submitted; the function is run then. wait() moves
///             the clock to the next return, or by as much as it may wait; advance() moves it for the test.
class seeded_calls final : public call_executor {
    detail::seeded random_;
    duration least_;
    duration most_;
    duration now_{};
    std::uint64_t finished_ = 0;
    std::uint64_t submitted_ = 0;
    std::size_t most_at_once_ = 0;
    std::map<std::pair<duration, std::uint64_t>, work_item*> under_way_;

public:
    explicit seeded_calls(std::uint64_t seed, duration least = duration{1}, duration most = duration{1'000'000})
        : random_{seed}, least_(least), most_(most) {}

    /// Lets calls return for so long.
    void advance(duration by) {
        auto const until = now_ + by;
        while (!under_way_.empty() && under_way_.begin()->first.first <= until) return_next();
        now_ = until;
    }
    /// The greatest number of calls that were under way at one time.
    [[nodiscard]] std::size_t most_at_once() const noexcept { return most_at_once_; }
    [[nodiscard]] std::size_t under_way() const noexcept { return under_way_.size(); }

    void submit(work_item& call) override {
        auto const span = static_cast<std::size_t>((most_ - least_).ns()) + 1;
        auto const takes = least_ + duration{static_cast<std::int64_t>(random_(span))};
        under_way_.emplace(std::pair{now_ + takes, submitted_++}, &call);
        if (under_way_.size() > most_at_once_) most_at_once_ = under_way_.size();
    }
    [[nodiscard]] std::uint64_t finished() const noexcept override { return finished_; }
    void wait(std::uint64_t seen, duration at_most) override {
        if (finished_ != seen) return;
        auto const until = now_ + at_most;
        if (!under_way_.empty() && under_way_.begin()->first.first <= until) return return_next();
        now_ = until;
    }
    [[nodiscard]] duration now() const noexcept override { return now_; }

private:
    void return_next() {
        auto const next = under_way_.extract(under_way_.begin());
        if (now_ < next.key().first) now_ = next.key().first;
        next.mapped()->work();
        ++finished_;
    }
};
}  // namespace driftless::inline v0::testing
#endif
