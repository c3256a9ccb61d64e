// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_FORMAT_HPP
#define DRIFTLESS_LOG_DETAIL_FORMAT_HPP

// The bytes of a log on disk, format 1: docs/log_format.md, pinned by tests/log/golden. Numbers are little-endian.
// Changing anything here makes a new format number, and old files keep opening.

#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/version.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// The random number that tells one log from every other.
struct log_id {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend bool operator==(log_id const&, log_id const&) = default;
};

/// The 32 hexadecimal digits of an id.
inline std::string to_string(log_id const& id) {
    std::string out;
    for (auto const half : {id.high, id.low}) {
        for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[half >> shift & 15];
    }
    return out;
}

namespace detail {
static_assert(std::endian::native == std::endian::little,
    "driftless: file logs hand out records as they lie on the disk, in little-endian order");

enum class layout_kind : std::uint8_t {
    rows = 0,     // records of one size, as they lie in memory
    packed = 1,   // a table of ends, then records by the codec
    columns = 2,  // one part for each member
};
enum class block_kind : std::uint8_t {
    records = 0,
    seal = 1,       // the end of a segment
    commit = 2,     // kept for transactions that are decided later than their blocks are written
    producers = 3,  // what producers have sent so far; behind the header of a segment
};
/// How the bytes of a part were written.
enum class packing : std::uint8_t {
    plain = 0,
    delta = 1,  // differences of integers, zigzag varints
    ends = 2,   // of a column: where each value ends, u32, then the values by the codec
    places = 3,  // the last part of a block that lacks offsets: of each record, u32, its offset less the first one
};
enum class compression : std::uint8_t {
    none = 0,
    lz4 = 1,
    zstd = 2,
};

/// Bits of block_header::flags.
namespace block_flag {
inline constexpr std::uint16_t closed = 1;       // of a seal: the log was closed; else the segment was full
inline constexpr std::uint16_t transaction = 2;  // of records: visible only with the block behind it
inline constexpr std::uint16_t known = 3;        // all of them: others belong to later formats
}  // namespace block_flag

inline constexpr std::size_t alignment_on_disk = 64;
inline constexpr std::size_t max_block_size = std::size_t{1} << 30;
constexpr std::size_t aligned_on_disk(std::size_t size) noexcept {
    return (size + alignment_on_disk - 1) / alignment_on_disk * alignment_on_disk;
}

/// The fixed start of every block, as it lies on the disk. Behind it: time_range per event-time field, block_part per
/// part, zeroes up to header_size (a multiple of 64), then the parts, each on a multiple of 64.
struct block_header {
    std::uint64_t checksum;  // XXH3-64 of the other header_size - 8 bytes, seeded with the segment's seed
    std::uint32_t magic;
    std::uint32_t size;  // of the block, a multiple of 64
    std::uint16_t header_size;
    block_kind kind;
    layout_kind layout;
    std::uint16_t parts;
    std::uint16_t flags;
    std::uint32_t records;
    std::uint32_t offset_span;  // = records, or more where the log was compacted by key
    std::uint64_t first_offset;
    std::int64_t append_time;  // ns; never less than that of the block before
    std::uint64_t durable_offset;  // what had been synced when the block was made
    std::uint64_t epoch;  // counts the writers that opened the log
    std::uint64_t producer;  // 0: nobody who numbers; of a seal: how many there are
    std::uint64_t sequence;  // of the first record, by that producer
    std::uint64_t transaction;  // 0: none; the same in all blocks of one
    std::uint64_t cipher_key;  // 0: not encrypted

    static constexpr std::uint32_t expected_magic = 0x4b4c4244;  // DBLK
};
static_assert(sizeof(block_header) == 96 && std::is_trivially_copyable_v<block_header>);

struct time_range {
    std::int64_t least = event_time::max().ns();
    std::int64_t greatest = event_time::min().ns();

    void widen(std::int64_t at) noexcept {
        if (at < least) least = at;
        if (at > greatest) greatest = at;
    }
    void widen(time_range const& other) noexcept {
        if (other.least < least) least = other.least;
        if (other.greatest > greatest) greatest = other.greatest;
    }
    friend bool operator==(time_range const&, time_range const&) = default;
};
static_assert(sizeof(time_range) == 16);

struct block_part {
    std::uint64_t checksum;  // XXH3-64 from `position` to the next part or the end of the block, seeded
    std::uint32_t position;  // in the block
    std::uint32_t size;      // on disk, without the zeroes behind it
    std::uint32_t unpacked;  // decompressed, still packed as `how` says
    packing how;
    compression compressed;
    std::uint16_t zero;
};
static_assert(sizeof(block_part) == 24);

constexpr std::size_t block_header_size(std::size_t time_fields, std::size_t parts) noexcept {
    return aligned_on_disk(sizeof(block_header) + time_fields * sizeof(time_range) + parts * sizeof(block_part));
}

/// The start of a segment file: what everything behind it is to be read with.
struct segment_header {
    log_id id;
    std::uint64_t base = 0;     // offset of the first record
    std::int64_t created = 0;   // ns
    std::uint64_t epoch = 0;
    std::uint32_t partition = 0;
    std::uint32_t record_size = 0;  // of rows; else 0
    layout_kind layout = layout_kind::rows;
    std::vector<std::uint16_t> time_fields;  // members whose least and greatest value blocks keep
    std::string schema;

    /// Mixed into all checksums of the segment: blocks that a recycled file still holds never fit.
    [[nodiscard]] std::uint64_t seed() const noexcept {
        std::uint64_t const parts[] = {id.high, id.low, base, static_cast<std::uint64_t>(created), epoch, partition};
        return xxh3_64(parts, sizeof parts);
    }
    friend bool operator==(segment_header const&, segment_header const&) = default;
};

inline constexpr std::string_view segment_magic = "DRFTSEG\x01";
inline constexpr std::size_t segment_header_start = 72;  // the fixed part
inline constexpr std::size_t max_segment_header = std::size_t{1} << 24;

template <class Unsigned>
void put(std::string& out, Unsigned value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof value);
}
template <class Unsigned>
Unsigned get(std::string_view bytes, std::size_t at) noexcept {
    Unsigned value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

inline std::string hex(std::uint64_t value) {
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[value >> shift & 15];
    return out;
}
[[noreturn]] inline void throw_corrupt(std::string const& what, std::string const& path, std::uint64_t stored,
    std::uint64_t computed, std::uint64_t position) {
    throw error{error_code::corrupt,
        what + ": the checksum on disk is " + hex(stored) + ", that of the bytes is " + hex(computed)
            + ", at byte " + std::to_string(position) + "; `driftless-log repair` says what can be saved",
        path};
}

inline std::string encode(segment_header const& header) {
    std::string out{segment_magic};
    auto const unpadded =
        segment_header_start + header.schema.size() + 2 * header.time_fields.size() + sizeof(std::uint64_t);
    auto const size = aligned_on_disk(unpadded);
    put(out, std::uint32_t{log_format_version});
    put(out, static_cast<std::uint32_t>(size));
    put(out, header.id.high);
    put(out, header.id.low);
    put(out, header.base);
    put(out, header.created);
    put(out, header.epoch);
    put(out, header.partition);
    put(out, header.record_size);
    put(out, static_cast<std::uint32_t>(header.schema.size()));
    put(out, static_cast<std::uint16_t>(header.time_fields.size()));
    put(out, header.layout);
    put(out, std::uint8_t{0});
    for (auto const field : header.time_fields) put(out, field);
    out += header.schema;
    out.resize(size - sizeof(std::uint64_t));
    put(out, xxh3_64(out.data(), out.size()));
    return out;
}

/// The size of the header that starts with these bytes, at least segment_header_start of them.
///
/// Errors      driftless::error: corrupt if it is no segment, unsupported if a later format wrote it.
inline std::size_t segment_header_size(std::string_view start, std::string const& path) {
    if (start.size() < segment_header_start || start.substr(0, segment_magic.size()) != segment_magic) {
        throw error{error_code::corrupt,
            "this is no segment of a driftless log, or its first bytes are damaged: move the file away if it does not "
            "belong here",
            path};
    }
    auto const format = get<std::uint32_t>(start, 8);
    if (format == 0 || format > static_cast<std::uint32_t>(log_format_version)) {
        throw error{error_code::unsupported,
            "the segment has format " + std::to_string(format) + ", this build reads formats up to "
                + std::to_string(log_format_version) + ": use a newer driftless, unless the file is damaged",
            path};
    }
    auto const size = get<std::uint32_t>(start, 12);
    if (size % alignment_on_disk != 0 || size < segment_header_start || size > max_segment_header) {
        throw error{error_code::corrupt,
            "the header of the segment is damaged: it gives its size as " + std::to_string(size), path};
    }
    return size;
}

/// Reads a whole header.
///
/// Errors      As segment_header_size; corrupt if its checksum does not fit.
inline segment_header decode_segment_header(std::string_view bytes, std::string const& path) {
    auto const size = segment_header_size(bytes, path);
    if (bytes.size() < size) throw error{error_code::corrupt, "the file ends inside the header of the segment", path};
    auto const stored = get<std::uint64_t>(bytes, size - 8);
    auto const computed = xxh3_64(bytes.data(), size - 8);
    if (stored != computed) throw_corrupt("the header of the segment is damaged", path, stored, computed, 0);
    segment_header out;
    out.id = {get<std::uint64_t>(bytes, 16), get<std::uint64_t>(bytes, 24)};
    out.base = get<std::uint64_t>(bytes, 32);
    out.created = get<std::int64_t>(bytes, 40);
    out.epoch = get<std::uint64_t>(bytes, 48);
    out.partition = get<std::uint32_t>(bytes, 56);
    out.record_size = get<std::uint32_t>(bytes, 60);
    std::size_t const schema = get<std::uint32_t>(bytes, 64);
    std::size_t const fields = get<std::uint16_t>(bytes, 68);
    out.layout = get<layout_kind>(bytes, 70);
    if (out.layout > layout_kind::columns) {
        throw error{error_code::unsupported, "the segment has a layout that this build does not know", path};
    }
    // The checksum fits, so this was written so: by a program that is not this one.
    if (segment_header_start + 2 * fields + schema + 8 > size) {
        throw error{error_code::malformed, "the header of the segment is too short for its schema", path};
    }
    for (std::size_t i = 0; i < fields; ++i) {
        out.time_fields.push_back(get<std::uint16_t>(bytes, segment_header_start + 2 * i));
    }
    out.schema = bytes.substr(segment_header_start + 2 * fields, schema);
    return out;
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
