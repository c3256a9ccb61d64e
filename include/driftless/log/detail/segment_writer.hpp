// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SEGMENT_WRITER_HPP
#define DRIFTLESS_LOG_DETAIL_SEGMENT_WRITER_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/producer_table.hpp>
#include <driftless/log/detail/progress.hpp>
#include <driftless/log/detail/recovery.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_list.hpp>
#include <driftless/log/detail/segment_seal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// When a segment is full, and what becomes of it.
struct segment_limits {
    std::uint64_t bytes = std::uint64_t{64} << 20;
    duration age = duration::max();
    duration producer_age = duration::max();  // who sent nothing for so long is forgotten
    std::size_t spares = 0;                   // files of removed segments that are kept to be used again
};

/// Writes the blocks of one partition into files that it makes as they fill up. One thread at a time.
///
/// Errors      io. After a failed write everything is as before, and it may be tried again; after a failed sync nobody
///             knows what is on the disk, so that nothing works until the log is opened anew.
class segment_writer {
    file_system& files_;
    segment_list& segments_;
    progress const& newest_;
    segment_header next_;  // of the next segment; its base is the end offset
    segment_limits limits_;
    std::unique_ptr<file> file_;
    std::shared_ptr<segment> current_;
    struct full_segment {
        std::unique_ptr<file> to_sync;
        std::shared_ptr<segment> of;
    };
    std::deque<full_segment> unsynced_;
    std::vector<std::string> spares_;
    producer_table producers_;  // as the files say
    event_time last_time_ = event_time::min();
    bool begun_ = false;
    bool folder_changed_ = false;
    bool broken_ = false;

public:
    segment_writer(file_system& files, segment_list& segments, progress const& newest, segment_header like,
        segment_limits limits)
        : files_(files), segments_(segments), newest_(newest), next_(std::move(like)), limits_(limits) {}

    /// Takes up a partition; returns its end offset, all of it durable.
    std::uint64_t open() {
        segments_.refresh();
        for (auto const& each : files_.list(segments_.folder())) {
            if (each.folder) continue;
            auto const path = segments_.folder() + "/" + each.name;
            if (each.name.ends_with(unfinished_ending)) files_.remove(path);
            if (!each.name.ends_with(spare_ending)) continue;
            if (spares_.size() < limits_.spares) spares_.push_back(path);
            else files_.remove(path);
        }
        auto const plan = plan_recovery(segments_, files_);
        recover(plan, segments_, files_);
        next_.epoch = newest_.epoch();
        if (!plan.active) return next_.base = 0;
        next_.base = plan.active->end_offset();
        next_.epoch = std::max(next_.epoch, plan.active->epoch() + 1);
        last_time_ = plan.active->last_time();
        take_producers(*plan.active);
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
        segments_.begin_to_mend([this](std::uint64_t base, std::string_view bytes) { write_index(base, bytes); });
        return next_.base;
    }
    /// Index files that readers found to be of no use are made anew.
    void mend_indexes() {
        segments_.mend([this](std::uint64_t base, std::string_view bytes) { write_index(base, bytes); });
    }

    /// The append time of the newest block that open() found.
    [[nodiscard]] event_time last_time() const noexcept { return last_time_; }
    /// True once after a segment was begun.
    [[nodiscard]] bool take_begun() noexcept { return std::exchange(begun_, false); }
    [[nodiscard]] producer_table const& producers() const noexcept { return producers_; }
    /// What the header of a block takes from here.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return next_.epoch; }
    /// The seed of the blocks of the segment that the next block goes into.
    ///
    /// now         by the clock of the log
    [[nodiscard]] std::uint64_t prepare(event_time now, std::uint64_t durable) {
        require_sound();
        newest_.require_newest(segments_.folder());
        if (file_ && current_->in_transaction()) return current_->header().seed();
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
        file_->write_at(current_->tail_position(), blocks, count);
        for (std::size_t i = 0; i < count; ++i) producers_.note(note_written(blocks[i]));
        next_.base = current_->end_offset();
    }
    /// How much more fits the segment; the last block may exceed it.
    [[nodiscard]] std::uint64_t room() const {
        auto const used = current_->tail_position();
        return used < limits_.bytes ? limits_.bytes - used : 0;
    }
    /// Everything written becomes durable.
    void sync() {
        require_sound();
        newest_.require_newest(segments_.folder());
        try {
            // The oldest first: an index file says that everything up to its end is durable.
            for (; !unsynced_.empty(); unsynced_.pop_front()) {
                unsynced_.front().to_sync->sync();
                auto const& of = *unsynced_.front().of;
                write_index(of.base(), of.index().encode(of.header()));
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
    /// Removes the segments that end at or before an offset, the oldest first; the last one stays, unless all that it
    /// holds is to go: then an empty one takes its place, lest the partition forget how far it came.
    void remove_before(std::uint64_t offset, event_time now) {
        require_sound();
        newest_.require_newest(segments_.folder());
        auto bases = segments_.bases();
        bool const all = !bases.empty() && bases.back() < next_.base && offset >= next_.base;
        if (all && !(file_ && current_->in_transaction())) {
            if (file_) seal_current(0, now, next_.base);
            begin_segment(now);
            bases.push_back(next_.base);
        }
        std::size_t gone = 0;
        while (gone + 1 < bases.size() && bases[gone + 1] <= offset) ++gone;
        if (gone == 0) return;
        sync();  // what stays must outlive what goes
        for (std::size_t i = 0; i < gone; ++i) {
            if (files_.remove(segments_.index_path_of(bases[i]))) files_.sync_folder(segments_.folder());
            segments_.forget(bases[i]);  // else it is not free to be used again
            try {
                auto const path = segments_.path_of(bases[i]);
                if (!keep_spare(path, bases[i])) files_.remove(path);
            } catch (...) {
                segments_.refresh();  // it is still there, and must go before the next one does
                throw;
            }
            files_.sync_folder(segments_.folder());
        }
    }

private:
    void require_sound() const {
        if (!broken_) return;
        throw error{error_code::stopped,
            "a sync of the log has failed, so nobody knows what is on its disk: close it, look after the disk, and "
            "open it again",
            segments_.folder()};
    }
    /// Where the file of a segment that was removed can be used again: nobody reads it any more.
    bool keep_spare(std::string const& path, std::uint64_t base) {
        if (spares_.size() >= limits_.spares) return false;
        auto const free = files_.open(path, open_mode::write);
        if (!free || !free->try_lock(false)) return false;
        auto const spare = segments_.folder() + "/" + segment_name(base) + std::string{spare_ending};
        files_.rename(path, spare);
        spares_.push_back(spare);
        return true;
    }
    void take_producers(segment const& from) {
        producers_ = {};
        if (!from.has_producers()) return;
        from.walk([&](block_view const& block, std::uint64_t position) {
            if (block.header().kind != block_kind::producers) return producers_.note(block.header());
            auto const found = producer_table::read(block);
            if (!found) {
                if (block.header().parts != 0) block.require_intact(0, from.path(), position);
                throw error{error_code::malformed,
                    "the table of producers cannot be read, at byte " + std::to_string(position)
                        + ": its checksum fits, so it was written so; `driftless-log repair` can cut it out",
                    from.path()};
            }
            producers_ = *found;
        });
    }
    /// The block that a segment begins with where there are producers.
    [[nodiscard]] std::string producers_block(event_time now) const {
        auto const bytes = producers_.encode();
        auto const fields = next_.time_fields.size();
        auto const start = block_header_size(fields, 1);
        block_header header{};
        header.kind = block_kind::producers;
        header.layout = next_.layout;
        header.parts = 1;
        header.size = static_cast<std::uint32_t>(aligned_on_disk(start + bytes.size()));
        header.first_offset = next_.base;
        header.append_time = now.ns();
        header.epoch = next_.epoch;
        std::string out(header.size, '\0');
        bytes.copy(out.data() + start, bytes.size());
        block_part const part{0, static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(bytes.size()),
            static_cast<std::uint32_t>(bytes.size()), packing::plain, compression::none, 0};
        std::vector<time_range> const ranges(fields);
        seal_block(out.data(), header, ranges.data(), fields, &part, next_.seed());
        return out;
    }
    void begin_segment(event_time now) {
        next_.created = now.ns();
        auto const path = segments_.path_of(next_.base);
        auto const beside = path + std::string{unfinished_ending};
        if (limits_.producer_age != duration::max()) producers_.forget_before(now - limits_.producer_age);
        auto const head = encode(next_);
        auto const with_producers = producers_.empty() ? std::string{} : producers_block(now);
        if (!spares_.empty()) {
            files_.rename(spares_.back(), beside);
            spares_.pop_back();
        }
        {
            auto made = files_.open(beside, open_mode::create);
            if (!made->try_lock(false)) {  // somebody began to read it just before it was removed
                files_.remove(beside);
                made = files_.open(beside, open_mode::create);
            }
            if (made->size() < limits_.bytes / 2) made->truncate(0);  // else a spare, whose blocks do not count
            std::string_view const pieces[] = {head, with_producers};
            made->write_at(0, pieces, 2);
            made->sync();  // else its name may outlive its header
        }
        files_.rename(beside, path);  // nobody sees a segment without its header
        auto made = files_.open(path, open_mode::write);
        auto reading = files_.open(path, open_mode::read);
        if (!made || !reading) throw error{error_code::not_there, "a segment vanished while it was made", path};
        static_cast<void>(reading->try_lock(true));
        current_ = std::make_shared<segment>(std::move(reading), next_);
        if (!with_producers.empty()) note_written(with_producers);
        segments_.add(current_);
        file_ = std::move(made);
        begun_ = folder_changed_ = true;
    }
    block_header note_written(std::string_view bytes) {
        block_view written;
        std::size_t wanted = 0;
        auto const fields = current_->header().time_fields.size();
        block_view::find(bytes, current_->header().seed(), fields, written, wanted);
        current_->note(written);
        return written.header();
    }
    void seal_current(std::uint16_t flags, event_time now, std::uint64_t durable) {
        auto const index = current_->index();  // of a segment that may have another schema
        auto const bytes = make_seal(
            current_->header(), index, {flags, now.ns(), next_.epoch, producers_.size(), durable});
        auto const end = index.end_position();
        file_->write_at(end, bytes);
        if (file_->size() > end + bytes.size()) file_->truncate(end + bytes.size());
        note_written(bytes);
        unsynced_.push_back({std::move(file_), current_});
    }
    void write_index(std::uint64_t base, std::string_view bytes) {
        write_whole_file(segments_.folder(), segment_name(base) + std::string{index_ending}, bytes, files_);
    }
};
}  // namespace driftless::inline v0::detail
#endif
