// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TRIGGERED_CORE_HPP
#define DRIFTLESS_OP_DETAIL_TRIGGERED_CORE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/state/window_tables.hpp>
#include <driftless/time/pane_options.hpp>
#include <driftless/time/trigger.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// The state of one (key, window) with a named trigger.
///
/// shown       what the last pane said, before the first one nothing: the `before` of the next change
/// part        what has come since the last pane, where panes are discarding
/// fresh       so many records have come since the last pane
/// closed      the trigger has fired for the last time: an empty entry that refuses
template <class Pack, class Trigger, bool Discarding>
struct triggered_entry {
    using value = typename Pack::state;
    struct no_part {};

    value state;
    [[no_unique_address]] std::conditional_t<Discarding, value, no_part> part;
    std::optional<value> shown{};
    typename Trigger::state trigger{};
    std::uint64_t fresh = 0;
    std::int32_t panes = 0;
    std::int32_t certain = 0;  // of them, those that were not early
    bool closed = false;

    constexpr triggered_entry() = default;
    constexpr explicit triggered_entry(Pack const& pack) : state(pack.init()), part(part_of(pack)) {}

    static constexpr auto part_of([[maybe_unused]] Pack const& pack) {
        if constexpr (Discarding) return pack.init();
        else return no_part{};
    }
    void save(auto& out) const {
        Pack::save(state, out);
        if constexpr (Discarding) Pack::save(part, out);
        out.write(shown.has_value());
        if (shown) Pack::save(*shown, out);
        trigger.save(out);
        out.write(fresh).write(panes).write(certain).write(closed);
    }
    void load(auto& in) {
        Pack::load(state, in);
        if constexpr (Discarding) Pack::load(part, in);
        if (in.template read<bool>()) Pack::load(shown.emplace(state), in);
        trigger.load(in);
        in.read(fresh);
        in.read(panes);
        in.read(certain);
        in.read(closed);
    }
};

/// Aggregates by window under a named trigger: window-major tables whose entries carry the trigger's state.
///
/// A record is put into each of its windows and the trigger is asked at once; a watermark asks it at the end of a
/// window, and once more when the state is collected, where what has not been shown comes out. One move of the
/// watermark makes one pane of a (key, window) at most. Windows that are due fire by (end, start), keys in
/// canonical order.
template <class Pack, class Key, class Windowing, bool Exact>
class triggered_core : public core_base<Pack, Key, false, true, Exact> {
    using base = core_base<Pack, Key, false, true, Exact>;
    using trigger_type = typename Windowing::trigger_type;
    static constexpr bool discards = Windowing::template has<discarding>;
    static constexpr bool always_on_time = !Windowing::template has<on_time_if_new>;
    static constexpr bool always_closes = Windowing::template has<always_close>;
    static constexpr bool shows_unchanged = Windowing::template has<show_unchanged>;
    static constexpr bool by_element = Windowing::template has<element_level>;
    using entry = triggered_entry<Pack, trigger_type, discards>;
    using table = keyed_table<Key, entry>;
    using result_type = typename Pack::result;
    using base::account_;
    using base::entries_;
    using base::pack_;

    Windowing windowing_;
    trigger_type trigger_;
    duration lateness_;
    event_time watermark_ = event_time::min();
    event_time clock_ = event_time::min();
    trigger_wake wake_;  // no entry is due by itself up to then
    window_tables<table> windows_;

public:
    /// The next watermark that matters is not known from the time alone.
    static constexpr bool wakes_by_state = trigger_type::wakes_by_watermark;

    constexpr triggered_core(Pack pack, Windowing const* windowing, std::uint64_t max_entries, operator_label label)
        : base(std::move(pack), max_entries, label),
          windowing_(*windowing),
          trigger_(windowing->trigger()),
          lateness_(windowing->lateness()) {}
    triggered_core(triggered_core const& like, fresh_core_t)
        : triggered_core(like.pack_, &like.windowing_, like.max_entries_, like.account_.label) {}
    void keep_time_of(triggered_core const& other) noexcept {
        watermark_ = other.watermark_;
        clock_ = other.clock_;
    }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return windows_.bytes(); }

    template <class Ctx, class T, class Out>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        auto const windows = each_window(windowing_.assigner, ctx.at, [&](time_window const& window) {
            auto in_window = ctx;
            in_window.window = window;
            add(in_window, record, hash, out);
        });
        if (windows == 0) ++account_.unassigned;
    }
    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark <= watermark_) return;  // a promise is not taken back
        auto const before = std::exchange(watermark_, watermark);
        bool const wakes = !Exact && watermark > wake_.watermark;
        if (wakes) wake_ = {};
        for (std::size_t i = 0; i < windows_.size(); ++i) {
            auto& each = windows_[i];
            bool const ended = each.window.end <= watermark;
            if (!ended && !wakes) break;
            bool const closes = closes_at(each.window) <= watermark;
            bool const ends = ended && i >= windows_.fired();
            if (closes || ends || wakes) ask_all(each, before, closes, out);
            if (ends) windows_.mark_fired();
        }
        while (windows_.fired() != 0 && closes_at(windows_[0].window) <= watermark) {
            entries_ -= windows_[0].table.size();
            windows_.close_first();
        }
    }
    template <class Out>
    void on_clock(event_time now, Out& out) {
        if (now <= clock_) return;
        clock_ = now;
        if (now <= wake_.clock) return;
        wake_ = {};
        for (std::size_t i = 0; i < windows_.size(); ++i) {
            ask_all(windows_[i], watermark_, false, out);
        }
    }
    /// A trigger that waits for a time fires at the first clock beyond it.
    [[nodiscard]] event_time clock_deadline() const noexcept { return wake_.clock + duration{1}; }
    [[nodiscard]] event_time next_due() const noexcept {
        return windows_.fired() < windows_.size() ? windows_[windows_.fired()].window.end : event_time::max();
    }
    /// The next watermark at which a window ends or closes, or the answer to "is it late" changes.
    [[nodiscard]] event_time deadline() const noexcept {
        // How far the watermark is when a record comes decides when that record is due.
        if constexpr (wakes_by_state && !Exact) return event_time::min();
        event_time next = next_due();
        if (windows_.fired() != 0) next = earlier(next, closes_at(windows_[0].window));
        if constexpr (!Exact) {
            if (by_element || watermark_ == event_time::min()) return event_time::min();
            if (watermark_ == event_time::max()) return next;
            next = earlier(next, first_end_after(windowing_.assigner, watermark_));
            next = earlier(next, first_end_after(windowing_.assigner, watermark_ - lateness_) + lateness_);
        }
        return next;
    }

    /// As in windowed_core: the same bytes whatever the number of shards.
    static void save(triggered_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(cores[0].watermark_).write(cores[0].clock_);
        save_windows(n, [cores](std::size_t i) -> auto const& { return cores[i].windows_; }, out);
    }
    static void load(triggered_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        auto const watermark = in.template read<event_time>();
        auto const clock = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) {
            auto& core = cores[i];
            core.watermark_ = watermark;
            core.clock_ = clock;
            core.wake_ = {event_time::min(), event_time::min()};  // looks for itself
            core.windows_.clear();
        }
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const window = in.template read<time_window>();
            auto const size = in.template read<std::uint64_t>();
            for (std::uint64_t k = 0; k < size; ++k) {
                Key key{};
                if constexpr (!std::is_same_v<Key, unkeyed>) in.read(key);
                entry state{cores[0].pack_};
                in.read(state);
                if (left_out::drops(key)) continue;
                auto const hash = hash_of(key);
                auto& owner = cores[shard_of(hash, n)];
                ++owner.entries_;
                auto* const there = owner.windows_.table_of(window);
                auto& into = there != nullptr ? *there : owner.windows_.open(window, watermark >= window.end).table;
                static_cast<void>(into.insert(key, hash, [&] { return std::move(state); }));
            }
        }
        for (std::size_t i = 0; i < n; ++i) cores[i].windows_.set_restored();
    }

private:
    static event_time earlier(event_time a, event_time b) noexcept { return a < b ? a : b; }
    [[nodiscard]] event_time closes_at(time_window const& window) const noexcept {
        if constexpr (Exact) return window.end;
        else return window.end + lateness_;
    }
    [[nodiscard]] trigger_moment moment(time_window const& window, event_time at = {}) const noexcept {
        return {window, watermark_for<Exact>(window, watermark_), clock_, at};
    }

    /// A record with its window in ctx.
    template <class Ctx, class T, class Out>
    void add(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        auto const& key = this->key_in(ctx);
        if constexpr (!Exact) {
            bool const late = watermark_ >= closes_at(ctx.window) || (by_element && ctx.at < watermark_);
            if (late) return refuse(reason::late, ctx, record, out);
        }
        auto* there = windows_.change(ctx.window);
        entry* to = there != nullptr ? there->find(key, hash) : nullptr;
        if (to != nullptr && to->closed) return refuse(reason::closed, ctx, record, out);
        bool const fresh = to == nullptr;
        if (fresh) {
            if (entries_ >= this->max_entries_) return account_.refuse(reason::capacity);
            if (there == nullptr) there = &windows_.open(ctx.window, watermark_ >= ctx.window.end).table;
            to = &there->insert(key, hash, [&] { return entry{pack_}; });
            ++entries_;
        }
        try {
            put(*to, record);
        } catch (...) {
            if (fresh) there->erase(key, hash), --entries_;
            account_.refuse(reason::failed);
            return out.threw(ctx.from);
        }
        ++account_.applied;
        ++to->fresh;
        auto const now = moment(ctx.window, ctx.at);
        trigger_.on_record(to->trigger, now);
        if (trigger_.due(to->trigger, now)) fire(key, *to, hash, now, watermark_, false, out);
        else wake_ = wake_.or_earlier(trigger_type::wakes(to->trigger));
    }
    /// Into both states or, if a function throws, into none.
    template <class T>
    void put(entry& to, T const& record) {
        if constexpr (!discards) {
            pack_.add(to.state, record);
        } else if constexpr (Pack::adds_are_safe) {
            pack_.add(to.state, record);
            pack_.add(to.part, record);
        } else {
            auto part = to.part;
            pack_.add(part, record);
            pack_.add(to.state, record);
            to.part = std::move(part);
        }
    }
    template <class Ctx, class T, class Out>
    void refuse(reason why, Ctx const& ctx, T const& record, Out& out) {
        if (why == reason::late) account_.refuse_late(watermark_ - ctx.at);
        else account_.refuse(why);
        out.refused(why, ctx, record);
    }

    /// Asks the trigger of every key of a window; what has not been shown comes out when it closes.
    template <class Out>
    void ask_all(typename window_tables<table>::open_window& in, event_time output_watermark, bool closes, Out& out) {
        auto const now = moment(in.window);
        in.table.for_each_ordered([&](auto const& key, entry& each, std::uint64_t hash) {
            if (each.closed) return;
            if (closes || trigger_.due(each.trigger, now)) {
                in.written = 0;
                fire(key, each, hash, now, output_watermark, closes, out);
            } else {
                wake_ = wake_.or_earlier(trigger_type::wakes(each.trigger));
            }
        });
    }
    /// output_watermark   what has been promised downstream: a pane behind it is late
    template <class K, class Out>
    void fire(K const& key, entry& of, std::uint64_t hash, trigger_moment const& now, event_time output_watermark,
        bool closes, Out& out) {
        bool const due = trigger_.due(of.trigger, now);
        bool const last = (due && trigger_.fire(of.trigger, now)) || closes;
        wake_ = wake_.or_earlier(trigger_type::wakes(of.trigger));
        auto const when = of.certain != 0 || output_watermark >= now.window.end ? timing::late
            : now.at_end()                                                      ? timing::on_time
                                                                                : timing::early;
        bool const wanted = of.fresh != 0 || (when == timing::on_time && always_on_time) || (last && always_closes)
            || (due && shows_unchanged);
        if (wanted) show(key, of, hash, now.window, when, last, out);
        if (last) close(of);
    }
    template <class K, class Out>
    void show(K const& key, entry& of, std::uint64_t hash, time_window const& window, timing when, bool last,
        Out& out) {
        auto const before = of.shown ? lowered(*of.shown, out) : std::optional<result_type>{};
        auto const after = lowered(of.state, out);
        of.fresh = 0;
        if (before || after) {
            pane_info const info{when, of.panes, when == timing::early ? -1 : of.certain, of.panes == 0, last};
            ++of.panes;
            if (when != timing::early) ++of.certain;
            std::optional<result_type> part;
            if constexpr (discards) part = lowered(of.part, out);
            out.change(key, window, info, hash, pointer(before), pointer(after), pointer(part));
        }
        if constexpr (discards) of.part = pack_.init();
        // A result that cannot be had is not shown: the row is gone until there is one again.
        if (after) of.shown = of.state;
        else of.shown.reset();
    }
    /// Nothing is kept of a closed entry but that it is.
    void close(entry& of) {
        entry empty{pack_};
        empty.closed = true;
        of = std::move(empty);
    }
    static result_type const* pointer(std::optional<result_type> const& of) noexcept { return of ? &*of : nullptr; }
    template <class Out>
    std::optional<result_type> lowered(typename Pack::state const& of, Out& out) const {
        std::optional<result_type> result;
        try {
            result.emplace(pack_.lower(of));
        } catch (...) {
            out.threw(origin{});
        }
        return result;
    }
};
}  // namespace driftless::inline v0::detail
#endif
