// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_RECOVERY_HPP
#define DRIFTLESS_LOG_DETAIL_RECOVERY_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace driftless::inline v0::detail {

/// What a writer would do to a partition whose last writer did not close it.
///
/// What was promised decides: the tail is cut back to the last whole block, unless some later block says that what is
/// missing had been synced; then it is damage, which is never cut away silently.
struct recovery_plan {
    std::shared_ptr<segment> active;  // the last segment that stays; null if none does
    std::optional<std::uint64_t> cut;       // its file ends here from now on
    std::vector<std::uint64_t> remove;      // bases of segments behind it, the last one first
    std::vector<std::shared_ptr<segment>> to_sync;  // what nobody has promised yet, but stays
    bool closed = false;                    // nothing to do
};

/// True if a file that should begin with a header of a segment holds blocks that were promised to be durable.
inline bool holds_promises(file& of, std::uint64_t base) {
    file_window window{of};
    for (std::uint64_t at = 0;; at += alignment_on_disk) {
        auto const there = window.at(at, sizeof(block_header));
        if (there.size() < sizeof(block_header)) return false;
        block_header header;
        std::memcpy(&header, there.data(), sizeof header);
        if (header.magic == block_header::expected_magic && header.durable_offset > base) return true;
    }
}

/// The end that the index file gives, which was written when everything before was durable; 0 if there is none.
inline std::uint64_t indexed_end(segment_list const& segments, segment const& of, file_system& files) {
    auto const bytes = read_whole_file(segments.index_path_of(of.base()), files);
    auto const index = bytes ? segment_index::decode(*bytes, of.header()) : std::nullopt;
    return index ? index->end_offset() : 0;
}

/// Reads only.
///
/// Errors      corrupt where something that was promised is missing or damaged.
inline recovery_plan plan_recovery(segment_list& segments, file_system& files) {
    segments.require_complete();
    recovery_plan plan;
    auto const bases = segments.bases();
    struct looked {
        std::shared_ptr<segment> at;
        segment::scan_end end;
    };
    std::vector<looked> backwards;
    std::uint64_t claim = 0;
    for (auto i = bases.size(); i-- > 0;) {
        std::shared_ptr<segment> found;
        try {
            found = segments.at_base(bases[i]);
        } catch (error const& problem) {
            if (problem.code() != error_code::corrupt || i + 1 != bases.size()) throw;
            // The writer died while it made the file, unless there are promises in it.
            auto const file = files.open(segments.path_of(bases[i]), open_mode::read);
            if (file && holds_promises(*file, bases[i])) throw;
        }
        if (!found) {
            plan.remove.push_back(bases[i]);
            continue;
        }
        if (i + 1 == bases.size() && found->ends_closed() && found->open_sealed(files)) {
            plan.active = std::move(found);
            plan.closed = true;
            return plan;
        }
        // Whatever an index file says, this is what is there.
        auto const end = found->scan_from_start();
        claim = std::max({claim, found->durable_claim(), indexed_end(segments, *found, files)});
        backwards.push_back({std::move(found), end});
        if (claim >= bases[i]) break;
    }
    for (auto i = backwards.size(); i-- > 0;) {
        auto& each = backwards[i];
        auto const end = each.at->end_offset();
        bool const last = i == 0;
        bool const complete = each.end.state == block_state::whole
            && (last || end == backwards[i - 1].at->base());
        plan.active = each.at;
        plan.to_sync.push_back(each.at);
        if (complete && !(last && claim > end)) continue;
        if (std::max(claim, each.at->claim_behind(each.end.position)) > end) {
            // For a reader, a writer may have gone on meanwhile.
            each.end = each.at->scan(true);
            if (each.at->end_offset() == end) each.at->throw_damaged(each.end.position, end);
            ++i;
            plan.to_sync.pop_back();
            continue;
        }
        plan.cut = each.at->end_position();
        for (std::size_t j = 0; j < i; ++j) plan.remove.push_back(backwards[j].at->base());
        break;
    }
    return plan;
}

/// Does it: afterwards the partition ends with a whole block, and all of it is durable.
inline void recover(recovery_plan const& plan, segment_list& segments, file_system& files) {
    if (plan.closed) return;
    for (auto const base : plan.remove) {  // from the end, so that no gap is left if this is interrupted
        // An index without a segment would mean that one is missing.
        if (files.remove(segments.index_path_of(base))) files.sync_folder(segments.folder());
        files.remove(segments.path_of(base));
        segments.forget(base);
    }
    for (auto const& each : plan.to_sync) {
        auto const file = files.open(each->path(), open_mode::write);
        if (!file) throw error{error_code::not_there, "a segment vanished while the log was opened", each->path()};
        if (each == plan.active && plan.cut && *plan.cut < file->size()) file->truncate(*plan.cut);
        file->sync();
    }
    files.sync_folder(segments.folder());
}
}  // namespace driftless::inline v0::detail
#endif
