// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_DETAIL_FAN_OUT_HPP
#define DRIFTLESS_CORE_DETAIL_FAN_OUT_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/core/time.hpp>

#include <cstdint>
#include <tuple>
#include <utility>

namespace driftless::inline v0::detail {
/// Hands each call to several chains, in pipeline order.
template <class... Chains>
class fan_out {
    std::tuple<Chains...> chains_;

    template <class F>
    DRIFTLESS_INLINE constexpr void each(F&& f) {
        std::apply([&](Chains&... chain) { (f(chain), ...); }, chains_);
    }
    template <class F>
    [[nodiscard]] constexpr event_time least(F f) const {
        auto of_all = event_time::max();
        auto const ask = [&](event_time time) { of_all = time < of_all ? time : of_all; };
        std::apply([&](Chains const&... chain) { (ask(f(chain)), ...); }, chains_);
        return of_all;
    }

public:
    static constexpr bool deadline_moves = (Chains::deadline_moves || ...);
    static constexpr bool tight = false;
    static constexpr bool wants_epochs = (Chains::wants_epochs || ...);
    static constexpr bool can_look_ahead = false;
    static constexpr bool guards_time = (Chains::guards_time || ...);
    static constexpr bool aligns = (Chains::aligns || ...);
    static constexpr bool meets_others = (Chains::meets_others || ...);

    explicit constexpr fan_out(Chains... chains) : chains_(std::move(chains)...) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        each([&](auto& chain) { chain.on_record(ctx, record); });
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        each([&](auto& chain) { chain.on_change(ctx, row); });
    }
    constexpr void on_watermark(event_time watermark) {
        each([&](auto& chain) { chain.on_watermark(watermark); });
    }
    constexpr void on_partition(std::uint32_t partition) {
        each([&](auto& chain) { chain.on_partition(partition); });
    }
    constexpr void on_partition_end(std::uint32_t partition) {
        each([&](auto& chain) { chain.on_partition_end(partition); });
    }
    constexpr void on_partition_idle(std::uint32_t partition, bool idle) {
        each([&](auto& chain) { chain.on_partition_idle(partition, idle); });
    }
    constexpr void on_quiet(duration step) {
        each([&](auto& chain) { chain.on_quiet(step); });
    }
    constexpr void settle() {
        each([](auto& chain) { chain.settle(); });
    }
    constexpr void on_chunk() {
        each([](auto& chain) { chain.on_chunk(); });
    }
    constexpr void on_epoch(std::uint64_t epoch) {
        each([&](auto& chain) { chain.on_epoch(epoch); });
    }
    constexpr void on_idle(bool idle) {
        each([&](auto& chain) { chain.on_idle(idle); });
    }
    constexpr void on_clock(event_time now) {
        each([&](auto& chain) { chain.on_clock(now); });
    }
    constexpr void on_end() {
        each([](auto& chain) { chain.on_end(); });
    }
    [[nodiscard]] constexpr event_time deadline() const {
        return least([](auto const& chain) { return chain.deadline(); });
    }
    [[nodiscard]] constexpr event_time clock_deadline() const {
        return least([](auto const& chain) { return chain.clock_deadline(); });
    }
    template <class T>
    [[nodiscard]] event_time merge_time(std::uint32_t partition, event_time at, T const& record) const {
        return least([&]<class Chain>(Chain const& chain) {
            if constexpr (Chain::guards_time) return chain.merge_time(partition, at, record);
            else return at;
        });
    }
    /// Of several aligns the one that has got farthest, and the least drift: whoever waits for one waits for all.
    [[nodiscard]] constexpr event_time reached(origin const& from) const {
        auto farthest = event_time::min();
        auto const ask = [&]<class Chain>(Chain const& chain) {
            if constexpr (Chain::aligns) {
                if (auto const there = chain.reached(from); there > farthest) farthest = there;
            }
        };
        std::apply([&](Chains const&... chain) { (ask(chain), ...); }, chains_);
        return farthest;
    }
    [[nodiscard]] constexpr duration max_drift() const {
        auto of_all = duration::max();
        auto const ask = [&]<class Chain>(Chain const& chain) {
            if constexpr (Chain::aligns) {
                if (auto const own = chain.max_drift(); own < of_all) of_all = own;
            }
        };
        std::apply([&](Chains const&... chain) { (ask(chain), ...); }, chains_);
        return of_all;
    }
    constexpr void visit_state(auto&& visit) {
        each([&](auto& chain) { chain.visit_state(visit); });
    }
};
}  // namespace driftless::inline v0::detail
#endif
