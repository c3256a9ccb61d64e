// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_ANSWERS_FILE_HPP
#define DRIFTLESS_RUN_DETAIL_ANSWERS_FILE_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/answer_source.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/run/detail/instance_files.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The answers of a job beside its snapshots: a file of the instance, begun as a copy of the newest one before it, as
/// the journal is. What stands before all snapshots that are kept is given up.
///
/// State       The answers since the oldest snapshot that is kept, in memory and in the file.
/// Durability  An answer is written when it is appended, and safe from a loss of power after sync(). One that was lost
///             is asked for anew.
/// Errors      io, with the path. What is torn or damaged ends the copy: what follows is asked for anew.
class answers_file {
    static constexpr std::string_view magic = "DRFTANS\x01";
    static constexpr std::size_t head_size = 16;  // magic, number of the first
    static constexpr std::size_t mark_size = 12;  // size, checksum

    instance_files place_;
    std::uint64_t first_ = 0;
    std::vector<answer_entry> entries_{};
    std::vector<std::uint64_t> snapshots_{};  // how many there were when each of those kept was taken
    std::uint64_t end_ = 0;                   // of the file, in bytes
    std::unique_ptr<file> file_{};

public:
    answers_file(file_system& files, std::string folder, std::uint64_t instance)
        : place_(files, std::move(folder), "answers-", instance) {
        if (auto const newest = place_.newest(); !newest.empty()) read_all(newest);
        write_all();
    }

    void append(answer_entry const& entry) {
        auto const bytes = bytes_of(entry);
        file_->write_at(end_, bytes);
        end_ += bytes.size();
        entries_.push_back(entry);
    }
    void sync() { file_->sync(); }
    [[nodiscard]] std::uint64_t begin_offset() const noexcept { return first_; }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t) const noexcept { return first_ + entries_.size(); }
    struct one {
        answer_entry entry{};  // of nobody, where it has been given up
        answer_entry const& operator[](std::size_t) const noexcept { return entry; }
    };
    [[nodiscard]] one read(std::uint32_t, std::uint64_t offset) const {
        return offset < first_ ? one{} : one{entries_[static_cast<std::size_t>(offset - first_)]};
    }

    /// The job begins anew: nobody asks for them.
    void forget() { give_up(end_offset(0)); }
    /// A snapshot of this instance is valid, and the newest `keep` stay: nobody goes back to what stands before them,
    /// nor to the files of older instances.
    void snapshot_taken(std::size_t keep) {
        place_.remove_older();
        snapshots_.push_back(end_offset(0));
        if (snapshots_.size() > keep) snapshots_.erase(snapshots_.begin());
        // The file is written again as seldom as it has doubled.
        if (snapshots_.size() == keep && (snapshots_[0] - first_) * 2 > entries_.size()) give_up(snapshots_[0]);
    }

private:
    void give_up(std::uint64_t before) {
        if (before == first_) return;
        entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(before - first_));
        first_ = before;
        write_all();
    }
    static std::string bytes_of(answer_entry const& of) {
        std::string body;
        byte_writer{body}
            .write(of.operator_name)
            .write(of.nth)
            .write(of.record_hash)
            .write(of.offset)
            .write(of.input)
            .write(of.partition)
            .write(of.failed)
            .write(of.bytes);
        std::string out;
        byte_writer to{out};
        to.put_fixed32(static_cast<std::uint32_t>(body.size()));
        to.put_fixed64(xxh3_64(body.data(), body.size()));
        return out += body;
    }
    void write_all() {
        std::string bytes{magic};
        byte_writer{bytes}.put_fixed64(first_);
        for (auto const& each : entries_) bytes += bytes_of(each);
        write_whole_file(place_.folder(), place_.name(), bytes, place_.files());
        end_ = bytes.size();
        file_ = place_.files().open(place_.path(), open_mode::write);
    }
    void read_all(std::string const& path) {
        auto const bytes = read_whole_file(path, place_.files());
        if (!bytes || !bytes->starts_with(magic) || bytes->size() < head_size) return;
        byte_reader head{std::string_view{*bytes}.substr(magic.size())};
        first_ = head.get_fixed64();
        for (auto at = head_size; at + mark_size <= bytes->size();) {
            byte_reader in{std::string_view{*bytes}.substr(at)};
            std::size_t const size = in.get_fixed32();
            auto const sum = in.get_fixed64();
            if (size > bytes->size() - at - mark_size) return;
            auto const body = std::string_view{*bytes}.substr(at + mark_size, size);
            if (xxh3_64(body.data(), body.size()) != sum) return;
            byte_reader from{body};
            answer_entry made;
            from.read(made.operator_name);
            from.read(made.nth).read(made.record_hash).read(made.offset);
            from.read(made.input).read(made.partition).read(made.failed);
            from.read(made.bytes);
            entries_.push_back(std::move(made));
            at += mark_size + size;
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
