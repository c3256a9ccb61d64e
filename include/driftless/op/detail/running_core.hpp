// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_RUNNING_CORE_HPP
#define DRIFTLESS_OP_DETAIL_RUNNING_CORE_HPP

#include <driftless/agg/pack.hpp>
#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/touched_rows.hpp>
#include <driftless/state/window_tables.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// The groups that an epoch has touched, and what happened to them; nothing of one that was not there before.
template <class Key, class State, bool FromChanges>
struct touched_groups {};
template <class Key, class State>
struct touched_groups<Key, State, true> : touched_rows<Key, typename State::difference> {};

/// Aggregates that answer every record at once: the row of its group, as it was and as it is now. Over streams without
/// a window, which never closes, and over rows that come early, which carry theirs. Over changes each epoch is answered
/// by what it has changed, as in changing_core.
///
/// Function    the one function of the pack; says with touches(state, record) whether its result is touched at all.
///             Over changes its state can be watched: what an epoch has done to it is told, not two whole results
/// Windowing   of the rows; void without a window
template <class Pack, class Function, class Key, class Windowing, bool FromChanges>
class running_core : public core_base<Pack, Key, FromChanges, true, true> {
    using base = core_base<Pack, Key, FromChanges, true, true>;
    using typename base::entry;
    using typename base::result_type;
    using table = typename base::table;
    using base::account_;
    using base::entries_;
    using base::pack_;
    static constexpr bool windowed = !std::is_void_v<Windowing>;

    Function function_;
    duration kept_behind_end_;
    event_time watermark_ = event_time::min();
    window_tables<table> windows_;
    arena bytes_;  // of the row as it was
    using group_state = std::remove_cvref_t<decltype(leaf<0>(std::declval<entry&>().state))>;
    [[no_unique_address]] touched_groups<Key, group_state, FromChanges> touched_;

public:
    static constexpr bool answers_at_once = FromChanges;

    running_core(Function function, duration kept_behind_end, std::uint64_t max_entries, operator_label label)
        : base(Pack{function}, max_entries, label), function_(function), kept_behind_end_(kept_behind_end) {}

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return windows_.bytes(); }

    template <class Ctx, class T, class Out>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        auto* const in = table_for(ctx, record, out);
        if (in == nullptr) return;
        entry const* const old = in->find(this->key_in(ctx), hash);
        bool const shows = old == nullptr || touches(*old, ctx, record);
        update(*in, ctx, hash, shows, out, [&] { return this->add(*in, ctx, record, hash, out); });
    }
    template <class Ctx, class T, class Out>
    void on_change(Ctx const& ctx, change<T> const& row, std::uint64_t hash, Out& out) {
        auto* const in = table_for(ctx, row.after != nullptr ? *row.after : *row.before, out);
        if (in == nullptr) return;
        entry const* const old = in->find(this->key_in(ctx), hash);
        bool const shows = old == nullptr || (row.before != nullptr && touches(*old, ctx, *row.before))
            || (row.after != nullptr && touches(*old, ctx, *row.after));
        update(*in, ctx, hash, shows, out, [&] {
            this->apply(*in, ctx, row, hash, out);
            this->drop_if_empty(*in, this->key_in(ctx), hash);
            return true;  // the old row is out, whatever became of the new one
        });
    }
    template <class Out>
    void on_epoch(Out& out)
        requires FromChanges
    {
        touched_.take([&](auto const& row) {
            auto* const in = windows_.table_of(row.window);
            tell_difference(row, in != nullptr ? in->find(row.key, row.hash) : nullptr, out);
        });
    }
    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark < watermark_) return;  // a promise is not taken back
        if constexpr (FromChanges) on_epoch(out);
        watermark_ = watermark;
        while (windows_.size() != 0 && windows_[0].window.end + kept_behind_end_ <= watermark) {
            entries_ -= windows_[0].table.size();
            windows_.close_first();
        }
    }
    /// The next watermark at which a window closes.
    [[nodiscard]] event_time deadline() const noexcept {
        return windows_.size() == 0 ? event_time::max() : windows_[0].window.end + kept_behind_end_;
    }

    static void save(running_core* only, std::size_t n, auto& out) {
        base::save_books(only, n, out);
        out.write(only->watermark_);
        save_windows(n, [only](std::size_t i) -> auto const& { return only[i].windows_; }, out);
    }
    static void load(running_core* only, std::size_t n, auto& in) {
        base::load_books(only, n, in);
        in.read(only->watermark_);
        only->windows_.clear();
        if constexpr (FromChanges) only->touched_.clear();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const window = in.template read<time_window>();
            auto& into = only->windows_.open(window, false).table;  // also one whose groups have all gone
            load_entries<Key, entry>(in.template read<std::uint64_t>(), in, [&](std::uint64_t) -> auto& {
                ++only->entries_;
                return into;
            });
        }
        only->windows_.set_restored();
    }

private:
    template <class Ctx, class T, class Out>
    table* table_for(Ctx const& ctx, T const& record, Out& out) {
        time_window window{};
        if constexpr (windowed) {
            window = ctx.window;
            if (watermark_ >= window.end + kept_behind_end_ && !window.end.is_infinite()) {
                account_.refuse_late(watermark_ - ctx.at);
                out.refused(reason::late, ctx, record);
                return nullptr;
            }
        }
        auto* const there = windows_.change(window);
        return there != nullptr ? there : &windows_.open(window, false).table;
    }
    /// A function that throws is asked again, and its throw counted, when the record is added.
    template <class Ctx, class T>
    bool touches(entry const& old, Ctx const&, T const& record) const {
        try {
            return function_.touches(leaf<0>(old.state), record);
        } catch (...) {
            return true;
        }
    }
    template <class Ctx, class Out, class Update>
    void update(table& in, Ctx const& ctx, std::uint64_t hash, bool shows, Out& out, Update change) {
        auto const& key = this->key_in(ctx);
        time_window window{};
        if constexpr (windowed) window = ctx.window;
        if constexpr (FromChanges) {
            auto* const known = touched_.find(key, window, hash);
            if (!shows && known == nullptr) return void(change());
            auto& here = known != nullptr ? *known : touched_.add(key, window, hash, {});
            watched(in, key, hash, here, known == nullptr, change);  // what does not show now may later
        } else if (!shows) {
            change();
        } else {
            auto before = row_of(in.find(key, hash), out);
            bytes_.reset();
            if (before) rehome(*before, bytes_);  // it may borrow from the state, which changes now
            if (change()) tell(key, window, hash, before, row_of(in.find(key, hash), out), out);
        }
    }
    /// Makes a change of a group of which an epoch has to tell something.
    template <class Row, class Update>
    void watched(table& in, Key const& key, std::uint64_t hash, Row& row, bool first, Update const& change) {
        entry* const old = in.find(key, hash);
        if (first && old != nullptr) row.before.emplace();
        if (row.before && old == nullptr) row.before->emptied = true;
        bool const watches = row.before && !row.before->emptied;
        if (!watches) return void(change());
        leaf<0>(old->state).watch(&*row.before);
        auto const unwatch = [&] {
            if (entry* const left = in.find(key, hash)) leaf<0>(left->state).watch(nullptr);
        };
        try {
            change();
        } catch (...) {
            unwatch();
            throw;
        }
        unwatch();
    }
    template <class Out>
    void tell_difference(auto const& row, entry const* now, Out& out) const {
        std::optional<result_type> before;
        std::optional<result_type> after;
        try {
            if (!row.before) {
                after = row_of(now, out);
            } else if (now == nullptr || row.before->emptied) {
                before = function_.template lower_gone<group_state>(*row.before);
                after = row_of(now, out);
            } else {
                auto lists = function_.lower_difference(leaf<0>(now->state), *row.before);
                if (lists.before.empty() && lists.after.empty()) return;
                before = std::move(lists.before);
                after = std::move(lists.after);
            }
        } catch (...) {
            return out.threw(origin{});
        }
        tell(row.key, row.window, row.hash, before, after, out);
    }
    template <class Out>
    [[nodiscard]] std::optional<result_type> row_of(entry const* of, Out& out) const {
        return of != nullptr ? this->lowered(*of, out) : std::optional<result_type>{};
    }
    template <class Out>
    static void tell(Key const& key, time_window const& window, std::uint64_t hash,
        std::optional<result_type> const& before, std::optional<result_type> const& after, Out& out) {
        if (!before && !after) return;
        out.change(key, window, {timing::early, 0, -1, !before, false}, hash, before ? &*before : nullptr,
            after ? &*after : nullptr);
    }
};
}  // namespace driftless::inline v0::detail
#endif
