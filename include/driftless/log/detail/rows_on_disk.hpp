// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_ROWS_ON_DISK_HPP
#define DRIFTLESS_LOG_DETAIL_ROWS_ON_DISK_HPP

#include <driftless/core/config.hpp>
#include <driftless/log/detail/block_maker.hpp>
#include <driftless/log/detail/record_loop.hpp>
#include <driftless/log/detail/row_type.hpp>
#include <driftless/log/detail/stored_block.hpp>
#include <driftless/log/layout.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Fills blocks with records one after the other, as they lie in memory.
template <class T>
class block_maker<rows, T> : public block_maker_base<T> {
    using base = block_maker_base<T>;
    static constexpr std::size_t start = block_header_size(bounded_time_fields<T>, 1);

    aligned_bytes block_;
    std::size_t room_;

public:
    static constexpr auto kind = layout_kind::rows;
    static_assert(row_type<T>,
        "driftless: the rows layout on disk needs records of one size without text, adapted in order of declaration: "
        "use file_log<T, packed> or file_log<T, columns>");

    explicit block_maker(block_limits const& limits)
        : base(limits),
          block_(aligned_on_disk(limits.bytes < start + sizeof(T) ? start + sizeof(T) : limits.bytes)),
          room_((block_.size() - start) / sizeof(T)) {}

    /// False, and nothing done, if the block is full.
    bool add(T const& record) {
        auto const n = this->size_.load(std::memory_order_relaxed);
        if (n == room_) return false;
        auto* const at = block_.data() + start + n * sizeof(T);
        std::memcpy(at, &record, sizeof(T));
        this->note_times(record);
        clear_row_gaps<T>(at);
        this->publish(n + 1);
        return true;
    }
    /// As many of the records as fit; returns how many.
    std::size_t add_some(T const* records, std::size_t count) {
        auto const n = this->size_.load(std::memory_order_relaxed);
        auto const fit = count < room_ - n ? count : room_ - n;
        if (fit == 0) return 0;
        auto* const at = block_.data() + start + n * sizeof(T);
        std::memcpy(at, records, fit * sizeof(T));
        this->note_times(records, fit);
        if constexpr (count_row_gaps<T>() != 0) {
            for (std::size_t i = 0; i < fit; ++i) clear_row_gaps<T>(at + i * sizeof(T));
        }
        this->publish(n + fit);
        return fit;
    }
    [[nodiscard]] bool is_full() const noexcept { return this->size_.load(std::memory_order_relaxed) == room_; }
    /// Makes the next record in its place, unless the block is full.
    template <class... Args>
    void emplace(Args&&... args) {
        auto const n = this->size_.load(std::memory_order_relaxed);
        auto* const at = block_.data() + start + n * sizeof(T);
        auto const& record = *::new (static_cast<void*>(at)) T(std::forward<Args>(args)...);
        this->note_times(record);
        clear_row_gaps<T>(at);
        this->publish(n + 1);
    }
    [[nodiscard]] T const* records() const noexcept {
        return std::launder(reinterpret_cast<T const*>(block_.data() + start));
    }

    std::string_view finish(block_header header, std::uint64_t seed) override {
        auto const size = this->size() * sizeof(T);
        part_source const part{{block_.data() + start, size}};
        return this->seal(header, seed, &part, 1, block_.data(), block_.size());
    }
};

/// Records of a block: of a file, or still being filled.
template <class T>
class block_records<rows, T> {
    mutable T const* data_ = nullptr;
    mutable aligned_bytes room_;
    stored_block stored_;
    std::size_t records_;

public:
    explicit block_records(block_maker<rows, T> const& made) : data_(made.records()), records_(0) {}
    explicit block_records(stored_block stored)
        : stored_(std::move(stored)), records_(stored_.raw.header().records) {}

    /// Errors      of stored_block::load.
    [[nodiscard]] DRIFTLESS_INLINE T const* data() const {
        if (data_ == nullptr) load();
        return data_;
    }
    [[nodiscard]] DRIFTLESS_INLINE T const& operator[](std::size_t i) const { return data()[i]; }
    [[nodiscard]] DRIFTLESS_INLINE T const& peek(std::size_t i) const { return data()[i]; }
    template <class F>
    DRIFTLESS_INLINE void each(std::size_t first, std::size_t from, std::size_t to, F&& f) const {
        each_row(data() + first, from, to, f);
    }

private:
    DRIFTLESS_NOINLINE void load() const {
        auto const bytes = stored_.load(0, room_);
        if (bytes.size() != records_ * sizeof(T)) stored_.malformed("the records are not as many as it says");
        data_ = std::launder(reinterpret_cast<T const*>(bytes.data()));
    }
};
}  // namespace driftless::inline v0::detail
#endif
