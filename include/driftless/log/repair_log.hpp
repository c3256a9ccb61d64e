// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_REPAIR_LOG_HPP
#define DRIFTLESS_LOG_REPAIR_LOG_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/producer_table.hpp>
#include <driftless/log/detail/progress.hpp>
#include <driftless/log/detail/recovery.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_index.hpp>
#include <driftless/log/detail/segment_seal.hpp>
#include <driftless/log/known_files.hpp>
#include <driftless/log/segment_walk.hpp>
#include <driftless/log/untyped_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// One thing that a repair does.
struct repair_step {
    enum class kind : std::uint8_t {
        write_identity,  ///< makes the file anew from what the segments say
        drop_segment,    ///< takes a whole segment out of the log
        cut,             ///< ends a segment at `position`
        seal,            ///< writes the seal that is missing
        write_index,     ///< makes an index file anew
        remove,          ///< removes a file that nothing needs
    };
    kind what;
    std::string path;
    std::uint32_t partition = 0;
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;          ///< that leave the log; they are kept in a file beside
    std::uint64_t first_offset = 0;   ///< of the records that leave the log: [first_offset, end_offset)
    std::uint64_t end_offset = 0;     ///< as far as can still be seen; = first_offset if no record can
    bool loses = false;               ///< records that may have been promised to be durable
    std::string why{};
};

/// What a step does, in a sentence.
inline std::string to_string(repair_step const& step) {
    std::string out;
    switch (step.what) {
        case repair_step::kind::write_identity: out = "write the identity anew"; break;
        case repair_step::kind::drop_segment: out = "drop the segment"; break;
        case repair_step::kind::cut: out = "cut at byte " + std::to_string(step.position); break;
        case repair_step::kind::seal: out = "write the seal"; break;
        case repair_step::kind::write_index: out = "write the index file anew"; break;
        case repair_step::kind::remove: out = "remove"; break;
    }
    if (step.what == repair_step::kind::cut || step.what == repair_step::kind::drop_segment) {
        out += ", " + std::to_string(step.bytes) + " bytes";
        if (step.end_offset > step.first_offset) {
            out += " with the records of partition " + std::to_string(step.partition) + " from offset "
                + std::to_string(step.first_offset) + " to " + std::to_string(step.end_offset - 1);
        } else {
            out += ", no readable record";
        }
    }
    return out += ": " + step.why;
}

/// Mends a damaged log so that it opens again and is intact; says first what that takes.
///
/// A torn tail is cut back, seals and index files are written anew, an identity that is lost is made from the segments.
/// Where a block is damaged that had been whole, everything behind it in its partition leaves the log: a log has no
/// gaps. Such steps say `loses`. What leaves the log is kept in files that end in `.dropped`, beside where it was.
///
/// State       Holds the lock of the log from the beginning to the end: nobody writes meanwhile.
/// Errors      driftless::error: in_use if the log has a writer, not_there if there is no log, unsupported if a later
///             format wrote it, mismatch if a segment belongs elsewhere (move it away first), io.
/// Complexity  Planned in O(bytes of the log), every record decoded; done in O(bytes that are dropped).
class log_repair {
    std::string path_;
    file_system& files_;
    std::unique_ptr<file> lock_;
    detail::log_identity identity_;
    std::vector<repair_step> steps_;

public:
    explicit log_repair(std::string path, file_system& files = real_files()) : path_(std::move(path)), files_(files) {
        lock_ = files_.open(path_ + "/lock", open_mode::write);
        if (lock_ && !lock_->try_lock(false)) {
            throw error{error_code::in_use, "the log has a writer: close it there first", path_};
        }
        find_identity();
        plan_progress();
        for (std::uint32_t p = 0; p < identity_.partitions; ++p) plan_partition(p);
    }

    /// In the order in which they are done.
    [[nodiscard]] std::vector<repair_step> const& steps() const noexcept { return steps_; }
    [[nodiscard]] bool loses() const noexcept {
        return std::any_of(steps_.begin(), steps_.end(), [](repair_step const& each) { return each.loses; });
    }

    /// Does it. If it is interrupted it can be done again.
    ///
    /// drop        whether steps that lose records may be done
    /// Errors      invalid_argument, and nothing done, if a step loses records and `drop` is false; io.
    void run(bool drop) {
        if (loses() && !drop) {
            throw error{error_code::invalid_argument,
                "the repair loses records that may have been promised to be there: allow it to drop them", path_};
        }
        for (auto const& each : steps_) {
            switch (each.what) {
                case repair_step::kind::write_identity:
                    write_whole_file(path_, std::string{detail::log_identity::file_name}, encode(identity_), files_);
                    break;
                case repair_step::kind::drop_segment: drop_segment(each); break;
                case repair_step::kind::cut: cut(each); break;
                case repair_step::kind::seal: seal(each); break;
                case repair_step::kind::write_index: write_index(each); break;
                case repair_step::kind::remove: files_.remove(each.path); break;
            }
        }
        for (std::uint32_t p = 0; p < identity_.partitions; ++p) {
            auto const folder = detail::partition_folder(path_, p);
            if (files_.exists(folder)) files_.sync_folder(folder);
        }
        steps_.clear();
    }

private:
    static std::string bare(error const& why, std::string const& path) {
        std::string_view what{why.what()};
        constexpr std::string_view prefix = "driftless: ";
        if (what.starts_with(prefix)) what.remove_prefix(prefix.size());
        if (auto const at = what.rfind(" [" + path + "]"); at != std::string_view::npos) what = what.substr(0, at);
        return std::string{what};
    }

    // --- planning ----------------------------------------------------------------------------------------------

    void find_identity() {
        std::string why = "the file is missing";
        auto const path = path_ + "/" + std::string{detail::log_identity::file_name};
        try {
            if (auto const found = detail::read_identity(path_, files_)) {
                identity_ = *found;
                return;
            }
        } catch (error const& problem) {
            if (problem.code() != error_code::corrupt && problem.code() != error_code::malformed) throw;
            why = bare(problem, path);
        }
        bool found = false;
        identity_.partitions = 0;
        if (!files_.exists(path_ + "/copying")) {
            for (auto const& each : files_.list(path_)) {
                auto const partition = partition_of(each);
                if (!partition) continue;
                identity_.partitions = std::max(identity_.partitions, *partition + 1);
                take_identity(path_ + "/" + each.name, found);
            }
        }
        if (!found) {
            throw error{error_code::not_there,
                "there is no log to repair: neither an identity nor a segment can be read (" + why
                    + "): look at the path",
                path_};
        }
        repair_step step{repair_step::kind::write_identity, path};
        step.why = why;
        steps_.push_back(std::move(step));
    }
    void take_identity(std::string const& folder, bool& found) {
        for (auto const& each : files_.list(folder)) {
            if (each.folder || !detail::base_of(each.name, detail::segment_ending)) continue;
            try {
                auto const file = files_.open(folder + "/" + each.name, open_mode::read);
                if (!file) continue;
                auto const header = detail::read_segment_header(*file);
                if (found && header.id != identity_.id) {
                    throw error{error_code::mismatch,
                        "the identity of the log is lost, and its segments are of several logs: move those away that "
                        "do not belong here",
                        file->path()};
                }
                identity_.created = found ? std::min(identity_.created, header.created) : header.created;
                identity_.id = header.id;
                found = true;
            } catch (error const& problem) {
                if (problem.code() != error_code::corrupt && problem.code() != error_code::malformed) throw;
            }
        }
    }

    /// It says again what the segments say, and a writer makes it anew.
    void plan_progress() {
        auto const path = path_ + "/" + std::string{detail::progress::file_name};
        auto const bytes = read_whole_file(path, files_);
        if (!bytes) return;
        bool sound = bytes->size() == detail::progress::size_of(identity_.partitions);
        for (std::size_t i = 0; sound && i <= identity_.partitions; ++i) {
            sound = detail::progress::number_at(*bytes, i, identity_.id).has_value();
        }
        if (!sound) remove(0, path, "it is damaged, and not needed");
    }

    /// What a walk over a segment has found, up to the first thing that is not as it should be.
    struct looked {
        detail::segment_index index;
        std::uint64_t size = 0;  // of the file
        std::uint64_t epoch = 0;
        std::int64_t append_time = 0;
        std::uint64_t claim = 0;  // offsets up to here had been synced, says some block or the index file
        bool sealed = false;
        bool damaged = false;
        std::string why;
        std::uint64_t seen_end = 0;  // behind the last record whose block can be seen behind the damage
        bool blocks_behind = false;
        bool index_fits = false;
        std::uint64_t producers = 0;
        std::optional<detail::segment_index> before_transaction;  // while one is not complete

        void undo_transaction() {
            index = std::move(*before_transaction);
            before_transaction.reset();
        }
    };

    [[nodiscard]] std::string path_of(std::uint32_t p, std::uint64_t base, std::string_view ending) const {
        return detail::partition_folder(path_, p) + "/" + detail::segment_name(base) + std::string{ending};
    }
    void plan_partition(std::uint32_t p) {
        auto const folder = detail::partition_folder(path_, p);
        std::vector<std::uint64_t> bases;
        std::vector<std::uint64_t> indexed;
        for (auto const& each : files_.list(folder)) {
            if (each.folder) continue;
            if (auto const base = detail::base_of(each.name, detail::segment_ending)) bases.push_back(*base);
            if (auto const base = detail::base_of(each.name, detail::index_ending)) indexed.push_back(*base);
            if (each.name.ends_with(unfinished_ending)) {
                remove(p, folder + "/" + each.name, "its writer died before it was finished");
            }
        }
        std::optional<std::uint64_t> expected;
        for (std::size_t i = 0; i < bases.size(); ++i) {
            if (expected && bases[i] != *expected) {
                drop_from(p, bases, i, bases[i],
                    "it begins with offset " + std::to_string(bases[i]) + ", the one before ends at "
                        + std::to_string(*expected),
                    true);
                break;
            }
            auto const end = plan_segment(p, bases, i);
            if (!end) break;
            expected = end;
        }
        for (auto const base : indexed) {
            if (std::binary_search(bases.begin(), bases.end(), base)) continue;
            remove(p, path_of(p, base, detail::index_ending), "the segment of this index file is missing");
        }
    }
    void remove(std::uint32_t p, std::string path, std::string why) {
        repair_step step{repair_step::kind::remove, std::move(path), p};
        step.why = std::move(why);
        steps_.push_back(std::move(step));
    }
    /// All segments from `first` on leave the log, the last one first so that no gap comes to be meanwhile.
    void drop_from(std::uint32_t p, std::vector<std::uint64_t> const& bases, std::size_t first, std::uint64_t offset,
        std::string const& why, bool loses) {
        for (auto i = bases.size(); i-- > first;) {
            repair_step step{repair_step::kind::drop_segment, path_of(p, bases[i], detail::segment_ending), p};
            step.first_offset = step.end_offset = std::max(bases[i], offset);
            step.loses = loses;
            step.why = i == first ? why : "a segment before it leaves the log";
            auto const file = files_.open(step.path, open_mode::read);
            step.bytes = file ? file->size() : 0;
            try {
                if (file) step.end_offset = std::max(step.first_offset, end_in(*file));
            } catch (error const& problem) {
                if (problem.code() == error_code::io) throw;  // else its header is what is damaged
            }
            steps_.push_back(std::move(step));
        }
    }
    static std::uint64_t end_in(file& of) {
        auto const header = detail::read_segment_header(of);
        std::uint64_t end = header.base;
        walk_segment(of, header, detail::encode(header).size(), [&](segment_step const& step) {
            if (step.what == segment_step::kind::block) end = std::max(end, step.block.end_offset());
            return true;
        });
        return end;
    }
    /// Returns the end offset of the segment; nothing if it is the last one from now on.
    std::optional<std::uint64_t> plan_segment(
        std::uint32_t p, std::vector<std::uint64_t> const& bases, std::size_t i) {
        auto const path = path_of(p, bases[i], detail::segment_ending);
        bool const last = i + 1 == bases.size();
        auto const file = files_.open(path, open_mode::read);
        if (!file) throw error{error_code::not_there, "a segment vanished while it was looked at", path};
        detail::segment_header header;
        try {
            header = detail::read_segment_header(*file);
        } catch (error const& problem) {
            bool const damaged = problem.code() == error_code::corrupt || problem.code() == error_code::malformed
                || (problem.code() == error_code::unsupported && has_damaged_format(*file));
            if (!damaged) throw;
            bool const loses = !last || detail::holds_promises(*file, bases[i]);
            drop_from(p, bases, i, bases[i], bare(problem, path), loses);
            return std::nullopt;
        }
        if (header.id != identity_.id || header.partition != p || header.base != bases[i]) {
            throw error{error_code::mismatch,
                "the segment belongs elsewhere: to log " + detail_id(header) + "; move it away, then repair", path};
        }
        auto const found = look_at(*file, header, p);
        auto const end = found.index.end_offset();
        auto const at = found.index.end_position();
        bool ends_here = false;  // what is behind it leaves the log
        if (found.damaged) {
            ends_here = last || end != bases[i + 1];
            repair_step step{repair_step::kind::cut, path, p};
            step.position = found.sealed ? at + seal_size(header) : at;
            step.bytes = found.size - step.position;
            step.first_offset = end;
            step.end_offset = std::max(end, found.seen_end);
            step.loses = step.end_offset > end || (ends_here && (found.claim > end || !last));
            step.why = found.why;
            if (ends_here) drop_from(p, bases, i + 1, bases[i], "records before it leave the log", true);
            steps_.push_back(std::move(step));
        }
        if (!found.sealed) {
            repair_step step{repair_step::kind::seal, path, p};
            step.position = at;
            step.why = found.damaged ? "it has another end now" : "its writer died before it could";
            steps_.push_back(std::move(step));
        }
        bool const gone = last && !found.damaged && found.claim > end;
        if (!found.index_fits || found.damaged || gone) {
            repair_step step{repair_step::kind::write_index, path_of(p, bases[i], detail::index_ending), p};
            step.first_offset = end;
            step.end_offset = gone ? found.claim : end;
            step.loses = gone;
            step.why = gone ? "records from offset " + std::to_string(end) + " to " + std::to_string(found.claim - 1)
                    + " had been durable, and are gone"
                : found.damaged ? "the segment has another end now"
                                : "it is missing, or does not say what the segment does";
            steps_.push_back(std::move(step));
        }
        return ends_here ? std::nullopt : std::optional{end};
    }
    /// True if a header is whole but for the number of its format, which is then not that of a later one.
    static bool has_damaged_format(file& of) {
        detail::file_window window{of};
        std::string header{window.at(0, detail::segment_header_start).substr(0, detail::segment_header_start)};
        if (header.size() < detail::segment_header_start) return false;
        auto const size = detail::get<std::uint32_t>(header, 12);
        if (size < detail::segment_header_start || size > detail::max_segment_header) return false;
        header = window.at(0, size).substr(0, size);
        if (header.size() < size) return false;
        auto const format = std::uint32_t{log_format_version};
        std::memcpy(header.data() + 8, &format, sizeof format);
        return xxh3_64(header.data(), size - 8) == detail::get<std::uint64_t>(header, size - 8);
    }
    static std::string detail_id(detail::segment_header const& header) {
        return to_string(header.id) + ", partition " + std::to_string(header.partition) + ", offset "
            + std::to_string(header.base);
    }
    static std::size_t seal_size(detail::segment_header const& of) {
        return detail::block_header_size(of.time_fields.size(), 0);
    }
    looked look_at(file& from, detail::segment_header const& header, std::uint32_t p) {
        auto const start = detail::encode(header).size();
        looked out;
        out.index = detail::segment_index{header.time_fields.size(), header.base, start};
        out.size = from.size();
        out.epoch = header.epoch;
        out.append_time = header.created;
        std::optional<untyped_schema> schema;
        try {
            schema.emplace(header, from.path());
        } catch (error const& problem) {
            if (problem.code() == error_code::io) throw;  // else records are not looked into
        }
        auto const path = std::make_shared<std::string const>(from.path());
        detail::producer_table producers;
        walk_segment(from, header, start, [&](segment_step const& step) {
            auto const damaged = [&](std::string why) {
                if (!out.damaged) out.why = std::move(why);
                out.damaged = true;
            };
            if (step.what != segment_step::kind::block) {
                damaged(step.what == segment_step::kind::cut ? "the file ends inside a block"
                                                             : "the header of a block is damaged");
                return true;
            }
            auto const& block = step.block.header();
            out.claim = std::max(out.claim, block.durable_offset);
            if (out.sealed) damaged("bytes follow the seal of the segment");
            else if (!out.damaged && block.first_offset != out.index.end_offset()) {
                damaged("a block begins with offset " + std::to_string(block.first_offset));
            } else if (!out.damaged) {
                if (auto why = why_bad(step, header, schema, path); !why.empty()) damaged(std::move(why));
            }
            if (out.damaged) {
                out.blocks_behind = true;
                out.seen_end = std::max(out.seen_end, step.block.end_offset());
                return true;
            }
            out.epoch = std::max(out.epoch, block.epoch);
            out.append_time = std::max(out.append_time, block.append_time);
            if (block.kind == detail::block_kind::seal) {
                if (out.before_transaction) {
                    damaged("a transaction is not complete");
                    return true;
                }
                out.sealed = true;
                return true;
            }
            producers.note(block);
            if (block.kind == detail::block_kind::producers) producers = *detail::producer_table::read(step.block);
            bool const goes_on = (block.flags & detail::block_flag::transaction) != 0;
            if (goes_on && !out.before_transaction) out.before_transaction = out.index;
            if (!goes_on) out.before_transaction.reset();
            if (block.kind == detail::block_kind::records) {
                std::vector<detail::time_range> ranges(header.time_fields.size());
                for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = step.block.range(i);
                out.index.add(block, ranges.data());
            } else {
                out.index.skip(block);
            }
            return true;
        });
        if (out.before_transaction) {
            if (!out.damaged) out.why = "a transaction is not complete";
            out.damaged = true;
            out.undo_transaction();
        }
        out.producers = producers.size();
        if (auto const bytes = read_whole_file(path_of(p, header.base, detail::index_ending), files_)) {
            auto const indexed = detail::segment_index::decode(*bytes, header);
            if (indexed) out.claim = std::max(out.claim, indexed->end_offset());
            out.index_fits = *bytes == out.index.encode(header);
        }
        return out;
    }
    /// What is wrong with a block whose header is intact; empty if nothing is.
    static std::string why_bad(segment_step const& step, detail::segment_header const& segment,
        std::optional<untyped_schema> const& schema, std::shared_ptr<std::string const> const& path) {
        if (!step.block.is_intact()) return "a block is damaged";
        if (step.block.header().kind == detail::block_kind::producers && !detail::producer_table::read(step.block)) {
            return "the table of producers cannot be read";
        }
        auto const& header = step.block.header();
        if (header.layout != segment.layout) return "a block has another layout than its segment";
        if (header.durable_offset > header.first_offset) return "a block speaks of later records as durable";
        bool const holds_records = header.kind == detail::block_kind::records;
        if (holds_records != (header.offset_span != 0)) {
            return "a block has not as many records as it says";
        }
        if (!schema || !holds_records) return {};
        try {
            untyped_block const records{detail::stored_block{step.block, nullptr, path, step.position}, *schema};
            if (!schema->is_readable() && schema->layout() != detail::layout_kind::columns) return {};
            value_visitor nothing;
            for (std::size_t i = 0; i < records.size(); ++i) records.visit(i, nothing);
        } catch (error const& problem) {
            if (problem.code() != error_code::malformed) return {};
            return "the records of a block are not what the schema says";
        }
        return {};
    }

    // --- doing -------------------------------------------------------------------------------------------------

    /// A name that nothing has, for what leaves the log.
    [[nodiscard]] std::string free_name(std::string const& like) const {
        auto out = like + std::string{dropped_ending};
        for (int i = 2; files_.exists(out); ++i) out = like + "." + std::to_string(i) + std::string{dropped_ending};
        return out;
    }
    [[nodiscard]] std::unique_ptr<file> open_to_write(std::string const& path) const {
        auto out = files_.open(path, open_mode::write);
        if (!out) throw error{error_code::not_there, "a segment vanished while the log was repaired", path};
        return out;
    }
    void drop_segment(repair_step const& step) {
        auto index = step.path;
        index.replace(index.size() - detail::segment_ending.size(), std::string::npos, detail::index_ending);
        files_.remove(index);  // an index without a segment would mean that one is missing
        files_.rename(step.path, free_name(step.path));
    }
    void cut(repair_step const& step) {
        auto const from = open_to_write(step.path);
        auto const name = free_name(step.path + "." + std::to_string(step.position));
        auto const kept = files_.open(name, open_mode::create_new);
        std::string piece(std::size_t{1} << 20, '\0');
        for (std::uint64_t done = 0; done < step.bytes;) {
            auto const got = from->read_at(step.position + done, piece.data(), piece.size());
            if (got == 0) break;
            kept->write_at(done, std::string_view{piece}.substr(0, got));
            done += got;
        }
        kept->sync();
        files_.sync_folder(detail::partition_folder(path_, step.partition));  // first kept, then cut
        // An index file that speaks of what is cut would make it look like damage.
        auto index = step.path;
        index.replace(index.size() - detail::segment_ending.size(), std::string::npos, detail::index_ending);
        files_.remove(index);
        from->truncate(step.position);
        from->sync();
    }
    void seal(repair_step const& step) {
        auto const into = open_to_write(step.path);
        auto const header = detail::read_segment_header(*into);
        auto const found = look_at(*into, header, step.partition);
        into->sync();  // a seal says that what stands before it is durable
        detail::seal_facts const facts{detail::block_flag::closed, found.append_time, found.epoch, found.producers};
        into->write_at(found.index.end_position(), detail::make_seal(header, found.index, facts));
        into->sync();
    }
    void write_index(repair_step const& step) {
        auto const name = step.path.substr(step.path.rfind('/') + 1);
        auto const base = detail::base_of(name, detail::index_ending);
        auto const from = open_to_write(path_of(step.partition, *base, detail::segment_ending));
        auto const header = detail::read_segment_header(*from);
        auto const found = look_at(*from, header, step.partition);
        from->sync();
        auto const folder = detail::partition_folder(path_, step.partition);
        write_whole_file(folder, name, found.index.encode(header), files_);
    }
};
}  // namespace driftless::inline v0
#endif
