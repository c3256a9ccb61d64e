// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_COPY_LOG_HPP
#define DRIFTLESS_LOG_COPY_LOG_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/aligned_bytes.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_index.hpp>
#include <driftless/log/detail/segment_seal.hpp>
#include <driftless/log/detail/thin_block.hpp>
#include <driftless/log/known_files.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/log/untyped_block.hpp>
#include <driftless/log/untyped_log.hpp>
#include <driftless/log/verify_log.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What copy_log copies, and under which name.
struct copy_log_options {
    std::uint64_t from = 0;                   ///< the first offset of each partition, as far as it is there
    std::uint64_t to = ~std::uint64_t{0};     ///< behind the last one
    log_id id{};                              ///< of the copy; zero: a random one
    file_system* files = nullptr;             ///< of both; null: real_files()
};

namespace detail {
/// Writes a segment of a copy; the seal and the index file at the end.
class segment_copy {
    file_system& files_;
    std::string folder_;
    segment_header header_;
    std::unique_ptr<file> file_;
    segment_index index_;
    std::int64_t append_time_;

public:
    segment_copy(file_system& files, std::string folder, segment_header header)
        : files_(files), folder_(std::move(folder)), header_(std::move(header)), append_time_(header_.created) {
        auto const start = encode(header_);
        file_ = files_.open(folder_ + "/" + segment_name(header_.base) + std::string{segment_ending},
            open_mode::create_new);
        file_->write_at(0, start);
        index_ = segment_index{header_.time_fields.size(), header_.base, start.size()};
    }
    [[nodiscard]] segment_header const& header() const noexcept { return header_; }

    void write(std::string_view block) {
        file_->write_at(index_.end_position(), block);
        block_view written;
        std::size_t wanted = 0;
        block_view::find(block, header_.seed(), header_.time_fields.size(), written, wanted);
        std::vector<time_range> ranges(header_.time_fields.size());
        for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = written.range(i);
        index_.add(written.header(), ranges.data());
        append_time_ = written.header().append_time;
    }
    void close(bool last) {
        auto const flags = last ? block_flag::closed : std::uint16_t{0};
        file_->sync();
        file_->write_at(index_.end_position(), make_seal(header_, index_, {flags, append_time_, header_.epoch, 0}));
        file_->sync();
        file_.reset();
        write_whole_file(folder_, segment_name(header_.base) + std::string{index_ending}, index_.encode(header_),
            files_);
    }
};

class log_copier {
    untyped_log source_;
    std::string target_;
    copy_log_options const& options_;
    file_system& files_;
    log_identity identity_;

    static constexpr std::string_view unfinished = "copying";

public:
    log_copier(std::string const& source, std::string target, copy_log_options const& options, file_system& files)
        : source_(source, files), target_(std::move(target)), options_(options), files_(files) {}

    std::uint64_t run() {
        identity_ = source_.identity();
        identity_.id = options_.id == log_id{} ? random_log_id() : options_.id;
        if (identity_.id == source_.identity().id) {
            throw error{error_code::invalid_argument, "a copy needs an id of its own: give another one", target_};
        }
        auto const lock = begin();
        std::uint64_t records = 0;
        try {
            for (std::uint32_t p = 0; p < identity_.partitions; ++p) records += copy_partition(p);
            write_whole_file(target_, std::string{log_identity::file_name}, encode(identity_), files_);
        } catch (...) {
            try {
                files_.remove(target_ + "/" + std::string{log_identity::file_name});  // first: then it is no log
                remove_unfinished();
                files_.remove(target_ + "/" + std::string{unfinished});
                files_.remove(target_ + "/lock");
                files_.remove(target_);
            } catch (error const&) {  // NOLINT(bugprone-empty-catch): the next copy does it, told by the file
            }
            throw;
        }
        files_.remove(target_ + "/" + std::string{unfinished});
        files_.sync_folder(target_);
        return records;
    }

private:
    /// The folder is ours: made now, or what a copy before has left unfinished.
    std::unique_ptr<file> begin() {
        auto const marker = target_ + "/" + std::string{unfinished};
        bool const made = files_.make_folder(target_);
        if (!made && files_.exists(target_ + "/" + std::string{log_identity::file_name})) {
            throw error{error_code::invalid_argument, "there is a log already: give the copy a folder of its own",
                target_};
        }
        if (!made && !files_.exists(marker) && !files_.list(target_).empty()) {
            throw error{error_code::invalid_argument,
                "the folder is not empty, and not a copy that was begun: give the copy a folder of its own", target_};
        }
        files_.open(marker, open_mode::create)->sync();
        files_.sync_folder(target_);
        auto lock = files_.open(target_ + "/lock", open_mode::create);
        if (!lock->try_lock(false)) {
            throw error{error_code::in_use, "somebody else is copying into the folder: wait for it", target_};
        }
        remove_unfinished();
        return lock;
    }
    void remove_unfinished() {
        for (auto const& each : files_.list(target_)) {
            auto const path = target_ + "/" + each.name;
            if (each.name == "identity.new") files_.remove(path);
            if (!partition_of(each)) continue;
            for (auto const& inner : files_.list(path)) files_.remove(path + "/" + inner.name);
            files_.remove(path);
        }
    }
    std::uint64_t copy_partition(std::uint32_t p) {
        auto const folder = partition_folder(target_, p);
        files_.make_folder(folder);
        auto const end = std::min(options_.to, source_.end_offset(p));
        auto at = std::max(options_.from, source_.begin_offset(p));
        std::uint64_t records = 0;
        std::optional<segment_copy> into;
        std::string from_path;
        while (at < end) {
            auto const block = source_.read(p, at);
            if (!into || *block.stored().path != from_path) {
                if (into) into->close(false);
                from_path = *block.stored().path;
                auto header = source_.header_at(p, at);
                header.id = identity_.id;
                header.base = at;
                header.epoch = 1;
                into.emplace(files_, folder, std::move(header));
            }
            auto const next = std::min(block.next_offset(), end);
            auto const skip = block.record_at(at);
            auto const count = block.record_at(next) - skip;
            into->write(renewed(block, skip, count, {at, next}, into->header()));
            at = next;
            records += count;
        }
        if (into) into->close(true);
        files_.sync_folder(folder);
        return records;
    }
    static std::string renewed(untyped_block const& from, std::size_t skip, std::size_t count,
        offset_range const& span, segment_header const& into) {
        auto const& raw = from.stored().raw;
        auto header = raw.header();
        header.flags = 0;
        header.epoch = into.epoch;
        header.durable_offset = 0;
        header.producer = header.sequence = header.transaction = 0;
        std::vector<time_range> ranges(into.time_fields.size());
        for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = raw.range(i);
        if (span.from != header.first_offset || span.to != raw.end_offset()) {
            header.first_offset = span.from;
            header.offset_span = static_cast<std::uint32_t>(span.to - span.from);
            std::vector<std::size_t> kept;
            for (auto i = skip; i < skip + count; ++i) kept.push_back(i);
            return thin_block(from, kept, header, std::move(ranges), into.seed(), compression::none);
        }
        std::vector<block_part> parts(header.parts);
        for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = raw.part(i);
        std::string bytes{raw.bytes(), header.size};
        seal_block(bytes.data(), header, ranges.data(), ranges.size(), parts.data(), into.seed());
        return bytes;
    }
};
}  // namespace detail

/// Makes a new log, with an id of its own, of the records in a range of offsets of another one; returns how many they
/// are. Partitions, offsets, append times, layout and schema stay; whole blocks are copied as they are, compressed or
/// not. Producers, registered readers and groups are not copied.
///
/// The copy is there whole or not at all: its identity is written last. Until then the folder holds a file `copying`,
/// and no log opens there; an error removes what was written, and a copy into the same folder begins anew.
///
/// Errors      driftless::error: those of untyped_log for the source; invalid_argument if the folder is not empty;
///             in_use; io.
/// Complexity  O(bytes that are copied).
inline std::uint64_t copy_log(
    std::string const& source, std::string target, copy_log_options const& options = {}) {
    auto& files = options.files != nullptr ? *options.files : real_files();
    return detail::log_copier{source, std::move(target), options, files}.run();
}
}  // namespace driftless::inline v0
#endif
