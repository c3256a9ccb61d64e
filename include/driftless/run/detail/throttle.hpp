// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_THROTTLE_HPP
#define DRIFTLESS_RUN_DETAIL_THROTTLE_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/rate_limit.hpp>

#include <cstddef>
#include <cstdint>

namespace driftless::inline v0::detail {
/// A token bucket in whole numbers, so that what may pass at which time is exact: a token is `per_` units, and one unit
/// comes in with each nanosecond and each token of the rate. No sum can overflow: each is below 2^126.
class token_bucket {
    int128 level_ = 0;
    int128 room_ = 0;   // what it holds at most
    std::int64_t rate_ = rate_limit::unlimited;
    std::int64_t per_ = 1;

public:
    token_bucket() = default;
    token_bucket(std::int64_t rate, duration per, duration burst) : rate_(rate), per_(per.ns()) {
        room_ = int128{rate} * burst.ns();
        if (room_ < per_) room_ = per_;
        level_ = room_;
    }
    [[nodiscard]] bool limits() const noexcept { return rate_ != rate_limit::unlimited; }
    void fill(std::int64_t ns) noexcept {
        auto const to_come = room_ - level_;
        auto const come = int128{rate_} * ns;
        level_ = come < to_come ? level_ + come : room_;
    }
    /// Whole tokens that may be taken one by one.
    [[nodiscard]] std::size_t whole() const noexcept {
        if (level_ < per_) return 0;
        auto const n = level_ / per_;
        constexpr auto most = ~std::size_t{0};
        return n > int128{most} ? most : static_cast<std::size_t>(n);
    }
    /// How many nanoseconds it takes until something of that cost may pass; 0 if it may now.
    [[nodiscard]] std::int64_t wait(std::int64_t cost) const noexcept {
        auto const needed = needed_for(cost);
        if (level_ >= needed) return 0;
        auto const ns = (needed - level_ + rate_ - 1) / rate_;
        return ns > int128{int64_limits::max()} ? int64_limits::max() : static_cast<std::int64_t>(ns);
    }
    void take(std::int64_t cost) noexcept { level_ -= int128{cost} * per_; }

private:
    /// What costs more than it can hold waits for a full bucket and leaves a debt.
    [[nodiscard]] int128 needed_for(std::int64_t cost) const noexcept {
        auto const price = int128{cost} * per_;
        return price < room_ ? price : room_;
    }
};

/// Says how many records of a lane may be read now: by the limits of the job, and by those of each partition.
///
/// State       Buckets, and the newest event time that was paid for; nothing of it is in snapshots. Without limits
///             nobody asks it.
class throttle final : public read_limits {
    struct meters {
        token_bucket records;
        token_bucket bytes;
        token_bucket time;
        event_time newest = event_time::min();  // of the records that were paid for

        meters() = default;
        explicit meters(rate_limit const& by)
            : records(by.records, by.per, by.burst),
              bytes(by.bytes, by.per, by.burst),
              time(by.event_time.ns(), by.per, by.burst) {}
        void fill(std::int64_t ns) noexcept {
            for (auto* const each : {&records, &bytes, &time}) {
                if (each->limits()) each->fill(ns);
            }
        }
        [[nodiscard]] std::int64_t step_to(event_time at) const noexcept {
            if (newest == event_time::min() || at <= newest) return 0;
            return (at - newest).ns();
        }
        [[nodiscard]] std::int64_t wait(std::int64_t size, event_time at) const noexcept {
            std::int64_t longest = records.limits() ? records.wait(1) : 0;
            auto const also = [&longest](std::int64_t ns) { longest = longest < ns ? ns : longest; };
            if (bytes.limits()) also(bytes.wait(size));
            if (time.limits()) also(time.wait(step_to(at)));
            return longest;
        }
        void take(std::int64_t size, event_time at) noexcept {
            if (bytes.limits()) bytes.take(size);
            if (!time.limits()) return;
            time.take(step_to(at));
            if (newest < at) newest = at;
        }
    };
    meters all_;
    growing_array<meters> each_;  // by lane; empty without limits for partitions
    event_time now_ = event_time::min();
    std::int64_t wait_ = 0;  // ns from now_ until the record that was held back may be read; 0: none was
    std::uint64_t held_back_ = 0;
    bool active_ = false;
    bool record_by_record_ = false;  // bytes or event time are limited: each record has its own cost
    bool weighs_ = false;            // bytes are

public:
    throttle(rate_limit const& job, rate_limit const& partition, growing_array<lane*> const& lanes)
        : active_(job.any() || partition.any()) {
        if (!active_) return;
        check(job);
        check(partition);
        weighs_ = job.bytes != rate_limit::unlimited || partition.bytes != rate_limit::unlimited;
        bool const paces = job.event_time != duration::max() || partition.event_time != duration::max();
        record_by_record_ = weighs_ || paces;
        for (auto const* const each : lanes) {
            if (paces && !each->knows_time()) {
                refuse(
                    "a rate_limit in event time needs inputs whose records tell it: assign_time<&T::at>, or "
                    "event<T>");
            }
        }
        all_ = meters{job};
        if (partition.any()) each_.assign(lanes.size(), meters{partition});
    }

    [[nodiscard]] bool active() const noexcept { return active_; }
    /// Before a poll: what the clock has brought since the last one. A clock that was set back brings nothing.
    void fill(event_time now) noexcept {
        wait_ = 0;
        auto const ns = now_ < now && now_ != event_time::min() ? (now - now_).ns() : 0;
        now_ = now;
        if (ns == 0) return;
        all_.fill(ns);
        for (auto& each : each_) each.fill(ns);
    }
    /// How many records of a lane that has one may be read now, at most `budget`. With costs of their own it is one,
    /// which is paid for here but for its number.
    std::size_t allowed(lane& from, std::size_t budget) override {
        auto* const own = each_.empty() ? nullptr : &each_[from.number];
        if (record_by_record_) {
            from.look();
            auto const size = weighs_ ? clamped(from.size()) : 0;
            auto wait = all_.wait(size, from.head);
            if (own != nullptr) {
                if (auto const longer = own->wait(size, from.head); wait < longer) wait = longer;
            }
            if (wait != 0) return hold_back(wait);
            all_.take(size, from.head);
            if (own != nullptr) own->take(size, from.head);
            return 1;
        }
        auto const least = [&budget](token_bucket const& of) {
            if (of.limits() && of.whole() < budget) budget = of.whole();
        };
        if (budget == 0) return 0;
        least(all_.records);
        if (own != nullptr) least(own->records);
        if (budget != 0) return budget;
        auto wait = all_.records.limits() ? all_.records.wait(1) : 0;
        if (own != nullptr && own->records.limits()) {
            if (auto const longer = own->records.wait(1); wait < longer) wait = longer;
        }
        return hold_back(wait);
    }
    /// So many were read.
    void paid(lane const& from, std::size_t n) noexcept override {
        auto const records = static_cast<std::int64_t>(n);
        if (all_.records.limits()) all_.records.take(records);
        if (!each_.empty() && each_[from.number].records.limits()) each_[from.number].records.take(records);
    }

    /// The last poll left a record where it was; so long until it may be read.
    [[nodiscard]] bool holds() const noexcept override { return wait_ != 0; }
    [[nodiscard]] duration wait() const noexcept { return duration{wait_}; }
    /// How often that has happened.
    [[nodiscard]] std::uint64_t held_back() const noexcept { return held_back_; }

private:
    std::size_t hold_back(std::int64_t ns) noexcept {
        if (wait_ == 0) ++held_back_;
        wait_ = ns;
        return 0;
    }
    static std::int64_t clamped(std::uint64_t bytes) noexcept {
        return bytes > static_cast<std::uint64_t>(int64_limits::max()) ? int64_limits::max()
                                                                       : static_cast<std::int64_t>(bytes);
    }
    [[noreturn]] static void refuse(char const* why) { throw error{error_code::invalid_argument, why}; }
    static void check(rate_limit const& of) {
        if (of.records <= 0 || of.bytes <= 0 || of.event_time <= duration{}) {
            refuse(
                "a rate_limit needs rates above 0: with a rate of 0 nothing would ever be read; leave out what is "
                "not to be limited");
        }
        if (of.per <= duration{}) refuse("a rate_limit needs `per` above 0: the time that its rates are for");
        if (of.burst < duration{}) refuse("a rate_limit needs a burst >= 0: the time in which its buckets fill");
    }
};
}  // namespace driftless::inline v0::detail
#endif
