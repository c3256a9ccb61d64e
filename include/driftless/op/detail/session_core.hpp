// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SESSION_CORE_HPP
#define DRIFTLESS_OP_DETAIL_SESSION_CORE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/session_state.hpp>
#include <driftless/time/window_policies.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Aggregates by session: for each key its sessions, newest first, and an index of all of them by the next time at
/// which something happens, so that a watermark costs what it fires.
///
/// A session is kept until nothing that is accepted can reach it, so that what a record meets does not depend on how
/// far the watermark ran ahead of it. An entry of the index may be too early, never too late: a session that grew is
/// put back when its entry comes up.
template <class Pack, class Key, class Windowing, bool Exact>
class session_core : public core_base<Pack, Key, false, true, false> {
    using base = core_base<Pack, Key, false, true, false>;
    using result_type = typename Pack::result;
    using node = session_node<Pack, Key>;
    using table = keyed_table<Key, node*>;
    using windows = typename Windowing::assigner_type;
    using base::account_;
    using base::entries_;
    using base::pack_;

    // Policies (time/window_policies.hpp).
    static constexpr bool by_element = Windowing::template has<element_level>;
    static constexpr bool merges_first = Windowing::template has<merge_then_check>;
    static constexpr bool deletes_swallowed = !Windowing::template has<keep_swallowed>;
    static constexpr bool shows_updates = Windowing::template has<every_update>;

    /// Bytes of the table from which it is fetched ahead.
    static constexpr std::size_t cache_size = std::size_t{512} * 1024;

    Windowing windowing_;
    duration kept_after_end_;
    duration lateness_;
    event_time watermark_ = event_time::min();
    table table_;  // the newest session of each key
    binary_heap<due_session<node>, sooner> index_;
    binary_heap<ready_session<node>, fires_first> ready_;  // empty between watermarks
    steady_pool<node> nodes_;
    growing_array<node*> spare_;             // those free
    std::size_t record_bytes_ = 0;
    std::size_t keys_gone_ = 0;  // since the table was last made anew

public:
    session_core(Pack pack, Windowing const* windowing, std::uint64_t max_entries, operator_label label)
        : base(std::move(pack), max_entries, label),
          windowing_(*windowing),
          kept_after_end_(Exact ? windows::exact_reach() : windowing->kept_behind_end()),
          lateness_(windowing->lateness()) {}
    session_core(session_core const& like, fresh_core_t)
        : session_core(like.pack_, &like.windowing_, like.max_entries_, like.account_.label) {}
    session_core(session_core&&) = default;
    session_core& operator=(session_core&&) = delete;
    ~session_core() = default;
    void keep_time_of(session_core const& other) noexcept { watermark_ = other.watermark_; }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return nodes_.bytes() + index_.size() * sizeof(due_session<node>) + table_.bytes()
            + record_bytes_;
    }

    [[nodiscard]] bool looks_ahead() const noexcept { return table_.bytes() > cache_size; }
    template <class Ctx>
    DRIFTLESS_FUSED void prefetch(Ctx const&, std::uint64_t hash) const noexcept {
        table_.prefetch(hash);
    }
    template <class Ctx, class T, class Out>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        time_window span;
        if (!span_of(ctx, record, span, out)) return;
        if constexpr (!Exact) {
            if (is_late(ctx, hash, span)) {
                account_.refuse_late(watermark_ - ctx.at);
                auto refused = ctx;
                refused.window = span;
                return out.refused(reason::late, refused, record);
            }
        }
        node** const newest = table_.find(this->key_in(ctx), hash);
        // The session before it ends where it starts, at the latest: out of reach for who comes after its start.
        if (newest != nullptr && !is_shown(**newest) && windows::meet((*newest)->window, span)
            && (span.start >= (*newest)->window.start || !reaches((*newest)->earlier, span))) [[likely]] {
            grow(**newest, ctx, record, **newest, span, out);
        } else {
            far_record(newest, ctx, record, hash, span, out);
        }
    }

    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark < watermark_) return;  // a promise is not taken back
        auto const before = std::exchange(watermark_, watermark);
        while (!index_.empty() && index_.top().due <= watermark) {
            auto const [due, of] = index_.pop();
            if (!index_.empty()) __builtin_prefetch(index_.top().of);  // the next one, probably
            --of->entries;
            if (of->gone) {
                if (of->entries == 0) spare_.push_back(of);
            } else if (due == of->armed) {
                of->armed = event_time::min();
                if (of->window.end <= watermark && of->window.end > before) ready_.push({of->window, of->hash, of});
                else if (closes(*of) <= watermark) collect(*of);
                else arm(*of);
            }
        }
        while (!ready_.empty()) {
            node& each = *ready_.pop().of;
            if (!ready_.empty()) {
                __builtin_prefetch(ready_.top().of);
                table_.prefetch(ready_.top().hash);
            }
            bool const last = closes(each) <= watermark;
            if constexpr (!shows_updates) emit(each, timing::on_time, last, out);
            if (last) collect(each);
            else arm(each);
        }
        if (entries_ == 0 && index_.empty()) free_nodes();
    }
    [[nodiscard]] event_time next_due() const noexcept {
        return index_.empty() ? event_time::max() : index_.top().due;
    }
    /// Whether a record is late, any watermark can decide.
    [[nodiscard]] event_time deadline() const noexcept { return event_time::min(); }

    /// The same bytes whatever the number of shards: keys in canonical order, the sessions of each from the last on.
    static void save(session_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(cores[0].watermark_);
        std::uint64_t keys = 0;
        for (std::size_t i = 0; i < n; ++i) keys += cores[i].table_.size();
        out.write(keys);
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].table_.for_each_ordered([&](auto const& key, node* newest, std::uint64_t) {
                if constexpr (!std::is_same_v<Key, unkeyed>) out.write(key);
                std::uint64_t sessions = 0;
                for (node const* each = newest; each != nullptr; each = each->earlier) ++sessions;
                out.write(sessions);
                for (node const* each = newest; each != nullptr; each = each->earlier) {
                    out.write(each->window);
                    out.write(each->panes);
                    if constexpr (shows_updates) out.write(each->certain);
                    out.write(each->emitted);
                    each->kept.save(out);
                }
            });
        }
    }
    static void load(session_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        auto const watermark = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].free_nodes();
            cores[i].watermark_ = watermark;
        }
        each_saved_key<Key>(in, [&](Key const& key, std::uint64_t hash) {
            auto& owner = cores[shard_of(hash, n)];
            bool const drop = left_out::drops(key);
            node* last = nullptr;
            for (auto sessions = in.template read<std::uint64_t>(); sessions != 0; --sessions) {
                std::optional<node> gone;
                node& made = drop ? gone.emplace(owner.pack_) : owner.take_node();
                in.read(made.window);
                in.read(made.panes);
                if constexpr (shows_updates) in.read(made.certain);
                in.read(made.emitted);
                made.kept.load(in);
                if (drop) continue;
                owner.record_bytes_ += made.kept.bytes();
                made.hash = hash;
                made.key.set(key);
                if (last != nullptr) last->earlier = &made;
                else static_cast<void>(owner.table_.insert(key, hash, [&] { return &made; }));
                last = &made;
                ++owner.entries_;
                owner.arm(made);
            }
        });
    }

private:
    [[nodiscard]] event_time closes(node const& of) const noexcept { return of.window.end + kept_after_end_; }
    /// Its row is out, or is to be.
    [[nodiscard]] bool is_shown(node const& of) const noexcept { return shows_updates || of.window.end <= watermark_; }
    [[nodiscard]] timing timing_of(node const& of) const noexcept {
        return of.window.end <= watermark_ ? timing::late : timing::early;
    }
    template <class Ctx>
    [[nodiscard]] DRIFTLESS_INLINE bool is_late(
        Ctx const& ctx, [[maybe_unused]] std::uint64_t hash, time_window const& span) {
        if constexpr (by_element) {
            if (ctx.at < watermark_) return true;
        }
        auto end = span.end;
        if constexpr (merges_first) {
            if (node* const* const newest = table_.find(this->key_in(ctx), hash)) {
                for (node const* each = *newest; each != nullptr; each = each->earlier) {
                    if (reaches(each, span) && each->window.end > end) end = each->window.end;
                }
            }
        }
        return watermark_ >= end + lateness_;
    }
    static bool reaches(node const* of, time_window const& span) noexcept {
        return of != nullptr && windows::meet(of->window, span);
    }
    /// What the record spans; false if it does not say.
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE bool span_of(Ctx const& ctx, T const& record, time_window& span, Out& out) {
        try {
            span = windowing_.assigner.proto_window(ctx.at, record);
            return true;
        } catch (...) {
            account_.refuse(reason::failed);
            out.threw(ctx.from);
            return false;
        }
    }
    /// Adds the record to a state; false if a function threw, which leaves the state as it was.
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE bool added(
        session_state<Pack>& to, Ctx const& ctx, T const& record, std::uint64_t place, Out& out) {
        try {
            to.add(pack_, record, place);
        } catch (...) {
            account_.refuse(reason::failed);
            out.threw(ctx.from);
            return false;
        }
        ++account_.applied;
        return true;
    }
    /// Puts another session in; false if a function threw: then the sessions stay as they are, without the record.
    template <class Ctx, class Out>
    bool taken(session_state<Pack>& to, session_state<Pack> const& other, Ctx const& ctx, Out& out) {
        try {
            to.take(pack_, other);
            return true;
        } catch (...) {
            account_.refuse(reason::failed);
            out.threw(ctx.from);
            return false;
        }
    }
    static void widen(time_window& window, time_window const& span) noexcept {
        if (span.start < window.start) window.start = span.start;
        if (span.end > window.end) window.end = span.end;
    }
    /// Behind the places of all records of a key that are kept.
    static std::uint64_t next_place(node const* newest) noexcept {
        std::uint64_t next = 0;
        if constexpr (replays_records<Pack>) {
            for (; newest != nullptr; newest = newest->earlier)
                if (newest->kept.next_place() > next) next = newest->kept.next_place();
        }
        return next;
    }

    /// Adds to a session that has not fired and whose neighbours the record does not reach.
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE bool grow(
        node& in, Ctx const& ctx, T const& record, node const& newest, time_window const& span, Out& out) {
        auto const bytes = in.kept.bytes();
        if (!added(in.kept, ctx, record, next_place(&newest), out)) return false;
        record_bytes_ += in.kept.bytes() - bytes;
        widen(in.window, span);
        return true;
    }

    template <class Ctx, class T, class Out>
    DRIFTLESS_NOINLINE void far_record(
        node** newest, Ctx const& ctx, T const& record, std::uint64_t hash, time_window const& span, Out& out) {
        auto const place = newest != nullptr ? next_place(*newest) : 0;
        // From the newest session on: those behind the span, those it reaches, those before it.
        node** link = newest;
        while (link != nullptr && *link != nullptr && !reaches(*link, span) && (*link)->window.start > span.start)
            link = &(*link)->earlier;
        if (link == nullptr || !reaches(*link, span)) return open(link, ctx, record, hash, place, span, out);
        node& first = **link;
        if (!is_shown(first) && !reaches(first.earlier, span)) {
            grow(first, ctx, record, **newest, span, out);
            return;
        }
        merge(first, ctx, record, place, span, out);
    }

    /// A session of its own; `link` is where it stands among those of its key, null if the key has none.
    template <class Ctx, class T, class Out>
    void open(node** link, Ctx const& ctx, T const& record, std::uint64_t hash, std::uint64_t place,
        time_window const& span, Out& out) {
        if (entries_ >= this->max_entries_) return account_.refuse(reason::capacity);
        node& made = take_node();
        if (!added(made.kept, ctx, record, place, out)) {
            spare_.push_back(&made);
            return;
        }
        record_bytes_ += made.kept.bytes();
        made.window = span;
        made.hash = hash;
        made.key.set(this->key_in(ctx));
        if (link == nullptr) {
            static_cast<void>(table_.insert(this->key_in(ctx), hash, [&] { return &made; }));
        } else {
            made.earlier = *link;
            *link = &made;
        }
        ++entries_;
        if (is_shown(made)) emit(made, timing_of(made), false, out);
        arm(made);
    }

    /// The record reaches several sessions, or one that has fired: they become one. A row that no longer stands is
    /// deleted at once; the new one comes when its end does, or at once if that has passed.
    template <class Ctx, class T, class Out>
    void merge(node& first, Ctx const& ctx, T const& record, std::uint64_t place, time_window const& span, Out& out) {
        session_state<Pack> state = first.kept;
        time_window window = first.window;
        widen(window, span);
        std::uint32_t panes = first.panes;
        std::uint32_t certain = first.certain;
        node* before = first.earlier;  // the first session that is not part of it
        for (; reaches(before, span); before = before->earlier) {
            if (!taken(state, before->kept, ctx, out)) return;
            widen(window, before->window);
            if (before->panes > panes) panes = before->panes;
            if (before->certain > certain) certain = before->certain;
        }
        if (!added(state, ctx, record, place, out)) return;
        record_bytes_ += state.bytes() - first.kept.bytes();
        if (first.emitted && window == first.window) return correct(first, std::move(state), span, out);
        if constexpr (deletes_swallowed) delete_rows(&first, before, out);
        for (node* part = first.earlier; part != before;) {
            node* const next = part->earlier;
            retire(*part);
            part = next;
        }
        first.earlier = before;
        first.kept = std::move(state);
        first.window = window;
        first.panes = panes;
        first.certain = certain;
        first.emitted = false;
        if (is_shown(first)) emit(first, timing_of(first), false, out);
        arm(first);
    }

    /// Another value for a row that stands.
    template <class Out>
    void correct(node& of, session_state<Pack> state, [[maybe_unused]] time_window const& span, Out& out) {
        std::swap(of.kept, state);  // results may borrow from either state
        auto const before = lowered(state, out);
        auto const after = lowered(of.kept, out);
        if (!before && !after) return;
        if constexpr (shows_updates) {
            if (before && span != of.window) {
                remove(of, *before, out);
                of.emitted = false;
                return emit(of, timing_of(of), false, out);
            }
        }
        out.change(of.key.get(), of.window, next_pane(of, timing_of(of), false), of.hash,
            before ? &*before : nullptr, after ? &*after : nullptr);
        of.emitted = after.has_value();
    }
    /// Takes back the rows of the sessions from `newest` up to `end`, the earliest first.
    template <class Out>
    void delete_rows(node const* newest, node const* end, Out& out) {
        if (newest == end) return;
        delete_rows(newest->earlier, end, out);
        if (!newest->emitted) return;
        if (auto const row = lowered(newest->kept, out)) remove(*newest, *row, out);
    }
    template <class Out>
    static void remove(node const& of, result_type const& row, Out& out) {
        auto const index = static_cast<std::int32_t>(of.panes) - 1;
        out.change(of.key.get(), of.window, pane_info{timing::late, index, index, index == 0, true}, of.hash, &row,
            static_cast<result_type const*>(nullptr));
    }
    template <class Out>
    void emit(node& of, timing when, bool last, Out& out) {
        auto const row = lowered(of.kept, out);
        if (!row) return;
        auto const info = next_pane(of, when, last);
        of.emitted = true;
        out.change(of.key.get(), of.window, info, of.hash, static_cast<result_type const*>(nullptr), &*row);
    }
    static pane_info next_pane(node& of, timing when, bool last) noexcept {
        auto const index = static_cast<std::int32_t>(of.panes++);
        if constexpr (shows_updates) {
            if (when == timing::early) return {when, index, -1, index == 0, last};
            return {when, index, static_cast<std::int32_t>(of.certain++), index == 0, last};
        } else {
            return {when, index, index, index == 0, last};
        }
    }
    template <class Out>
    std::optional<result_type> lowered(session_state<Pack> const& of, Out& out) const {
        std::optional<result_type> result;
        try {
            result.emplace(pack_.lower(of.state));
        } catch (...) {
            out.threw(origin{});
        }
        return result;
    }

    /// Sees to it that the index brings the session up in time.
    void arm(node& of) {
        auto const due = of.window.end > watermark_ ? of.window.end : closes(of);
        if (of.armed != event_time::min() && of.armed <= due) return;
        of.armed = due;
        ++of.entries;
        index_.push({due, &of});
    }
    /// Nothing can reach the session any more.
    void collect(node& of) {
        node** const newest = table_.find(of.key.get(), of.hash);
        node** link = newest;
        while (*link != &of) link = &(*link)->earlier;
        *link = of.earlier;
        if (*newest == nullptr) {
            table_.erase(of.key.get(), of.hash);
            if (has_text<Key> && ++keys_gone_ > 2 * table_.size() + 1024) renew_table();
        }
        retire(of);
    }
    /// The session is no more; its place is free once the index has let go of it.
    void retire(node& of) {
        record_bytes_ -= of.kept.bytes();
        of.kept = session_state<Pack>{pack_};
        of.gone = true;
        --entries_;
        if (of.entries == 0) spare_.push_back(&of);
    }
    /// The bytes of text keys are given back only all at once.
    void renew_table() {
        table fresh;
        table_.for_each_ordered([&](auto const& key, node* newest, std::uint64_t hash) {
            static_cast<void>(fresh.insert(key, hash, [&] { return newest; }));
        });
        table_ = std::move(fresh);
        keys_gone_ = 0;
    }
    node& take_node() {
        if (spare_.empty()) return nodes_.make(pack_);
        node& again = *spare_.back();
        spare_.pop_back();
        again.kept = session_state<Pack>{pack_};
        again.earlier = nullptr;
        again.armed = event_time::min();
        again.panes = again.certain = 0;
        again.emitted = again.gone = false;
        return again;
    }
    void free_nodes() {
        nodes_.release();
        spare_ = growing_array<node*>{};
        index_.release();
        table_ = table{};
        entries_ = 0;
        record_bytes_ = keys_gone_ = 0;
    }
};
}  // namespace driftless::inline v0::detail
#endif
