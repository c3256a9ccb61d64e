// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_MEMORY_LOG_HPP
#define DRIFTLESS_LOG_MEMORY_LOG_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/field_bounds.hpp>
#include <driftless/log/layout.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/log/wakeup.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
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
/// Errors      std::bad_alloc; a partition that does not exist breaks a contract.
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
        std::vector<std::unique_ptr<block_data>> blocks;
        std::atomic<std::uint64_t> end{0};
    };

    std::vector<std::unique_ptr<partition_data>> partitions_;
    mutable std::mutex subscribing_;
    mutable std::vector<wakeup*> subscribers_;

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
        typename store::view view_;
        block_data const* data_;
        std::size_t size_;

    public:
        block(block_data const& data, std::size_t first, std::size_t published)
            : view_(data.records, first), data_(&data), size_(published - first) {}
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
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
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t) const noexcept { return 0; }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t partition = 0) const noexcept {
        return partitions_[partition]->end.load(std::memory_order_acquire);
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
        wake();
        return offset;
    }

    /// The block that holds offset `from` (below end_offset), from there on.
    [[nodiscard]] block read(std::uint32_t partition, std::uint64_t from) const {
        auto const& part = *partitions_[partition];
        DRIFTLESS_ASSERT(from < part.end.load(std::memory_order_acquire), "read below the end offset only");
        auto const at = place_of(from);
        block_data const* data = nullptr;
        {
            std::lock_guard const lock{part.writing};
            data = part.blocks[at.block].get();
        }
        return {*data, static_cast<std::size_t>(from - at.begin), data->size.load(std::memory_order_acquire)};
    }

    /// Notifies `who` after every append, until unsubscribe.
    void subscribe(wakeup& who) const {
        std::lock_guard const lock{subscribing_};
        subscribers_.push_back(&who);
    }
    void unsubscribe(wakeup& who) const {
        std::lock_guard const lock{subscribing_};
        std::erase(subscribers_, &who);
    }

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
        if (into.blocks.empty()
            || into.blocks.back()->size.load(std::memory_order_relaxed) == into.blocks.back()->capacity) {
            auto now = event_time{std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                    .count()};
            if (!into.blocks.empty() && now < into.blocks.back()->append_time) now = into.blocks.back()->append_time;
            auto const at = place_of(into.end.load(std::memory_order_relaxed));
            into.blocks.push_back(std::make_unique<block_data>(at.size, now));
        }
        auto& last = *into.blocks.back();
        last.bounds.widen(record);
        last.records.add(record);
        last.size.store(last.size.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    void wake() const {
        std::lock_guard const lock{subscribing_};
        for (auto* const each : subscribers_) each->notify();
    }
};
}  // namespace driftless::inline v0
#endif
