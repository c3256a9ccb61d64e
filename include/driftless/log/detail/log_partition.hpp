// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_LOG_PARTITION_HPP
#define DRIFTLESS_LOG_DETAIL_LOG_PARTITION_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/block_maker.hpp>
#include <driftless/log/detail/segment_list.hpp>
#include <driftless/log/detail/segment_writer.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
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
    };

    segment_list segments_;
    segment_writer writer_;
    maker_pool<maker> pool_;
    block_limits limits_;
    event_time (*clock_)();
    bool background_;

    std::mutex appending_;  // taken before mutex_
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<memory_block> blocks_;  // the last one is being filled, if open_
    bool open_ = false;
    bool writing_ = false;  // a thread writes the first blocks to the file
    event_time last_time_ = event_time::min();
    std::atomic<std::uint64_t> end_{0};
    std::uint64_t written_ = 0;
    std::atomic<std::uint64_t> durable_{0};

    static constexpr std::size_t blocks_at_once = 8;
    static constexpr std::size_t blocks_in_memory = 32;

public:
    log_partition(file_system& files, std::string folder, segment_header const& like, segment_limits const& segments,
        block_limits const& limits, event_time (*clock)(), bool background)
        : segments_(files, std::move(folder), like.id, like.partition),
          writer_(files, segments_, like, segments),
          pool_(limits),
          limits_(limits),
          clock_(clock),
          background_(background) {
        written_ = writer_.open();
        end_ = written_;
        durable_ = written_;
    }

    [[nodiscard]] std::uint64_t end_offset() const noexcept { return end_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t durable_offset() const noexcept { return durable_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t begin_offset() const {
        auto const bases = segments_.bases();
        return bases.empty() ? 0 : bases.front();
    }
    [[nodiscard]] segment_list& segments() noexcept { return segments_; }
    /// Full blocks wait for the background thread.
    [[nodiscard]] bool wants_writing() const {
        std::lock_guard const lock{mutex_};
        return full_blocks() >= blocks_at_once;
    }

    /// Adds records; returns the offset of the first.
    ///
    /// Errors      io: the offset of the error is that of the first record that was not taken.
    template <class Iterator, class Notify>
    std::uint64_t append(Iterator first, Iterator last, Notify&& wake_writer) {
        std::lock_guard const alone{appending_};  // a batch stays together
        std::unique_lock lock{mutex_};
        auto end = end_.load(std::memory_order_relaxed);
        auto const begin = end;
        while (first != last) {
            if (!open_) {
                make_room(lock, wake_writer);
                blocks_.push_back({pool_.take(), end, now()});
                open_ = true;
            }
            auto& filling = *blocks_.back().records;
            while (first != last && filling.add(*first)) {
                ++first;
                ++end;
            }
            end_.store(end, std::memory_order_release);
            if (first != last) open_ = false;
        }
        return begin;
    }
    /// Everything appended so far is in the files.
    void flush() {
        std::unique_lock lock{mutex_};
        auto const target = end_.load(std::memory_order_relaxed);
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
        auto const target = end_.load(std::memory_order_relaxed);
        while (durable_.load(std::memory_order_relaxed) < target) {
            if (writing_) {
                changed_.wait(lock);
                continue;
            }
            while (written_ < target) write_blocks(lock, true);
            if (writing_) continue;
            auto const synced = written_;
            work(lock, [&] { writer_.sync(); });
            durable_.store(std::max(durable_.load(std::memory_order_relaxed), synced), std::memory_order_release);
        }
    }
    void close() {
        flush();
        std::unique_lock lock{mutex_};
        while (writing_) changed_.wait(lock);
        work(lock, [&] { writer_.close(now()); });
        durable_.store(written_, std::memory_order_release);
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
        out.size = found.records->size();
        out.append_time = found.begun;
        std::copy(found.records->ranges(), found.records->ranges() + std::size(out.ranges), out.ranges);
        return true;
    }

private:
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
        if (all) open_ = false;
        auto const count = std::min(full_blocks(), blocks_in_memory);
        if (count == 0) return;
        std::vector<memory_block> const list{blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(count)};
        std::size_t done = 0;
        auto const drop = [&] {
            for (std::size_t i = 0; i < done; ++i) {
                written_ = list[i].first + list[i].records->size();
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
            auto const room = writer_.room();
            std::string_view bytes[blocks_in_memory];
            std::size_t size = 0;
            std::size_t count = 0;
            while (done + count < list.size() && (count == 0 || size < room)) {
                auto const& each = list[done + count];
                block_header header{};
                header.kind = block_kind::records;
                header.layout = maker::kind;
                header.first_offset = each.first;
                header.append_time = each.begun.ns();
                header.durable_offset = durable;
                header.epoch = writer_.epoch();
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
