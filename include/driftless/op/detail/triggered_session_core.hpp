// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TRIGGERED_SESSION_CORE_HPP
#define DRIFTLESS_OP_DETAIL_TRIGGERED_SESSION_CORE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/session_state.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/time/pane_options.hpp>
#include <driftless/time/session.hpp>
#include <driftless/time/trigger.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// One session of one key with its trigger, at a fixed address.
///
/// shown       what the last pane said, if its row stands: the `before` of the next change
/// part        what has come since the last pane, where panes are discarding
/// fresh       so many records have come since the last pane
/// certain_here  panes of this very window that were not early
template <class Pack, class Key, class Trigger, bool Discarding>
struct triggered_session {
    struct no_part {
        explicit no_part(Pack const&) {}
        void save(auto&) const {}
        void load(auto&) {}
    };
    time_window window{};
    session_state<Pack> kept;
    [[no_unique_address]] std::conditional_t<Discarding, session_state<Pack>, no_part> part;
    std::optional<typename Pack::state> shown{};
    typename Trigger::state trigger{};
    triggered_session* earlier = nullptr;  // the session of the same key before this one
    std::uint64_t hash = 0;
    std::uint64_t fresh = 0;
    event_time armed = event_time::min();  // the least time under which it stands in the index; -inf: under none
    std::uint32_t entries = 0;             // how many entries of the index name it
    std::int32_t panes = 0;
    std::int32_t certain = 0;  // of them, those that were not early
    std::int32_t certain_here = 0;
    bool gone = false;
    kept_key<Key> key;

    explicit triggered_session(Pack const& pack) : kept(pack), part(pack) {}

    void save(auto& out) const {
        out.write(window);
        kept.save(out);
        part.save(out);
        out.write(shown.has_value());
        if (shown) Pack::save(*shown, out);
        trigger.save(out);
        out.write(fresh).write(panes).write(certain).write(certain_here);
    }
    void load(auto& in) {
        in.read(window);
        kept.load(in);
        part.load(in);
        if (in.template read<bool>()) Pack::load(shown.emplace(kept.state), in);
        trigger.load(in);
        in.read(fresh).read(panes).read(certain).read(certain_here);
    }
};

/// Aggregates by session under a named trigger, or with panes that do not accumulate.
///
/// Sessions are kept, merged and collected as in session_core. A record asks the trigger of its session at once, the
/// watermark at the end of the session and when nothing can reach it any more, where what has not been shown comes out.
/// A merge puts the states of the triggers together; its timing starts afresh. It deletes the rows of the sessions it
/// swallows, and the next pane has all that is in the new one; with keep_swallowed{} it does neither. A session whose
/// trigger has fired for the last time is forgotten: a record that would have reached it begins another one.
template <class Pack, class Key, class Windowing, bool Exact>
class triggered_session_core : public core_base<Pack, Key, false, true, Exact> {
    using base = core_base<Pack, Key, false, true, Exact>;
    using result_type = typename Pack::result;
    using trigger_type = typename Windowing::trigger_type;
    using windows = typename Windowing::assigner_type;
    static constexpr bool discards = Windowing::template has<discarding>;
    static constexpr bool always_on_time = !Windowing::template has<on_time_if_new>;
    static constexpr bool always_closes = Windowing::template has<always_close>;
    static constexpr bool shows_unchanged = Windowing::template has<show_unchanged>;
    static constexpr bool by_element = Windowing::template has<element_level>;
    static constexpr bool merges_first = Windowing::template has<merge_then_check>;
    static constexpr bool deletes_swallowed = !Windowing::template has<keep_swallowed>;
    using node = triggered_session<Pack, Key, trigger_type, discards>;
    using table = keyed_table<Key, node*>;
    using base::account_;
    using base::entries_;
    using base::pack_;

    Windowing windowing_;
    trigger_type trigger_;
    duration kept_after_end_;
    duration lateness_;
    event_time watermark_ = event_time::min();
    event_time clock_ = event_time::min();
    event_time wake_clock_ = event_time::max();  // no session is due by the clock up to then
    table table_;                                // the newest session of each key
    binary_heap<due_session<node>, sooner> index_;
    binary_heap<ready_session<node>, fires_first> ready_;  // empty between calls
    steady_pool<node> nodes_;
    growing_array<node*> spare_;
    std::size_t record_bytes_ = 0;

public:
    static constexpr bool wakes_by_state = true;

    triggered_session_core(Pack pack, Windowing const* windowing, std::uint64_t max_entries, operator_label label)
        : base(std::move(pack), max_entries, label),
          windowing_(*windowing),
          trigger_(windowing->trigger()),
          kept_after_end_(Exact ? windows::exact_reach() : windowing->kept_behind_end()),
          lateness_(windowing->lateness()) {}
    triggered_session_core(triggered_session_core const& like, fresh_core_t)
        : triggered_session_core(like.pack_, &like.windowing_, like.max_entries_, like.account_.label) {}
    triggered_session_core(triggered_session_core&&) = default;
    triggered_session_core& operator=(triggered_session_core&&) = delete;
    ~triggered_session_core() = default;
    void keep_time_of(triggered_session_core const& other) noexcept {
        watermark_ = other.watermark_;
        clock_ = other.clock_;
    }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return nodes_.bytes() + index_.size() * sizeof(due_session<node>) + table_.bytes() + record_bytes_;
    }

    template <class Ctx, class T, class Out>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        time_window span;
        try {
            span = windowing_.assigner.proto_window(ctx.at, record);
        } catch (...) {
            account_.refuse(reason::failed);
            return out.threw(ctx.from);
        }
        auto const& key = this->key_in(ctx);
        node** const newest = table_.find(key, hash);
        if constexpr (!Exact) {
            if (is_late(ctx, newest, span)) {
                account_.refuse_late(watermark_ - ctx.at);
                auto refused = ctx;
                refused.window = span;
                return out.refused(reason::late, refused, record);
            }
        }
        // From the newest session on: those behind the span, those it reaches, those before it.
        node** link = newest;
        while (link != nullptr && *link != nullptr && !reaches(*link, span) && (*link)->window.start > span.start)
            link = &(*link)->earlier;
        auto const place = newest != nullptr ? next_place(*newest) : 0;
        node* in = nullptr;
        if (link == nullptr || !reaches(*link, span)) in = open(link, ctx, record, hash, place, span, out);
        else in = join(**link, ctx, record, place, span, out);
        if (in == nullptr) return;
        ++in->fresh;
        auto const now = moment(in->window, ctx.at);
        trigger_.on_record(in->trigger, now);
        if (trigger_.due(in->trigger, now)) fire(*in, now, watermark_, false, out);
        if (!in->gone) arm(*in);
    }

    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark < watermark_) return;  // a promise is not taken back
        auto const before = std::exchange(watermark_, watermark);
        while (!index_.empty() && index_.top().due <= watermark) {
            auto const [due, of] = index_.pop();
            --of->entries;
            if (of->gone) {
                if (of->entries == 0) spare_.push_back(of);
            } else if (due == of->armed) {
                of->armed = event_time::min();
                ready_.push({of->window, of->hash, of});
            }
        }
        while (!ready_.empty()) {
            node& each = *ready_.pop().of;
            auto const now = moment(each.window);
            bool const last = closes(each) <= watermark;
            if (last || trigger_.due(each.trigger, now)) fire(each, now, before, last, out);
            if (each.gone) continue;
            if (last) collect(each);
            else arm(each);
        }
        if (entries_ == 0 && index_.empty()) free_nodes();
    }
    template <class Out>
    void on_clock(event_time now, Out& out) {
        if (now <= clock_) return;
        clock_ = now;
        if (now <= wake_clock_) return;
        wake_clock_ = event_time::max();
        table_.for_each_ordered([&](auto const&, node* each, std::uint64_t) {
            for (; each != nullptr; each = each->earlier) {
                if (trigger_.due(each->trigger, moment(each->window))) ready_.push({each->window, each->hash, each});
                else wake_by_clock(*each);
            }
        });
        while (!ready_.empty()) {
            node& each = *ready_.pop().of;
            fire(each, moment(each.window), watermark_, false, out);
            if (!each.gone) arm(each);
        }
    }
    [[nodiscard]] event_time clock_deadline() const noexcept { return wake_clock_ + duration{1}; }
    [[nodiscard]] event_time next_due() const noexcept {
        return index_.empty() ? event_time::max() : index_.top().due;
    }
    /// Whether a record is late, any watermark can decide.
    [[nodiscard]] event_time deadline() const noexcept { return event_time::min(); }

    /// The same bytes whatever the number of shards: keys in canonical order, the sessions of each from the last on.
    static void save(triggered_session_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(cores[0].watermark_).write(cores[0].clock_);
        std::uint64_t keys = 0;
        for (std::size_t i = 0; i < n; ++i) keys += cores[i].table_.size();
        out.write(keys);
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].table_.for_each_ordered([&](auto const& key, node* newest, std::uint64_t) {
                if constexpr (!std::is_same_v<Key, unkeyed>) out.write(key);
                std::uint64_t sessions = 0;
                for (node const* each = newest; each != nullptr; each = each->earlier) ++sessions;
                out.write(sessions);
                for (node const* each = newest; each != nullptr; each = each->earlier) each->save(out);
            });
        }
    }
    static void load(triggered_session_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        auto const watermark = in.template read<event_time>();
        auto const clock = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].free_nodes();
            cores[i].watermark_ = watermark;
            cores[i].clock_ = clock;
            cores[i].wake_clock_ = event_time::min();  // looks for itself
        }
        each_saved_key<Key>(in, [&](Key const& key, std::uint64_t hash) {
            auto& owner = cores[shard_of(hash, n)];
            bool const drop = left_out::drops(key);
            node* last = nullptr;
            for (auto sessions = in.template read<std::uint64_t>(); sessions != 0; --sessions) {
                std::optional<node> gone;
                node& made = drop ? gone.emplace(owner.pack_) : owner.take_node();
                made.load(in);
                if (drop) continue;
                owner.record_bytes_ += bytes_of(made);
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
    [[nodiscard]] trigger_moment moment(time_window const& window, event_time at = {}) const noexcept {
        return {window, watermark_for<Exact>(window, watermark_), clock_, at};
    }
    static bool reaches(node const* of, time_window const& span) noexcept {
        return of != nullptr && windows::meet(of->window, span);
    }
    static std::size_t bytes_of(node const& of) noexcept {
        if constexpr (discards) return of.kept.bytes() + of.part.bytes();
        else return of.kept.bytes();
    }
    template <class Ctx>
    [[nodiscard]] bool is_late(Ctx const& ctx, node* const* newest, time_window const& span) const {
        if constexpr (by_element) {
            if (ctx.at < watermark_) return true;
        }
        auto end = span.end;
        if constexpr (merges_first) {
            for (node const* each = newest != nullptr ? *newest : nullptr; each != nullptr; each = each->earlier) {
                if (reaches(each, span) && each->window.end > end) end = each->window.end;
            }
        }
        return watermark_ >= end + lateness_;
    }
    /// Behind the places of all records of a key that are kept.
    static std::uint64_t next_place(node const* newest) noexcept {
        std::uint64_t next = 0;
        for (; newest != nullptr; newest = newest->earlier)
            if (newest->kept.next_place() > next) next = newest->kept.next_place();
        return next;
    }

    /// Does what may throw; false if it did: then nothing has changed.
    template <class Ctx, class Out, class F>
    bool done(Ctx const& ctx, Out& out, F f) {
        try {
            f();
        } catch (...) {
            account_.refuse(reason::failed);
            out.threw(ctx.from);
            return false;
        }
        ++account_.applied;
        return true;
    }
    /// A session of its own; `link` is where it stands among those of its key, null if the key has none.
    template <class Ctx, class T, class Out>
    node* open(node** link, Ctx const& ctx, T const& record, std::uint64_t hash, std::uint64_t place,
        time_window const& span, Out& out) {
        if (entries_ >= this->max_entries_) {
            account_.refuse(reason::capacity);
            return nullptr;
        }
        node& made = take_node();
        bool const well = done(ctx, out, [&] {
            made.kept.add(pack_, record, place);
            if constexpr (discards) made.part.add(pack_, record, place);
        });
        if (!well) {
            spare_.push_back(&made);
            return nullptr;
        }
        record_bytes_ += bytes_of(made);
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
        return &made;
    }
    /// Puts a record into a session that it reaches, and all others that it reaches with it.
    template <class Ctx, class T, class Out>
    node* join(node& first, Ctx const& ctx, T const& record, std::uint64_t place, time_window const& span, Out& out) {
        auto kept = first.kept;
        auto part = first.part;
        auto window = first.window;
        widen(window, span);
        node* before = first.earlier;  // the first session that is not part of it
        bool const well = done(ctx, out, [&] {
            for (; reaches(before, span); before = before->earlier) {
                kept.take(pack_, before->kept);
                if constexpr (discards) part.take(pack_, before->part);
                widen(window, before->window);
            }
            kept.add(pack_, record, place);
            if constexpr (discards) part.add(pack_, record, place);
        });
        if (!well) return nullptr;
        record_bytes_ -= bytes_of(first);
        bool swallows = false;
        if (window != first.window || before != first.earlier) {
            if constexpr (deletes_swallowed) swallows = delete_rows(&first, before, window, out);
            for (node* each = first.earlier; each != before;) {
                trigger_type::merge(first.trigger, each->trigger);
                first.fresh += each->fresh;
                if (each->panes > first.panes) first.panes = each->panes;
                if (each->certain > first.certain) first.certain = each->certain;
                node* const next = each->earlier;
                retire(*each);
                each = next;
            }
            if (window != first.window) {
                first.shown.reset();
                first.certain_here = 0;
                trigger_type::moved(first.trigger, moment(window));
            }
        }
        first.earlier = before;
        first.kept = std::move(kept);
        if constexpr (discards) first.part = swallows ? first.kept : std::move(part);
        first.window = window;
        record_bytes_ += bytes_of(first);
        return &first;
    }
    static void widen(time_window& window, time_window const& span) noexcept {
        if (span.start < window.start) window.start = span.start;
        if (span.end > window.end) window.end = span.end;
    }
    /// Takes back the rows of the sessions from `newest` up to `end`, the earliest first; true if there were any.
    template <class Out>
    bool delete_rows(node const* newest, node const* end, time_window const& heir, Out& out) {
        if (newest == end) return false;
        bool const others = delete_rows(newest->earlier, end, heir, out);
        if (!newest->shown || newest->window == heir) return others;
        if (auto const row = lowered(*newest->shown, out)) {
            auto const index = newest->panes - 1;
            out.change(newest->key.get(), newest->window,
                pane_info{timing::late, index, newest->certain - 1, index == 0, true}, newest->hash, &*row,
                static_cast<result_type const*>(nullptr));
        }
        return true;
    }

    /// output_watermark   what has been promised downstream: a pane behind it is late
    template <class Out>
    void fire(node& of, trigger_moment const& now, event_time output_watermark, bool closes_now, Out& out) {
        bool const due = trigger_.due(of.trigger, now);
        bool const finished = due && trigger_.fire(of.trigger, now);
        auto const when = of.certain_here != 0 || output_watermark >= now.window.end ? timing::late
            : now.at_end()                                                           ? timing::on_time
                                                                                     : timing::early;
        bool const last = finished || closes_now;
        bool const wanted = of.fresh != 0 || (when == timing::on_time && always_on_time) || (last && always_closes)
            || (due && shows_unchanged);
        if (wanted) show(of, when, last, out);
        if (finished && !closes_now) collect(of);
    }
    template <class Out>
    void show(node& of, timing when, bool last, Out& out) {
        auto const before = of.shown ? lowered(*of.shown, out) : std::optional<result_type>{};
        auto const after = lowered(of.kept.state, out);
        of.fresh = 0;
        if (before || after) {
            pane_info const info{when, of.panes, when == timing::early ? -1 : of.certain, of.panes == 0, last};
            ++of.panes;
            if (when != timing::early) {
                ++of.certain;
                ++of.certain_here;
            }
            std::optional<result_type> part;
            if constexpr (discards) part = lowered(of.part.state, out);
            out.change(of.key.get(), of.window, info, of.hash, pointer(before), pointer(after), pointer(part));
        }
        if constexpr (discards) {
            record_bytes_ -= of.part.bytes();
            of.part = session_state<Pack>{pack_};
        }
        // A result that cannot be had is not shown: the row is gone until there is one again.
        if (after) of.shown = of.kept.state;
        else of.shown.reset();
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

    void wake_by_clock(node const& of) noexcept {
        if (auto const clock = trigger_type::wakes(of.trigger).clock; clock < wake_clock_) wake_clock_ = clock;
    }
    /// Sees to it that the index brings the session up in time, and the clock.
    void arm(node& of) {
        wake_by_clock(of);
        auto due = of.window.end > watermark_ ? of.window.end : closes(of);
        if constexpr (!Exact) {
            auto const wake = trigger_type::wakes(of.trigger).watermark;
            if (wake < due && wake + duration{1} < due) due = wake + duration{1};
        }
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
        if (*newest == nullptr) table_.erase(of.key.get(), of.hash);
        record_bytes_ -= bytes_of(of);
        retire(of);
    }
    /// The session is no more; its place is free once the index has let go of it.
    void retire(node& of) {
        of.kept = session_state<Pack>{pack_};
        of.gone = true;
        --entries_;
        if (of.entries == 0) spare_.push_back(&of);
    }
    node& take_node() {
        if (spare_.empty()) return nodes_.make(pack_);
        node& again = *spare_.back();
        spare_.pop_back();
        again.kept = session_state<Pack>{pack_};
        if constexpr (discards) again.part = session_state<Pack>{pack_};
        again.shown.reset();
        again.trigger = {};
        again.earlier = nullptr;
        again.armed = event_time::min();
        again.fresh = 0;
        again.panes = again.certain = again.certain_here = 0;
        again.gone = false;
        return again;
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
