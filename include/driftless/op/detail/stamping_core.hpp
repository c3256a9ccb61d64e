// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_STAMPING_CORE_HPP
#define DRIFTLESS_OP_DETAIL_STAMPING_CORE_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/timestamp_holds.hpp>
#include <driftless/time/window.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// A core whose panes have the time of their records: wraps any core of windows, sees what it takes and what it says,
/// and holds the watermark behind it where a pane is still to come.
template <class Core, class Key, class Windowing>
class stamping_core {
    using windows = typename Windowing::assigner_type;
    using combiner = typename Windowing::timestamps;
    static constexpr bool merging = merging_windows<windows>;

    /// The record that the core is being given: a pane that comes out at once has its time as well.
    struct in_flight {
        bool counts = false;
        event_time at{};
        growing_array<time_window> shown{};
    };
    /// What the core reports to.
    template <class Out>
    struct stamper {
        stamping_core& self;
        Out& out;

        template <class Result>
        void row(Key const& key, time_window window, pane_info const& info, std::uint64_t hash, Result const& result) {
            out.row(key, window, info, hash, result, self.time_of(key, hash, window, info));
        }
        template <class Result>
        void change(Key const& key, time_window window, pane_info const& info, std::uint64_t hash,
            Result const* before, Result const* after, Result const* part = nullptr) {
            out.change(key, window, info, hash, before, after, part, self.time_of(key, hash, window, info));
        }
        template <class Ctx, class T>
        void refused(reason why, Ctx const& ctx, T const& record) {
            out.refused(why, ctx, record);
        }
        void threw(origin from) { out.threw(from); }
    };

    Core core_;
    Windowing windowing_;
    event_time watermark_ = event_time::min();
    event_time passed_on_ = event_time::min();  // the watermark behind this core
    timestamp_holds<Key, combiner, windows, merging> holds_;
    in_flight now_;

public:
    stamping_core(Core core, Windowing const* windowing) : core_(std::move(core)), windowing_(*windowing) {}

    [[nodiscard]] account books() const noexcept { return core_.books(); }
    [[nodiscard]] operator_label label() const noexcept { return core_.label(); }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return core_.state_bytes() + holds_.bytes(); }

    template <class Ctx, class T, class Out>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        auto const applied = core_.books().applied;
        stamper<Out> to{*this, out};
        now_.counts = ctx.at >= passed_on_;
        now_.at = ctx.at;
        core_.on_record(ctx, record, hash, to);
        bool const counts = std::exchange(now_.counts, false);
        if (counts && core_.books().applied != applied) {
            if constexpr (merging) {
                hold(ctx, hash, windowing_.assigner.proto_window(ctx.at, record));
            } else {
                each_window(windowing_.assigner, ctx.at, [&](time_window const& window) { hold(ctx, hash, window); });
            }
        }
        now_.shown.clear();
    }
    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        stamper<Out> to{*this, out};
        core_.on_watermark(watermark, to);
        if (watermark < watermark_) return;
        watermark_ = watermark;
        holds_.release_ended(watermark);
        auto const least = holds_.least();
        auto const next = least < watermark ? least : watermark;
        if (next > passed_on_) passed_on_ = next;
    }
    template <class Out>
    void on_clock(event_time now, Out& out)
        requires requires(Core& core, stamper<Out> to) { core.on_clock(now, to); }
    {
        stamper<Out> to{*this, out};
        core_.on_clock(now, to);
    }
    /// The watermark that goes on: behind no pane that is to come.
    [[nodiscard]] event_time passed_on() const noexcept { return passed_on_; }
    [[nodiscard]] event_time next_due() const noexcept { return core_.next_due(); }
    /// Which records count for the time of a pane, any watermark can decide.
    [[nodiscard]] event_time deadline() const noexcept { return event_time::min(); }

    static void save(stamping_core* cores, std::size_t, auto& out) {
        Core::save(&cores[0].core_, 1, out);
        out.write(cores[0].watermark_).write(cores[0].passed_on_);
        cores[0].holds_.save(out);
    }
    static void load(stamping_core* cores, std::size_t, auto& in) {
        Core::load(&cores[0].core_, 1, in);
        in.read(cores[0].watermark_).read(cores[0].passed_on_);
        cores[0].holds_.load(in);
    }

private:
    template <class Ctx>
    void hold(Ctx const& ctx, std::uint64_t hash, time_window const& window) {
        if (window.end <= watermark_) return;
        for (auto const& each : now_.shown) {
            if (each == window) return;
        }
        if constexpr (std::is_same_v<Key, unkeyed>) holds_.add(unkeyed{}, hash, {window, ctx.at});
        else holds_.add(*ctx.key, hash, {window, ctx.at});
    }
    /// The time of a pane: of the records since the one before it; the last instant of its window where there are
    /// none, or where it is late.
    event_time time_of(Key const& key, std::uint64_t hash, time_window const& window, pane_info const& info) {
        if (info.timing == timing::late) return window.max_timestamp();
        bool any = false;
        event_time at = window.max_timestamp();
        auto const count = [&](event_time each) {
            at = any ? combiner::combine(at, each) : each;
            any = true;
        };
        holds_.take(key, hash, window, count);
        if (now_.counts && window.contains(now_.at)) {
            count(now_.at);
            now_.shown.push_back(window);
        }
        return at;
    }
};
}  // namespace driftless::inline v0::detail
#endif
