// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_STORED_BLOCK_HPP
#define DRIFTLESS_LOG_DETAIL_STORED_BLOCK_HPP

#include <driftless/codec/varint.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/log/compressor.hpp>
#include <driftless/log/detail/aligned_bytes.hpp>
#include <driftless/log/detail/block.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0::detail {

/// A block as it came from a file, with what keeps its bytes in memory and what an error about it says.
struct stored_block {
    block_view raw;
    std::shared_ptr<void const> keep;
    std::shared_ptr<std::string const> path;
    std::uint64_t position = 0;  // in the file

    [[noreturn]] DRIFTLESS_NOINLINE void malformed(std::string const& what) const {
        throw error{error_code::malformed,
            what + ", in the block at byte " + std::to_string(position)
                + ": its checksum fits, so it was written so; `driftless-log repair` can leave it out",
            *path,
            raw.header().first_offset};
    }
    /// The bytes of a part, checked and decompressed; `room` keeps them where they are not those of the file.
    ///
    /// Errors      corrupt, malformed, or unsupported where the compressor is not there.
    [[nodiscard]] std::string_view load(std::size_t index, aligned_bytes& room) const {
        if (index >= raw.header().parts) malformed("a part of the records is missing");
        raw.require_intact(index, *path, position);
        auto const part = raw.part(index);
        auto const bytes = raw.part_bytes(part);
        if (part.compressed == compression::none) return bytes;
        auto const by = static_cast<std::size_t>(part.compressed);
        if (by >= std::size(compressors) || compressors[by] == nullptr) {
            throw error{error_code::unsupported,
                by == static_cast<std::size_t>(compression::lz4)
                    ? "the records are compressed with lz4: include <driftless/adapt/lz4.hpp> to read them"
                    : by == static_cast<std::size_t>(compression::zstd)
                    ? "the records are compressed with zstd: include <driftless/adapt/zstd.hpp> to read them"
                    : "the records are compressed in a way that this build does not know: use a newer driftless",
                *path, raw.header().first_offset};
        }
        room.reserve(part.unpacked, 0);
        if (!compressors[by]->unpack(room.data(), part.unpacked, bytes.data(), bytes.size())) {
            malformed("compressed bytes do not decompress");
        }
        return {room.data(), part.unpacked};
    }
    /// Of a sparse block: for each record its offset less the first one of the block.
    ///
    /// Errors      Those of load.
    [[nodiscard]] std::shared_ptr<std::vector<std::uint32_t> const> places() const {
        auto const& header = raw.header();
        auto out = std::make_shared<std::vector<std::uint32_t>>(header.records);
        if (header.records == 0) return out;
        if (header.parts == 0 || raw.part(header.parts - 1U).how != packing::places) {
            malformed("it has " + std::to_string(header.records) + " records for "
                + std::to_string(header.offset_span) + " offsets, and does not say which");
        }
        aligned_bytes room;
        auto const bytes = load(header.parts - 1U, room);
        if (bytes.size() != out->size() * sizeof(std::uint32_t)) malformed("the places of its records are wrong");
        std::memcpy(out->data(), bytes.data(), bytes.size());
        for (std::size_t i = 0; i < out->size(); ++i) {
            if ((*out)[i] >= header.offset_span || (i != 0 && (*out)[i] <= (*out)[i - 1])) {
                malformed("the places of its records are wrong");
            }
        }
        return out;
    }
};

/// Differences of neighbours as zigzag varints, appended to `out`.
template <class Unsigned>
void pack_deltas(char const* values, std::size_t count, std::string& out) {
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < count; ++i) {
        Unsigned value;
        std::memcpy(&value, values + i * sizeof value, sizeof value);
        // Wrapped to the width, then taken as signed: a small step down is a small number as well.
        auto const step = static_cast<Unsigned>(value - static_cast<Unsigned>(before));
        char bytes[max_varint_size];
        auto const as_signed = static_cast<std::make_signed_t<Unsigned>>(step);
        out.append(bytes, static_cast<std::size_t>(write_varint(bytes, zigzag(as_signed)) - bytes));
        before = value;
    }
}
/// The inverse; false if the bytes are anything else than `count` values.
template <class Unsigned>
bool unpack_deltas(std::string_view bytes, std::size_t count, char* values) {
    auto const* at = bytes.data();
    auto const* const end = at + bytes.size();
    Unsigned value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t step = 0;
        if (at != end && static_cast<unsigned char>(*at) < 0x80) {
            step = static_cast<unsigned char>(*at++);
        } else {
            at = read_varint(at, end, step);
            if (at == nullptr) return false;
        }
        value = static_cast<Unsigned>(value + static_cast<Unsigned>(unzigzag(step)));
        std::memcpy(values + i * sizeof value, &value, sizeof value);
    }
    return at == end;
}
}  // namespace driftless::inline v0::detail
#endif
