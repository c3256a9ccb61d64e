// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_VERIFY_LOG_HPP
#define DRIFTLESS_LOG_VERIFY_LOG_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/producer_table.hpp>
#include <driftless/log/detail/segment_index.hpp>
#include <driftless/log/detail/side_files.hpp>
#include <driftless/log/known_files.hpp>
#include <driftless/log/segment_walk.hpp>
#include <driftless/log/untyped_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Something about a log that somebody should know.
struct log_finding {
    bool is_problem = true;  ///< else a note: the log is as a writer may have left it
    std::string path;
    std::optional<std::uint64_t> position;  ///< the byte of the file
    std::string what;
};

/// How closely verify_log looks, and who hears of it meanwhile.
struct verify_log_options {
    file_system* files = nullptr;                           ///< null: real_files()
    bool values = true;                                     ///< also decode every record
    std::function<void(log_finding const&)> found;          ///< hears of findings as they come
    std::function<void(std::uint64_t, std::uint64_t)> progress;  ///< bytes looked at, bytes altogether
};

/// What verify_log has seen.
struct verified_log {
    std::uint64_t problems = 0;
    std::uint64_t notes = 0;
    std::uint64_t segments = 0;
    std::uint64_t blocks = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;  ///< of segments
};

namespace detail {
/// Collects the least and greatest of each event-time member of the records that it visits.
class time_collector final : public value_visitor {
    untyped_schema const& schema_;
    std::vector<time_range> ranges_;
    std::size_t depth_ = 0;
    std::size_t member_ = 0;

public:
    explicit time_collector(untyped_schema const& schema) : schema_(schema), ranges_(schema.time_fields()) {}
    [[nodiscard]] std::vector<time_range> const& ranges() const noexcept { return ranges_; }

    void begin_list() override { ++depth_; }
    void end_list() override { --depth_; }
    void begin_record() override {
        if (++depth_ == 1) member_ = ~std::size_t{0};
    }
    void member(std::string_view) override {
        if (depth_ == 1) ++member_;
    }
    void end_record() override { --depth_; }
    void time(event_time at) override {
        if (depth_ != 1) return;
        for (std::size_t place = 0; place < ranges_.size(); ++place) {
            if (schema_.member_of_time(place) == member_) ranges_[place].widen(at.ns());
        }
    }
};

class log_verifier {
    std::string path_;
    verify_log_options const& options_;
    file_system& files_;
    log_identity identity_;
    bool has_identity_ = false;
    bool is_locked_ = false;  // somebody writes meanwhile
    std::uint64_t total_ = 0;
    verified_log out_;

    /// What one segment hands on to the next one of its partition.
    struct chain {
        std::optional<std::uint64_t> expected;  // nothing: unknown
        std::uint64_t durable = 0;              // the greatest claim
        std::uint64_t epoch = 0;
        event_time append_time = event_time::min();
    };

public:
    log_verifier(std::string path, verify_log_options const& options)
        : path_(std::move(path)),
          options_(options),
          files_(options.files != nullptr ? *options.files : real_files()) {}

    verified_log run() {
        look_at_folder();
        for (std::uint32_t p = 0; has_identity_ && p < identity_.partitions; ++p) look_at_partition(p);
        auto const found = [this](bool is_problem, std::string const& path, std::string what) {
            report(is_problem, path, std::nullopt, std::move(what));
        };
        if (has_identity_) side_files{files_, path_, identity_, found}.look();
        return out_;
    }

private:
    void report(bool is_problem, std::string const& path, std::optional<std::uint64_t> position, std::string what) {
        ++(is_problem ? out_.problems : out_.notes);
        if (options_.found) options_.found({is_problem, path, position, std::move(what)});
    }
    void problem(std::string const& path, std::uint64_t position, std::string what) {
        report(true, path, position, std::move(what));
    }
    void note(std::string const& path, std::string what) { report(false, path, std::nullopt, std::move(what)); }
    /// An error as a finding; the name of the library in front and the path behind are told otherwise.
    void problem(std::string const& path, std::uint64_t position, error const& why) {
        std::string_view what{why.what()};
        constexpr std::string_view prefix = "driftless: ";
        if (what.starts_with(prefix)) what.remove_prefix(prefix.size());
        if (auto const at = what.rfind(" [" + path + "]"); at != std::string_view::npos) what = what.substr(0, at);
        problem(path, position, std::string{what});
    }
    static std::string both(std::uint64_t stored, std::uint64_t computed) {
        return ": the checksum on disk is " + hex(stored) + ", that of the bytes is " + hex(computed);
    }
    void foreign(std::string const& path) { problem(path, 0, "no log makes such a file: move it away"); }

    // --- the folder --------------------------------------------------------------------------------------------

    void look_at_folder() {
        auto const entries = files_.list(path_);
        if (entries.empty()) {
            throw error{error_code::not_there, "there is no log in this folder: look at the path", path_};
        }
        auto const identity_path = path_ + "/" + std::string{log_identity::file_name};
        try {
            auto const found = read_identity(path_, files_);
            if (!found) {
                throw error{error_code::not_there,
                    files_.exists(path_ + "/copying")
                        ? "the folder holds a copy of a log that was not finished: copy it again"
                        : "the folder holds no log, its file `identity` is missing: look at the path, or bring the "
                          "file back; `driftless-log repair` can make it anew",
                    path_};
            }
            identity_ = *found;
            has_identity_ = true;
        } catch (error const& why) {
            if (why.code() != error_code::corrupt && why.code() != error_code::malformed) throw;
            problem(identity_path, 0, why);
            guess_identity(entries);
        }
        if (auto const lock = files_.open(path_ + "/lock", open_mode::read)) {
            is_locked_ = !lock->try_lock(true);
            if (!is_locked_) lock->unlock();
            if (lock->size() != 0) problem(path_ + "/lock", 0, "the file of the lock is not empty");
        }
        std::vector<bool> there(has_identity_ ? identity_.partitions : 0);
        for (auto const& each : entries) {
            auto const path = path_ + "/" + each.name;
            auto const partition = partition_of(each);
            auto const* const known = find_known_file(each.name);
            if (partition && *partition < there.size()) there[*partition] = true;
            else if (partition) problem(path, 0, "the log has no partition of this number: move the folder away");
            else if (each.name == "copying") note(path, "left over from the copy that made this log: remove it");
            else if (known != nullptr && known->folder == each.folder) continue;
            else if (each.name.ends_with(unfinished_ending)) unfinished(path);
            else if (each.name.ends_with(dropped_ending)) note(path, "kept by a repair");
            else foreign(path);
        }
        for (std::uint32_t p = 0; p < there.size(); ++p) {
            auto const folder = partition_folder(path_, p);
            if (!there[p]) problem(folder, 0, "the folder of the partition is missing");
            for (auto const& each : files_.list(folder)) {
                if (!base_of(each.name, segment_ending) || each.folder) continue;
                if (auto const file = files_.open(folder + "/" + each.name, open_mode::read)) total_ += file->size();
            }
        }
    }
    /// The rest can still be looked at.
    void guess_identity(std::vector<file_system::entry> const& entries) {
        identity_.partitions = 0;
        for (auto const& each : entries) {
            auto const partition = partition_of(each);
            if (!partition) continue;
            identity_.partitions = std::max(identity_.partitions, *partition + 1);
            auto const folder = path_ + "/" + each.name;
            for (auto const& inner : files_.list(folder)) {
                if (has_identity_ || !base_of(inner.name, segment_ending) || inner.folder) continue;
                try {
                    auto const file = files_.open(folder + "/" + inner.name, open_mode::read);
                    if (!file) continue;
                    identity_.id = read_segment_header(*file).id;
                    has_identity_ = true;
                } catch (error const& why) {
                    if (why.code() == error_code::io) throw;
                }
            }
        }
    }
    void unfinished(std::string const& path) {
        note(path, "its writer died before it was finished: the next writer removes it");
    }

    // --- a partition -------------------------------------------------------------------------------------------

    void look_at_partition(std::uint32_t p) {
        auto const folder = partition_folder(path_, p);
        std::vector<std::uint64_t> bases;
        std::vector<std::uint64_t> indexed;
        for (auto const& each : files_.list(folder)) {
            auto const path = folder + "/" + each.name;
            auto const base = base_of(each.name, segment_ending);
            auto const index = base_of(each.name, index_ending);
            if (each.folder) foreign(path);
            else if (base) bases.push_back(*base);
            else if (index) indexed.push_back(*index);
            else if (each.name.ends_with(unfinished_ending)) unfinished(path);
            else if (each.name.ends_with(dropped_ending)) note(path, "kept by a repair");
            else if (each.name.ends_with(spare_ending)) continue;  // of a segment that was removed, to be written again
            else foreign(path);
        }
        for (auto const base : indexed) {
            if (!std::binary_search(bases.begin(), bases.end(), base)) {
                problem(folder + "/" + segment_name(base) + std::string{index_ending}, 0,
                    "the segment of this index file is missing");
            }
        }
        chain so_far;
        for (std::size_t i = 0; i < bases.size(); ++i) {
            bool const last = i + 1 == bases.size();
            bool const has_index = std::binary_search(indexed.begin(), indexed.end(), bases[i]);
            look_at_segment(folder, p, bases[i], last, has_index, so_far);
        }
        if (!bases.empty() && so_far.expected && so_far.durable > *so_far.expected) {
            auto const path = folder + "/" + segment_name(bases.back()) + std::string{segment_ending};
            problem(path, 0,
                "records up to offset " + std::to_string(so_far.durable) + " had been synced, the partition ends at "
                    + std::to_string(*so_far.expected));
        }
    }

    // --- a segment ---------------------------------------------------------------------------------------------

    void look_at_segment(std::string const& folder, std::uint32_t p, std::uint64_t base, bool last, bool has_index,
        chain& so_far) {
        auto const path = folder + "/" + segment_name(base) + std::string{segment_ending};
        auto const file = files_.open(path, open_mode::read);
        if (!file) return;  // retention was faster
        ++out_.segments;
        auto const bytes_before = out_.bytes;
        segment_header header;
        try {
            header = read_segment_header(*file);
        } catch (error const& why) {
            if (why.code() == error_code::io) throw;
            problem(path, 0, why);
            so_far.expected.reset();
            out_.bytes = bytes_before + file->size();
            return;
        }
        if (header.id != identity_.id || header.partition != p || header.base != base) {
            problem(path, 0,
                "the segment belongs elsewhere: to log " + to_string(header.id) + ", partition "
                    + std::to_string(header.partition) + ", offset " + std::to_string(header.base)
                    + ": move it away");
            so_far.expected.reset();
            out_.bytes = bytes_before + file->size();
            return;
        }
        auto const start = encode(header).size();
        require_as_written(*file, header, path);
        if (so_far.expected && *so_far.expected != base) {
            problem(path, 0,
                "the segment begins with offset " + std::to_string(base) + ", the one before ends at "
                    + std::to_string(*so_far.expected));
        }
        if (header.epoch < so_far.epoch) {
            problem(path, 0,
                "the segment is of epoch " + std::to_string(header.epoch) + ", behind one of epoch "
                    + std::to_string(so_far.epoch));
        }
        so_far.epoch = std::max(so_far.epoch, header.epoch);
        so_far.expected = base;

        std::optional<untyped_schema> schema;
        try {
            schema.emplace(header, path);
            if (options_.values && !schema->is_readable() && schema->layout() != layout_kind::columns) {
                note(path, "the schema does not say how its records are to be read; they are not decoded");
            }
        } catch (error const& why) {
            problem(path, 0, why);
        }

        segment_look look{*file, header, schema ? &*schema : nullptr, std::make_shared<std::string const>(path),
            segment_index{header.time_fields.size(), base, start}, {}, last, std::nullopt, false, false, false, false,
            std::vector<time_range>(header.time_fields.size())};
        if (has_index) look.index_bytes = read_whole_file(index_path(folder, base), files_);
        if (look.index_bytes) look.indexed = segment_index::decode(*look.index_bytes, header);
        note_if_indexed(look);
        walk_segment(*file, header, start, [&](segment_step const& step) {
            look_at_step(look, step, so_far);
            out_.bytes += step.size;
            if (options_.progress) options_.progress(out_.bytes, total_);
            return true;
        });
        out_.bytes = bytes_before + file->size();
        look_at_end(look, path, index_path(folder, base), so_far);
        if (look.damaged) so_far.expected.reset();
    }

    struct segment_look {
        file& from;
        segment_header const& header;
        untyped_schema const* schema;
        std::shared_ptr<std::string const> path;
        segment_index index;
        std::optional<std::string> index_bytes;
        bool last;
        std::optional<segment_index> indexed;  // what the index file says, if it can be read
        bool damaged = false;
        bool sealed = false;
        bool in_transaction = false;  // the last block is visible only with the one behind it
        bool fits_index = false;  // the index file says what the segment had been at some block
        std::vector<time_range> ranges;
    };

    static std::string index_path(std::string const& folder, std::uint64_t base) {
        return folder + "/" + segment_name(base) + std::string{index_ending};
    }
    /// The file has the header that its contents give: no other bytes say the same.
    void require_as_written(file& from, segment_header const& header, std::string const& path) {
        auto const expected = encode(header);
        file_window window{from};
        auto const there = window.at(0, expected.size()).substr(0, expected.size());
        if (there == expected) return;
        auto const differs = std::mismatch(there.begin(), there.end(), expected.begin(), expected.end());
        problem(path, static_cast<std::uint64_t>(differs.first - there.begin()),
            "the header of the segment is not as a writer makes it, though its checksum fits");
    }
    static void note_if_indexed(segment_look& look) {
        if (look.indexed && look.indexed->end_position() == look.index.end_position() && *look.indexed == look.index) {
            look.fits_index = true;
        }
    }

    void look_at_step(segment_look& look, segment_step const& step, chain& so_far) {
        auto const& path = *look.path;
        if (look.sealed) {
            look.damaged = true;
            return problem(path, step.position, std::to_string(step.size) + " bytes follow the seal of the segment");
        }
        if (step.what != segment_step::kind::block) {
            bool const at_end = step.position + step.size >= look.from.size();
            look.damaged = true;
            if (look.last && at_end && is_locked_) {
                return note(path, "a block at byte " + std::to_string(step.position) + " is being written");
            }
            if (step.what == segment_step::kind::cut) {
                return problem(path, step.position,
                    "the file ends inside a block of which " + std::to_string(step.size) + " bytes are there");
            }
            auto const found = checksums_at(look.from, look.header, step.position);
            return problem(path, step.position,
                "the header of a block is damaged, " + std::to_string(step.size) + " bytes cannot be read"
                    + both(found.stored, found.computed));
        }
        ++out_.blocks;
        look_at_block(look, step, so_far);
    }
    void look_at_block(segment_look& look, segment_step const& step, chain& so_far) {
        auto const& block = step.block;
        auto const& header = block.header();
        auto const& path = *look.path;
        auto const at = step.position;
        if (so_far.expected && !look.damaged && header.first_offset != *so_far.expected) {
            problem(path, at,
                "the block begins with offset " + std::to_string(header.first_offset) + ", expected is "
                    + std::to_string(*so_far.expected));
        }
        if (header.kind == block_kind::producers && block.is_intact() && !producer_table::read(block)) {
            problem(path, at, "the table of producers cannot be read");
        }
        if (header.kind > block_kind::producers || (header.flags & ~block_flag::known) != 0) {
            problem(path, at, "the block is of a kind, or has flags, that this build does not know");
        }
        if (header.layout != look.header.layout) {
            problem(path, at, "the layout of the block is not that of its segment");
        }
        if (header.epoch < so_far.epoch) {
            problem(path, at,
                "the block is of epoch " + std::to_string(header.epoch) + ", behind one of epoch "
                    + std::to_string(so_far.epoch));
        } else if (header.epoch == so_far.epoch && event_time{header.append_time} < so_far.append_time) {
            problem(path, at,
                "the append time goes back, from " + std::to_string(so_far.append_time.ns()) + " to "
                    + std::to_string(header.append_time));
        }
        if (header.durable_offset > header.first_offset) {
            problem(path, at,
                "the block says that records up to " + std::to_string(header.durable_offset)
                    + " had been synced before it, which begins with " + std::to_string(header.first_offset));
        }
        so_far.epoch = std::max(so_far.epoch, header.epoch);
        so_far.append_time = event_time{header.append_time};
        so_far.durable = std::max(so_far.durable, header.durable_offset);
        so_far.expected = block.end_offset();
        out_.records += header.records;

        bool intact = true;
        for (std::size_t i = 0; i < header.parts; ++i) {
            if (block.is_intact(i)) continue;
            intact = false;
            problem(path, at + block.part(i).position,
                "part " + std::to_string(i) + " of the block with offset " + std::to_string(header.first_offset)
                    + " is damaged" + both(block.part(i).checksum, block.part_checksum(i)));
        }
        if (intact) require_zeroes(path, at, block);
        std::vector<time_range> ranges(look.ranges.size());
        for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = block.range(i);
        if (header.kind == block_kind::seal) {
            look.sealed = true;
            if (look.in_transaction) problem(path, at, "the seal stands behind a transaction that is not complete");
            if (header.records != 0 || header.offset_span != 0 || header.parts != 0) {
                problem(path, at, "the seal of the segment holds records");
            }
            if (!look.damaged && ranges != look.ranges) {
                problem(path, at, "the bounds of times in the seal are not those of the segment");
            }
        } else if (header.kind == block_kind::records) {
            if (header.offset_span == 0) {
                problem(path, at,
                    "the block has " + std::to_string(header.records) + " records for "
                        + std::to_string(header.offset_span) + " offsets");
            }
            if (intact) look_at_records(look, step, ranges);
            look.index.add(header, ranges.data());
            for (std::size_t i = 0; i < ranges.size(); ++i) look.ranges[i].widen(ranges[i]);
        } else {
            look.index.skip(header);
        }
        look.in_transaction = header.kind != block_kind::seal && (header.flags & block_flag::transaction) != 0;
        if (header.kind != block_kind::seal) note_if_indexed(look);
    }
    void require_zeroes(std::string const& path, std::uint64_t at, block_view const& block) {
        auto const& header = block.header();
        auto const check = [&](std::size_t from, std::size_t to) {
            for (auto i = from; i < to; ++i) {
                if (block.bytes()[i] != '\0') {
                    return problem(path, at + i, "a byte between the parts of a block is not zero");
                }
            }
        };
        check(sizeof header + look_size(block), header.header_size);
        for (std::size_t i = 0; i < header.parts; ++i) {
            auto const part = block.part(i);
            check(part.position + part.size, i + 1U < header.parts ? block.part(i + 1).position : header.size);
        }
    }
    /// The bytes of the tables behind the fixed start of a block.
    static std::size_t look_size(block_view const& block) {
        return block.time_fields() * sizeof(time_range) + block.header().parts * sizeof(block_part);
    }
    void look_at_records(segment_look& look, segment_step const& step, std::vector<time_range> const& ranges) {
        if (look.schema == nullptr || !options_.values) return;
        try {
            untyped_block const records{stored_block{step.block, nullptr, look.path, step.position}, *look.schema};
            if (!look.schema->is_readable() && look.schema->layout() != layout_kind::columns) return;
            time_collector times{*look.schema};
            for (std::size_t i = 0; i < records.size(); ++i) records.visit(i, times);
            if (times.ranges() != ranges) {
                problem(*look.path, step.position,
                    "the bounds of times of the block with offset " + std::to_string(records.first_offset())
                        + " are not those of its records");
            }
        } catch (error const& why) {
            if (why.code() == error_code::io) throw;
            problem(*look.path, step.position, why);
        }
    }
    void look_at_end(segment_look& look, std::string const& path, std::string const& index_path, chain& so_far) {
        auto const end = look.index.end_position();
        if (look.index_bytes && !look.indexed) {
            return problem(index_path, 0, "the index file is damaged, or of another segment: repair makes it anew");
        }
        if (look.damaged) return;
        if (look.sealed) {
            if (!look.index_bytes) {
                return note(index_path, "the index file of a sealed segment is missing: readers walk over it");
            }
            auto const expected = look.index.encode(look.header);
            if (*look.index_bytes == expected) return;
            auto const differs = std::mismatch(look.index_bytes->begin(), look.index_bytes->end(), expected.begin(),
                expected.end());
            return problem(index_path, static_cast<std::uint64_t>(differs.first - look.index_bytes->begin()),
                "the index file does not say what the segment does: repair makes it anew");
        }
        if (look.indexed) {
            if (look.indexed->end_offset() > look.index.end_offset()) {
                so_far.durable = std::max(so_far.durable, look.indexed->end_offset());
                return problem(path, end,
                    "the file ends at offset " + std::to_string(look.index.end_offset())
                        + ", its index file speaks of records up to " + std::to_string(look.indexed->end_offset()));
            }
            if (!look.fits_index) {
                return problem(index_path, 0,
                    "the index file does not say what the segment does: repair makes it anew");
            }
            if (look.indexed->end_position() == end && !is_locked_) {
                return problem(path, end, "the seal of the segment is missing, though its index file had been written");
            }
        }
        if (look.in_transaction && !is_locked_) note(path, "its last transaction is not complete: nobody sees it");
        if (!look.last) note(path, "the segment has no seal: its writer died, and the next one went on in another");
        else if (is_locked_) note(path, "the segment is being written");
        else note(path, "the log was not closed: its writer died; the next one goes on here");
    }
};
}  // namespace detail

/// Looks at every byte of a log: identity, segments, blocks and their checksums, offsets, times, records, index files,
/// and what else is in the folder. It writes nothing; a writer may be at work.
///
/// A log has no problem only if every byte is what a writer has written, and nothing is missing that some other byte
/// speaks of.
///
/// Errors      driftless::error: not_there if there is no log, unsupported for one of a later format, io. What is wrong
///             with the log is a finding, not an error.
/// Complexity  O(bytes of the log); memory for one block.
inline verified_log verify_log(std::string path, verify_log_options const& options = {}) {
    return detail::log_verifier{std::move(path), options}.run();
}
}  // namespace driftless::inline v0
#endif
