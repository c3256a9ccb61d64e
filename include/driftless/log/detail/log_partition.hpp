// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_LOG_PARTITION_HPP
#define DRIFTLESS_LOG_DETAIL_LOG_PARTITION_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/block_maker.hpp>
#include <driftless/log/detail/process_barrier.hpp>
#include <driftless/log/detail/segment_list.hpp>
#include <driftless/log/detail/segment_writer.hpp>
#include <driftless/log/layout.hpp>
#include <driftless/log/retention.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// Makers that are used again once nobody looks at their records any more.
template <class Maker>
class maker_pool {
    struct shelf {
        std::mutex mutex;
        std::vector<std::unique_ptr<Maker>> idle;
    };
    block_limits limits_;
    std::shared_ptr<shelf> shelf_ = std::make_shared<shelf>();
    static constexpr std::size_t kept = 48;  // about what a partition may have in memory

public:
    explicit maker_pool(block_limits const& limits) : limits_(limits) {}
    std::shared_ptr<Maker> take() {
        std::unique_ptr<Maker> found;
        {
            std::lock_guard const lock{shelf_->mutex};
            if (!shelf_->idle.empty()) {
                found = std::move(shelf_->idle.back());
                shelf_->idle.pop_back();
            }
        }
        if (!found) found = std::make_unique<Maker>(limits_);
        found->clear();
        return {found.release(), [on = shelf_](Maker* used) {
                    std::unique_ptr<Maker> back{used};
                    std::lock_guard const lock{on->mutex};
                    if (on->idle.size() < kept) on->idle.push_back(std::move(back));
                }};
    }
};

/// One partition of a file log that this process writes: blocks in memory, then in files.
///
/// State       Records from `written` on are in memory: blocks that are full, and one that is being filled. Readers in
///             this process see a record once append() has put it there; others, once its block is written.
/// Threads     Any number append, read, flush and sync.
template <class T, class Layout>
class log_partition {
    using maker = block_maker<Layout, T>;

    struct memory_block {
        std::shared_ptr<maker> records;
        std::uint64_t first;
        event_time begun;
        std::uint64_t producer = 0;
        std::uint64_t sequence = 0;     // of its first record
        std::uint64_t transaction = 0;  // 0: none
        bool more = false;              // the next block belongs to the same transaction
    };

    segment_list segments_;
    segment_writer writer_;
    maker_pool<maker> pool_;
    event_time (*clock_)();
    bool background_;

    std::mutex appending_;  // taken before mutex_
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<memory_block> blocks_;  // the last one is being filled, if open_
    bool open_ = false;
    biased_entry entry_;        // to what append() of one record does; revoked before open_ or end_ change
    maker* filling_ = nullptr;  // for who gets in: the block that is being filled, unless it has a producer
    bool writing_ = false;  // a thread writes the first blocks to the file
    event_time last_time_ = event_time::min();
    std::atomic<std::uint64_t> end_{0};
    std::uint64_t written_ = 0;
    std::uint64_t complete_ = 0;  // written, but for the blocks of a transaction that is not
    std::atomic<std::uint64_t> durable_{0};
    producer_table producers_;  // with what is in memory
    std::atomic<bool> begun_{false};  // a segment has begun since somebody asked

    static constexpr std::size_t blocks_at_once = 8;
    static constexpr std::size_t blocks_in_memory = 32;

public:
    log_partition(file_system& files, std::string folder, progress const& newest, segment_header const& like,
        segment_limits const& segments, block_limits const& limits, event_time (*clock)(), bool background)
        : segments_(files, std::move(folder), like.id, like.partition),
          writer_(files, segments_, newest, like, segments),
          pool_(limits),
          clock_(clock),
          background_(background) {
        written_ = complete_ = writer_.open();
        end_ = written_;
        durable_ = written_;
        producers_ = writer_.producers();
        last_time_ = writer_.last_time();
    }
    log_partition(log_partition const&) = delete;
    log_partition& operator=(log_partition const&) = delete;

    [[nodiscard]] std::uint64_t end_offset() const noexcept { return end_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t durable_offset() const noexcept { return durable_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t begin_offset() const {
        auto const bases = segments_.bases();
        return bases.empty() ? 0 : bases.front();
    }
    [[nodiscard]] segment_list& segments() noexcept { return segments_; }
    /// Adds records; returns the offset of the first.
    ///
    /// Errors      io, and those of the codec: the records before the one that could not be taken are in the log.
    template <class Iterator, class Notify>
    std::uint64_t append(Iterator first, Iterator last, Notify&& wake_writer) {
        std::lock_guard const alone{appending_};  // a batch stays together
        std::unique_lock lock{mutex_};
        return append_to(lock, 0, 0, first, last, wake_writer);
    }
    /// Adds one record: as long as one thread does that, without a lock.
    template <class Notify>
    DRIFTLESS_INLINE std::uint64_t append(T const& record, Notify&& wake_writer) {
        if (int const at = entry_.try_enter(); at >= 0) {
            struct leaver {
                biased_entry& from;
                int place;
                ~leaver() { from.leave(place); }
            } const at_end{entry_, at};
            if (filling_ != nullptr && filling_->add(record)) {
                auto const end = end_.load(std::memory_order_relaxed);
                end_.store(end + 1, std::memory_order_release);
                return end;
            }
        }
        return append_with_lock(record, wake_writer);
    }
    /// Adds a record that is made where it will lie, for rows.
    template <class Notify, class... Args>
    std::uint64_t emplace(Notify&& wake_writer, Args&&... args) {
        std::lock_guard const alone{appending_};
        std::unique_lock lock{mutex_};
        if constexpr (std::is_same_v<Layout, rows>) {
            entry_.revoke();
            auto const end = end_.load(std::memory_order_relaxed);
            if (!open_ || !goes_on(0, 0) || blocks_.back().records->is_full()) open_block(lock, 0, 0, wake_writer);
            blocks_.back().records->emplace(std::forward<Args>(args)...);
            end_.store(end + 1, std::memory_order_release);
            return end;
        } else {
            T const record(std::forward<Args>(args)...);
            return append_to(lock, 0, 0, &record, &record + 1, wake_writer);
        }
    }
    /// Adds those of a producer's records that are not there yet; the first has that sequence.
    ///
    /// added       how many these were
    /// Errors      invalid_argument where records before them are missing, or where they came so long ago that nobody
    ///             knows their offset any more.
    template <class Iterator, class Notify>
    std::uint64_t append_once(std::uint64_t producer, std::uint64_t sequence, Iterator first, Iterator last,
        std::uint64_t count, std::uint64_t& added, Notify&& wake_writer) {
        std::lock_guard const alone{appending_};
        std::unique_lock lock{mutex_};
        entry_.revoke();
        added = count;
        auto const next = producers_.next_of(producer).value_or(sequence);
        if (sequence > next) throw_gap(producer, sequence, next);
        auto const known = std::min(next - sequence, count);
        added = count - known;
        auto const offset = known == 0 ? end_.load(std::memory_order_relaxed) : known_offset(producer, sequence);
        for (std::uint64_t i = 0; i < known; ++i) ++first;
        if (added == 0) return offset;
        append_to(lock, producer, sequence + known, first, last, wake_writer);
        return offset;
    }

    [[nodiscard]] std::optional<std::uint64_t> next_sequence(std::uint64_t producer) const {
        std::lock_guard const lock{mutex_};
        return producers_.next_of(producer);
    }
    /// Blocks of a transaction, filled before anybody sees them.
    using transaction_blocks = std::vector<std::shared_ptr<maker>>;
    void add_to(transaction_blocks& blocks, T const& record) {
        if (!blocks.empty() && blocks.back()->add(record)) return;
        auto fresh = pool_.take();
        static_cast<void>(fresh->add(record));
        blocks.push_back(std::move(fresh));
    }
    /// Adds them all, or none; returns the offset of the first record.
    template <class Notify>
    std::uint64_t append_transaction(transaction_blocks const& blocks, std::uint64_t number, Notify&& wake_writer) {
        std::lock_guard const alone{appending_};
        std::unique_lock lock{mutex_};
        entry_.revoke();
        make_room(lock, wake_writer);
        close_block();
        auto const begin = end_.load(std::memory_order_relaxed);
        auto end = begin;
        auto const time = now();
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            memory_block next{blocks[i], end, time};
            next.transaction = number;
            next.more = i + 1 < blocks.size();
            end += blocks[i]->size();
            blocks_.push_back(std::move(next));  // nobody looks at or behind end_
        }
        end_.store(end, std::memory_order_release);
        return begin;
    }

    /// Everything appended so far is in the files.
    void flush() {
        std::unique_lock lock{mutex_};
        auto const target = end_.load(std::memory_order_acquire);
        while (written_ < target) write_blocks(lock, true);
    }
    /// What is full is in the files.
    void write_full() {
        std::unique_lock lock{mutex_};
        if (full_blocks() > 0) write_blocks(lock, false);
    }
    /// Everything appended so far is durable. Threads that come while another one syncs share the next sync.
    void sync() {
        std::unique_lock lock{mutex_};
        if (segments_.has_to_mend() && !writing_) work(lock, [&] { writer_.mend_indexes(); });
        auto const target = end_.load(std::memory_order_acquire);
        while (durable_.load(std::memory_order_relaxed) < target) {
            if (writing_) {
                changed_.wait(lock);
                continue;
            }
            while (written_ < target) write_blocks(lock, true);
            if (writing_) continue;
            auto const synced = complete_;
            work(lock, [&] { writer_.sync(); });
            durable_.store(std::max(durable_.load(std::memory_order_relaxed), synced), std::memory_order_release);
        }
    }
    void close() {
        flush();
        std::unique_lock lock{mutex_};
        while (writing_) changed_.wait(lock);
        auto const time = now();
        work(lock, [&] { writer_.close(time); });
        durable_.store(written_, std::memory_order_release);
    }
    /// Removes the segments that end at or before an offset.
    void remove_before(std::uint64_t offset) {
        if (offset >= end_offset()) sync();
        std::unique_lock lock{mutex_};
        while (writing_) changed_.wait(lock);
        auto const time = now();
        work(lock, [&] { writer_.remove_before(offset, time); });
    }
    /// Calls f(segments) while nothing is written to files, nor removed.
    template <class F>
    void with_segments(F&& f) {
        std::unique_lock lock{mutex_};
        while (writing_) changed_.wait(lock);
        work(lock, [&] { f(segments_); });
    }
    /// Where the partition begins once everything is removed that `wanted` gives a reason to; within the last segment
    /// at most.
    [[nodiscard]] std::uint64_t retained_from(
        retention const& wanted, std::optional<std::uint64_t> slowest, event_time now) {
        auto const bases = segments_.bases();
        if (bases.empty()) return 0;
        std::uint64_t until = bases.front();
        auto const limit = wanted.age == duration::max() ? event_time::min() : now - wanted.age;
        bool const by_size = wanted.bytes != retention{}.bytes;
        std::uint64_t total = 0;
        std::vector<std::uint64_t> sizes;
        for (std::size_t i = 0; by_size && i < bases.size(); ++i) {
            sizes.push_back(segments_.file_size(bases[i]));
            total += sizes.back();
        }
        for (std::size_t i = 0; i + 1 < bases.size(); ++i) {
            // All of a segment was appended before the next one began.
            auto const next = wanted.age == duration::max() ? nullptr : segments_.at_base(bases[i + 1]);
            bool const old = next && event_time{next->header().created} < limit;
            bool const spare = by_size && total - sizes[i] >= wanted.bytes;
            bool const read = wanted.read_by_all && slowest.value_or(0) >= bases[i + 1];
            if (!old && !spare && !read) break;
            if (by_size) total -= sizes[i];
            until = bases[i + 1];
        }
        return until;
    }
    /// True once after one or more segments have begun.
    [[nodiscard]] bool take_begun() noexcept {
        return begun_.load(std::memory_order_relaxed) && begun_.exchange(false);
    }
    /// True if the files hold blocks of a transaction that was appended at or behind an offset.
    [[nodiscard]] bool holds_transaction(std::uint64_t number, std::uint64_t from) {
        auto const bases = segments_.bases();
        for (std::size_t i = 0; i < bases.size(); ++i) {
            if (i + 1 < bases.size() && bases[i + 1] <= from) continue;
            auto const found = segments_.complete_at(bases[i]);
            if (!found) continue;
            bool there = false;
            found->walk([&](block_view const& block, std::uint64_t) {
                there |= block.header().transaction == number && block.header().first_offset >= from;
            });
            if (there) return true;
        }
        return false;
    }
    /// The first offset of the last block that was begun before a time; begin_offset if there is none.
    [[nodiscard]] std::uint64_t offset_at(event_time time) {
        {
            std::lock_guard const lock{mutex_};
            for (auto i = blocks_.size(); i-- > 0;) {
                if (blocks_[i].begun < time) return blocks_[i].first;
            }
        }
        return segments_.offset_at(time);
    }

    /// A block in memory, or nothing if the offset is in the files.
    struct in_memory {
        std::shared_ptr<maker const> records;
        std::uint64_t first = 0;
        std::size_t size = 0;
        event_time append_time;
        time_range ranges[bounded_time_fields<T> == 0 ? 1 : bounded_time_fields<T>];
    };
    [[nodiscard]] bool find_in_memory(std::uint64_t offset, in_memory& out) const {
        std::lock_guard const lock{mutex_};
        if (blocks_.empty() || offset < blocks_.front().first) return false;
        auto const after = std::upper_bound(blocks_.begin(), blocks_.end(), offset,
            [](std::uint64_t o, memory_block const& block) { return o < block.first; });
        auto const& found = *(after - 1);
        out.records = found.records;
        out.first = found.first;
        out.size = static_cast<std::size_t>(
            std::min<std::uint64_t>(found.records->size(), end_.load(std::memory_order_acquire) - found.first));
        out.append_time = found.begun;
        found.records->copy_ranges(out.ranges);
        return true;
    }

private:
    template <class Notify>
    DRIFTLESS_NOINLINE std::uint64_t append_with_lock(T const& record, Notify&& wake_writer) {
        std::lock_guard const alone{appending_};
        std::unique_lock lock{mutex_};
        auto const offset = append_to(lock, 0, 0, &record, &record + 1, wake_writer);
        entry_.note_call();
        return offset;
    }
    /// What is being filled is full. After entry_.revoke().
    void close_block() noexcept {
        open_ = false;
        filling_ = nullptr;
    }
    [[noreturn]] DRIFTLESS_NOINLINE void throw_gap(std::uint64_t producer, std::uint64_t sequence,
        std::uint64_t next) const {
        throw error{error_code::invalid_argument,
            "producer " + std::to_string(producer) + " sent a record with sequence " + std::to_string(sequence)
                + ", but " + std::to_string(next) + " comes next: send the missing ones first",
            segments_.folder()};
    }
    [[nodiscard]] std::uint64_t known_offset(std::uint64_t producer, std::uint64_t sequence) const {
        if (auto const found = producers_.offset_of(producer, sequence)) return *found;
        throw error{error_code::invalid_argument,
            "sequence " + std::to_string(sequence) + " of producer " + std::to_string(producer)
                + " is in the log, but so far back that its offset is not known any more: it need not be sent again",
            segments_.folder()};
    }
    template <class Notify>
    void open_block(std::unique_lock<std::mutex>& lock, std::uint64_t producer, std::uint64_t sequence,
        Notify&& wake_writer) {
        close_block();
        make_room(lock, wake_writer);
        memory_block next{pool_.take(), end_.load(std::memory_order_relaxed), now()};
        next.producer = producer;
        next.sequence = sequence;
        blocks_.push_back(std::move(next));
        open_ = true;
        if (producer == 0) filling_ = blocks_.back().records.get();
    }
    /// True if the block that is being filled may go on with that record.
    [[nodiscard]] bool goes_on(std::uint64_t producer, std::uint64_t sequence) const {
        auto const& last = blocks_.back();
        return last.producer == producer && (producer == 0 || last.sequence + last.records->size() == sequence);
    }
    template <class Iterator, class Notify>
    std::uint64_t append_to(std::unique_lock<std::mutex>& lock, std::uint64_t producer, std::uint64_t sequence,
        Iterator first, Iterator last, Notify&& wake_writer) {
        entry_.revoke();
        auto end = end_.load(std::memory_order_relaxed);
        auto const begin = end;
        while (first != last) {
            if (!open_ || !goes_on(producer, sequence)) open_block(lock, producer, sequence, wake_writer);
            auto& filling = *blocks_.back().records;
            auto const before = end;
            auto const publish = [&] {
                end_.store(end, std::memory_order_release);
                if (producer == 0 || end == before) return;
                producers_.note(producer, sequence, before, end - before, blocks_.back().begun.ns());
                sequence += end - before;
            };
            try {
                fill(filling, first, last, end);
            } catch (...) {
                publish();  // what was added before is in the log
                throw;
            }
            publish();
            if (first != last) close_block();
        }
        return begin;
    }
    /// Adds records until the block is full; `end` counts them.
    template <class Iterator>
    static void fill(maker& into, Iterator& first, Iterator const& last, std::uint64_t& end) {
        if constexpr (std::is_same_v<Layout, rows> && std::contiguous_iterator<Iterator>
            && std::is_same_v<std::iter_value_t<Iterator>, T>) {
            auto const some = into.add_some(std::to_address(first), static_cast<std::size_t>(last - first));
            first += static_cast<std::iter_difference_t<Iterator>>(some);
            end += some;
        } else {
            for (; first != last && into.add(*first); ++first) ++end;
        }
    }
    /// Lets others in while it uses the files.
    template <class F>
    void work(std::unique_lock<std::mutex>& lock, F&& f) {
        writing_ = true;
        lock.unlock();
        struct done {
            log_partition& of;
            std::unique_lock<std::mutex>& lock;
            ~done() {
                lock.lock();
                of.writing_ = false;
                of.changed_.notify_all();
            }
        } const at_end{*this, lock};
        f();
    }
    [[nodiscard]] std::size_t full_blocks() const noexcept { return blocks_.size() - (open_ ? 1 : 0); }
    event_time now() {
        auto const present = clock_();
        if (last_time_ < present) last_time_ = present;  // the append time never goes back
        return last_time_;
    }
    template <class Notify>
    void make_room(std::unique_lock<std::mutex>& lock, Notify&& wake_writer) {
        if (!background_) {
            if (blocks_.size() >= blocks_at_once) write_blocks(lock, false);
            return;
        }
        if (blocks_.size() >= blocks_at_once) wake_writer();
        while (blocks_.size() >= blocks_in_memory) {
            if (writing_) changed_.wait(lock);
            else write_blocks(lock, false);  // the thread has failed, or is behind: do it here
        }
    }
    /// Writes the blocks that are full, with `all` also the one that is being filled.
    void write_blocks(std::unique_lock<std::mutex>& lock, bool all) {
        if (writing_) return changed_.wait(lock);
        if (all) {
            entry_.revoke();
            close_block();
        }
        auto const count = std::min(full_blocks(), blocks_in_memory);
        if (count == 0) return;
        std::vector<memory_block> const list{blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(count)};
        std::size_t done = 0;
        auto const drop = [&] {
            for (std::size_t i = 0; i < done; ++i) {
                written_ = list[i].first + list[i].records->size();
                if (!list[i].more) complete_ = written_;
                blocks_.pop_front();
            }
        };
        try {
            work(lock, [&] { write_list(list, done); });
        } catch (...) {
            drop();
            throw;
        }
        drop();
    }
    void write_list(std::vector<memory_block> const& list, std::size_t& done) {
        while (done < list.size()) {
            auto const durable = durable_.load(std::memory_order_relaxed);
            auto const seed = writer_.prepare(list[done].begun, durable);
            if (writer_.take_begun()) begun_.store(true);
            auto const room = writer_.room();
            std::string_view bytes[blocks_in_memory];
            std::size_t size = 0;
            std::size_t count = 0;
            while (done + count < list.size()
                && (count == 0 || size < room || list[done + count - 1].more)) {
                auto const& each = list[done + count];
                block_header header{};
                header.kind = block_kind::records;
                header.layout = maker::kind;
                header.first_offset = each.first;
                header.append_time = each.begun.ns();
                header.durable_offset = durable;
                header.epoch = writer_.epoch();
                header.producer = each.producer;
                header.sequence = each.sequence;
                header.transaction = each.transaction;
                if (each.more) header.flags |= block_flag::transaction;
                bytes[count] = each.records->finish(header, seed);
                size += bytes[count++].size();
            }
            writer_.write(bytes, count);
            done += count;
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
