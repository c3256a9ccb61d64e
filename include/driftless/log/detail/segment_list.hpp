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

/// The segments of one partition, in order; each is opened when somebody wants it, and the ones not wanted for longest
/// are closed again, unless somebody holds them.
///
/// An open segment is locked, shared: its file is not used for other records meanwhile.
///
/// Threads     Any number.
class segment_list {
    static constexpr std::size_t opened_at_most = 64;

    struct entry {
        std::uint64_t base;
        std::shared_ptr<segment> opened;
        std::uint64_t wanted = 0;  // when, counted
    };

    file_system& files_;
    std::string folder_;
    log_id id_;
    std::uint32_t partition_;
    mutable std::mutex mutex_;
    std::vector<entry> entries_;
    std::vector<std::uint64_t> indexes_;  // the bases of the index files
    bool mends_ = false;
    struct index_file {
        std::uint64_t base;
        std::string bytes;
    };
    std::vector<index_file> to_write_;  // index files that were of no use, as they should be
    std::size_t opened_ = 0;
    std::uint64_t wanted_ = 0;

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
        indexes_.clear();
        opened_ = 0;
        for (auto const& each : names) {
            if (each.folder) continue;
            if (auto const of = base_of(each.name, index_ending)) indexes_.push_back(*of);
            auto const base = base_of(each.name, segment_ending);
            if (!base) continue;
            auto const known = place(*base);
            bool const had = known < entries_.size() && entries_[known].base == *base;
            found.push_back(had ? std::move(entries_[known]) : entry{*base, nullptr});
            if (found.back().opened) ++opened_;
        }
        entries_ = std::move(found);
    }
    /// From now on it remembers what index files should be that turn out to be of no use. Those that are missing come
    /// first, each by write(base, bytes); what is damaged itself is left to whoever reads it.
    template <class F>
    void begin_to_mend(F&& write) {
        std::vector<std::uint64_t> without;
        {
            std::lock_guard const lock{mutex_};
            mends_ = true;
            for (std::size_t i = 0; i + 1 < entries_.size(); ++i) {
                if (!std::binary_search(indexes_.begin(), indexes_.end(), entries_[i].base)) {
                    without.push_back(entries_[i].base);
                }
            }
        }
        for (auto const base : without) {
            try {
                static_cast<void>(complete_at(base));
            } catch (error const& problem) {
                if (problem.code() == error_code::io) throw;
            }
            mend(write);
        }
    }
    [[nodiscard]] bool has_to_mend() const {
        std::lock_guard const lock{mutex_};
        return !to_write_.empty();
    }
    /// Calls write(base, bytes) for them, unless the segments were removed meanwhile.
    template <class F>
    void mend(F&& write) {
        std::vector<index_file> list;
        {
            std::lock_guard const lock{mutex_};
            list.swap(to_write_);
        }
        for (auto const& each : list) {
            if (auto const where = locate(each.base); where.found && where.base == each.base) {
                write(each.base, each.bytes);
            }
        }
    }
    /// Whoever removes a segment removes its index file first.
    ///
    /// Errors      corrupt where an index file was left alone.
    void require_complete() const {
        std::vector<std::uint64_t> alone;
        {
            std::lock_guard const lock{mutex_};
            for (auto const base : indexes_) {
                auto const at = place(base);
                if (at == entries_.size() || entries_[at].base != base) alone.push_back(base);
            }
        }
        for (auto const base : alone) {
            if (files_.exists(path_of(base)) || !files_.exists(index_path_of(base))) continue;
            throw error{error_code::corrupt,
                "a segment is missing, its index file is still there: bring the segment back, or remove the index file "
                "to go on without these records",
                path_of(base)};
        }
    }
    [[nodiscard]] std::vector<std::uint64_t> bases() const {
        std::lock_guard const lock{mutex_};
        std::vector<std::uint64_t> out;
        out.reserve(entries_.size());
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
            entries_[at].wanted = ++wanted_;
            if (entries_[at].opened) return entries_[at].opened;
        }
        auto file = files_.open(path_of(base), open_mode::read);
        if (!file) return nullptr;
        if (!file->try_lock(true)) return nullptr;  // removed, and about to be used again
        auto header = read_segment_header(*file);
        if (header.base != base && !files_.exists(path_of(base))) return nullptr;  // removed, and used again
        require_ours(header, base, file->path());
        auto opened = std::make_shared<segment>(std::move(file), std::move(header));
        std::lock_guard const lock{mutex_};
        auto const at = place(base);
        if (at == entries_.size() || entries_[at].base != base) return opened;
        if (!entries_[at].opened) {
            if (opened_ >= opened_at_most) close_oldest();
            ++opened_;
            entries_[at].opened = std::move(opened);
        }
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
    /// A segment that is not the last one, with all its blocks; null if it is not there any more.
    ///
    /// Errors      corrupt.
    [[nodiscard]] std::shared_ptr<segment> complete_at(std::uint64_t base) {
        auto const where = locate(base);
        auto found = at_base(base);
        if (found) complete(*found, where.last ? where.base : where.next_base);
        return found;
    }
    /// The first offset of the last block that was begun before a time; the first of all if there is none.
    [[nodiscard]] std::uint64_t offset_at(event_time time) {
        auto const all = bases();
        for (auto i = all.size(); i-- > 0;) {
            auto const found = at_base(all[i]);
            if (!found || event_time{found->header().created} >= time) continue;
            complete(*found, i + 1 < all.size() ? all[i + 1] : all[i]);
            if (auto const offset = found->offset_at(time)) return *offset;
        }
        return all.empty() ? 0 : all.front();
    }
    [[nodiscard]] std::uint64_t file_size(std::uint64_t base) {
        auto const file = files_.open(path_of(base), open_mode::read);
        return file ? file->size() : 0;
    }
    void add(std::shared_ptr<segment> made) {
        std::lock_guard const lock{mutex_};
        auto const base = made->base();
        auto const at = place(base);
        if (at == entries_.size() || entries_[at].base != base) {
            entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(at), {base, nullptr});
        }
        if (!entries_[at].opened) ++opened_;
        entries_[at].opened = std::move(made);
        entries_[at].wanted = ++wanted_;
    }
    void forget(std::uint64_t base) {
        std::lock_guard const lock{mutex_};
        auto const at = place(base);
        if (at < entries_.size() && entries_[at].base == base) {
            if (entries_[at].opened) --opened_;
            entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }

    /// The segment that holds an offset: nobody writes it any more, or it is known to be complete up to there.
    ///
    /// Errors      not_there if retention has removed it; corrupt.
    [[nodiscard]] std::shared_ptr<segment> with_offset(std::uint64_t offset) {
        auto const where = locate(offset);
        auto found = where.found ? at_base(where.base) : nullptr;
        if (!found) {
            throw error{error_code::not_there,
                "the record is not in the log any more: retention or trim has removed it", folder_, offset};
        }
        complete(*found, where.last ? where.base : where.next_base);
        if (offset >= found->end_offset()) {
            throw error{
                error_code::corrupt, "a part of the log is missing: no segment holds this offset", folder_, offset};
        }
        return found;
    }
    /// A block, and which of its records is the first at or behind an offset.
    struct found_block {
        std::shared_ptr<segment> in;  // null: none is left from there to the end of the last segment
        stored_block stored;
        std::size_t skip = 0;
        std::shared_ptr<std::vector<std::uint32_t> const> places;  // of a block that lacks offsets
    };
    /// The block with the record at an offset; where it was removed by compaction, with the next one.
    ///
    /// Errors      not_there; corrupt.
    [[nodiscard]] found_block find(std::uint64_t offset) {
        for (;;) {
            found_block out{with_offset(offset), {}, 0, nullptr};
            out.stored = out.in->block_with(offset);
            auto const first = out.stored.raw.header().first_offset;
            auto const below = offset > first ? offset - first : 0;
            out.skip = static_cast<std::size_t>(below);
            if (!out.stored.raw.is_sparse()) return out;
            out.places = out.stored.places();
            auto const at = std::lower_bound(out.places->begin(), out.places->end(), below);
            out.skip = static_cast<std::size_t>(at - out.places->begin());
            if (at != out.places->end()) return out;
            offset = out.stored.raw.end_offset();
            if (offset == out.in->end_offset() && locate(out.in->base()).last) return {};
        }
    }
    /// The block that holds an offset; of a log that was compacted its record, and all of them, may be gone.
    [[nodiscard]] stored_block read(std::uint64_t offset) { return with_offset(offset)->block_with(offset); }
    /// The file of a segment was replaced: it is opened anew by whoever wants it next. False if it is not there.
    bool renew(std::uint64_t base) {
        std::lock_guard const lock{mutex_};
        auto const at = place(base);
        if (at == entries_.size() || entries_[at].base != base) return false;
        if (entries_[at].opened) --opened_;
        entries_[at].opened = nullptr;
        return true;
    }

private:
    /// The segment holds the offsets up to next_base; of the last one nothing is expected, but it may have been opened
    /// again.
    void complete(segment& of, std::uint64_t next_base) {
        if (of.is_sealed() || (next_base == of.base() && of.end_offset() != of.base())) return;
        if (of.open_sealed(files_)) {
            if (!of.lacks_index()) return;
            std::lock_guard const lock{mutex_};
            if (mends_) to_write_.push_back({of.base(), of.index().encode(of.header())});
            return;
        }
        if (next_base == of.base()) return;
        // Its writer died before it could seal it; the next one has gone on in another file.
        auto const end = of.scan(true);
        if (of.end_offset() < next_base) of.throw_damaged(end.position, of.end_offset());
    }
    void close_oldest() noexcept {
        entry* oldest = nullptr;
        for (auto& each : entries_) {
            bool const idle = each.opened && each.opened.use_count() == 1;
            if (idle && (oldest == nullptr || each.wanted < oldest->wanted)) oldest = &each;
        }
        if (oldest == nullptr) return;
        oldest->opened = nullptr;
        --opened_;
    }
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
