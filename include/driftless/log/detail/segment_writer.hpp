// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SEGMENT_WRITER_HPP
#define DRIFTLESS_LOG_DETAIL_SEGMENT_WRITER_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/recovery.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_list.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// When a segment is full.
struct segment_limits {
    std::uint64_t bytes = std::uint64_t{64} << 20;
    duration age = duration::max();
};

/// Writes the blocks of one partition into files that it makes as they fill up. One thread at a time.
///
/// Errors      io. After a failed write everything is as before, and it may be tried again; after a failed sync nobody
///             knows what is on the disk, so that nothing works until the log is opened anew.
class segment_writer {
    static constexpr std::string_view unfinished_ending = ".new";

    file_system& files_;
    segment_list& segments_;
    segment_header next_;  // of the next segment; its base is the end offset
    segment_limits limits_;
    std::unique_ptr<file> file_;
    std::shared_ptr<segment> current_;
    struct full_segment {
        std::unique_ptr<file> to_sync;
        std::shared_ptr<segment> of;
    };
    std::deque<full_segment> unsynced_;
    bool folder_changed_ = false;
    bool broken_ = false;

public:
    segment_writer(file_system& files, segment_list& segments, segment_header like, segment_limits limits)
        : files_(files), segments_(segments), next_(std::move(like)), limits_(limits) {}

    /// Takes up a partition; returns its end offset, all of it durable.
    std::uint64_t open() {
        segments_.refresh();
        for (auto const& each : files_.list(segments_.folder())) {
            if (each.name.ends_with(unfinished_ending)) files_.remove(segments_.folder() + "/" + each.name);
        }
        auto const plan = plan_recovery(segments_, files_);
        recover(plan, segments_, files_);
        if (!plan.active) return next_.base = 0;
        next_.base = plan.active->end_offset();
        next_.epoch = plan.active->epoch() + 1;
        auto const& header = plan.active->header();
        bool const same = header.layout == next_.layout && header.schema == next_.schema
            && header.record_size == next_.record_size && header.time_fields == next_.time_fields;
        if (same && (!plan.active->is_sealed() || plan.active->is_closed())
            && plan.active->end_position() < limits_.bytes) {
            file_ = files_.open(plan.active->path(), open_mode::write);
            current_ = plan.active;
            if (current_->is_sealed()) {
                file_->truncate(current_->end_position());
                current_->unseal();
            }
        } else if (!plan.active->is_sealed()) {
            file_ = files_.open(plan.active->path(), open_mode::write);
            current_ = plan.active;
            seal_current(0, event_time{header.created}, next_.base);
        }
        return next_.base;
    }

    /// What the header of a block takes from here.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return next_.epoch; }
    /// The seed of the blocks of the segment that the next block goes into.
    ///
    /// now         by the clock of the log
    [[nodiscard]] std::uint64_t prepare(event_time now, std::uint64_t durable) {
        require_sound();
        auto const is_old = [&] { return now - event_time{current_->header().created} >= limits_.age; };
        if (file_ && (current_->end_position() >= limits_.bytes || is_old())) {
            seal_current(0, now, durable);
        }
        if (!file_) begin_segment(now);
        return current_->header().seed();
    }
    /// Whole blocks, one behind the other, made with the seed that prepare() gave.
    void write(std::string_view const* blocks, std::size_t count) {
        require_sound();
        file_->write_at(current_->end_position(), blocks, count);
        for (std::size_t i = 0; i < count; ++i) {
            block_view written;
            std::size_t wanted = 0;
            block_view::find(blocks[i], current_->header().seed(), next_.time_fields.size(), written, wanted);
            current_->note(written);
        }
        next_.base = current_->end_offset();
    }
    /// How much more fits the segment; the last block may exceed it.
    [[nodiscard]] std::uint64_t room() const {
        auto const used = current_->end_position();
        return used < limits_.bytes ? limits_.bytes - used : 0;
    }
    /// Everything written becomes durable.
    void sync() {
        require_sound();
        try {
            // The oldest first: an index file says that everything up to its end is durable.
            for (; !unsynced_.empty(); unsynced_.pop_front()) {
                unsynced_.front().to_sync->sync();
                write_index(*unsynced_.front().of);
            }
            if (file_) file_->sync();
            if (folder_changed_) files_.sync_folder(segments_.folder());
            folder_changed_ = false;
        } catch (...) {
            broken_ = true;
            throw;
        }
    }
    /// The end: all durable, the last segment sealed as closed.
    void close(event_time now) {
        sync();
        if (!file_) return;
        seal_current(block_flag::closed, now, next_.base);
        sync();
    }

private:
    void require_sound() const {
        if (!broken_) return;
        throw error{error_code::stopped,
            "a sync of the log has failed, so nobody knows what is on its disk: close it, look after the disk, and "
            "open it again",
            segments_.folder()};
    }
    void begin_segment(event_time now) {
        next_.created = now.ns();
        auto const path = segments_.path_of(next_.base);
        auto const beside = path + std::string{unfinished_ending};
        {
            auto const made = files_.open(beside, open_mode::create);
            made->truncate(0);
            made->write_at(0, encode(next_));
            made->sync();  // else its name may outlive its header
        }
        files_.rename(beside, path);  // nobody sees a segment without its header
        auto made = files_.open(path, open_mode::write);
        auto reading = files_.open(path, open_mode::read);
        if (!made || !reading) throw error{error_code::not_there, "a segment vanished while it was made", path};
        current_ = std::make_shared<segment>(std::move(reading), next_);
        segments_.add(current_);
        file_ = std::move(made);
        folder_changed_ = true;
    }
    void seal_current(std::uint16_t flags, event_time now, std::uint64_t durable) {
        auto const fields = current_->header().time_fields.size();  // the segment may be one of another schema
        block_header header{};
        header.kind = block_kind::seal;
        header.layout = current_->header().layout;
        header.flags = flags;
        header.size = static_cast<std::uint32_t>(block_header_size(fields, 0));
        header.first_offset = current_->end_offset();
        header.append_time = now.ns();
        header.durable_offset = durable;
        header.epoch = next_.epoch;
        std::vector<time_range> ranges(fields);
        auto const index = current_->index();
        for (std::size_t i = 0; i < index.entries().size(); ++i) {
            for (std::size_t field = 0; field < fields; ++field) ranges[field].widen(index.range(i, field));
        }
        std::string bytes(header.size, '\0');
        seal_block(bytes.data(), header, ranges.data(), fields, nullptr, current_->header().seed());
        auto const end = index.end_position();
        file_->write_at(end, bytes);
        if (file_->size() > end + bytes.size()) file_->truncate(end + bytes.size());
        block_view written;
        std::size_t wanted = 0;
        block_view::find(bytes, current_->header().seed(), fields, written, wanted);
        current_->note(written);
        unsynced_.push_back({std::move(file_), current_});
    }
    void write_index(segment const& of) {
        auto const path = segments_.index_path_of(of.base());
        auto const name = path.substr(segments_.folder().size() + 1);
        write_whole_file(segments_.folder(), name, of.index().encode(of.header()), files_);
    }
};
}  // namespace driftless::inline v0::detail
#endif
