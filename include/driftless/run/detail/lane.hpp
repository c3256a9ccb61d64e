// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_LANE_HPP
#define DRIFTLESS_RUN_DETAIL_LANE_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/log/detail/block_offsets.hpp>
#include <driftless/run/detail/record_size.hpp>
#include <driftless/run/input.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// What tells the event time of a source's records, as a type: the assign_time op that reads the very records of
/// the source; void where none assigns a time (an event<T> keeps its own); unknown_time where a later or a changed
/// record decides, or where the uses of the source do not agree. A source that P does not read: not_read.
struct unknown_time {};
struct not_read {};
struct time_as_given;
template <class Op>
concept assigns_time = requires { typename Op::time_function; };
template <class Op>
concept gives_time_anew = assigns_time<Op> && !std::is_same<typename Op::time_function, time_as_given>::value;
template <class Op>
concept keeps_record = assigns_time<Op> || requires { Op::keeps_record; };

template <class A, class B>
using agreed_time = std::conditional_t<
    std::is_same_v<A, not_read>, B,
    std::conditional_t<std::is_same_v<B, not_read> || std::is_same_v<A, B>, A, unknown_time>>;

template <class P, class Source, class Found = void>
struct source_time {
    using op = typename P::op_type;
    using here = std::conditional_t<gives_time_anew<op>, std::conditional_t<std::is_void_v<Found>, op, unknown_time>,
        std::conditional_t<keeps_record<op> || std::is_void<Found>::value, Found, unknown_time>>;
    using type = typename source_time<typename P::prev_type, Source, here>::type;
};
template <class Root, class Source, class Found>
struct source_time<root_link<Root>, Source, Found> {
    using type = std::conditional_t<std::is_same_v<Root, Source>, Found, not_read>;
};
template <class Source, class Found, class... Inputs>
struct source_time_of_all {
    using type = not_read;
};
template <class Source, class Found, class First, class... Rest>
struct source_time_of_all<Source, Found, First, Rest...> {
    using type = agreed_time<typename source_time<First, Source, Found>::type,
        typename source_time_of_all<Source, Found, Rest...>::type>;
};
template <class Root, class Source, class Found>
    requires requires { typename Root::is_fan_in; }
struct source_time<root_link<Root>, Source, Found> {
    /// Behind a fan-in that makes records, times are of other records.
    using found = std::conditional_t<requires { typename Root::makes_records; }, void, Found>;
    template <class... I>
    static auto list(std::tuple<I...> const*) -> source_time_of_all<Source, found, I...>;
    using type = typename decltype(list(static_cast<decltype(Root::inputs) const*>(nullptr)))::type;
};

/// How a source's records give away their event time to the reader: a member named in the type, the
/// envelope of event<T>, or not at all.
template <class T, class TimeOp>
struct head_time {
    static constexpr bool known = is_event<T> && std::is_void_v<TimeOp>;
    static std::size_t field() noexcept { return 0; }
    static event_time of(T const& record) noexcept {
        if constexpr (known) return record.at;
        else return event_time::min();
    }
};
template <class T, class TimeOp>
    requires(!is_event<T> && names_member<typename TimeOp::time_function>)
struct head_time<T, TimeOp> {
    static constexpr bool known = true;
    static std::size_t field() noexcept { return index_in<T>(typename TimeOp::time_function{}); }
    static event_time of(T const& record) noexcept { return typename TimeOp::time_function{}(record); }

private:
    template <class R, auto Member>
    static std::size_t index_in(member_projection<Member>) {
        return index_of_member<Member>();
    }
};

/// Pushes one element of a log: an event<T> is opened, its time goes into the context.
template <class Chain, class T>
DRIFTLESS_INLINE constexpr void push(Chain& chain, context<> ctx, T const& element) {
    if constexpr (is_event<T>) {
        ctx.at = element.at;
        chain.on_record(ctx, element.value);
    } else {
        chain.on_record(ctx, element);
    }
}

/// Brings what an element will meet on its way to the cache.
template <class Chain, class T>
DRIFTLESS_INLINE constexpr void fetch(Chain const& chain, T const& element) {
    if constexpr (is_event<T>) chain.prefetch(context<>{.at = element.at}, element.value);
    else chain.prefetch(context<>{}, element);
}

/// What the loop over a block calls.
template <class Chain, class Block>
struct pushes {
    static constexpr bool tight = Chain::tight;
    static constexpr std::size_t distance = 24;  // a record meets its state about 100 ns later
    Chain& chain;
    std::uint64_t base;  // the offset of record 0 of the block
    std::uint32_t partition;
    std::uint32_t input;
    Block const& block;
    std::size_t last;  // the last record that is pushed
    bool look_ahead;   // the state of `distance` records is on its way to the cache

    template <class T>
    DRIFTLESS_INLINE constexpr void operator()(std::size_t i, T const& record) const {
        if constexpr (Chain::can_look_ahead) {
            if (look_ahead) fetch(chain, block[i + distance < last ? i + distance : last]);
        }
        push(chain, context<>{.from = {base + i, partition, input}}, record);
    }
};

/// Works on a local copy of the stages, so that their accumulators can live in registers, and puts
/// it back, also when a record throws.
template <class Chain>
class local_copy {
    Chain& home_;

public:
    Chain chain;

    explicit local_copy(Chain& home) : home_(home), chain(std::move(home)) {}
    local_copy(local_copy const&) = delete;
    local_copy& operator=(local_copy const&) = delete;
    ~local_copy() {
        home_.~Chain();
        ::new (static_cast<void*>(&home_)) Chain(std::move(chain));
    }
};

/// One partition of one input, seen by the merge of all of them.
class lane {
public:
    lane() = default;
    lane(lane const&) = delete;
    lane& operator=(lane const&) = delete;
    virtual ~lane() = default;

    std::uint64_t next = 0;  ///< the offset of the next record
    std::uint64_t end = 0;   ///< read up to here
    event_time head = event_time::min();  ///< the time of the next record, valid if there is one
    event_time announced = event_time::min();  ///< exact mode: the last watermark of its input
    std::uint32_t input = 0;
    std::uint32_t partition = 0;
    std::size_t number = 0;  ///< among all lanes of the job
    std::uint64_t records = 0;  ///< that were read from it
    bool looked = false;  ///< `head` is that of `next`, and will not change
    bool durable = false;  ///< only what a loss of power would leave is read
    event_time stop_at = event_time::max();  ///< of a lane that aligns: behind a record beyond this, others are asked
    bool idle = false;  ///< it holds nobody; `end` stays at `next` until it is declared active again

    std::uint64_t least_until = 0;  ///< exact mode: until this record, `least` is what least_to_come() says
    event_time least = event_time::min();

    [[nodiscard]] bool has_record() const noexcept { return next < end; }
    [[nodiscard]] event_time coming() {
        if (next >= least_until) least = least_to_come();
        return least;
    }
    /// Finds the head record.
    virtual void look() = 0;
    /// `head` is an event time: records tell it.
    [[nodiscard]] virtual bool knows_time() const noexcept = 0;
    /// It waits for slower ones; and then how far it has got, and by how much it may be ahead.
    [[nodiscard]] virtual bool aligns() const noexcept = 0;
    [[nodiscard]] virtual event_time reached() const = 0;
    [[nodiscard]] virtual duration max_drift() const = 0;
    /// Bytes of the head record, which has been looked for.
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    /// Moves `end` to the present end of the log.
    virtual void extend() = 0;
    /// Where the log begins and ends now, for this reader or any other.
    [[nodiscard]] virtual std::uint64_t begin() const = 0;
    [[nodiscard]] virtual std::uint64_t visible_end() const = 0;
    /// The time of the record at an offset, -inf where records do not tell it. Reads the log; from any thread.
    [[nodiscard]] virtual event_time time_at(std::uint64_t offset) const = 0;
    /// Exact mode: reads the block statistics of [next, end).
    virtual void plan() = 0;
    /// Exact mode: no record to come has a time below this; -inf where nobody knows, +inf at the end.
    virtual event_time least_to_come() = 0;
    /// Exact mode: what least_to_come() is when the block of an offset is next.
    [[nodiscard]] virtual event_time least_from(std::uint64_t offset) const = 0;
    /// Pushes records while they come before `limit` (or at it, unless `limit_first`), at most `budget`.
    virtual std::size_t feed(event_time limit, bool limit_first, std::size_t budget) = 0;
    /// Pushes the rest of the block that is being read, at most `budget`.
    virtual std::size_t feed_block(std::size_t budget) = 0;
    /// Speaks to the chain of the input.
    virtual void on_watermark(event_time watermark) = 0;
    virtual void on_partition() = 0;
    virtual void on_partition_idle(bool idle) = 0;
    virtual void on_idle(bool idle) = 0;
    virtual void on_chunk() = 0;

    /// True if this lane's head comes before the other's: time, input, partition.
    [[nodiscard]] bool before(lane const& other) const noexcept {
        if (head != other.head) return head < other.head;
        if (input != other.input) return input < other.input;
        return partition < other.partition;
    }
};

/// What makes a stream read slower than it could: run/detail/throttle.hpp.
class read_limits {
public:
    /// How many records of a lane that has one may be read now, at most `budget`.
    virtual std::size_t allowed(lane& from, std::size_t budget) = 0;
    /// So many were read.
    virtual void paid(lane const& from, std::size_t n) noexcept = 0;
    /// A record was not allowed since the clock was looked at.
    [[nodiscard]] virtual bool holds() const noexcept = 0;

protected:
    ~read_limits() = default;
};

/// A lane of a log whose records are pushed into `Chain`.
template <class Log, class Chain, class HeadTime, class Mode>
class typed_lane final : public lane {
    using block = std::remove_cvref_t<decltype(std::declval<Log const&>().read(0u, std::uint64_t{}))>;

    Log const& log_;
    Chain& chain_;
    std::optional<block> block_;
    std::uint64_t block_begin_ = 0;
    /// Exact mode: the least time from block i on, and where block i begins.
    growing_array<std::pair<std::uint64_t, event_time>> still_to_come_;
    std::size_t at_block_ = 0;
    bool sparse_ = false;  // offsets are missing in the block: `at_` tells which record is next
    std::size_t at_ = 0;

public:
    typed_lane(Log const& log, Chain& chain, std::uint32_t in, std::uint32_t part) : log_(log), chain_(chain) {
        input = in;
        partition = part;
        next = log.begin_offset(part);
        end = next;
    }

    void extend() override {
        end = log_.end_offset(partition);
        if constexpr (requires { log_.durable_offset(partition); }) {
            if (!durable) return;
            std::uint64_t const safe = log_.durable_offset(partition);
            if (safe < end) end = safe < next ? next : safe;
        }
    }
    [[nodiscard]] std::uint64_t begin() const override { return log_.begin_offset(partition); }
    [[nodiscard]] std::uint64_t visible_end() const override { return log_.end_offset(partition); }
    void on_watermark(event_time watermark) override { chain_.on_watermark(watermark); }
    void on_partition() override { chain_.on_partition(partition); }
    void on_partition_idle(bool to) override { chain_.on_partition_idle(partition, to); }
    void on_idle(bool to) override { chain_.on_idle(to); }
    void on_chunk() override { chain_.on_chunk(); }

    [[nodiscard]] event_time time_at(std::uint64_t offset) const override {
        if constexpr (HeadTime::known) return HeadTime::of(log_.read(partition, offset)[0]);
        else return event_time::min();
    }
    [[nodiscard]] bool knows_time() const noexcept override { return HeadTime::known; }
    [[nodiscard]] bool aligns() const noexcept override { return Chain::aligns; }
    [[nodiscard]] event_time reached() const override {
        if constexpr (Chain::aligns) return chain_.reached(origin{next, partition, input});
        else return event_time::min();
    }
    [[nodiscard]] duration max_drift() const override {
        if constexpr (Chain::aligns) return chain_.max_drift();
        else return duration::max();
    }
    [[nodiscard]] std::uint64_t size() const override {
        if constexpr (Mode::exact) return 0;  // a batch has no limits
        else return record_size((*block_)[index()]);
    }
    void plan() override {
        still_to_come_.clear();
        at_block_ = 0;
        least_until = 0;
        if constexpr (Mode::exact && HeadTime::known) {
            auto const field = HeadTime::field();
            for (auto at = next; at < end;) {
                auto const part = log_.read(partition, at);
                auto const bounds = part.bounds(field);
                if (!bounds.known) return still_to_come_.clear();
                still_to_come_.push_back({at, bounds.least});
                at = next_behind(part, at);
            }
            for (auto i = still_to_come_.size(); i > 1; --i) {
                auto& earlier = still_to_come_[i - 2].second;
                if (still_to_come_[i - 1].second < earlier) earlier = still_to_come_[i - 1].second;
            }
        }
    }
    event_time least_to_come() override {
        if (!has_record()) return event_time::max();
        while (at_block_ + 1 < still_to_come_.size() && still_to_come_[at_block_ + 1].first <= next) ++at_block_;
        least_until = at_block_ + 1 < still_to_come_.size() ? still_to_come_[at_block_ + 1].first : end;
        return still_to_come_.empty() ? event_time::min() : still_to_come_[at_block_].second;
    }
    [[nodiscard]] event_time least_from(std::uint64_t offset) const override {
        std::size_t low = 0;
        for (auto high = still_to_come_.size(); low < high;) {
            auto const middle = low + (high - low) / 2;
            if (still_to_come_[middle].first <= offset) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? event_time::min() : still_to_come_[low - 1].second;
    }

    void look() override {
        if (looked || !has_record()) return;
        load();
        if (!has_record()) return;  // none before `end` is left
        looked = !Chain::guards_time;
        if constexpr (HeadTime::known) {
            auto const& record = (*block_)[index()];
            head = HeadTime::of(record);
            if constexpr (Chain::guards_time) {
                auto const& value = [&]() -> auto const& {
                    if constexpr (is_event<typename Log::value_type>) return record.value;
                    else return record;
                }();
                head = chain_.merge_time(partition, head, value);
            }
        } else {
            head = block_->append_time();
        }
    }

    std::size_t feed(event_time limit, bool limit_first, std::size_t budget) override {
        if (budget > burst_limit) budget = burst_limit;
        std::size_t fed = 0;
        [[maybe_unused]] bool const ahead = looks_ahead();
        while (fed < budget && has_record()) {
            look();
            if (!has_record() || limit < head || (limit_first && limit == head)) break;
            auto const i = index();
            auto const& record = (*block_)[i];
            if constexpr (Chain::can_look_ahead) {
                constexpr auto distance = pushes<Chain, block>::distance;
                if (ahead && i + distance < block_->size()) fetch(chain_, (*block_)[i + distance]);
            }
            looked = false;
            push(chain_, context<>{.from = {next, partition, input}}, record);
            step();
            ++fed;
            if constexpr (Chain::aligns) {
                if (stop_at < reached()) break;
            }
        }
        chain_.settle();
        return fed;
    }

    /// One tight loop over a local copy of the stages.
    std::size_t feed_block(std::size_t budget) override {
        load();
        if (sparse_ || !has_record()) return feed(event_time::max(), false, budget);
        auto const from = index();
        auto const there = static_cast<std::size_t>(block_->size() - from);
        std::uint64_t const left = end - next;
        if (budget > burst_limit) budget = burst_limit;
        auto to = from + (there < budget ? there : budget);
        if (to - from > left) to = from + static_cast<std::size_t>(left);
        if constexpr (!Chain::guards_time) {
            // The copy of the stages takes longer than a few records.
            if (to - from < 4) return feed(event_time::max(), false, to - from);
        }
        auto const base = block_begin_;
        {
            bool const ahead = looks_ahead();
            local_copy<Chain> local{chain_};
            block_->each(from, to, pushes<Chain, block>{local.chain, base, partition, input, *block_, to - 1, ahead});
            local.chain.settle();
        }
        next += to - from;
        looked = false;
        return to - from;
    }

private:
    [[nodiscard]] bool looks_ahead() const {
        if constexpr (Chain::can_look_ahead) return chain_.looks_ahead();
        else return false;
    }
    [[nodiscard]] std::size_t index() const noexcept {
        return sparse_ ? at_ : static_cast<std::size_t>(next - block_begin_);
    }
    void step() {
        ++next;
        if constexpr (may_be_sparse<block>) {
            if (sparse_) next = ++at_ < block_->size() ? block_->offset(at_) : block_->next_offset();
        }
    }
    [[nodiscard]] bool holds_next() const {
        if constexpr (may_be_sparse<block>) {
            if (sparse_) return at_ < block_->size() && block_->offset(at_) == next;
        }
        return next - block_begin_ < block_->size();
    }
    void load() {
        if (block_) {
            if (holds_next()) return;
            if constexpr (requires { block_->grow(end); }) {
                block_->grow(end - block_begin_);
                if (next - block_begin_ < block_->size()) return;
            }
        }
        block_.emplace(log_.read(partition, next));
        if constexpr (may_be_sparse<block>) {
            next = block_->offset(0);  // later where records were removed by compaction
            sparse_ = block_->is_sparse();
            at_ = 0;
        }
        block_begin_ = next;
    }
};
}  // namespace driftless::inline v0::detail
#endif
