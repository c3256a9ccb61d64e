// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SEGMENT_INDEX_HPP
#define DRIFTLESS_LOG_DETAIL_SEGMENT_INDEX_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/ends.hpp>
#include <driftless/log/detail/format.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0::detail {

/// A run of neighbouring blocks: where it begins.
struct index_entry {
    std::uint64_t first_offset;
    std::uint64_t position;
    std::int64_t append_time;  // of its first block
};
static_assert(sizeof(index_entry) == 24);

/// Where the blocks of a segment are, by offset and by time: one entry for every 32 KiB or more. Everything in it can
/// be found by reading the segment.
class segment_index {
    static constexpr std::uint64_t bytes_per_entry = std::uint64_t{32} * 1024;
    static constexpr std::string_view magic = "DRFTIDX\x01";
    static constexpr std::size_t header_size = 56;

    std::size_t fields_ = 0;
    std::vector<index_entry> entries_;
    std::vector<time_range> ranges_;  // `fields_` for each entry
    std::uint64_t end_offset_ = 0;
    std::uint64_t end_position_ = 0;

public:
    segment_index() = default;
    segment_index(std::size_t time_fields, std::uint64_t base, std::uint64_t position)
        : fields_(time_fields), end_offset_(base), end_position_(position) {}

    /// The next block of records, which lies where the last one ended.
    void add(block_header const& block, time_range const* ranges) {
        if (entries_.empty() || end_position_ - entries_.back().position >= bytes_per_entry) {
            entries_.push_back({block.first_offset, end_position_, block.append_time});
            ranges_.resize(ranges_.size() + fields_);
        }
        auto* const last = ranges_.data() + ranges_.size() - fields_;
        for (std::size_t i = 0; i < fields_; ++i) last[i].widen(ranges[i]);
        end_offset_ = block.first_offset + block.offset_span;
        end_position_ += block.size;
    }
    /// A block without records.
    void skip(block_header const& block) noexcept { end_position_ += block.size; }

    [[nodiscard]] std::vector<index_entry> const& entries() const noexcept { return entries_; }
    [[nodiscard]] std::uint64_t end_offset() const noexcept { return end_offset_; }
    [[nodiscard]] std::uint64_t end_position() const noexcept { return end_position_; }
    [[nodiscard]] std::size_t time_fields() const noexcept { return fields_; }
    [[nodiscard]] time_range range(std::size_t entry, std::size_t place) const noexcept {
        return ranges_[entry * fields_ + place];
    }
    /// The offset behind the last record of an entry.
    [[nodiscard]] std::uint64_t end_of(std::size_t entry) const noexcept {
        return entry + 1 < entries_.size() ? entries_[entry + 1].first_offset : end_offset_;
    }
    /// The last entry that begins at or before an offset; 0 if there is none.
    [[nodiscard]] std::size_t entry_of(std::uint64_t offset) const noexcept {
        auto const after = std::upper_bound(entries_.begin(), entries_.end(), offset,
            [](std::uint64_t o, index_entry const& entry) { return o < entry.first_offset; });
        return after == entries_.begin() ? 0 : static_cast<std::size_t>(after - entries_.begin() - 1);
    }

    /// The bytes of an index file.
    [[nodiscard]] std::string encode(segment_header const& of) const {
        std::string out{magic};
        put(out, std::uint32_t{log_format_version});
        put(out, static_cast<std::uint32_t>(entries_.size()));
        put(out, of.seed());
        put(out, of.base);
        put(out, end_offset_);
        put(out, end_position_);
        put(out, static_cast<std::uint64_t>(fields_));
        out += as_bytes(entries_.data(), entries_.size());
        out += as_bytes(ranges_.data(), ranges_.size());
        put(out, xxh3_64(out.data(), out.size(), of.seed()));
        return out;
    }
    /// Nothing if the bytes are not the index of that segment.
    static std::optional<segment_index> decode(std::string_view bytes, segment_header const& of) {
        if (bytes.size() < header_size + 8 || bytes.substr(0, magic.size()) != magic) return std::nullopt;
        auto const count = std::size_t{get<std::uint32_t>(bytes, 12)};
        auto const fields = of.time_fields.size();
        if (get<std::uint32_t>(bytes, 8) != static_cast<std::uint32_t>(log_format_version)
            || get<std::uint64_t>(bytes, 16) != of.seed() || get<std::uint64_t>(bytes, 48) != fields
            || bytes.size() != header_size + count * (sizeof(index_entry) + fields * sizeof(time_range)) + 8
            || get<std::uint64_t>(bytes, bytes.size() - 8) != xxh3_64(bytes.data(), bytes.size() - 8, of.seed())) {
            return std::nullopt;
        }
        segment_index out{fields, get<std::uint64_t>(bytes, 32), get<std::uint64_t>(bytes, 40)};
        out.entries_.resize(count);
        out.ranges_.resize(count * fields);
        auto const* at = bytes.data() + header_size;
        if (count != 0) std::memcpy(out.entries_.data(), at, count * sizeof(index_entry));
        at += count * sizeof(index_entry);
        if (!out.ranges_.empty()) std::memcpy(out.ranges_.data(), at, out.ranges_.size() * sizeof(time_range));
        for (auto const& each : out.entries_) {
            if (each.position >= out.end_position_ || each.first_offset > out.end_offset_) return std::nullopt;
        }
        return out;
    }
    friend bool operator==(segment_index const& a, segment_index const& b) {
        return a.fields_ == b.fields_ && a.end_offset_ == b.end_offset_ && a.end_position_ == b.end_position_
            && as_bytes(a.entries_.data(), a.entries_.size()) == as_bytes(b.entries_.data(), b.entries_.size())
            && a.ranges_ == b.ranges_;
    }
};
}  // namespace driftless::inline v0::detail
#endif
