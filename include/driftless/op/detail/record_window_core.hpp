// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_RECORD_WINDOW_CORE_HPP
#define DRIFTLESS_OP_DETAIL_RECORD_WINDOW_CORE_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/detail/left_out.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/time_slices.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Aggregates by sliding_per_record: for each key one slice per time, and an index of the keys by the next time at
/// which something happens, so that a watermark costs what it fires. A window is the slices in its span, put together
/// when it is shown.
///
/// An entry of the index may be too early, never too late. The window behind a slice and the one that ends with
/// another, later by the difference + 1 ns, are the same: it is the later slice's, with the panes shown of it before.
template <class Pack, class Key, class Windowing, bool Exact>
class record_window_core : public core_base<Pack, Key, false, Windowing::has_lateness, Exact> {
    static constexpr bool corrects = Windowing::has_lateness;
    using base = core_base<Pack, Key, false, corrects, Exact>;
    using result_type = typename Pack::result;
    using slice = time_slice<Pack>;
    using node = sliced_key<Pack, Key>;
    using ready = ready_window<node>;
    using table = keyed_table<Key, node*>;
    using base::account_;
    using base::entries_;
    using base::pack_;

    Windowing windowing_;
    duration difference_;
    duration lateness_;
    event_time watermark_ = event_time::min();
    table table_;
    binary_heap<due_session<node>, sooner> index_;
    binary_heap<ready, fires_first> ready_;  // empty between calls
    steady_pool<node> nodes_;
    growing_array<node*> spare_;
    std::size_t record_bytes_ = 0;

public:
    record_window_core(Pack pack, Windowing const* windowing, std::uint64_t max_entries, operator_label label)
        : base(std::move(pack), max_entries, label),
          windowing_(*windowing),
          difference_(windowing->assigner.difference),
          lateness_(Exact ? duration{} : windowing->lateness()) {}
    record_window_core(record_window_core const& like, fresh_core_t)
        : record_window_core(like.pack_, &like.windowing_, like.max_entries_, like.account_.label) {}
    record_window_core(record_window_core&&) = default;
    record_window_core& operator=(record_window_core&&) = delete;
    ~record_window_core() = default;
    void keep_time_of(record_window_core const& other) noexcept { watermark_ = other.watermark_; }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return nodes_.bytes() + static_cast<std::size_t>(entries_) * sizeof(slice) + table_.bytes()
            + index_.size() * sizeof(due_session<node>) + record_bytes_;
    }
    [[nodiscard]] bool looks_ahead() const noexcept { return table_.bytes() > base::fits_cache; }
    template <class Ctx>
    DRIFTLESS_FUSED void prefetch(Ctx const&, std::uint64_t hash) const noexcept {
        table_.prefetch(hash);
    }

    template <class Ctx, class T, class Out>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        bool in_time = true;
        if constexpr (!Exact) {
            auto const own = windowing_.assigner.ending_with(ctx.at);
            if (closed(own)) {
                account_.refuse_late(watermark_ - ctx.at);
                auto refused = ctx;
                refused.window = own;
                out.refused(reason::late, refused, record);
                if (watermark_ >= ctx.at + difference_ + duration{1} + lateness_) return;  // none is open
                in_time = false;
            }
        }
        node* const in = node_of(this->key_in(ctx), hash);
        auto const i = in->slices.from(ctx.at);
        bool const fresh = !in->slices.holds(i, ctx.at);
        if (fresh) {
            if (entries_ >= this->max_entries_) [[unlikely]] {
                if (in_time) account_.refuse(reason::capacity);
                return release_if_empty(*in);
            }
            make_slice(*in, i, ctx.at, in_time);
        }
        // Rows that are out, and change now.
        [[maybe_unused]] shown_rows rows;
        if constexpr (corrects && !Exact) {
            if (ctx.at < watermark_) look_at_shown(*in, ctx.at, fresh, rows, out);
        }
        if (!add(*in, i, ctx, record, in_time, out)) {
            if (fresh) take_back(*in, i);
            return release_if_empty(*in);
        }
        if (in_time) ++account_.applied;
        if constexpr (corrects && !Exact) {
            if (ctx.at < watermark_) correct(rows, out);
        }
        if (fresh) arm(*in);
    }

    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark < watermark_) return;  // a promise is not taken back
        auto const before = std::exchange(watermark_, watermark);
        growing_array<node*> due;
        while (!index_.empty() && index_.top().due <= watermark) {
            auto const [time, of] = index_.pop();
            --of->entries;
            if (of->gone) {
                if (of->entries == 0) spare_.push_back(of);
            } else if (time == of->armed) {
                of->armed = event_time::min();
                find_ready(*of, before);
                due.push_back(of);
            }
        }
        while (!ready_.empty()) {
            auto const next = ready_.pop();
            show(next, timing::on_time, closed(next.window), std::optional<result_type>{}, out);
        }
        for (auto* const each : due) {
            collect(*each);
            if (!each->gone) arm(*each);
        }
        if (entries_ == 0 && index_.empty()) free_nodes();
    }
    [[nodiscard]] event_time next_due() const noexcept {
        return index_.empty() ? event_time::max() : index_.top().due;
    }
    /// Whether a record is late, any watermark can decide.
    [[nodiscard]] event_time deadline() const noexcept { return event_time::min(); }

    /// The same bytes whatever the number of shards: keys in canonical order, the slices of each by time.
    static void save(record_window_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(cores[0].watermark_);
        std::uint64_t keys = 0;
        for (std::size_t i = 0; i < n; ++i) keys += cores[i].table_.size();
        out.write(keys);
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].table_.for_each_ordered([&](auto const& key, node* of, std::uint64_t) {
                if constexpr (!std::is_same_v<Key, unkeyed>) out.write(key);
                out.write(of->next_place).write(static_cast<std::uint64_t>(of->slices.size()));
                for (std::size_t s = 0; s < of->slices.size(); ++s) {
                    slice const& each = of->slices[s];
                    out.write(each.at).write(each.panes_ending).write(each.panes_behind).write(each.ends_window);
                    each.kept.save(out);
                }
            });
        }
    }
    static void load(record_window_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        auto const watermark = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].free_nodes();
            cores[i].watermark_ = watermark;
        }
        each_saved_key<Key>(in, [&](Key const& key, std::uint64_t hash) {
            auto& owner = cores[shard_of(hash, n)];
            if (left_out::drops(key)) return owner.skip_node(in);
            node& made = *owner.node_of(key, hash);
            in.read(made.next_place);
            for (auto slices = in.template read<std::uint64_t>(); slices != 0; --slices) {
                auto const at = made.slices.size();
                owner.make_slice(made, at, in.template read<event_time>(), true);
                slice& each = made.slices[at];
                in.read(each.panes_ending).read(each.panes_behind).read(each.ends_window);
                each.kept.load(in);
                owner.record_bytes_ += each.kept.bytes();
            }
            owner.arm(made);
        });
    }

private:
    /// A row that is out, of a window that a record changes.
    struct shown_row {
        ready of;
        std::optional<result_type> before;
    };
    struct shown_rows {
        growing_array<shown_row> all;
        arena bytes;
    };

    [[nodiscard]] bool closed(time_window const& window) const noexcept {
        return watermark_ >= window.end + lateness_;
    }
    [[nodiscard]] time_window window_of(event_time at, bool behind) const noexcept {
        return behind ? windowing_.assigner.starting_behind(at) : windowing_.assigner.ending_with(at);
    }
    /// The window behind a slice is there: it holds a slice, and no slice ends it.
    [[nodiscard]] static bool is_behind(time_slices<Pack> const& all, std::size_t i, duration difference) noexcept {
        auto const last = all[i].at + difference + duration{1};  // the last instant of that window
        if (i + 1 >= all.size() || all[i + 1].at > last) return false;
        auto const end = all.from(last);
        return !all.holds(end, last) || !all[end].ends_window;
    }

    /// Reads over what belongs to a key.
    void skip_node(auto& in) const {
        decltype(node::next_place) place{};
        in.read(place);
        for (auto slices = in.template read<std::uint64_t>(); slices != 0; --slices) {
            slice gone{in.template read<event_time>(), session_state<Pack>{pack_}};
            in.read(gone.panes_ending).read(gone.panes_behind).read(gone.ends_window);
            gone.kept.load(in);
        }
    }
    node* node_of(Key const& key, std::uint64_t hash) {
        if (node** const found = table_.find(key, hash)) return *found;
        node* const made = spare_.empty() ? &nodes_.make() : spare_.back();
        if (!spare_.empty()) spare_.pop_back();
        made->hash = hash;
        made->next_place = 0;
        made->armed = event_time::min();
        made->gone = false;
        made->key.set(key);
        static_cast<void>(table_.insert(key, hash, [&] { return made; }));
        return made;
    }
    void make_slice(node& in, std::size_t i, event_time at, bool ends_window) {
        slice made{at, session_state<Pack>{pack_}};
        made.ends_window = ends_window;
        // The window it ends may be there already: behind the slice that is earlier by the difference + 1 ns.
        auto const earlier = at - difference_ - duration{1};
        auto const there = in.slices.from(earlier);
        if (ends_window && in.slices.holds(there, earlier)) made.panes_ending = in.slices[there].panes_behind;
        in.slices.insert(i, std::move(made));
        ++entries_;
    }
    void take_back(node& in, std::size_t i) {
        in.slices.erase(i);
        --entries_;
    }
    void release_if_empty(node& of) {
        if (!of.slices.empty()) return;
        table_.erase(of.key.get(), of.hash);
        of.gone = true;
        if (of.entries == 0) spare_.push_back(&of);
    }

    template <class Ctx, class T, class Out>
    bool add(node& in, std::size_t i, Ctx const& ctx, T const& record, bool in_time, Out& out) {
        auto& to = in.slices[i].kept;
        auto const bytes = to.bytes();
        try {
            to.add(pack_, record, in.next_place);
        } catch (...) {
            if (in_time) account_.refuse(reason::failed);
            out.threw(ctx.from);
            return false;
        }
        ++in.next_place;
        record_bytes_ += to.bytes() - bytes;
        return true;
    }

    /// Finds the windows of a key whose end the watermark has just reached.
    void find_ready(node& of, event_time before) {
        auto const& all = of.slices;
        for (auto i = all.from(before); i < all.size() && all[i].at < watermark_; ++i) {
            if (all[i].ends_window) find_ready(of, all[i].at, false, before);
        }
        for (auto i = all.from(before - difference_ - duration{1}); i < all.size(); ++i) {
            if (window_of(all[i].at, true).end > watermark_) break;
            if (is_behind(all, i, difference_)) find_ready(of, all[i].at, true, before);
        }
        // An end at +inf, which no record is before.
        if (watermark_ != event_time::max() || before == watermark_ || all.empty()) return;
        auto const& last = all[all.size() - 1];
        if (last.at == watermark_ && last.ends_window) find_ready(of, last.at, false, before);
    }
    void find_ready(node& of, event_time at, bool behind, event_time before) {
        auto const window = window_of(at, behind);
        if (window.end > before) ready_.push({window, of.hash, &of, at, behind});
    }

    /// What the slices in the span of a window come to.
    template <class Out>
    std::optional<result_type> value_of(ready const& of, session_state<Pack>& into, Out& out) {
        auto const& all = of.of->slices;
        auto const first = of.behind ? of.at + duration{1} : of.at - difference_;
        auto const last = of.behind ? of.at + difference_ + duration{1} : of.at;
        std::optional<result_type> result;
        try {
            for (auto i = all.from(first); i < all.size() && all[i].at <= last; ++i) into.take(pack_, all[i].kept);
            result.emplace(pack_.lower(into.state));
        } catch (...) {
            out.threw(origin{});
        }
        return result;
    }
    [[nodiscard]] std::uint32_t& panes_of(ready const& of) const noexcept {
        auto& maker = of.of->slices[of.of->slices.from(of.at)];
        return of.behind ? maker.panes_behind : maker.panes_ending;
    }
    template <class Out>
    void show(ready const& of, timing when, bool last, std::optional<result_type> const& before, Out& out) {
        session_state<Pack> state{pack_};
        auto const now = value_of(of, state, out);
        if (!now && !before) return;
        auto const index = static_cast<std::int32_t>(panes_of(of)++);
        pane_info const info{when, index, index, index == 0, last};
        if constexpr (corrects) {
            out.change(of.of->key.get(), of.window, info, of.hash, before ? &*before : nullptr, now ? &*now : nullptr);
        } else {
            out.row(of.of->key.get(), of.window, info, of.hash, *now);
        }
    }

    /// Finds the windows behind the watermark, but open, that a record at `at` is in or makes, with what was shown.
    template <class Out>
    void look_at_shown(node& of, event_time at, bool fresh, shown_rows& rows, Out& out) {
        auto const& all = of.slices;
        for (auto i = all.from(at); i < all.size() && all[i].at <= at + difference_; ++i) {
            if (all[i].ends_window) look_at_shown(of, all[i].at, false);
        }
        for (auto i = all.from(at - difference_ - duration{1}); i < all.size() && all[i].at <= at; ++i) {
            if (all[i].at == at && !fresh) break;  // the window behind it has been there, and does not hold it
            if (is_behind(all, i, difference_)) look_at_shown(of, all[i].at, true);
        }
        while (!ready_.empty()) {
            auto& row = rows.all.push_back(shown_row{ready_.pop(), {}});
            if (panes_of(row.of) == 0) continue;
            session_state<Pack> state{pack_};
            row.before = value_of(row.of, state, out);
            if (row.before) rehome(*row.before, rows.bytes);  // it may borrow from the state
        }
    }
    void look_at_shown(node& of, event_time at, bool behind) {
        auto const window = window_of(at, behind);
        if (window.end <= watermark_ && !closed(window)) ready_.push({window, of.hash, &of, at, behind});
    }
    template <class Out>
    void correct(shown_rows const& rows, Out& out) {
        for (auto const& each : rows.all) show(each.of, timing::late, false, each.before, out);
    }

    /// Sees to it that the index brings the key up in time.
    void arm(node& of) {
        auto const& all = of.slices;
        auto due = window_of(all[0].at, true).end + lateness_;  // the first slice goes
        if (auto const i = all.from(watermark_); i < all.size()) due = least(due, window_of(all[i].at, false).end);
        for (auto i = all.from(watermark_ - difference_ - duration{1}); i < all.size(); ++i) {
            auto const end = window_of(all[i].at, true).end;
            if (end <= watermark_) continue;
            due = least(due, end);
            break;
        }
        if (of.armed != event_time::min() && of.armed <= due) return;
        of.armed = due;
        ++of.entries;
        index_.push({due, &of});
    }
    static event_time least(event_time a, event_time b) noexcept { return a < b ? a : b; }

    /// Nothing can reach the slices at the front any more.
    void collect(node& of) {
        while (!of.slices.empty() && closed(window_of(of.slices[0].at, true))) {
            record_bytes_ -= of.slices[0].kept.bytes();
            of.slices.drop_front(pack_);
            --entries_;
        }
        release_if_empty(of);
    }
    void free_nodes() {
        nodes_.release();
        spare_ = growing_array<node*>{};
        index_.release();
        table_ = table{};
        entries_ = 0;
        record_bytes_ = 0;
    }
};
}  // namespace driftless::inline v0::detail
#endif
