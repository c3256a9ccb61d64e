// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_PROCESS_CORE_HPP
#define DRIFTLESS_OP_DETAIL_PROCESS_CORE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/core/detail/nearly_sorted_queue.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/process_state.hpp>
#include <driftless/op/process_context.hpp>
#include <driftless/op/window.hpp>
#include <driftless/state/keyed_entries.hpp>
#include <driftless/state/timer.hpp>
#include <driftless/state/window_tables.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// The state of one (key, window), and the first entries of the queues that speak of it: others are out of date.
template <class State, bool ByClock>
struct process_entry {
    struct no_clock {};
    State state{};
    event_time wake = event_time::max();
    [[no_unique_address]] std::conditional_t<ByClock, event_time, no_clock> clock_wake = never();

    void save(auto& out) const { out.write(state); }
    void load(auto& in) { in.read(state); }

private:
    static constexpr auto never() noexcept {
        if constexpr (ByClock) return event_time::max();
        else return no_clock{};
    }
};

/// When the watermark moves is part of what the function does: batch makes the one that a stream has.
template <class F>
inline constexpr bool process_follows_watermark = [] {
    using traits = state_traits<typename F::state>;
    constexpr bool waits = traits::event_timers || traits::expires;
    if constexpr (requires { F::reads_watermark; }) return F::reads_watermark || waits;
    else return waits;
}();

/// No window(...): one for all of time.
struct no_windowing {
    [[nodiscard]] static constexpr duration lateness() noexcept { return {}; }
};

/// Where the state of a process function is; spill_to (state/spill.hpp) is another.
struct in_memory {
    template <class Key, class Entry>
    using entries = keyed_entries<Key, Entry>;
    template <class Entries>
    static constexpr void equip(Entries&) noexcept {}
};

/// Runs a process function: keeps its state by (window, key), and calls it for records, timers that are due, and
/// windows that close. Reports to an `out` with
///   out.template emit<I>(call, row)         a row for output I: 0 is the main one
///   out.refused(reason, ctx, record), out.threw(from)
///
/// One move of the watermark does what many small ones would: timers fire and windows close by (time, key), each seeing
/// the state as of its time. A timer that a callback sets for a time that has passed fires at the present one.
/// Timers stand in the state; a queue knows of each entry when it is next to be looked at, or a time before that.
template <class F, class In, class Out, class Windowing, class Storage = in_memory>
class process_core {
    template <class Core, class To, class Call>
    friend class driftless::process_context;

public:
    using function_type = F;
    using output_type = Out;

private:
    using key_type = typename In::key;
    using record_type = typename In::record;
    using state_type = typename F::state;
    using traits = state_traits<state_type>;
    using entry = process_entry<state_type, traits::clock_timers>;
    using entries = typename Storage::template entries<key_type, entry>;
    using place = typename entries::place;
    using open_window = typename window_tables<entries>::open_window;
    static constexpr bool windowed = !std::is_same_v<Windowing, no_windowing>;
    /// Timers set while the input ends before somebody is told that they have no end: so many, and so many per entry.
    static constexpr std::uint64_t most_while_ending = std::uint64_t{1} << 20;
    static constexpr std::uint64_t most_per_entry = 1000;

    struct item {
        event_time at;
        std::uint64_t hash;
        open_window* in;
        [[no_unique_address]] place where;

        friend bool operator<(item const& a, item const& b) noexcept {
            if (a.at != b.at) return a.at < b.at;
            if (a.hash != b.hash) return a.hash < b.hash;
            return a.in->window < b.in->window;
        }
    };
    /// Its window may close before: it is looked up.
    struct far_item {
        event_time at;
        std::uint64_t hash;
        time_window window;
        [[no_unique_address]] place where;
    };
    struct before {
        bool operator()(far_item const& a, far_item const& b) const noexcept {
            if (a.at != b.at) return a.at < b.at;
            if (a.hash != b.hash) return a.hash < b.hash;
            return a.window < b.window;
        }
    };
    using call = process_call<key_type, entry, open_window, place>;

    [[no_unique_address]] F function_;
    [[no_unique_address]] Windowing windowing_;
    [[no_unique_address]] Storage storage_;
    duration lateness_;
    std::uint64_t max_entries_;
    std::uint64_t entries_ = 0;
    event_time watermark_ = event_time::min();
    event_time passed_ = event_time::min();   // the watermark behind this operator
    event_time clock_ = event_time::min();
    event_time running_ = event_time::min();  // the time of the timers that are firing
    std::uint64_t set_while_ending_ = 0;
    std::uint64_t most_entries_ = 0;  // when the end began
    open_window* near_ = nullptr;
    window_tables<entries> windows_;
    nearly_sorted_queue<item> queue_;
    binary_heap<far_item, before> clock_queue_;
    binary_heap<far_item, before> holds_;  // by output time
    account account_;

public:
    process_core(
        F function, Windowing windowing, std::uint64_t max_entries, operator_label label, Storage storage = {})
        : function_(std::move(function)),
          windowing_(std::move(windowing)),
          storage_(storage),
          lateness_(windowing_.lateness()),
          max_entries_(max_entries),
          account_{.label = label} {}
    process_core(process_core const& like, fresh_core_t)
        : process_core(like.function_, like.windowing_, like.max_entries_, like.account_.label, like.storage_) {}
    void keep_time_of(process_core const& other) noexcept {
        watermark_ = other.watermark_;
        passed_ = other.passed_;
        clock_ = other.clock_;
    }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return windows_.bytes() + queue_.size() * sizeof(item)
            + (clock_queue_.size() + holds_.size()) * sizeof(far_item);
    }
    /// Moments at which a key is looked at again: timers and ends of times to live, replaced ones until they pass.
    [[nodiscard]] std::size_t pending_timers() const noexcept { return queue_.size() + clock_queue_.size(); }
    [[nodiscard]] event_time passed_on() const noexcept { return passed_; }
    /// A timer by the clock is due when the clock reaches it, one of event time when the watermark has passed it.
    [[nodiscard]] event_time clock_deadline() const noexcept {
        return clock_queue_.empty() ? event_time::max() : clock_queue_.top().at;
    }
    [[nodiscard]] event_time next_due() const noexcept {
        auto const timer = queue_.empty() ? event_time::max() : queue_.top().at + duration{1};
        auto const close = windows_.size() == 0 ? event_time::max() : closes(windows_[0].window);
        return timer < close ? timer : close;
    }
    [[nodiscard]] bool looks_ahead() const noexcept { return windows_.bytes() > (std::size_t{1} << 20); }
    DRIFTLESS_INLINE void prefetch(std::uint64_t hash) const noexcept {
        if (near_ != nullptr) near_->table.prefetch(hash);
    }

    template <class Ctx, class To>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, record_type const& record, std::uint64_t hash, To& out) {
        if constexpr (!windowed) {
            apply(window_for(time_window{}), ctx, record, hash, out);
        } else if constexpr (In::window::carried) {
            in_window(ctx.window, ctx, record, hash, out);
        } else {
            auto const windows = each_window(windowing_.assigner, ctx.at,
                [&](time_window const& window) { in_window(window, ctx, record, hash, out); });
            if (windows == 0) ++account_.unassigned;
        }
    }
    template <class To>
    void on_watermark(event_time watermark, To& out) {
        if (watermark <= watermark_) return;  // a promise is not taken back
        auto const from = std::exchange(watermark_, watermark);
        most_entries_ = entries_;
        for (;;) {
            auto const close = windows_.size() != 0 ? closes(windows_[0].window) : event_time::max();
            bool const can_close = windows_.size() != 0 && close <= watermark;
            if (!queue_.empty() && queue_.top().at < watermark && (!can_close || queue_.top().at < close)) {
                auto const next = queue_.top();
                queue_.pop();
                fire(next, from, out);
            } else if (can_close) {
                close_first(out);
            } else {
                break;
            }
        }
        running_ = event_time::min();
        passed_ = held_at();
    }
    template <class To>
    void on_clock(event_time now, To& out) {
        if (now <= clock_) return;
        clock_ = now;
        if constexpr (traits::clock_timers) {
            while (!clock_queue_.empty() && clock_queue_.top().at <= now) {
                auto const next = clock_queue_.pop();
                auto* const in = window_of(next.window);
                auto* const of = in != nullptr ? in->table.entry_at(next.hash, next.where) : nullptr;
                if (of == nullptr || of->clock_wake != next.at) continue;
                of->clock_wake = event_time::max();
                fire_by_clock(*in, *of, next.hash, next.where, next.at, {event_time::min(), next.at}, out);
            }
        }
    }

    /// The same bytes whatever the number of shards.
    template <class Core>
    static void save(Core* cores, std::size_t n, auto& out) {
        account sum;
        for (std::size_t i = 0; i < n; ++i) sum.add(cores[i].account_);
        out.write(sum.applied).write(sum.unassigned);
        for (auto const each : sum.refused) out.write(each);
        out.write(cores[0].watermark_).write(cores[0].passed_).write(cores[0].clock_);
        save_windows(n, [cores](std::size_t i) -> auto const& { return cores[i].windows_; }, out);
    }
    template <class Core>
    static void load(Core* cores, std::size_t n, auto& in) {
        for (std::size_t i = 0; i < n; ++i) cores[i].account_ = account{.label = cores[i].account_.label};
        in.read(cores[0].account_.applied);
        in.read(cores[0].account_.unassigned);
        for (auto& each : cores[0].account_.refused) in.read(each);
        auto const watermark = in.template read<event_time>();
        auto const passed = in.template read<event_time>();
        auto const clock = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) cores[i].restart(watermark, passed, clock);
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const window = in.template read<time_window>();
            static_cast<void>(cores[0].window_for(window));  // it may be empty, and is open all the same
            for (auto size = in.template read<std::uint64_t>(); size != 0; --size) {
                key_type key{};
                in.read(key);
                if (left_out::drops(key)) {
                    state_type gone{};
                    in.read(gone);
                    continue;
                }
                auto const hash = hash_of(key);
                auto& owner = cores[shard_of(hash, n)];
                auto& into = owner.window_for(window);
                auto const made = into.table.insert(key, hash);
                ++owner.entries_;
                in.read(made.entry->state);
                owner.schedule(into, *made.entry, hash, made.at);
                owner.hold_again(into, *made.entry, hash, made.at);
            }
        }
        for (std::size_t i = 0; i < n; ++i) cores[i].windows_.set_restored();
    }

private:
    [[nodiscard]] event_time closes(time_window const& window) const noexcept {
        if constexpr (windowed) return window.end + lateness_;
        else return window.end;
    }
    [[nodiscard]] open_window* window_of(time_window const& window) noexcept {
        auto const at = windows_.find(window);
        return at == windows_.size() ? nullptr : &windows_[at];
    }
    DRIFTLESS_INLINE open_window& window_for(time_window const& window) {
        if (near_ == nullptr || (windowed && near_->window != window)) [[unlikely]] {
            near_ = window_of(window);
            if (near_ == nullptr) {
                near_ = &windows_.open(window, false);
                storage_.equip(near_->table);
            }
        }
        return *near_;
    }
    void restart(event_time watermark, event_time passed, event_time clock) {
        watermark_ = watermark;
        passed_ = passed;
        clock_ = clock;
        entries_ = 0;
        windows_.clear();
        near_ = nullptr;
        queue_.clear();
        clock_queue_.clear();
        holds_.clear();
    }

    template <class Ctx, class To>
    DRIFTLESS_INLINE void in_window(
        time_window const& window, Ctx const& ctx, record_type const& record, std::uint64_t hash, To& out) {
        if (watermark_ >= closes(window)) [[unlikely]] {
            account_.refuse_late(watermark_ - ctx.at);
            auto refused = ctx;
            refused.window = window;
            return out.refused(reason::late, refused, record);
        }
        apply(window_for(window), ctx, record, hash, out);
    }
    template <class Ctx, class To>
    DRIFTLESS_INLINE void apply(
        open_window& in, Ctx const& ctx, record_type const& record, std::uint64_t hash, To& out) {
        auto of = in.table.find(*ctx.key, hash);
        if (of.entry == nullptr) [[unlikely]] {
            if (entries_ >= max_entries_) return account_.refuse(reason::capacity);
            of = in.table.insert(*ctx.key, hash);
            ++entries_;
        }
        if constexpr (traits::expires) expire_state(of.entry->state, watermark_);
        call now{ctx.key, hash, &in, of.entry, of.at, ctx.at, {}};
        bool const done = invoke(out, now, ctx.from,
            [&](auto& context) { function_.on_record(of.entry->state, record, context); });
        if (done) ++account_.applied;
        else account_.refuse(reason::failed);
        finish(now, ctx.at);
    }

    /// Calls the function. What is thrown downstream, inside emit, has been dealt with there.
    template <class To, class Callback>
    DRIFTLESS_INLINE bool invoke(To& out, call& now, origin from, Callback const& callback) {
        process_context<process_core, To, call> context{*this, out, now};
        try {
            callback(context);
        } catch (...) {
            if (now.downstream) throw;
            out.threw(from);
            return false;
        }
        return true;
    }
    /// Behind each call: what was updated is stamped, what is next is noted, what is empty goes.
    DRIFTLESS_INLINE void finish(call const& now, [[maybe_unused]] event_time updated) {
        auto& of = *now.of;
        now.in->written = 0;
        if constexpr (traits::expires) settle_state(of.state, updated);
        if constexpr (!traits::stays) {
            if (is_empty_state(of.state)) {
                now.in->table.erase(now.hash, now.where);
                --entries_;
                return;
            }
        } else if (now.cleared) {
            now.in->table.erase(now.hash, now.where);
            --entries_;
            return;
        }
        schedule(*now.in, of, now.hash, now.where);
    }
    DRIFTLESS_INLINE void schedule(open_window& in, entry& of, std::uint64_t hash, place where) {
        if constexpr (traits::event_timers || traits::expires) {
            auto next = next_event(of.state);
            if (next < running_) next = running_;
            if (next < of.wake && next < closes(in.window)) {
                of.wake = next;
                queue_.push(item{next, hash, &in, where});
            }
        }
        if constexpr (traits::clock_timers) {
            if (auto const next = next_by_clock(of.state); next < of.clock_wake) {
                of.clock_wake = next;
                clock_queue_.push(far_item{next, hash, in.window, where});
            }
        }
    }

    template <class To>
    void fire(item const& due, event_time from, To& out) {
        auto* const of = due.in->table.entry_at(due.hash, due.where);
        if (of == nullptr || of->wake != due.at) return;  // something earlier was set, and has been looked at
        of->wake = event_time::max();
        running_ = due.at;
        if constexpr (traits::expires) {
            auto const step = due.at + duration{1};
            expire_state(of->state, step < from ? from : step);
        }
        auto const& key = due.in->table.key_at(due.hash, due.where);
        call now{&key, due.hash, due.in, of, due.where, due.at, {event_time::min(), due.at}};
        if constexpr (traits::event_timers) {
            each_member(of->state, [&]<class M>(M& member) {
                if constexpr (event_timer_member<M>) {
                    while (member.next() <= due.at) {
                        fired_timer const fired{member.next(), &member};
                        now.at = member.output_time() < passed_ ? passed_ : member.output_time();
                        member.take();
                        invoke(out, now, origin{},
                            [&](auto& context) { function_.on_timer(of->state, fired, context); });
                        if (now.cleared) break;
                    }
                }
            });
        }
        finish(now, due.at);
    }
    template <class To>
    void fire_by_clock(open_window& in, entry& of, std::uint64_t hash, place where, event_time up_to,
        time_window const& order, To& out) {
        if constexpr (traits::expires) expire_state(of.state, watermark_);
        auto const& key = in.table.key_at(hash, where);
        call now{&key, hash, &in, &of, where, passed_, order};
        each_member(of.state, [&]<class M>(M& member) {
            if constexpr (clock_timer_member<M>) {
                while (member.next() <= up_to) {
                    fired_timer const fired{member.next(), &member};
                    member.take();
                    invoke(out, now, origin{},
                        [&](auto& context) { function_.on_clock_timer(of.state, fired, context); });
                    if (now.cleared) break;
                }
            }
        });
        finish(now, passed_);
    }
    /// At the end of the input timers by the clock fire once, behind those by time; then the window closes.
    template <class To>
    void close_first(To& out) {
        auto& in = windows_[0];
        auto const close = closes(in.window);
        running_ = close;
        auto const last = close - duration{1};
        if constexpr (traits::clock_timers) {
            if (ending()) {
                each_entry(in, [&](entry& of, std::uint64_t hash, place where) {
                    each_member(of.state, [&]<class M>(M& member) {
                        if constexpr (clock_timer_member<M>)
                            fire_once(in, of, hash, where, member, {event_time::min() + duration{1}, last}, out);
                    });
                });
            }
        }
        if constexpr (has_on_close<F, state_type, process_context<process_core, To, call>>) {
            each_entry(in, [&](entry& of, std::uint64_t hash, place where) {
                if constexpr (traits::expires) expire_state(of.state, close);
                if constexpr (!traits::stays) {
                    if (is_empty_state(of.state)) return;
                }
                auto const& key = in.table.key_at(hash, where);
                call now{&key, hash, &in, &of, where, in.window.max_timestamp(), {in.window.start, last}};
                if (now.at < passed_ && !windowed) now.at = passed_;
                invoke(out, now, origin{}, [&](auto& context) { function_.on_close(of.state, context); });
            });
        }
        entries_ -= in.table.size();
        near_ = nullptr;
        windows_.close_first();
    }
    template <class Each>
    void each_entry(open_window& in, Each each) {
        in.table.for_each_ordered(
            [&](auto const&, entry& of, std::uint64_t hash, place where) { each(of, hash, where); });
    }
    template <class M, class To>
    void fire_once(open_window& in, entry& of, std::uint64_t hash, place where, M& member, time_window const& order,
        To& out) {
        auto due = member;  // what is set from here on does not fire any more
        while (!member.empty()) member.take();
        auto const& key = in.table.key_at(hash, where);
        call now{&key, hash, &in, &of, where, passed_, order};
        while (!due.empty()) {
            fired_timer const fired{due.next(), &member};
            due.take();
            invoke(out, now, origin{}, [&](auto& context) { function_.on_clock_timer(of.state, fired, context); });
        }
        if constexpr (traits::expires) settle_state(of.state, passed_);
    }

    /// What the public context asks.
    static constexpr bool follows_watermark = process_follows_watermark<F>;
    [[nodiscard]] bool ending() const noexcept { return watermark_ == event_time::max(); }
    /// False where it is ignored: the window ends with the input, and the timer would be beyond it.
    DRIFTLESS_INLINE bool accepts_timer(open_window const& in, event_time at) {
        if constexpr (windowed) {
            if (at >= closes(in.window)) [[unlikely]]
                return refuse_timer(in, at);
        }
        if (ending()) [[unlikely]]
            count_while_ending();
        return true;
    }
    DRIFTLESS_NOINLINE bool refuse_timer(open_window const& in, event_time at) const {
        if (ending()) return false;
        throw error{error_code::invalid_argument,
            sentence({"a timer at ", at.ns(), " ns is refused: the expiration of its window is at ",
                closes(in.window).ns(), " ns"})};
    }
    DRIFTLESS_NOINLINE void count_while_ending() {
        if (++set_while_ending_ < most_while_ending + most_per_entry * most_entries_) return;
        throw error{error_code::invalid_argument,
            "timers that set themselves again have no end: ask context.ending(), and stop when the input has ended"};
    }
    void hold(call const& now, event_time output) {
        holds_.push(far_item{output, now.hash, now.in->window, now.where});
    }
    /// The least output time of a timer that is set holds the watermark behind this operator.
    [[nodiscard]] event_time held_at() {
        if constexpr (traits::holds) {
            while (!holds_.empty() && !still_holds(holds_.top())) holds_.pop();
            if (!holds_.empty() && holds_.top().at < watermark_) return holds_.top().at;
        }
        return watermark_;
    }
    [[nodiscard]] bool still_holds(far_item const& hold) noexcept {
        auto* const in = window_of(hold.window);
        auto const* const of = in != nullptr ? in->table.entry_at(hold.hash, hold.where) : nullptr;
        bool found = false;
        if (of != nullptr) {
            each_member(of->state, [&]<class M>(M const& member) {
                if constexpr (holding_member<M>) found = found || (member.is_set() && member.output_time() == hold.at);
            });
        }
        return found;
    }
    void hold_again([[maybe_unused]] open_window& in, entry& of, [[maybe_unused]] std::uint64_t hash,
        [[maybe_unused]] place where) {
        each_member(of.state, [&]<class M>(M const& member) {
            if constexpr (holding_member<M>) {
                if (member.is_set()) holds_.push(far_item{member.output_time(), hash, in.window, where});
            }
        });
    }
};
}  // namespace driftless::inline v0::detail
#endif
