// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_JOURNAL_FILE_HPP
#define DRIFTLESS_RUN_DETAIL_JOURNAL_FILE_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/run/detail/instance_files.hpp>
#include <driftless/run/journal.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The journal of a job beside its snapshots: a file of the instance, begun as a copy of the newest one before it, so
/// that an older instance that still runs writes where nobody reads.
///
/// State       All entries in memory, and 48 bytes of file for each: 40 of content, 8 of checksum.
/// Durability  An entry is written when it is appended, and safe from a loss of power after sync(). One that was lost
///             is decided anew.
/// Errors      io, with the path. What is torn or damaged ends the copy: what follows is decided anew.
class journal_file {
    static constexpr std::string_view magic = "DRFTJRN\x01";
    static constexpr std::size_t entry_size = 48;

    instance_files place_;
    std::vector<journal_entry> entries_;
    std::unique_ptr<file> file_;

public:
    journal_file(file_system& files, std::string folder, std::uint64_t instance)
        : place_(files, std::move(folder), "journal-", instance) {
        if (auto const newest = place_.newest(); !newest.empty()) read(newest);
        write_all();
    }

    void append(journal_entry const& entry) {
        file_->write_at(magic.size() + entries_.size() * entry_size, bytes_of(entry));
        entries_.push_back(entry);
    }
    void sync() { file_->sync(); }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t) const noexcept { return entries_.size(); }
    struct from_one {
        journal_entry const* first;
        journal_entry const& operator[](std::size_t i) const noexcept { return first[i]; }
    };
    [[nodiscard]] from_one read(std::uint32_t, std::uint64_t offset) const noexcept {
        return {entries_.data() + offset};
    }

    /// The job begins anew: nothing has been decided.
    void forget() {
        entries_.clear();
        write_all();
    }
    /// A snapshot of this instance is valid: nobody goes back to the files of those before.
    void remove_older() { place_.remove_older(); }

private:
    void write_all() {
        std::string bytes{magic};
        for (auto const& each : entries_) bytes += bytes_of(each);
        write_whole_file(place_.folder(), place_.name(), bytes, place_.files());
        file_ = place_.files().open(place_.path(), open_mode::write);
    }
    static std::string bytes_of(journal_entry const& of) {
        std::string out;
        byte_writer to{out};
        to.put_fixed64(of.position);
        to.put_fixed64(of.offset);
        to.put_fixed32(of.input);
        to.put_fixed32(of.partition);
        to.put_fixed64(of.what);
        to.put_fixed64(static_cast<std::uint64_t>(of.time_ns));
        to.put_fixed64(xxh3_64(out.data(), out.size()));
        return out;
    }
    void read(std::string const& path) {
        auto const bytes = read_whole_file(path, place_.files());
        if (!bytes || !bytes->starts_with(magic)) return;
        for (auto at = magic.size(); at + entry_size <= bytes->size(); at += entry_size) {
            auto const raw = std::string_view{*bytes}.substr(at, entry_size);
            byte_reader in{raw};
            journal_entry entry;
            entry.position = in.get_fixed64();
            entry.offset = in.get_fixed64();
            entry.input = in.get_fixed32();
            entry.partition = in.get_fixed32();
            entry.what = static_cast<std::uint8_t>(in.get_fixed64());
            entry.time_ns = static_cast<std::int64_t>(in.get_fixed64());
            if (in.get_fixed64() != xxh3_64(raw.data(), entry_size - 8)) return;
            entries_.push_back(entry);
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
