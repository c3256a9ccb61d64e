// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_BLOCK_HPP
#define DRIFTLESS_LOG_DETAIL_BLOCK_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/log/detail/format.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace driftless::inline v0::detail {

/// What stands at a place where a block may begin.
enum class block_state : std::uint8_t {
    whole,
    cut,  // the bytes end inside it
    bad,  // not a block of this segment, or damaged
};

/// A block in memory whose header has been checked, borrowed; its parts are checked one by one.
class block_view {
    char const* bytes_ = nullptr;
    std::uint64_t seed_ = 0;
    std::uint32_t time_fields_ = 0;
    block_header header_{};

public:
    block_view() = default;

    /// Looks for a block at the start of `available`. Never reads further, whatever stands there.
    ///
    /// wanted      the number of bytes that would be needed to say more; at most max_block_size
    static block_state find(std::string_view available, std::uint64_t seed, std::size_t time_fields, block_view& out,
        std::size_t& wanted) {
        wanted = sizeof(block_header);
        if (available.size() < sizeof(block_header)) return block_state::cut;
        block_header header;
        std::memcpy(&header, available.data(), sizeof header);
        if (header.magic != block_header::expected_magic) return block_state::bad;
        if (header.header_size != block_header_size(time_fields, header.parts)) return block_state::bad;
        if (header.size % alignment_on_disk != 0 || header.size < header.header_size || header.size > max_block_size) {
            return block_state::bad;
        }
        wanted = header.header_size;
        if (available.size() < header.header_size) return block_state::cut;
        auto const* const bytes = available.data();  // header_size of them at least
        if (header_checksum(bytes, header, seed) != header.checksum) return block_state::bad;
        out.bytes_ = bytes;
        out.seed_ = seed;
        out.time_fields_ = static_cast<std::uint32_t>(time_fields);
        out.header_ = header;
        if (!out.is_sound()) return block_state::bad;
        wanted = header.size;
        return available.size() < header.size ? block_state::cut : block_state::whole;
    }

    [[nodiscard]] block_header const& header() const noexcept { return header_; }
    [[nodiscard]] char const* bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t end_offset() const noexcept { return header_.first_offset + header_.offset_span; }
    /// Some of its offsets have no record any more.
    [[nodiscard]] bool is_sparse() const noexcept { return header_.offset_span != header_.records; }
    [[nodiscard]] std::size_t time_fields() const noexcept { return time_fields_; }
    /// The bounds of the time field at that place of segment_header::time_fields.
    [[nodiscard]] time_range range(std::size_t place) const noexcept {
        time_range out;
        std::memcpy(&out, bytes_ + sizeof(block_header) + place * sizeof(time_range), sizeof out);
        return out;
    }
    [[nodiscard]] block_part part(std::size_t index) const noexcept {
        block_part out;
        auto const at = sizeof(block_header) + time_fields_ * sizeof(time_range) + index * sizeof(block_part);
        std::memcpy(&out, bytes_ + at, sizeof out);
        return out;
    }
    /// The bytes of a part as they are on disk, zeroes behind it left out.
    [[nodiscard]] std::string_view part_bytes(block_part const& of) const noexcept {
        return {bytes_ + of.position, of.size};
    }
    /// What the checksum of a part is made of.
    [[nodiscard]] std::uint64_t part_checksum(std::size_t index) const noexcept {
        auto const from = part(index).position;
        std::uint32_t const to = index + 1 < header_.parts ? part(index + 1).position : header_.size;
        return xxh3_64(bytes_ + from, to - from, seed_);
    }
    [[nodiscard]] bool is_intact(std::size_t index) const noexcept {
        return part_checksum(index) == part(index).checksum;
    }
    [[nodiscard]] bool is_intact() const noexcept {
        for (std::size_t i = 0; i < header_.parts; ++i) {
            if (!is_intact(i)) return false;
        }
        return true;
    }
    /// Errors      corrupt, with both checksums, if a part is not what was written; unsupported for a packing of a
    ///             later format.
    void require_intact(std::size_t index, std::string const& path, std::uint64_t position) const {
        if (!is_intact(index)) damaged(index, path, position);
    }

    /// The checksum that belongs into the header at `bytes`.
    static std::uint64_t header_checksum(char const* bytes, block_header const& header, std::uint64_t seed) noexcept {
        return xxh3_64(bytes + sizeof header.checksum, header.header_size - sizeof header.checksum, seed);
    }

private:
    /// A header with the right checksum was written by some driftless, or by someone who wants us to read elsewhere.
    [[nodiscard]] bool is_sound() const noexcept {
        std::uint32_t at = header_.header_size;
        for (std::size_t i = 0; i < header_.parts; ++i) {
            auto const each = part(i);
            if (each.position % alignment_on_disk != 0 || each.position < at || each.position > header_.size
                || each.size > header_.size - each.position || each.unpacked > max_block_size) {
                return false;
            }
            if (i == 0 && each.position != header_.header_size) return false;
            at = each.position + each.size;
        }
        if (header_.parts == 0 && header_.size != header_.header_size) return false;
        return header_.offset_span >= header_.records && end_offset() >= header_.first_offset;
    }
    [[noreturn]] DRIFTLESS_NOINLINE void damaged(std::size_t index, std::string const& path,
        std::uint64_t position) const {
        throw_corrupt("the block with offset " + std::to_string(header_.first_offset) + " is damaged", path,
            part(index).checksum, part_checksum(index), position + part(index).position);
    }
};

/// Puts the header, its tables and all checksums in front of parts that are in place.
///
/// bytes       header.size of them; what is not written here or part of a part is zero
DRIFTLESS_NOINLINE inline void seal_block(char* bytes, block_header header, time_range const* ranges,
    std::size_t time_fields, block_part const* parts, std::uint64_t seed) {
    header.magic = block_header::expected_magic;
    header.header_size = static_cast<std::uint16_t>(block_header_size(time_fields, header.parts));
    char* at = bytes + sizeof header;
    if (time_fields != 0) std::memcpy(at, ranges, time_fields * sizeof *ranges);
    at += time_fields * sizeof *ranges;
    for (std::size_t i = 0; i < header.parts; ++i) {
        block_part each = parts[i];
        std::uint32_t const to = i + 1U < header.parts ? parts[i + 1].position : header.size;
        each.checksum = xxh3_64(bytes + each.position, to - each.position, seed);
        std::memcpy(at, &each, sizeof each);
        at += sizeof each;
    }
    std::fill(at, bytes + header.header_size, '\0');
    std::memcpy(bytes, &header, sizeof header);
    header.checksum = block_view::header_checksum(bytes, header, seed);
    std::memcpy(bytes, &header.checksum, sizeof header.checksum);
}
}  // namespace driftless::inline v0::detail
#endif
