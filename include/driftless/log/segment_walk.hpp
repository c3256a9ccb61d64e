// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_SEGMENT_WALK_HPP
#define DRIFTLESS_LOG_SEGMENT_WALK_HPP

#include <driftless/file/file_system.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/segment.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace driftless::inline v0 {

/// What a walk over the blocks of a segment comes by.
struct segment_step {
    enum class kind : std::uint8_t {
        block,    ///< a block whose header is intact; whether its parts are, block.is_intact() tells
        damaged,  ///< bytes where no block begins, up to the next one or the end of the file
        cut,      ///< the start of a block; the file ends inside it
    };
    kind what;
    std::uint64_t position;    ///< in the file
    std::uint64_t size;        ///< in bytes
    detail::block_view block;  ///< of a block or a cut one; borrowed until the next step
};

/// Calls f(segment_step const&) for everything from `position` to the end of the file, without a gap, whatever is in
/// it. f returns false to stop.
///
/// Errors      io.
/// Complexity  O(bytes).
template <class F>
void walk_segment(file& of, detail::segment_header const& header, std::uint64_t position, F&& f) {
    detail::file_window window{of};
    auto const seed = header.seed();
    auto const fields = header.time_fields.size();
    auto const end = of.size();
    while (position < end) {
        segment_step step{segment_step::kind::block, position, 0, {}};
        auto const state = window.find(position, seed, fields, step.block);
        if (state == detail::block_state::whole) {
            step.size = step.block.header().size;
        } else if (state == detail::block_state::cut) {
            step.what = segment_step::kind::cut;
            step.size = end - position;
        } else {
            step.what = segment_step::kind::damaged;
            auto at = position + detail::alignment_on_disk;
            for (; at < end; at += detail::alignment_on_disk) {
                auto const there = window.at(at, sizeof(detail::block_header));
                if (there.size() < sizeof(detail::block_header)) continue;
                auto const magic = detail::get<std::uint32_t>(there, offsetof(detail::block_header, magic));
                if (magic != detail::block_header::expected_magic) continue;
                detail::block_view next;
                if (window.find(at, seed, fields, next) == detail::block_state::whole) break;
            }
            step.size = std::min(at, end) - position;
        }
        if (!f(static_cast<segment_step const&>(step))) return;
        position += step.size;
    }
}

/// The checksum that the header of a block at `position` has, and the one that its bytes give, as far as they are
/// there.
struct header_checksums {
    std::uint64_t stored = 0;
    std::uint64_t computed = 0;
};
inline header_checksums checksums_at(file& of, detail::segment_header const& header, std::uint64_t position) {
    detail::file_window window{of};
    auto const there = window.at(position, 65536);
    if (there.size() < sizeof(detail::block_header)) return {};
    detail::block_header found;
    std::memcpy(&found, there.data(), sizeof found);
    auto const size = std::clamp<std::size_t>(found.header_size, sizeof found, there.size());
    return {found.checksum,
        xxh3_64(there.data() + sizeof found.checksum, size - sizeof found.checksum, header.seed())};
}
}  // namespace driftless::inline v0
#endif
