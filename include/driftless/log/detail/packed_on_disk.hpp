// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_PACKED_ON_DISK_HPP
#define DRIFTLESS_LOG_DETAIL_PACKED_ON_DISK_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/config.hpp>
#include <driftless/log/detail/block_maker.hpp>
#include <driftless/log/detail/ends.hpp>
#include <driftless/log/detail/stored_block.hpp>
#include <driftless/log/layout.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// Fills blocks with records by the codec: part 0 has their bytes, part 1 where each ends.
template <class T>
class block_maker<packed, T> : public block_maker_base<T> {
    using base = block_maker_base<T>;
    static constexpr std::size_t start = block_header_size(bounded_time_fields<T>, 2);

    std::size_t room_;  // for the bytes of records
    std::vector<std::uint32_t> ends_;
    aligned_bytes block_;
    std::string scratch_;

public:
    static constexpr auto kind = layout_kind::packed;

    explicit block_maker(block_limits const& limits)
        : base(limits), room_(limits.bytes), ends_(limits.bytes / 8 + 1), block_(whole(room_)) {}

    /// False, and nothing done, if the block is full.
    ///
    /// Errors      invalid_argument for a record that is too large; those of the codec.
    bool add(T const& record) {
        auto const n = this->size_.load(std::memory_order_relaxed);
        if (n == ends_.size()) return false;
        scratch_.clear();
        byte_writer{scratch_}.write(record);
        auto const used = n == 0 ? 0 : ends_[n - 1];
        if (scratch_.size() > room_ - used) {
            if (n != 0) return false;
            if (scratch_.size() > max_record_size) throw_too_large(scratch_.size());
            room_ = scratch_.size();  // a block for this record; nobody looks at it yet
            block_.reserve(whole(room_), 0);
        }
        if (!scratch_.empty()) std::memcpy(block_.data() + start + used, scratch_.data(), scratch_.size());
        ends_[n] = used + static_cast<std::uint32_t>(scratch_.size());
        this->note_times(record);
        this->publish(n + 1);
        return true;
    }
    [[nodiscard]] char const* bytes() const noexcept { return block_.data() + start; }
    [[nodiscard]] std::uint32_t const* ends() const noexcept { return ends_.data(); }

    std::string_view finish(block_header header, std::uint64_t seed) override {
        auto const n = this->size();
        part_source const parts[] = {{{bytes(), n == 0 ? 0 : ends_[n - 1]}}, {as_bytes(ends_.data(), n)}};
        return this->seal(header, seed, parts, 2, block_.data(), block_.size());
    }

private:
    [[nodiscard]] std::size_t whole(std::size_t room) const noexcept {
        return start + aligned_on_disk(room) + aligned_on_disk(ends_.size() * sizeof(std::uint32_t));
    }
};

/// Records of a block: of a file, or still being filled. They are decoded one by one; their text points into the block.
template <class T>
class block_records<packed, T> {
    mutable char const* bytes_ = nullptr;
    mutable std::uint32_t const* ends_ = nullptr;
    mutable aligned_bytes bytes_room_;
    mutable aligned_bytes ends_room_;
    stored_block stored_;
    std::size_t records_ = 0;

public:
    explicit block_records(block_maker<packed, T> const& made) : bytes_(made.bytes()), ends_(made.ends()) {}
    explicit block_records(stored_block stored)
        : stored_(std::move(stored)), records_(stored_.raw.header().records) {}

    /// Errors      of stored_block::load; malformed where a record is not what its schema says.
    [[nodiscard]] T operator[](std::size_t i) const {
        T out{};
        decode(i, out);
        return out;
    }
    [[nodiscard]] T peek(std::size_t i) const { return (*this)[i]; }
    template <class F>
    DRIFTLESS_INLINE void each(std::size_t first, std::size_t from, std::size_t to, F&& f) const {
        T scratch{};  // strings keep their room from record to record
        for (std::size_t i = from; i < to; ++i) {
            decode(first + i, scratch);
            f(i, std::as_const(scratch));
        }
    }
    /// The bytes of a record, by the codec.
    [[nodiscard]] std::string_view bytes_of(std::size_t i) const {
        if (ends_ == nullptr) load();
        auto const from = i == 0 ? 0 : ends_[i - 1];
        return {bytes_ + from, ends_[i] - from};
    }

private:
    void decode(std::size_t i, T& out) const {
        byte_reader reader{bytes_of(i)};
        reader.read(out);
        if (!reader.at_end()) reader.expect_end();
    }
    DRIFTLESS_NOINLINE void load() const {
        auto const bytes = stored_.load(0, bytes_room_);
        auto const ends = stored_.load(1, ends_room_);
        if (!are_ends(ends, records_, bytes.size())) stored_.malformed("the ends of its records are wrong");
        bytes_ = bytes.data();
        ends_ = reinterpret_cast<std::uint32_t const*>(ends.data());
    }
};
}  // namespace driftless::inline v0::detail
#endif
