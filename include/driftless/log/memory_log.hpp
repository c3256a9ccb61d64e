// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_MEMORY_LOG_HPP
#define DRIFTLESS_LOG_MEMORY_LOG_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/field_bounds.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/detail/wakeups.hpp>
#include <driftless/log/layout.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/log/wakeup.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A log in memory: what jobs read, what tests and small programs write.
///
/// Shape       Records of type T in partitions, each numbered by offsets from 0 without gaps. The
///             blocks of a partition hold block_records, as many again, twice that, 4 and 8 times, then always 16
///             times.
/// Time        A block keeps the least and greatest value of every event_time member (exact watermarks in
///             batch), and the time of its first append by the system clock, which never goes back.
/// State       Owns its records and their text: what is appended is copied. `Layout` is rows, or columns (one
///             array per member; what a pipeline does not read is never touched).
/// Threads     Any number of threads may append while others read. A reader sees whole records only, each
///             partition in offset order. Blocks never move.
/// Errors      std::bad_alloc; not_there for an offset that was trimmed; a partition that does not exist breaks a
///             contract.
/// Complexity  append O(bytes of the record); read O(1) per block.
template <class T, class Layout = rows>
class memory_log {
    using store = typename Layout::template store<T>;

    struct block_data {
        store records;
        std::size_t capacity;
        detail::field_bounds<T> bounds{};
        event_time append_time;
        std::atomic<std::size_t> size{0};  // published: readers look no further

        block_data(std::size_t room, event_time now) : records(room), capacity(room), append_time(now) {}
    };
    struct partition_data {
        mutable std::mutex writing;  // guards `blocks` and the writer's side of the last block
        std::vector<std::shared_ptr<block_data>> blocks;  // null: trimmed
        event_time last_time = event_time::min();
        alignas(64) std::atomic<std::uint64_t> begin{0};  // what readers look at, apart from what writers write
        std::atomic<std::uint64_t> end{0};
    };

    std::vector<std::unique_ptr<partition_data>> partitions_;
    mutable detail::wakeups wakeups_;

public:
    using value_type = T;

    /// Records in the first block: what fits 64 KiB, at least 256, at most 4096; a power of two.
    static constexpr std::size_t block_records = [] {
        std::size_t n = 4096;
        while (n > 256 && n * sizeof(T) > std::size_t{64} * 1024) n /= 2;
        return n;
    }();

    /// Part of a block, from the offset that was asked for up to what was there.
    class block {
        std::shared_ptr<block_data const> data_;  // stays when it is trimmed
        typename store::view view_;
        std::size_t size_;
        std::size_t room_;

    public:
        block(std::shared_ptr<block_data const> data, std::size_t first)
            : data_(std::move(data)),
              view_(data_->records, first),
              size_(data_->size.load(std::memory_order_acquire) - first),
              room_(data_->capacity - first) {}
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        /// The log has so many records from the first of this block on: those that belong to it are seen from now on.
        void grow(std::uint64_t count) noexcept { size_ = count < room_ ? static_cast<std::size_t>(count) : room_; }
        decltype(auto) operator[](std::size_t i) const { return view_[i]; }
        template <class F>
        DRIFTLESS_INLINE void each(std::size_t from, std::size_t to, F&& f) const {
            view_.each(from, to, f);
        }
        [[nodiscard]] time_bounds bounds(std::size_t field) const noexcept {
            return data_->bounds.of(field);
        }
        [[nodiscard]] event_time append_time() const noexcept { return data_->append_time; }
    };

    explicit memory_log(std::uint32_t partitions = 1) {
        DRIFTLESS_ASSERT(partitions > 0, "a log has at least one partition");
        for (std::uint32_t p = 0; p < partitions; ++p) partitions_.push_back(std::make_unique<partition_data>());
    }

    [[nodiscard]] std::uint32_t partitions() const noexcept { return static_cast<std::uint32_t>(partitions_.size()); }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t partition = 0) const noexcept {
        return partitions_[partition]->begin.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t partition = 0) const noexcept {
        return partitions_[partition]->end.load(std::memory_order_acquire);
    }

    [[nodiscard]] std::uint64_t committed_offset(std::uint32_t partition = 0) const noexcept {
        return end_offset(partition);
    }
    [[nodiscard]] std::uint64_t durable_offset(std::uint32_t partition = 0) const noexcept {
        return end_offset(partition);
    }
    /// Where to read to miss nothing that was appended at or behind a time by the system clock: blocks know when they
    /// were begun, so that up to a block of earlier records comes along.
    [[nodiscard]] std::uint64_t offset_at(event_time time, std::uint32_t partition = 0) const {
        auto const& part = *partitions_[partition];
        std::lock_guard const lock{part.writing};
        std::uint64_t first = part.begin.load(std::memory_order_relaxed);
        for (auto offset = first; offset < part.end.load(std::memory_order_relaxed);) {
            auto const at = place_of(offset);
            if (part.blocks[at.block]->append_time >= time) break;
            first = at.begin;
            offset = at.begin + at.size;
        }
        return first;
    }
    /// Forgets blocks whose records all lie before an offset; returns the new begin_offset. What readers hold stays.
    std::uint64_t trim(std::uint32_t partition, std::uint64_t before) {
        auto& part = *partitions_[partition];
        std::lock_guard const lock{part.writing};
        auto begin = part.begin.load(std::memory_order_relaxed);
        auto const until = std::min(before, part.end.load(std::memory_order_relaxed));
        for (auto at = place_of(begin); at.begin + at.size <= until; at = place_of(begin)) {
            part.blocks[at.block].reset();
            begin = at.begin + at.size;
        }
        part.begin.store(begin, std::memory_order_release);
        return begin;
    }

    /// Adds a record to a partition; returns its offset.
    std::uint64_t append(T const& record, std::uint32_t partition = 0) {
        return append(&record, &record + 1, partition);
    }
    /// Adds several records, wakes readers once; returns the offset of the first.
    template <class Range>
        requires requires(Range const& r) { std::begin(r), std::end(r); }
    std::uint64_t append(Range const& records, std::uint32_t partition = 0) {
        return append(std::begin(records), std::end(records), partition);
    }
    template <class Iterator>
        requires requires(Iterator it) { *it, ++it; }
    std::uint64_t append(Iterator first, Iterator last, std::uint32_t partition) {
        auto& into = *partitions_[partition];
        std::uint64_t offset = 0;
        {
            std::lock_guard const lock{into.writing};
            offset = into.end.load(std::memory_order_relaxed);
            for (auto end = offset; first != last; ++first) {
                add(into, *first);
                into.end.store(++end, std::memory_order_release);
            }
        }
        wakeups_.notify();
        return offset;
    }

    /// The block that holds offset `from` (below end_offset), from there on.
    [[nodiscard]] block read(std::uint32_t partition, std::uint64_t from) const {
        auto const& part = *partitions_[partition];
        DRIFTLESS_ASSERT(from < part.end.load(std::memory_order_acquire), "read below the end offset only");
        auto const at = place_of(from);
        std::shared_ptr<block_data const> data;
        {
            std::lock_guard const lock{part.writing};
            data = part.blocks[at.block];
        }
        if (!data) throw error{error_code::not_there, "the record was trimmed from the log", {}, from};
        return {std::move(data), static_cast<std::size_t>(from - at.begin)};
    }

    /// Notifies `who` after every append, until unsubscribe.
    void subscribe(wakeup& who) const { wakeups_.add(who); }
    void unsubscribe(wakeup& who) const { wakeups_.remove(who); }

private:
    /// Where the record of an offset lies. Small logs are to be small; a scan that begins anew in memory waits, which
    /// after every 64 KiB was a third of its time.
    struct place {
        std::size_t block;    // its number
        std::uint64_t begin;  // the offset of its first record
        std::size_t size;     // how many it is made for
    };
    static constexpr place place_of(std::uint64_t offset) noexcept {
        auto const n = offset / block_records;
        if (n == 0) return {0, 0, block_records};
        if (n < 16) {
            auto const first = std::bit_floor(n);
            return {static_cast<std::size_t>(std::bit_width(n)), first * block_records,
                static_cast<std::size_t>(first) * block_records};
        }
        return {static_cast<std::size_t>(4 + n / 16), n / 16 * 16 * block_records, 16 * block_records};
    }
    static void add(partition_data& into, T const& record) {
        if (into.blocks.empty() || !into.blocks.back()
            || into.blocks.back()->size.load(std::memory_order_relaxed) == into.blocks.back()->capacity) {
            auto now = detail::system_time();
            if (now < into.last_time) now = into.last_time;
            into.last_time = now;
            auto const at = place_of(into.end.load(std::memory_order_relaxed));
            into.blocks.push_back(std::make_shared<block_data>(at.size, now));
        }
        auto& last = *into.blocks.back();
        last.bounds.widen(record);
        last.records.add(record);
        last.size.store(last.size.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
};
}  // namespace driftless::inline v0
#endif
