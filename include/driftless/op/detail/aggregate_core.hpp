// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_AGGREGATE_CORE_HPP
#define DRIFTLESS_OP_DETAIL_AGGREGATE_CORE_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/grid_tables.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/window_tables.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

// What an aggregate keeps and when it speaks, without saying to whom: the cores below are driven by
// a stage, or by one worker per shard, and report to an `out` with
//   out.row(key, window, info, hash, result)                  a single pane, as a record; at its window's last instant,
//                                                             or at a time that is given behind
//   out.change(key, window, info, hash, before*, after*)      a changed row, where panes may be corrected
//   out.refused(reason, ctx, record)                          a late record, for the late output
//   out.threw(from)                                           called inside a catch block

namespace driftless::inline v0::detail {
__extension__ using uint128 = unsigned __int128;

/// The shard of a hash: shards hold ascending ranges of hashes, so that their panes, one shard after
/// the other, are in canonical order.
constexpr std::size_t shard_of(std::uint64_t hash, std::size_t shards) noexcept {
    return static_cast<std::size_t>((static_cast<uint128>(hash) * shards) >> 64);
}

/// The state of one (key, window), and what only some plans have to know of it.
///
/// Members     how many rows are in it, so that a group all of whose rows were taken back is deleted
/// Panes       how many panes it has emitted, for corrections after the on-time pane
template <class Pack, bool Members, bool Panes>
struct aggregate_entry {
    typename Pack::state state;
    // Two types: two of one type would need two addresses.
    struct no_members {};
    struct no_panes {};
    [[no_unique_address]] std::conditional_t<Members, std::uint64_t, no_members> members{};
    [[no_unique_address]] std::conditional_t<Panes, std::uint32_t, no_panes> panes{};

    constexpr explicit aggregate_entry(typename Pack::state s) : state(std::move(s)) {}
    constexpr aggregate_entry() = default;

    void save(auto& out) const {
        Pack::save(state, out);
        if constexpr (Members) out.write(members);
        if constexpr (Panes) out.write(panes);
    }
    void load(auto& in) {
        Pack::load(state, in);
        if constexpr (Members) members = in.template read<std::uint64_t>();
        if constexpr (Panes) panes = in.template read<std::uint32_t>();
    }
};

/// Says that a core is to be made like another, with nothing in it.
struct fresh_core_t {};
inline constexpr fresh_core_t fresh_core{};

/// Takes a row out of a state. False for one that was refused when it came, because a function threw: it is not in.
template <class Pack, class T>
bool removed_from(Pack const& pack, typename Pack::state& from, T const& row) {
    try {
        pack.remove(from, row);
        return true;
    } catch (...) {
        return false;
    }
}

/// What both cores share: the pack, the books, and adding or removing one row.
template <class Pack, class Key, bool FromChanges, bool Corrects, bool Exact>
class core_base {
protected:
    using result_type = typename Pack::result;
    using entry = aggregate_entry<Pack, FromChanges, Corrects && !Exact>;
    using table = keyed_table<Key, entry>;

    /// Bytes of tables up to which looking ahead costs more than it saves.
    static constexpr std::size_t fits_cache = std::size_t{8} * 1024 * 1024;

    [[no_unique_address]] Pack pack_;
    std::uint64_t max_entries_;
    std::uint64_t entries_ = 0;
    account account_;

    constexpr core_base(Pack pack, std::uint64_t max_entries, operator_label label)
        : pack_(std::move(pack)), max_entries_(max_entries), account_{.label = label} {}

    /// The entry of a key, made if need be; null if that would be one too many.
    template <class K>
    DRIFTLESS_INLINE entry* entry_of(table& in, K const& key, std::uint64_t hash, bool& fresh) {
        entry* const found = in.find(key, hash);
        fresh = found == nullptr;
        if (!fresh) [[likely]]
            return found;
        if (entries_ >= max_entries_) [[unlikely]]
            return nullptr;
        ++entries_;
        return &in.insert(key, hash, [&] { return entry{pack_.init()}; });
    }

    /// Adds a record to its entry. A user function that throws leaves no empty entry behind.
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE bool add(table& in, Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        bool fresh = false;
        entry* const to = entry_of(in, key_in(ctx), hash, fresh);
        if (to == nullptr) [[unlikely]] {
            account_.refuse(reason::capacity);
            return false;
        }
        try {
            pack_.add(to->state, record);
        } catch (...) {
            if (fresh) in.erase(key_in(ctx), hash), --entries_;
            account_.refuse(reason::failed);
            out.threw(ctx.from);
            return false;
        }
        ++account_.applied;
        if constexpr (FromChanges) ++to->members;
        return true;
    }

    /// Takes the old row out and puts the new one in.
    template <class Ctx, class T, class Out>
    void apply(table& in, Ctx const& ctx, change<T> const& row, std::uint64_t hash, Out& out) {
        if (row.before != nullptr) {
            if (entry* const from = in.find(key_in(ctx), hash)) {
                if (removed_from(pack_, from->state, *row.before) && from->members != 0) --from->members;
            }
        }
        if (row.after != nullptr) add(in, ctx, *row.after, hash, out);
        else ++account_.applied;
    }
    /// The entry goes when its last row has gone.
    void drop_if_empty(table& in, auto const& key, std::uint64_t hash) {
        if (entry const* const left = in.find(key, hash); left != nullptr && left->members == 0) {
            if constexpr (Corrects && !Exact) {
                if (left->panes != 0) return;  // it has been seen: its pane count lives on
            }
            in.erase(key, hash);
            --entries_;
        }
    }

    static core_base& own(core_base& core) noexcept { return core; }
    static core_base const& own(core_base const& core) noexcept { return core; }
    /// The books of all shards are written as one; the first takes them back.
    template <class Core>
    static void save_books(Core const* cores, std::size_t n, auto& out) {
        account sum;
        for (std::size_t i = 0; i < n; ++i) sum.add(own(cores[i]).account_);
        out.write(sum.applied).write(sum.unassigned);
        for (auto const each : sum.refused) out.write(each);
    }
    template <class Core>
    static void load_books(Core* cores, std::size_t n, auto& in) {
        for (std::size_t i = 0; i < n; ++i) {
            own(cores[i]).account_ = account{.label = own(cores[i]).account_.label};
            own(cores[i]).entries_ = 0;
        }
        in.read(own(cores[0]).account_.applied);
        in.read(own(cores[0]).account_.unassigned);
        for (auto& each : own(cores[0]).account_.refused) in.read(each);
    }
    template <class Core>
    static std::uint64_t entries_in(Core const* cores, std::size_t n) noexcept {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += own(cores[i]).entries_;
        return sum;
    }

    template <class Ctx>
    DRIFTLESS_INLINE static constexpr auto const& key_in(Ctx const& ctx) noexcept {
        if constexpr (std::is_same_v<Key, unkeyed>) return no_key;
        else return *ctx.key;
    }
    static constexpr unkeyed no_key{};

    /// The result of an entry; nothing if it has none: no rows, or a lower() that threw.
    template <class Out>
    std::optional<result_type> lowered(auto const& of, Out& out) const {
        std::optional<result_type> result;
        if constexpr (FromChanges) {
            if (of.members == 0) return result;
        }
        try {
            result.emplace(pack_.lower(of.state));
        } catch (...) {
            out.threw(origin{});
        }
        return result;
    }

    /// Emits the on-time pane of every key of a window, in canonical order.
    template <class Out>
    void fire(table& of, time_window window, bool last, Out& out) {
        of.for_each_ordered([&](auto const& key, entry& each, std::uint64_t hash) {
            auto const result = lowered(each, out);
            if (!result) return;
            if constexpr (Corrects && !Exact) ++each.panes;
            pane_info const info{timing::on_time, 0, 0, true, last};
            if constexpr (Corrects) {
                out.change(key, window, info, hash, static_cast<result_type const*>(nullptr), &*result);
            } else {
                out.row(key, window, info, hash, *result);
            }
        });
    }
};

/// Aggregates keys without windows: one table, which fires when the input ends.
template <class Pack, class Key, bool FromChanges>
class unwindowed_core : public core_base<Pack, Key, FromChanges, FromChanges, true> {
    using base = core_base<Pack, Key, FromChanges, FromChanges, true>;
    using base::account_;
    using base::entries_;
    using base::pack_;
    typename base::table table_;

public:
    constexpr unwindowed_core(Pack pack, std::uint64_t max_entries, operator_label label)
        : base(std::move(pack), max_entries, label) {}
    unwindowed_core(unwindowed_core const& like, fresh_core_t)
        : base(like.pack_, like.max_entries_, like.account_.label) {}
    void keep_time_of(unwindowed_core const&) noexcept {}

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return table_.bytes(); }

    template <class Ctx, class T, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        this->add(table_, ctx, record, hash, out);
    }
    template <class Ctx, class T, class Out>
    void on_change(Ctx const& ctx, change<T> const& row, std::uint64_t hash, Out& out) {
        this->apply(table_, ctx, row, hash, out);
        this->drop_if_empty(table_, this->key_in(ctx), hash);
    }
    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark != event_time::max()) return;
        this->fire(table_, time_window{}, true, out);
        table_.clear();
        entries_ = 0;
    }
    [[nodiscard]] event_time deadline() const noexcept { return event_time::max(); }

    /// The state of one core, or of the cores of all shards, which hold ascending ranges of hashes:
    /// the same bytes whatever their number.
    static void save(unwindowed_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(static_cast<std::uint64_t>(base::entries_in(cores, n)));
        for (std::size_t i = 0; i < n; ++i) cores[i].table_.save_entries(out);
    }
    static void load(unwindowed_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        for (std::size_t i = 0; i < n; ++i) cores[i].table_.clear();
        load_entries<Key, typename base::entry>(
            in.template read<std::uint64_t>(), in, [&](std::uint64_t hash) -> auto& {
                auto& owner = cores[shard_of(hash, n)];
                ++owner.entries_;
                return owner.table_;
            });
    }
};

/// Aggregates everything into one row: one state by value, which a loop keeps in registers, and
/// nothing to look up or to branch on.
template <class Pack, bool FromChanges>
class total_core {
    using result_type = typename Pack::result;

    [[no_unique_address]] Pack pack_;
    typename Pack::state state_;
    [[no_unique_address]] typename Pack::burst burst_;  // what is not in the state yet
    std::int64_t in_burst_ = 0;                         // so many records
    std::uint64_t applied_ = 0;                         // those before it
    std::int64_t members_ = 0;  // rows in it; counted over changes only
    bool ended_ = false;
    account account_;

public:
    static constexpr bool tight = !FromChanges && Pack::adds_are_safe;

    constexpr total_core(Pack pack, std::uint64_t, operator_label label)
        : pack_(std::move(pack)), state_(pack_.init()), burst_(pack_.init_burst()), account_{.label = label} {}

    DRIFTLESS_FUSED void settle() {
        pack_.absorb(state_, burst_, in_burst_);
        applied_ += static_cast<std::uint64_t>(std::exchange(in_burst_, 0));
    }
    [[nodiscard]] account books() const noexcept {
        auto out = account_;
        out.applied = applied_ + static_cast<std::uint64_t>(in_burst_);
        return out;
    }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return 0; }

    template <class Ctx, class T, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record, std::uint64_t, Out& out) {
        try {
            if constexpr (FromChanges) {
                pack_.add(state_, record);
                ++applied_;
            } else {
                pack_.add(state_, burst_, record);
                ++in_burst_;
            }
        } catch (...) {
            account_.refuse(reason::failed);
            out.threw(ctx.from);
        }
    }
    template <class Ctx, class T, class Out>
    void on_change(Ctx const& ctx, change<T> const& row, std::uint64_t hash, Out& out) {
        if (row.before != nullptr && removed_from(pack_, state_, *row.before)) --members_;
        auto const applied = applied_;
        if (row.after != nullptr) on_record(ctx, *row.after, hash, out);
        else ++applied_;
        if (row.after != nullptr && applied != applied_) ++members_;
    }
    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        settle();  // rows that a window fires come without the loop of a source
        if (watermark != event_time::max() || std::exchange(ended_, true)) return;
        if (applied_ == 0 || (FromChanges && members_ == 0)) return;
        std::optional<result_type> result;
        try {
            result.emplace(pack_.lower(state_));
        } catch (...) {
            out.threw(origin{});
        }
        if (!result) return;
        if constexpr (FromChanges) {
            out.change(unkeyed{}, time_window{}, pane_info{}, 0, static_cast<result_type const*>(nullptr), &*result);
        } else {
            out.row(unkeyed{}, time_window{}, pane_info{}, 0, *result);
        }
    }
    [[nodiscard]] event_time deadline() const noexcept { return event_time::max(); }

    static void save(total_core* cores, std::size_t, auto& out) {
        auto& only = cores[0];
        only.settle();
        out.write(only.applied_);
        out.write(only.members_);
        for (auto const n : only.account_.refused) out.write(n);
        Pack::save(only.state_, out);
    }
    static void load(total_core* cores, std::size_t, auto& in) {
        auto& only = cores[0];
        in.read(only.applied_);
        in.read(only.members_);
        for (auto& n : only.account_.refused) in.read(n);
        only.state_ = only.pack_.init();
        only.burst_ = only.pack_.init_burst();
        only.in_burst_ = 0;
        Pack::load(only.state_, in);
    }
};

/// Aggregates by window: window-major tables that the watermark fires.
///
/// Windowing   the window(...) upstream: assigner and allowed lateness
/// Carried     records bring their window (they came out of an aggregate)
template <class Pack, class Key, class Windowing, bool Carried, bool FromChanges, bool Corrects, bool Exact>
class windowed_core : public core_base<Pack, Key, FromChanges, Corrects, Exact> {
    using base = core_base<Pack, Key, FromChanges, Corrects, Exact>;
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

    /// The fast path: up to two adjacent windows that have not fired. A record at `at` belongs to
    /// near_[at >= middle_] if at lies in [low_, low_ + span_): no division, no search, no branch
    /// that disorder around a window's end could mislead.
    event_time low_ = event_time::max();
    std::uint64_t span_ = 0;
    event_time middle_ = event_time::max();
    table* near_[2] = {};
    /// Where more than two are open, as records out of order keep them, all of them.
    static constexpr bool gridded = [] {
        if constexpr (Carried) return false;
        else return std::is_same_v<typename Windowing::assigner_type, tumbling>;
    }();
    struct no_grid {};
    [[no_unique_address]] std::conditional_t<gridded, grid_tables<table>, no_grid> grid_;

public:
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
        if (!is_near(ctx)) return;
        if (table const* const in = near_table(ctx)) in->prefetch(hash);
    }
    template <class Ctx, class T, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        if (is_near(ctx)) [[likely]]
            near_record(ctx, record, hash, out);
        else far_record(ctx, record, hash, out);
    }
    /// The same in two: for who wants to keep what the rare path needs out of the way of the common one.
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE void near_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        table* const in = near_table(ctx);
        if constexpr (gridded) {
            if (in == nullptr) [[unlikely]]
                return far_record(ctx, record, hash, out);
        }
        this->add(*in, ctx, record, hash, out);
    }
    template <class Ctx>
    DRIFTLESS_INLINE bool is_near(Ctx const& ctx) const noexcept {
        if constexpr (several) {
            return false;  // a record goes into each of its windows
        } else if constexpr (Carried) {
            return ctx.window.start == low_ && ctx.window.end == middle_ && near_[1] != nullptr;
        } else {
            if constexpr (by_element) {
                if (ctx.at < watermark_) return false;
            }
            return past_low(ctx) < span_;
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
            this->drop_if_empty(in->table, this->key_in(ctx), hash);
        });
    }

    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark < watermark_) return;  // a promise is not taken back
        watermark_ = watermark;
        bool moved = false;
        while (windows_.fired() < windows_.size() && windows_[windows_.fired()].window.end <= watermark) {
            auto& due = windows_[windows_.fired()];
            bool const last = closes(due.window) <= watermark;
            this->fire(due.table, due.window, last, out);
            windows_.mark_fired();
            if (last && windows_.fired() == 1) close_first();
            moved = true;
        }
        while (windows_.fired() != 0 && closes(windows_[0].window) <= watermark) close_first();
        if (moved) forget_near();
    }

    /// The next watermark at which a window fires, or the answer to "is it late" changes.
    [[nodiscard]] event_time deadline() const noexcept {
        event_time next = event_time::max();
        if (windows_.fired() < windows_.size()) next = windows_[windows_.fired()].window.end;
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
            load_entries<Key, entry>(size, in, [&](std::uint64_t hash) -> auto& {
                auto& owner = cores[shard_of(hash, n)];
                ++owner.entries_;
                auto* const there = owner.windows_.table_of(window);
                return there != nullptr ? *there : owner.windows_.open(window, watermark >= window.end).table;
            });
        }
    }

private:
    template <class Ctx>
    DRIFTLESS_INLINE std::uint64_t past_low(Ctx const& ctx) const noexcept {
        return static_cast<std::uint64_t>(ctx.at.ns()) - static_cast<std::uint64_t>(low_.ns());
    }
    /// Of a record that is near; null if its window is not open.
    template <class Ctx>
    DRIFTLESS_INLINE table* near_table(Ctx const& ctx) const noexcept {
        if constexpr (Carried) return near_[1];
        if constexpr (gridded) {
            if (grid_.active()) return grid_.at(past_low(ctx));
        }
        return near_[ctx.at >= middle_ ? 1 : 0];
    }
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
                account_.refuse(reason::late);
                auto refused = ctx;
                refused.window = window;  // the one that refused it
                out.refused(reason::late, refused, record);
                return nullptr;
            }
        }
        auto const at = windows_.find(window);
        if (at != windows_.size()) return &windows_[at];
        return &windows_.open(window, watermark_ >= window.end);
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
                std::optional<result_type> before;
                [[maybe_unused]] arena bytes;
                if (entry const* const old = in.table.find(key, hash); old != nullptr && old->panes != 0) {
                    before = this->lowered(*old, out);
                    // A result may borrow from the state, which changes now.
                    if (before) rehome(*before, bytes);
                }
                if (!update()) return;
                entry* const now = in.table.find(key, hash);
                auto const after = now != nullptr ? this->lowered(*now, out) : std::optional<result_type>{};
                if (!before && !after) return;
                auto const index = now != nullptr ? static_cast<std::int32_t>(now->panes++) : 0;
                pane_info const info{timing::late, index, index, index == 0, false};
                out.change(key, in.window, info, hash, before ? &*before : nullptr, after ? &*after : nullptr);
                return;
            }
        }
        update();
    }

    /// Keeps a window, and its neighbour if that is open too, at hand for the records to come.
    void come_near(open_window& in) noexcept {
        if constexpr (Carried) {
            low_ = in.window.start;
            middle_ = in.window.end;
            near_[1] = &in.table;
        } else {
            if constexpr (gridded) {
                auto const first = windows_.fired();
                if (windows_.size() - first > 2) {
                    if (grid_.full() && in.window.start > low_ + duration{static_cast<std::int64_t>(span_)}) return;
                    low_ = windows_[first].window.start;
                    span_ = grid_.cover(windows_, first, windows_.size(), windowing_.assigner.size);
                    return;
                }
                grid_.forget();
            }
            near_[0] = near_[1] = &in.table;
            low_ = middle_ = in.window.start;
            auto end = in.window.end;
            auto const at = windows_.find(in.window);
            if (at + 1 < windows_.size() && windows_[at + 1].window.start == in.window.end) {
                near_[1] = &windows_[at + 1].table;
                middle_ = in.window.end;
                end = windows_[at + 1].window.end;
            } else if (at > windows_.fired() && windows_[at - 1].window.end == in.window.start) {
                near_[0] = &windows_[at - 1].table;
                low_ = windows_[at - 1].window.start;
            }
            span_ = static_cast<std::uint64_t>(end.ns()) - static_cast<std::uint64_t>(low_.ns());
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
