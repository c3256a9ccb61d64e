// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SEGMENT_LIST_HPP
#define DRIFTLESS_LOG_DETAIL_SEGMENT_LIST_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/segment.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The segments of one partition, in order; each is opened when somebody first wants it.
///
/// Threads     Any number.
class segment_list {
    struct entry {
        std::uint64_t base;
        std::shared_ptr<segment> opened;
    };

    file_system& files_;
    std::string folder_;
    log_id id_;
    std::uint32_t partition_;
    mutable std::mutex mutex_;
    std::vector<entry> entries_;

public:
    segment_list(file_system& files, std::string folder, log_id id, std::uint32_t partition)
        : files_(files), folder_(std::move(folder)), id_(id), partition_(partition) {}

    [[nodiscard]] std::string const& folder() const noexcept { return folder_; }
    [[nodiscard]] std::string path_of(std::uint64_t base) const {
        return folder_ + "/" + segment_name(base) + std::string{segment_ending};
    }
    [[nodiscard]] std::string index_path_of(std::uint64_t base) const {
        return folder_ + "/" + segment_name(base) + std::string{index_ending};
    }

    /// Looks for segments that others have made or removed.
    void refresh() {
        auto const names = files_.list(folder_);
        std::lock_guard const lock{mutex_};
        std::vector<entry> found;
        for (auto const& each : names) {
            auto const base = base_of(each.name, segment_ending);
            if (!base || each.folder) continue;
            auto const known = place(*base);
            bool const had = known < entries_.size() && entries_[known].base == *base;
            found.push_back({*base, had ? entries_[known].opened : nullptr});
        }
        entries_ = std::move(found);
    }
    [[nodiscard]] std::size_t size() const {
        std::lock_guard const lock{mutex_};
        return entries_.size();
    }
    [[nodiscard]] std::vector<std::uint64_t> bases() const {
        std::lock_guard const lock{mutex_};
        std::vector<std::uint64_t> out;
        for (auto const& each : entries_) out.push_back(each.base);
        return out;
    }
    /// The segment that begins at `base`, opened; null if it is not there any more.
    ///
    /// Errors      corrupt or mismatch if the file is not what its place says.
    [[nodiscard]] std::shared_ptr<segment> at_base(std::uint64_t base) {
        {
            std::lock_guard const lock{mutex_};
            auto const at = place(base);
            if (at == entries_.size() || entries_[at].base != base) return nullptr;
            if (entries_[at].opened) return entries_[at].opened;
        }
        auto file = files_.open(path_of(base), open_mode::read);
        if (!file) return nullptr;
        auto header = read_segment_header(*file);
        require_ours(header, base, file->path());
        auto opened = std::make_shared<segment>(std::move(file), std::move(header));
        std::lock_guard const lock{mutex_};
        auto const at = place(base);
        if (at == entries_.size() || entries_[at].base != base) return opened;
        if (!entries_[at].opened) entries_[at].opened = std::move(opened);
        return entries_[at].opened;
    }
    /// The base of the segment that an offset falls into, and whether it is the last one.
    struct location {
        std::uint64_t base = 0;
        std::uint64_t next_base = 0;  // of the segment behind it
        bool found = false;
        bool last = false;
    };
    [[nodiscard]] location locate(std::uint64_t offset) const {
        std::lock_guard const lock{mutex_};
        auto at = place(offset);
        if (at == entries_.size() || entries_[at].base != offset) {
            if (at == 0) return {};
            --at;
        }
        bool const last = at + 1 == entries_.size();
        return {entries_[at].base, last ? 0 : entries_[at + 1].base, true, last};
    }
    void add(std::shared_ptr<segment> made) {
        std::lock_guard const lock{mutex_};
        auto const base = made->base();
        if (auto const at = place(base); at < entries_.size() && entries_[at].base == base) {
            entries_[at].opened = std::move(made);
            return;
        }
        entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(place(base)), {base, std::move(made)});
    }
    void forget(std::uint64_t base) {
        std::lock_guard const lock{mutex_};
        auto const at = place(base);
        if (at < entries_.size() && entries_[at].base == base) {
            entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }

    /// A block of a segment that nobody writes any more, or of which `base` is known to be complete up to the offset.
    ///
    /// Errors      not_there if retention has removed it; corrupt.
    [[nodiscard]] stored_block read(std::uint64_t offset) {
        auto const where = locate(offset);
        auto const found = where.found ? at_base(where.base) : nullptr;
        if (!found) {
            throw error{error_code::not_there,
                "the record is not in the log any more: retention or trim has removed it", folder_, offset};
        }
        if (!where.last && !found->is_sealed() && !found->open_sealed(files_)) {
            // Its writer died before it could seal it; the next one has gone on in another file.
            auto const end = found->scan(true);
            if (found->end_offset() < where.next_base) found->throw_damaged(end.position, found->end_offset());
        }
        if (offset >= found->end_offset()) {
            throw error{
                error_code::corrupt, "a part of the log is missing: no segment holds this offset", folder_, offset};
        }
        return found->block_with(offset);
    }

private:
    [[nodiscard]] std::size_t place(std::uint64_t base) const noexcept {
        auto const at = std::lower_bound(entries_.begin(), entries_.end(), base,
            [](entry const& a, std::uint64_t b) { return a.base < b; });
        return static_cast<std::size_t>(at - entries_.begin());
    }
    void require_ours(segment_header const& header, std::uint64_t base, std::string const& path) const {
        if (header.id == id_ && header.partition == partition_ && header.base == base) return;
        throw error{error_code::mismatch,
            "the segment belongs elsewhere: to log " + to_string(header.id) + ", partition "
                + std::to_string(header.partition) + ", offset " + std::to_string(header.base) + "; this is log "
                + to_string(id_) + ", partition " + std::to_string(partition_) + ": move it away",
            path};
    }
};
}  // namespace driftless::inline v0::detail
#endif
