// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SEGMENT_HPP
#define DRIFTLESS_LOG_DETAIL_SEGMENT_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/aligned_bytes.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/segment_index.hpp>
#include <driftless/log/detail/stored_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The name of the segment that begins at an offset, without its ending; names sort as offsets do.
inline std::string segment_name(std::uint64_t base) {
    auto digits = std::to_string(base);
    return std::string(20 - digits.size(), '0') + digits;
}
inline constexpr std::string_view segment_ending = ".segment";
inline constexpr std::string_view index_ending = ".index";
inline constexpr std::string_view unfinished_ending = ".new";  // being written when its writer died
inline constexpr std::string_view spare_ending = ".spare";     // of a removed segment, to be written again
/// The base offset that a file name gives; nothing if it is not one of ours.
inline std::optional<std::uint64_t> base_of(std::string_view name, std::string_view ending) {
    if (name.size() != 20 + ending.size() || name.substr(20) != ending) return std::nullopt;
    std::uint64_t base = 0;
    for (char const c : name.substr(0, 20)) {
        if (c < '0' || c > '9') return std::nullopt;
        if (__builtin_mul_overflow(base, std::uint64_t{10}, &base)) return std::nullopt;
        if (__builtin_add_overflow(base, static_cast<std::uint64_t>(c - '0'), &base)) return std::nullopt;
    }
    return base;
}

/// Reads the header of a segment file.
inline segment_header read_segment_header(file& from) {
    std::string start(4096, '\0');
    start.resize(from.read_at(0, start.data(), start.size()));
    auto const size = segment_header_size(start, from.path());
    if (size > start.size()) {
        auto const there = start.size();
        start.resize(size);
        start.resize(there + from.read_at(there, start.data() + there, size - there));
    }
    return decode_segment_header(start, from.path());
}

/// Reads bytes of a file piece by piece, so that a walk over many small blocks is a few reads.
class file_window {
    static constexpr std::size_t at_once = std::size_t{256} * 1024;

    file& file_;
    std::size_t least_ = at_once;
    aligned_bytes bytes_;
    std::uint64_t from_ = 0;
    std::size_t size_ = 0;

public:
    explicit file_window(file& of) : file_(of) {}
    /// For somebody who often looks at what has come since, which is little.
    file_window(file& of, std::uint64_t from) : file_(of) {
        auto const there = of.size();
        if (there < from + at_once) least_ = there > from ? static_cast<std::size_t>(there - from) + 1 : 1;
    }
    /// At least `wanted` bytes from `position` on, fewer only at the end of the file; borrowed until the next call.
    std::string_view at(std::uint64_t position, std::size_t wanted) {
        if (position < from_ || position - from_ > size_ || size_ - (position - from_) < wanted) {
            auto const size = std::max(wanted, least_);
            bytes_.reserve(size, 0);
            from_ = position;
            size_ = 0;
            size_ = file_.read_at(position, bytes_.data(), size);
        }
        auto const skip = static_cast<std::size_t>(position - from_);
        return {bytes_.data() + skip, size_ - skip};
    }
    /// What stands at `position`, with as much of it as there is.
    block_state find(std::uint64_t position, std::uint64_t seed, std::size_t fields, block_view& out) {
        std::size_t wanted = sizeof(block_header);
        for (;;) {
            auto const there = at(position, wanted);
            auto const before = wanted;
            auto const state = block_view::find(there, seed, fields, out, wanted);
            if (state != block_state::cut || wanted <= before || there.size() < before) return state;
        }
    }
};

/// One file of a partition, for reading: of this log's writer, or of somebody else's that is still being written.
///
/// Threads     Any number read. The writer, or whoever looks for more, calls note(), scan() and close() one at a time.
class segment : public std::enable_shared_from_this<segment> {
    std::shared_ptr<std::string const> path_;
    std::unique_ptr<file> file_;
    segment_header header_;
    std::uint64_t seed_;
    std::size_t start_;  // of the first block

    mutable std::mutex mutex_;
    segment_index index_;
    struct pending_block {
        block_header header;
        std::vector<time_range> ranges;
    };
    std::vector<pending_block> pending_;  // of a transaction whose last block has not been seen
    std::uint64_t durable_claim_ = 0;
    std::uint64_t epoch_;
    std::int64_t last_time_;
    bool has_producers_ = false;
    bool lacks_index_ = false;
    bool sealed_ = false;
    bool closed_ = false;
    mapped_bytes mapped_;
    struct chunk;
    std::shared_ptr<chunk const> last_read_;
    struct place {
        std::uint64_t position = 0;
        std::uint64_t offset = 0;
    };
    place next_;  // the block that was found last

public:
    segment(std::unique_ptr<file> from, segment_header header)
        : path_(std::make_shared<std::string const>(from->path())),
          file_(std::move(from)),
          header_(std::move(header)),
          seed_(header_.seed()),
          start_(encode(header_).size()),
          index_(header_.time_fields.size(), header_.base, start_),
          epoch_(header_.epoch),
          last_time_(header_.created) {}

    [[nodiscard]] segment_header const& header() const noexcept { return header_; }
    [[nodiscard]] std::string const& path() const noexcept { return *path_; }
    [[nodiscard]] std::uint64_t base() const noexcept { return header_.base; }
    [[nodiscard]] std::uint64_t end_offset() const {
        std::lock_guard const lock{mutex_};
        return index_.end_offset();
    }
    [[nodiscard]] std::uint64_t end_position() const {
        std::lock_guard const lock{mutex_};
        return index_.end_position();
    }
    /// Where the next block goes: behind the blocks of a transaction that has not ended.
    [[nodiscard]] std::uint64_t tail_position() const {
        std::lock_guard const lock{mutex_};
        return tail().position;
    }
    [[nodiscard]] bool in_transaction() const {
        std::lock_guard const lock{mutex_};
        return !pending_.empty();
    }
    /// Some block names a producer.
    [[nodiscard]] bool has_producers() const {
        std::lock_guard const lock{mutex_};
        return has_producers_;
    }
    /// Sealed, and its index file was of no use.
    [[nodiscard]] bool lacks_index() const {
        std::lock_guard const lock{mutex_};
        return lacks_index_;
    }
    [[nodiscard]] bool is_sealed() const {
        std::lock_guard const lock{mutex_};
        return sealed_;
    }
    /// Sealed because the log was closed.
    [[nodiscard]] bool is_closed() const {
        std::lock_guard const lock{mutex_};
        return closed_;
    }
    /// The greatest offset that some block says was durable when it was made.
    [[nodiscard]] std::uint64_t durable_claim() const {
        std::lock_guard const lock{mutex_};
        return durable_claim_;
    }
    [[nodiscard]] std::uint64_t epoch() const {
        std::lock_guard const lock{mutex_};
        return epoch_;
    }
    /// The append time of the newest block.
    [[nodiscard]] event_time last_time() const {
        std::lock_guard const lock{mutex_};
        return event_time{last_time_};
    }
    [[nodiscard]] segment_index index() const {
        std::lock_guard const lock{mutex_};
        return index_;
    }
    [[nodiscard]] std::uint64_t file_size() const { return file_->size(); }

    /// The writer has written a block where the last one ended.
    void note(block_view const& block) {
        std::lock_guard const lock{mutex_};
        take(block);
    }
    /// The seal was taken off again: the log goes on where it ended.
    void unseal() {
        std::lock_guard const lock{mutex_};
        sealed_ = closed_ = false;
    }

    /// For readers: true if a writer has taken the seal off again, as one does that opens a closed log.
    bool was_reopened() {
        std::lock_guard const lock{mutex_};
        if (!sealed_ || !closed_) return false;
        file_window window{*file_};
        block_view block;
        auto const state = window.find(index_.end_position(), seed_, header_.time_fields.size(), block);
        if (state == block_state::whole && block.header().kind == block_kind::seal) return false;
        sealed_ = closed_ = false;
        return true;
    }

    /// Where a scan ended.
    struct scan_end {
        block_state state = block_state::whole;  // whole: at a seal, or exactly at the end of the file
        std::uint64_t position = 0;              // behind end_position() where a transaction is not complete
    };
    /// Takes in the blocks that lie behind the known ones. With `bodies` a block counts once all of it is intact, as
    /// one that is being written by another process is not.
    scan_end scan(bool bodies) {
        std::lock_guard const lock{mutex_};
        return scan_on(bodies);
    }
    /// Forgets what is known and takes in everything, bodies included.
    scan_end scan_from_start() {
        std::lock_guard const lock{mutex_};
        index_ = segment_index{header_.time_fields.size(), header_.base, start_};
        sealed_ = closed_ = has_producers_ = false;
        next_ = {};
        return scan_on(true);
    }
    /// Calls f(block, its position) with every block that is known, but for the seal. The bytes are borrowed.
    template <class F>
    void walk(F&& f) const {
        auto const end = end_position();
        file_window window{*file_};
        for (std::uint64_t position = start_; position < end;) {
            block_view block;
            if (window.find(position, seed_, header_.time_fields.size(), block) != block_state::whole) {
                throw_damaged(position, header_.base);
            }
            f(block, position);
            position += block.header().size;
        }
    }
    /// The greatest durable mark of blocks that lie behind a bad one.
    [[nodiscard]] std::uint64_t claim_behind(std::uint64_t position) const {
        std::uint64_t claim = 0;
        file_window window{*file_};
        for (auto at = position + alignment_on_disk;; at += alignment_on_disk) {
            block_view block;
            auto const there = window.at(at, sizeof(block_header));
            if (there.size() < sizeof(block_header)) return claim;
            if (get<std::uint32_t>(there, offsetof(block_header, magic)) != block_header::expected_magic) continue;
            if (window.find(at, seed_, header_.time_fields.size(), block) == block_state::bad) continue;
            if (block.bytes() == nullptr) continue;
            claim = std::max(claim, block.header().durable_offset);
        }
    }
    /// Errors      corrupt: what stands at `position`, where a block should begin.
    [[noreturn]] DRIFTLESS_NOINLINE void throw_damaged(std::uint64_t position, std::uint64_t expected) const {
        file_window window{*file_};
        block_view block;
        auto const there = window.at(position, sizeof(block_header));
        auto const state = window.find(position, seed_, header_.time_fields.size(), block);
        if (state == block_state::whole) {
            for (std::size_t i = 0; i < block.header().parts; ++i) block.require_intact(i, *path_, position);
            throw error{error_code::corrupt,
                "a block begins with offset " + std::to_string(block.header().first_offset) + " where "
                    + std::to_string(expected) + " is expected, at byte " + std::to_string(position),
                *path_};
        }
        if (there.size() < sizeof(block_header)) {
            throw error{error_code::corrupt,
                "the file ends before offset " + std::to_string(expected) + " or inside its block, at byte "
                    + std::to_string(position) + "; `driftless-log repair` says what can be saved",
                *path_};
        }
        block_header header;
        std::memcpy(&header, there.data(), sizeof header);
        auto const size = std::min<std::size_t>(header.header_size < 96 ? 96 : header.header_size, there.size());
        throw_corrupt("the header of a block is damaged", *path_, header.checksum,
            xxh3_64(there.data() + 8, size - 8, seed_), position);
    }

    /// True if the last bytes are the seal of a log that was closed: what stands before had been synced by then.
    [[nodiscard]] bool ends_closed() const {
        file_window window{*file_};
        block_view seal;
        return find_seal(window, seal) && (seal.header().flags & block_flag::closed) != 0;
    }
    /// For a file that nobody writes any more: finds its end by the seal, and its blocks by the index file or else by
    /// walking over them. False if it has no seal.
    bool open_sealed(file_system& files) {
        std::lock_guard const lock{mutex_};
        if (sealed_) return true;
        file_window window{*file_};
        block_view seal;
        auto const end = find_seal(window, seal);
        if (!end) return false;
        auto index_path = *path_;
        index_path.replace(index_path.size() - segment_ending.size(), std::string::npos, index_ending);
        std::optional<segment_index> index;
        if (auto const bytes = read_whole_file(index_path, files)) index = segment_index::decode(*bytes, header_);
        if (index && index->end_offset() == seal.header().first_offset && index->end_position() == *end) {
            index_ = std::move(*index);
            note_seal(seal);
            return true;
        }
        // Missing, stale or damaged: the segment itself tells.
        lacks_index_ = true;
        index_ = segment_index{header_.time_fields.size(), header_.base, start_};
        while (tail().position < *end) {
            block_view block;
            auto const [position, offset] = tail();
            if (window.find(position, seed_, header_.time_fields.size(), block) != block_state::whole
                || block.header().first_offset != offset || block.header().kind == block_kind::seal) {
                throw_damaged(position, offset);
            }
            take(block);
        }
        if (!pending_.empty()) throw_damaged(*end, tail().offset);
        note_seal(seal);
        return true;
    }

    /// The first offset of the last known block of records that was begun before a time; nothing if there is none.
    [[nodiscard]] std::optional<std::uint64_t> offset_at(event_time time) const {
        auto const found = index();
        auto const& entries = found.entries();
        auto const after = std::lower_bound(entries.begin(), entries.end(), time.ns(),
            [](index_entry const& entry, std::int64_t t) { return entry.append_time < t; });
        if (after == entries.begin()) return std::nullopt;
        auto const end = after == entries.end() ? found.end_position() : after->position;
        std::uint64_t offset = (after - 1)->first_offset;
        file_window window{*file_};
        for (auto position = (after - 1)->position; position < end;) {
            block_view block;
            if (window.find(position, seed_, header_.time_fields.size(), block) != block_state::whole) {
                throw_damaged(position, offset);
            }
            if (event_time{block.header().append_time} >= time) break;
            if (block.header().kind == block_kind::records) offset = block.header().first_offset;
            position += block.header().size;
        }
        return offset;
    }
    /// The block that holds an offset below end_offset; where offsets are missing, the next one.
    ///
    /// Errors      corrupt, with path, position and checksums, if it cannot be reached.
    [[nodiscard]] stored_block block_with(std::uint64_t offset) {
        std::unique_lock lock{mutex_};
        auto const& entries = index_.entries();
        DRIFTLESS_ASSERT(!entries.empty() && offset < index_.end_offset(), "read below the end offset only");
        auto position = entries[index_.entry_of(offset)].position;
        if (next_.position > position && offset >= next_.offset) position = next_.position;  // many small blocks
        auto const end = index_.end_position();
        if (sealed_ && mapped_.size < end) mapped_ = file_->map(static_cast<std::size_t>(end));
        auto const mapped = mapped_.size < end ? mapped_bytes{} : mapped_;
        lock.unlock();

        for (;;) {
            auto out = mapped.data != nullptr ? mapped_block(mapped, position) : read_block(position, end);
            if (out.raw.header().kind == block_kind::records && offset < out.raw.end_offset()) {
                lock.lock();
                next_ = {position, out.raw.header().first_offset};
                return out;
            }
            position += out.raw.header().size;
            if (position >= end) {
                throw error{error_code::corrupt, "the index leads past the records that it speaks of", *path_, offset};
            }
        }
    }

private:
    /// Where the seal stands that the file ends with, if it does.
    std::optional<std::uint64_t> find_seal(file_window& window, block_view& seal) const {
        auto const size = file_->size();
        auto const seal_size = block_header_size(header_.time_fields.size(), 0);
        if (size < start_ + seal_size || size % alignment_on_disk != 0) return std::nullopt;
        auto const state = window.find(size - seal_size, seed_, header_.time_fields.size(), seal);
        if (state != block_state::whole || seal.header().kind != block_kind::seal) return std::nullopt;
        return size - seal_size;
    }
    scan_end scan_on(bool bodies) {
        auto const end = find_scan_end(bodies);
        pending_.clear();  // the next scan begins where the transaction does
        return end;
    }
    scan_end find_scan_end(bool bodies) {
        file_window window{*file_, tail().position};
        while (!sealed_) {
            auto const [position, offset] = tail();
            block_view block;
            auto const state = window.find(position, seed_, header_.time_fields.size(), block);
            if (state == block_state::cut && window.at(position, 1).empty()) {
                return {pending_.empty() ? block_state::whole : block_state::cut, position};
            }
            if (state != block_state::whole) return {state, position};
            if (block.header().first_offset != offset || (bodies && !block.is_intact())
                || (!pending_.empty() && block.header().kind != block_kind::records)) {
                return {block_state::bad, position};
            }
            take(block);
        }
        return {block_state::whole, index_.end_position()};
    }
    [[nodiscard]] place tail() const noexcept {
        place out{index_.end_position(), index_.end_offset()};
        for (auto const& each : pending_) {
            out.position += each.header.size;
            out.offset = each.header.first_offset + each.header.offset_span;
        }
        return out;
    }

    /// Bytes of the tail as they were read; complete up to `size`.
    struct chunk {
        aligned_bytes bytes;
        std::uint64_t from = 0;
        std::size_t size = 0;
        [[nodiscard]] std::string_view at(std::uint64_t position) const noexcept {
            if (position < from || position - from >= size) return {};
            auto const skip = static_cast<std::size_t>(position - from);
            return {bytes.data() + skip, size - skip};
        }
    };

    stored_block mapped_block(mapped_bytes const& mapped, std::uint64_t position) {
        stored_block out{{}, shared_from_this(), path_, position};
        std::size_t wanted = 0;
        if (block_view::find(mapped.view().substr(static_cast<std::size_t>(position)), seed_,
                header_.time_fields.size(), out.raw, wanted)
            != block_state::whole) {
            throw_damaged(position, header_.base);
        }
        return out;
    }
    /// From the chunk that was read last if it is in there.
    stored_block read_block(std::uint64_t position, std::uint64_t end) {
        std::unique_lock lock{mutex_};
        auto last = last_read_;
        lock.unlock();
        stored_block out{{}, last, path_, position};
        std::size_t wanted = sizeof(block_header);
        auto state = block_state::cut;
        if (last) state = block_view::find(last->at(position), seed_, header_.time_fields.size(), out.raw, wanted);
        for (bool again = true; state == block_state::cut && again;) {
            auto fresh = std::make_shared<chunk>();
            fresh->from = position;
            auto const whole = static_cast<std::size_t>(end - position);
            auto const size = std::min(whole, std::max(wanted, std::size_t{256} * 1024));
            fresh->bytes.reserve(size, 0);
            fresh->size = file_->read_at(position, fresh->bytes.data(), size);
            state = block_view::find(fresh->at(position), seed_, header_.time_fields.size(), out.raw, wanted);
            again = size < whole && size < wanted;
            out.keep = fresh;
            last = std::move(fresh);
        }
        if (state != block_state::whole) throw_damaged(position, header_.base);
        lock.lock();
        last_read_ = std::move(last);
        return out;
    }
    void take(block_view const& block) {
        auto const& header = block.header();
        durable_claim_ = std::max(durable_claim_, header.durable_offset);
        epoch_ = std::max(epoch_, header.epoch);
        last_time_ = std::max(last_time_, header.append_time);
        if (header.kind == block_kind::seal) return note_seal(block);
        if (header.producer != 0 || header.kind == block_kind::producers) has_producers_ = true;
        if (header.kind != block_kind::records) return index_.skip(header);
        std::vector<time_range> ranges(header_.time_fields.size());
        for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = block.range(i);
        if ((header.flags & block_flag::transaction) != 0) {
            pending_.push_back({header, std::move(ranges)});
            return;
        }
        for (auto const& each : pending_) index_.add(each.header, each.ranges.data());
        pending_.clear();
        index_.add(header, ranges.data());
    }
    void note_seal(block_view const& seal) {
        durable_claim_ = std::max(durable_claim_, seal.header().durable_offset);
        epoch_ = std::max(epoch_, seal.header().epoch);
        last_time_ = std::max(last_time_, seal.header().append_time);
        sealed_ = true;
        if (seal.header().producer != 0) has_producers_ = true;
        closed_ = (seal.header().flags & block_flag::closed) != 0;
    }
};
}  // namespace driftless::inline v0::detail
#endif
