// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_BLOCK_MAKER_HPP
#define DRIFTLESS_LOG_DETAIL_BLOCK_MAKER_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/compressor.hpp>
#include <driftless/log/detail/aligned_bytes.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/time_fields.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace driftless::inline v0::detail {

/// How large blocks get, and how they are written.
struct block_limits {
    std::size_t bytes = std::size_t{64} * 1024;
    compression compressed = compression::none;
    bool deltas = false;  // integer columns as differences
};

/// A record must fit a block with room to spare; more is refused when it is appended.
inline constexpr std::size_t max_record_size = max_block_size / 4;

[[noreturn]] inline void throw_too_large(std::size_t size) {
    throw error{error_code::invalid_argument,
        "a record of " + std::to_string(size) + " bytes is too large for a log, which takes "
            + std::to_string(max_record_size) + ": keep large objects elsewhere and log where they are"};
}

/// The bytes of a part before they are compressed.
struct part_source {
    std::string_view bytes;
    packing how = packing::plain;
};

/// What the makers of all layouts share: the count that readers in this process look at, the bounds of event times, and
/// how a block is put together at its end.
template <class T>
class block_maker_base {
protected:
    static constexpr std::size_t fields = bounded_time_fields<T>;
    block_limits limits_;
    std::atomic<std::size_t> size_{0};
    // Of the records before size(); read by others while more is added.
    std::atomic<std::int64_t> least_[fields == 0 ? 1 : fields];
    std::atomic<std::int64_t> greatest_[fields == 0 ? 1 : fields];

    explicit block_maker_base(block_limits const& limits) : limits_(limits) { clear(); }

    void publish(std::size_t size) noexcept { size_.store(size, std::memory_order_release); }
    void note_times(T const* records, std::size_t count) noexcept {
        time_range ranges[fields == 0 ? 1 : fields];
        copy_ranges(ranges);
        for (std::size_t i = 0; i < count; ++i) {
            for_each_time_field(records[i], [&](std::size_t place, event_time at) { ranges[place].widen(at.ns()); });
        }
        for (std::size_t i = 0; i < fields; ++i) {
            least_[i].store(ranges[i].least, std::memory_order_relaxed);
            greatest_[i].store(ranges[i].greatest, std::memory_order_relaxed);
        }
    }
    void note_times(T const& record) noexcept {
        for_each_time_field(record, [this](std::size_t place, event_time at) {
            auto const ns = at.ns();
            if (ns < least_[place].load(std::memory_order_relaxed)) least_[place].store(ns, std::memory_order_relaxed);
            if (ns > greatest_[place].load(std::memory_order_relaxed)) {
                greatest_[place].store(ns, std::memory_order_relaxed);
            }
        });
    }

    /// Puts a block together. `in_place`, of `room` bytes, already holds the first part where it belongs; null: none.
    std::string_view seal(block_header header, std::uint64_t seed, part_source const* parts, std::size_t count,
        char* in_place, std::size_t room) {
        header.records = static_cast<std::uint32_t>(size());
        header.offset_span = header.records;
        header.parts = static_cast<std::uint16_t>(count);
        auto const start = block_header_size(fields, count);
        auto const* const by = compressors[static_cast<std::size_t>(limits_.compressed)];
        auto most = start;
        for (std::size_t i = 0; i < count; ++i) {
            auto const plain = parts[i].bytes.size();
            most += aligned_on_disk(by == nullptr ? plain : std::max(plain, by->bound(plain)));
        }
        bool const stays = in_place != nullptr && by == nullptr && most <= room;
        if (!stays) finished_.reserve(most, 0);
        auto* const block = stays ? in_place : finished_.data();

        table_.assign(count, block_part{});
        auto end = start;
        for (std::size_t i = 0; i < count; ++i) {
            auto const plain = parts[i].bytes;
            auto packed = by == nullptr ? 0 : by->pack(block + end, most - end, plain.data(), plain.size());
            bool const smaller = packed != 0 && packed < plain.size();
            if (!smaller) {
                packed = plain.size();
                if (packed != 0 && block + end != plain.data()) std::memcpy(block + end, plain.data(), packed);
            }
            table_[i] = {0, static_cast<std::uint32_t>(end), static_cast<std::uint32_t>(packed),
                static_cast<std::uint32_t>(plain.size()), parts[i].how,
                smaller ? limits_.compressed : compression::none, 0};
            auto const next = aligned_on_disk(end + packed);
            std::memset(block + end + packed, 0, next - end - packed);
            end = next;
        }
        header.size = static_cast<std::uint32_t>(end);
        time_range ranges[fields == 0 ? 1 : fields];
        copy_ranges(ranges);
        seal_block(block, header, ranges, fields, table_.data(), seed);
        return {block, end};
    }

public:
    block_maker_base(block_maker_base const&) = delete;
    block_maker_base& operator=(block_maker_base const&) = delete;
    virtual ~block_maker_base() = default;

    /// How many records there are; readers in this process may look at so many.
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
    /// The bounds of the event times, of at least the records before a size() that was asked for earlier.
    void copy_ranges(time_range* to) const noexcept {
        for (std::size_t i = 0; i < std::size(least_); ++i) {
            to[i] = {least_[i].load(std::memory_order_relaxed), greatest_[i].load(std::memory_order_relaxed)};
        }
    }
    /// Ready to be used again; nobody looks at it any more.
    void clear() noexcept {
        size_.store(0, std::memory_order_relaxed);
        for (auto& each : least_) each.store(time_range{}.least, std::memory_order_relaxed);
        for (auto& each : greatest_) each.store(time_range{}.greatest, std::memory_order_relaxed);
    }
    /// The whole block as it goes to the disk. The maker keeps the bytes, and its records stay readable.
    virtual std::string_view finish(block_header header, std::uint64_t seed) = 0;

private:
    std::vector<block_part> table_;
    aligned_bytes finished_;
};

/// Makes blocks of one layout: specialised beside each.
template <class Layout, class T>
class block_maker;
/// The records of a block of one layout, handed out one by one or in a loop.
template <class Layout, class T>
class block_records;
}  // namespace driftless::inline v0::detail
#endif
