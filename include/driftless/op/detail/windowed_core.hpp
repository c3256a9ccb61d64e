// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_WINDOWED_CORE_HPP
#define DRIFTLESS_OP_DETAIL_WINDOWED_CORE_HPP

#include <driftless/agg/function.hpp>
#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/grid_tables.hpp>
#include <driftless/op/detail/touched_rows.hpp>
#include <driftless/state/window_tables.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
template <class Core>
class partial_cores;  // op/detail/partial_cores.hpp

/// Aggregates by window: window-major tables that the watermark fires.
///
/// Windowing   the window(...) upstream: assigner and allowed lateness
/// Carried     records bring their window (they came out of an aggregate)
/// Splits      what one record changes may come on several ways: only its net effect is told
template <class Pack, class Key, class Windowing, bool Carried, bool FromChanges, bool Corrects, bool Exact,
    bool Splits = false>
class windowed_core : public core_base<Pack, Key, FromChanges, Corrects, Exact> {
    using base = core_base<Pack, Key, FromChanges, Corrects, Exact>;
    friend partial_cores<windowed_core>;
    using typename base::entry;
    using typename base::result_type;
    using table = typename base::table;
    using open_window = typename window_tables<table>::open_window;
    using base::account_;
    using base::entries_;
    using base::pack_;

    /// A record may lie in several windows, or in none.
    static constexpr bool several = !Carried && assigns_several<typename Windowing::assigner_type>;
    /// What is behind the watermark is late whatever its windows.
    static constexpr bool by_element = !Carried && !Exact && Windowing::template has<element_level>;

    Windowing windowing_;
    duration lateness_;
    event_time watermark_ = event_time::min();
    window_tables<table> windows_;

    /// The fast path: up to two adjacent windows that have not fired, and that the next snapshot writes. A record at
    /// `at` belongs to near_[at >= middle_] if at lies in [low_, low_ + span_): no division, no search, no branch that
    /// disorder around a window's end could mislead.
    event_time low_ = event_time::max();
    std::uint64_t span_ = 0;
    event_time middle_ = event_time::max();
    table* near_[2] = {};
    /// Where more than two are open, as records out of order keep them, all of them: asked for
    /// last, so that records in order pay nothing for it.
    static constexpr bool gridded = [] {
        if constexpr (Carried || by_element) return false;
        else return std::is_same_v<typename Windowing::assigner_type, tumbling>;
    }();
    struct no_grid {};
    [[no_unique_address]] std::conditional_t<gridded, grid_tables<table>, no_grid> grid_;
    /// Rows that have fired, and may change several times while one record goes its ways.
    struct no_rows {};
    static constexpr bool nets = Splits && FromChanges && Corrects && !Exact;
    [[no_unique_address]] std::conditional_t<nets, touched_rows<Key, result_type>, no_rows> touched_;

public:
    static constexpr bool answers_at_once = nets;
    static constexpr bool corrects_rows = Corrects;
    /// Records may go to several cores, and what these have of a window is put together when it fires: nobody can tell,
    /// and the time alone says when that is.
    static constexpr bool has_partials = [] {
        if constexpr (std::is_same_v<Key, unkeyed> || Carried || FromChanges || by_element || !Pack::combinable) {
            return false;
        } else {
            using assigner = typename Windowing::assigner_type;
            return (!Corrects || Exact) && Pack::combines == combine_class::exact
                && (std::is_same_v<assigner, tumbling> || std::is_same_v<assigner, sliding>);
        }
    }();

    constexpr windowed_core(Pack pack, Windowing const* windowing, std::uint64_t max_entries, operator_label label)
        : base(std::move(pack), max_entries, label),
          windowing_(*windowing),
          lateness_(Carried ? windowing->kept_behind_end() : windowing->lateness()) {}
    windowed_core(windowed_core const& like, fresh_core_t)
        : base(like.pack_, like.max_entries_, like.account_.label),
          windowing_(like.windowing_),
          lateness_(like.lateness_) {}
    void keep_time_of(windowed_core const& other) noexcept { watermark_ = other.watermark_; }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return windows_.bytes(); }
    [[nodiscard]] event_time watermark() const noexcept { return watermark_; }

    [[nodiscard]] bool looks_ahead() const noexcept {
        if constexpr (gridded) {
            if (grid_.active()) return grid_.bytes() > base::fits_cache;
        }
        if (near_[0] == nullptr) return false;
        return near_[0]->bytes() + (near_[1] != near_[0] ? near_[1]->bytes() : 0) > base::fits_cache;
    }
    template <class Ctx>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, std::uint64_t hash) const noexcept {
        if (table const* const in = near(ctx)) in->prefetch(hash);
    }
    template <class Ctx, class T, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        if (auto* const in = near(ctx)) [[likely]]
            near_record(*in, ctx, record, hash, out);
        else far_record(ctx, record, hash, out);
    }
    /// The same in two: for who wants to keep what the rare path needs out of the way of the common one.
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE void near_record(table& in, Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        this->add(in, ctx, record, hash, out);
    }
    /// The table of a record, if it is at hand.
    template <class Ctx>
    DRIFTLESS_INLINE table* near(Ctx const& ctx) const noexcept {
        if constexpr (several) {
            return nullptr;  // a record goes into each of its windows
        } else if constexpr (Carried) {
            return ctx.window.start == low_ && ctx.window.end == middle_ ? near_[1] : nullptr;
        } else {
            if constexpr (by_element) {
                if (ctx.at < watermark_) return nullptr;
            }
            auto const past = static_cast<std::uint64_t>(ctx.at.ns()) - static_cast<std::uint64_t>(low_.ns());
            if (past < span_) [[likely]]
                return near_[ctx.at >= middle_ ? 1 : 0];
            if constexpr (gridded) return grid_.find(ctx.at);
            else return nullptr;
        }
    }
    template <class Ctx, class T, class Out>
    void on_change(Ctx const& ctx, change<T> const& row, std::uint64_t hash, Out& out) {
        auto const& record = row.after != nullptr ? *row.after : *row.before;
        each_window_of(ctx, [&](auto const& window) {
            auto* const in = window_for(window, ctx, out, record);
            if (in == nullptr) return;
            correct(*in, ctx, hash, out, [&] {
                this->apply(in->table, ctx, row, hash, out);
                return true;  // the old row is out, whatever became of the new one
            });
            if (!nets || in->window.end > watermark_) this->drop_if_empty(in->table, this->key_in(ctx), hash);
        });
    }
    template <class Out>
    void on_epoch(Out& out)
        requires nets
    {
        touched_.take([&](auto const& row) {
            auto* const in = windows_.change(row.window);
            if (in != nullptr) this->drop_if_empty(*in, row.key, row.hash);
            entry* const now = in != nullptr ? in->find(row.key, row.hash) : nullptr;
            tell_late(row.key, row.window, row.hash, row.before, now, row, out);
        });
    }

    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark < watermark_) return;  // a promise is not taken back
        if constexpr (nets) on_epoch(out);
        watermark_ = watermark;
        bool moved = false;
        while (windows_.fired() < windows_.size() && windows_[windows_.fired()].window.end <= watermark) {
            auto& due = windows_[windows_.fired()];
            bool const last = closes(due.window) <= watermark;
            this->fire(due.change(), due.window, last, out);
            windows_.mark_fired();
            if (last && windows_.fired() == 1) close_first();
            moved = true;
        }
        while (windows_.fired() != 0 && closes(windows_[0].window) <= watermark) close_first();
        if (moved) forget_near();
    }

    /// The end of the first open window that has not fired; +inf if there is none.
    [[nodiscard]] event_time next_due() const noexcept {
        return windows_.fired() < windows_.size() ? windows_[windows_.fired()].window.end : event_time::max();
    }
    /// The next watermark at which a window fires, or the answer to "is it late" changes.
    [[nodiscard]] event_time deadline() const noexcept {
        event_time next = next_due();
        if constexpr (!Exact) {
            if (windows_.fired() != 0 && closes(windows_[0].window) < next) next = closes(windows_[0].window);
            if constexpr (!Carried) {
                if (by_element || watermark_ == event_time::min()) return event_time::min();
                if (watermark_ == event_time::max()) return next;
                auto const end = first_end_after(windowing_.assigner, watermark_);
                if (end < next) next = end;
                if constexpr (Windowing::has_lateness) {
                    auto const close = first_end_after(windowing_.assigner, watermark_ - lateness_) + lateness_;
                    if (close < next) next = close;
                }
            }
        }
        return next;
    }

    /// As in unwindowed_core: the same bytes whatever the number of shards.
    static void save(windowed_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(cores[0].watermark_);
        save_windows(n, [cores](std::size_t i) -> auto const& { return cores[i].windows_; }, out);
        for (std::size_t i = 0; i < n; ++i) cores[i].forget_near();  // the next record says which windows change
    }
    static void load(windowed_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        auto const watermark = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].watermark_ = watermark;
            cores[i].windows_.clear();
            cores[i].forget_near();
        }
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const window = in.template read<time_window>();
            auto const size = in.template read<std::uint64_t>();
            // Hashes ascend, and shards hold ascending ranges of them.
            std::size_t shard = n;
            table* into = nullptr;
            load_entries<Key, entry>(size, in, [&](std::uint64_t hash) -> auto& {
                if (auto const of = shard_of(hash, n); of != shard) [[unlikely]] {
                    auto& owner = cores[shard = of];
                    into = owner.windows_.table_of(window);
                    if (into == nullptr) {
                        into = &owner.windows_.open(window, watermark >= window.end).table;
                        into->make_room_for(static_cast<std::size_t>(size / n + size / n / 16), of, n);
                    }
                }
                return *into;
            });
            for (std::size_t i = 0; i < n; ++i) {
                if (auto const* const there = cores[i].windows_.table_of(window)) cores[i].entries_ += there->size();
            }
        }
        for (std::size_t i = 0; i < n; ++i) cores[i].windows_.set_restored();
    }

private:
    void forget_near() noexcept {
        low_ = event_time::max();
        middle_ = event_time::max();
        span_ = 0;
        near_[0] = near_[1] = nullptr;
        if constexpr (gridded) grid_.forget();
    }

    /// When the state of a window goes, and records for it are refused.
    [[nodiscard]] event_time closes(time_window const& window) const noexcept {
        if constexpr (Exact) return window.end;
        else return window.end + lateness_;
    }
    void close_first() {
        entries_ -= windows_[0].table.size();
        windows_.close_first();
    }

    template <class Ctx, class F>
    void each_window_of(Ctx const& ctx, F&& f) {
        if constexpr (Carried) f(ctx.window);
        else if (each_window(windowing_.assigner, ctx.at, f) == 0) ++account_.unassigned;
    }
    /// A window of a record, opened if need be; null if it is closed: the record is refused.
    template <class Ctx, class Out, class T>
    open_window* window_for(time_window const& window, Ctx const& ctx, Out& out, T const& record) {
        if constexpr (!Exact) {
            if (watermark_ >= closes(window) || (by_element && ctx.at < watermark_)) {
                account_.refuse_late(watermark_ - ctx.at);
                auto refused = ctx;
                refused.window = window;  // the one that refused it
                out.refused(reason::late, refused, record);
                return nullptr;
            }
        }
        auto const at = windows_.find(window);
        if (at == windows_.size()) return &windows_.open(window, watermark_ >= window.end);
        windows_[at].written = 0;
        return &windows_[at];
    }

    template <class Ctx, class T, class Out>
    DRIFTLESS_NOINLINE void far_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        each_window_of(ctx, [&](auto const& window) {
            auto* const in = window_for(window, ctx, out, record);
            if (in == nullptr) return;
            correct(*in, ctx, hash, out, [&] { return this->add(in->table, ctx, record, hash, out); });
            if constexpr (!several) {
                if (in->window.end > watermark_) come_near(*in);
            }
        });
    }

    /// Applies an update to a window; if it has fired already, its row changes at once.
    template <class Ctx, class Out, class Update>
    void correct(open_window& in, Ctx const& ctx, std::uint64_t hash, Out& out, Update update) {
        if constexpr (Corrects && !Exact) {
            if (in.window.end <= watermark_) {
                auto const& key = this->key_in(ctx);
                if constexpr (nets) {
                    if (touched_.contains(key, in.window, hash)) return void(update());
                }
                std::optional<result_type> before;
                [[maybe_unused]] arena bytes;
                if (entry const* const old = in.table.find(key, hash); old != nullptr && old->panes != 0) {
                    before = this->lowered(*old, out);
                    // A result may borrow from the state, which changes now.
                    if (before && !nets) rehome(*before, bytes);
                }
                if constexpr (nets) touched_.add(key, in.window, hash, before);
                if (!update() || nets) return;
                tell_late(key, in.window, hash, before, in.table.find(key, hash), every_time{}, out);
                return;
            }
        }
        update();
    }

    struct every_time {
        static bool stays(auto const&) noexcept { return false; }
    };
    /// The row of a window that has fired is another one; unless it stays what it was.
    template <class Out>
    void tell_late(Key const& key, time_window const& window, std::uint64_t hash,
        std::optional<result_type> const& before, entry* now, auto const& row, Out& out) {
        auto const after = now != nullptr ? this->lowered(*now, out) : std::optional<result_type>{};
        if ((!before && !after) || row.stays(after)) return;
        auto const index = now != nullptr ? static_cast<std::int32_t>(now->panes++) : 0;
        pane_info const info{timing::late, index, index, index == 0, false};
        out.change(key, window, info, hash, before ? &*before : nullptr, after ? &*after : nullptr);
    }

    /// Keeps a window, and its neighbour if that is open too, at hand for the records to come.
    void come_near(open_window& in) noexcept {
        if constexpr (Carried) {
            low_ = in.window.start;
            middle_ = in.window.end;
            near_[1] = &in.table;
        } else {
            if constexpr (gridded) {
                if (grid_.is_beyond(in.window.start)) return;
                auto const first = windows_.fired();
                forget_near();
                if (windows_.size() - first > 2) return grid_.cover(windows_, first, windowing_.assigner.size);
            }
            near_[0] = near_[1] = &in.table;
            low_ = middle_ = in.window.start;
            auto end = in.window.end;
            auto const at = windows_.find(in.window);
            auto const is_near = [&](std::size_t i, event_time one, event_time other) {
                return one == other && windows_[i].written == 0;
            };
            if (at + 1 < windows_.size() && is_near(at + 1, windows_[at + 1].window.start, in.window.end)) {
                near_[1] = &windows_[at + 1].table;
                middle_ = in.window.end;
                end = windows_[at + 1].window.end;
            } else if (at > windows_.fired() && is_near(at - 1, windows_[at - 1].window.end, in.window.start)) {
                near_[0] = &windows_[at - 1].table;
                low_ = windows_[at - 1].window.start;
            }
            span_ = static_cast<std::uint64_t>(end.ns()) - static_cast<std::uint64_t>(low_.ns());
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
