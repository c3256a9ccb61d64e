// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_RELEASE_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_RELEASE_STAGE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/core/detail/nearly_sorted_queue.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/state/record_pool.hpp>
#include <driftless/time/window.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace driftless::inline v0::detail {

/// Records wait for their own time: sorted_by_time.
struct wait_for_time {
    struct entry {
        event_time at;
        std::uint64_t place;
        std::size_t of;

        [[nodiscard]] event_time due() const noexcept { return at + duration{1}; }
        [[nodiscard]] bool passed(event_time watermark) const noexcept {
            return at < watermark || watermark == event_time::max();
        }
        friend bool operator<(entry const& a, entry const& b) noexcept {
            return a.at != b.at ? a.at < b.at : a.place < b.place;
        }
    };
    /// Calls f(entry) for each time the record is to be released; how often that is.
    template <class Ctx, class F>
    DRIFTLESS_INLINE std::size_t each_entry(Ctx const& ctx, std::uint64_t place, std::size_t of, F&& f) const {
        f(entry{ctx.at, place, of});
        return 1;
    }
    /// What a record is told of when it goes on, or is refused.
    template <class Ctx>
    [[nodiscard]] Ctx const& moved(Ctx const& ctx, entry const&) const noexcept {
        return ctx;
    }
    template <class Ctx>
    [[nodiscard]] Ctx const& refused(Ctx const& ctx, entry const&) const noexcept {
        return ctx;
    }
    /// The next watermark at which a record may be late that is not now: any.
    [[nodiscard]] event_time next_after(event_time) const noexcept { return event_time::min(); }
    /// Before a record goes on, everything before it has: that is a watermark, by which what follows sees records and
    /// what falls due between them in one order, however far the watermark of the input moved.
    [[nodiscard]] event_time passed_before(entry const& due) const noexcept { return due.at; }
};

/// Records wait for the end of each window they lie in: release_on_close.
template <class Windowing, bool Carried>
struct wait_for_window {
    Windowing windowing;

    struct entry {
        time_window window;
        event_time at;
        std::uint64_t place;
        std::size_t of;

        [[nodiscard]] event_time due() const noexcept { return window.end; }
        [[nodiscard]] bool passed(event_time watermark) const noexcept { return window.end <= watermark; }
        friend bool operator<(entry const& a, entry const& b) noexcept {
            if (auto const by_window = a.window <=> b.window; by_window != 0) return by_window < 0;
            return a.at != b.at ? a.at < b.at : a.place < b.place;
        }
    };
    template <class Ctx, class F>
    std::size_t each_entry(Ctx const& ctx, std::uint64_t place, std::size_t of, F&& f) const {
        if constexpr (Carried) {
            f(entry{ctx.window, ctx.at, place, of});
            return 1;
        } else {
            return each_window(windowing.assigner, ctx.at, [&](time_window const& window) {
                f(entry{window, ctx.at, place, of});
            });
        }
    }
    /// As any row of a window, at its last instant.
    template <class Ctx>
    [[nodiscard]] Ctx moved(Ctx ctx, entry const& from) const noexcept {
        ctx.at = from.window.max_timestamp();
        ctx.window = from.window;
        return ctx;
    }
    template <class Ctx>
    [[nodiscard]] Ctx refused(Ctx ctx, entry const& from) const noexcept {
        ctx.window = from.window;
        return ctx;
    }
    [[nodiscard]] event_time passed_before(entry const& due) const noexcept { return due.window.max_timestamp(); }
    [[nodiscard]] event_time next_after(event_time watermark) const noexcept {
        if (Carried || watermark.is_infinite()) return event_time::min();
        return first_end_after(windowing.assigner, watermark);
    }
};

/// Holds records until the watermark, less the allowed lateness, has passed what they wait for; then hands them on in
/// order, and that watermark after them. What comes behind it is refused: one predicate decides both.
///
/// Exact       nothing is late, and the watermark is not held back
template <class In, class Wait, bool Exact, class Late, class Next>
class release_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using record_type = typename In::record;
    using key_type = typename In::key;
    using entry = typename Wait::entry;

    Wait wait_;
    duration lateness_;
    [[no_unique_address]] Late late_;
    event_time watermark_ = event_time::min();  // as it went on: less the lateness
    event_time passed_on_ = event_time::min();
    record_pool<In> records_;
    nearly_sorted_queue<entry> waiting_;
    account account_;
    std::size_t since_settled_ = 0;

public:
    static constexpr bool tight = false;

    release_stage(Next next, Wait wait, duration lateness, Late late, operator_label label)
        : forwarding<Next>(std::move(next)),
          wait_(std::move(wait)),
          lateness_(Exact ? duration{} : lateness),
          late_(std::move(late)),
          account_{.label = label} {}

    template <class Ctx>
    void on_record(Ctx const& ctx, record_type const& record) {
        std::uint32_t uses = 0;
        auto const found = wait_.each_entry(ctx, 0, 0, [&](entry const& each) {
            if (Exact || !each.passed(watermark_)) {
                ++uses;
                return;
            }
            account_.refuse_late(watermark_ + lateness_ - ctx.at);
            late_.on_record(wait_.refused(ctx, each), record);
        });
        if (found == 0) ++account_.unassigned;
        if (uses == 0) return;
        account_.applied += uses;
        hold<!Exact>(ctx, record, uses);
    }
    void on_watermark(event_time watermark) {
        auto const passed = watermark - lateness_;
        if (passed < watermark_) return;  // a promise is not taken back
        watermark_ = passed;
        for (; !waiting_.empty() && waiting_.top().passed(passed); waiting_.pop()) release(waiting_.top());
        passed_on_ = passed;
        next_.on_watermark(passed);
    }
    [[nodiscard]] event_time deadline() const {
        auto const own = wait_.next_after(watermark_);
        auto const theirs = next_.deadline();
        return (own < theirs ? own : theirs) + lateness_;
    }
    void settle() {
        since_settled_ = 0;
        next_.settle();
    }
    void visit_state(auto&& visit) {
        visit("waiting", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] event_time next_due() const noexcept {
        return waiting_.empty() ? event_time::max() : waiting_.top().due() + lateness_;
    }
    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return records_.bytes() + waiting_.size() * sizeof(entry);
    }
    /// The records in the order in which they came; what they wait for follows from them and the watermark.
    void save_state(auto& out) const {
        out.write(account_.applied).write(account_.unassigned);
        for (auto const each : account_.refused) out.write(each);
        out.write(watermark_);
        binary_heap<arrival, earlier> arrivals;
        records_.for_each([&](std::size_t index) { arrivals.push({records_[index].place(), index}); });
        out.write(static_cast<std::uint64_t>(arrivals.size()));
        while (!arrivals.empty()) {
            auto const& each = records_[arrivals.pop().of];
            auto const ctx = each.ctx();
            out.write(ctx.at);
            if constexpr (keyed<In>) out.write(*ctx.key);
            if constexpr (In::window::carried) out.write(ctx.window).write(ctx.info);
            out.write(ctx.from.offset).write(ctx.from.partition).write(ctx.from.input);
            out.write(each.record());
        }
    }
    void load_state(auto& in) {
        in.read(account_.applied).read(account_.unassigned);
        for (auto& each : account_.refused) in.read(each);
        in.read(watermark_);
        passed_on_ = watermark_;
        records_.clear();
        waiting_.clear();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            context<key_type> ctx;
            key_type key{};
            ctx.key = &key;
            in.read(ctx.at);
            if constexpr (keyed<In>) in.read(key);
            if constexpr (In::window::carried) in.read(ctx.window).read(ctx.info);
            in.read(ctx.from.offset).read(ctx.from.partition).read(ctx.from.input);
            auto const record = in.template read<record_type>();
            if constexpr (keyed<In>) {
                if (left_out::drops(key)) continue;
            }
            std::uint32_t uses = 0;
            wait_.each_entry(ctx, 0, 0, [&](entry const& each) { uses += each.passed(watermark_) ? 0 : 1; });
            hold<true>(ctx, record, uses);
        }
    }

private:
    struct arrival {
        std::uint64_t nth;
        std::size_t of;
    };
    struct earlier {
        bool operator()(arrival const& a, arrival const& b) const noexcept { return a.nth < b.nth; }
    };

    /// Keeps a record until it has been released `uses` times; `Some`: what has passed already is left out.
    template <bool Some, class Ctx>
    void hold(Ctx const& ctx, record_type const& record, std::uint32_t uses) {
        auto const index = records_.hold(ctx, record, uses);
        wait_.each_entry(ctx, records_[index].place(), index, [&](entry const& each) {
            if (Some && each.passed(watermark_)) return;
            waiting_.push(each);
        });
    }
    void release(entry const& due) {
        auto const& each = records_[due.of];
        if (auto const passed = wait_.passed_before(due); passed >= next_.deadline() && passed > passed_on_) {
            passed_on_ = passed;
            next_.on_watermark(passed);
        }
        next_.on_record(wait_.moved(each.ctx(), due), each.record());
        records_.drop(due.of);
        if (++since_settled_ == burst_limit) settle();
    }
};
}  // namespace driftless::inline v0::detail
#endif
