// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_FILE_BLOCK_HPP
#define DRIFTLESS_LOG_DETAIL_FILE_BLOCK_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/block_maker.hpp>
#include <driftless/log/detail/time_fields.hpp>
#include <driftless/log/layout.hpp>
#include <driftless/log/readable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// A block from the offset that was asked for up to what was there. Its records are checked when they are first
/// handed out.
template <class T, class Layout>
class file_block {
    using stored_records = block_records<Layout, T>;
    static constexpr std::size_t fields = bounded_time_fields<T>;

    std::shared_ptr<void const> keep_;
    stored_records records_;
    std::size_t first_;
    std::size_t size_;
    std::uint64_t start_;  // the offset of its first record; where offsets are missing that of the stored block
    std::uint64_t next_;
    std::shared_ptr<std::uint32_t const> places_;  // of its records from there, where offsets are missing
    event_time append_time_;
    time_range ranges_[fields == 0 ? 1 : fields];

    template <class, class>
    friend class segment_records;
    file_block(std::shared_ptr<void const> keep, stored_records records, std::size_t first, std::size_t size,
        std::uint64_t start, event_time at)
        : keep_(std::move(keep)),
          records_(std::move(records)),
          first_(first),
          size_(size),
          start_(start),
          next_(start + size),
          append_time_(at) {}

public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// The offset of record i. Offsets count up by one, but for a log that was compacted by key.
    [[nodiscard]] std::uint64_t offset(std::size_t i) const noexcept {
        return start_ + (places_ ? places_.get()[i] : i);
    }
    /// Where to read on: behind its last record, and what was removed behind that.
    [[nodiscard]] std::uint64_t next_offset() const noexcept { return next_; }
    /// Its offsets may not count up by one.
    [[nodiscard]] bool is_sparse() const noexcept { return places_ != nullptr; }
    decltype(auto) operator[](std::size_t i) const { return records_[first_ + i]; }
    /// A record near others that were handed out.
    decltype(auto) peek(std::size_t i) const { return records_.peek(first_ + i); }
    template <class F>
    DRIFTLESS_INLINE void each(std::size_t from, std::size_t to, F&& f) const {
        records_.each(first_, from, to, f);
    }
    [[nodiscard]] time_bounds bounds(std::size_t field) const noexcept {
        auto const place = time_field_place<T>(field);
        if (place >= fields) return {};
        return {event_time{ranges_[place].least}, event_time{ranges_[place].greatest}, true};
    }
    [[nodiscard]] event_time append_time() const noexcept { return append_time_; }
    /// All records, where they lie in memory as T.
    [[nodiscard]] std::span<T const> records() const
        requires std::is_same_v<Layout, rows>
    {
        return {records_.data() + first_, size_};
    }
};
}  // namespace driftless::inline v0::detail
#endif
