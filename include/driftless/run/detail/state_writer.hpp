// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_STATE_WRITER_HPP
#define DRIFTLESS_RUN_DETAIL_STATE_WRITER_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/detail/state_schemas.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/run/snapshot_manifest.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// Writes the state of stages into a file, in pieces of chunk bytes, and notes in a manifest where it lies. What says
/// of itself that it has not changed is not written again: the manifest then points into the file of an earlier
/// snapshot.
///
/// Threads     One. Complexity  O(bytes written); memory for one chunk.
class state_writer {
    static constexpr std::size_t chunk = std::size_t{256} << 10;

    file& into_;
    snapshot_manifest& manifest_;
    snapshot_manifest const* before_;  // null: everything is written
    std::optional<state_schemas> types_;  // of the member
    std::string buffer_;
    byte_writer bytes_{buffer_};
    xxh3_64_stream sum_;
    std::uint64_t flushed_ = 0;  // of the file
    std::uint64_t begin_ = 0;    // of the extent
    std::size_t next_before_ = 0;  // of the extents of this member in the snapshot before: looked at next
    std::size_t counted_ = 0;    // of the buffer: it is in sum_, or belongs to earlier extents

public:
    /// The file is empty and the first of manifest.files.
    state_writer(file& into, snapshot_manifest& manifest, snapshot_manifest const* before)
        : into_(into), manifest_(manifest), before_(before) {
        buffer_.reserve(chunk + chunk / 4);
    }

    template <class T>
    state_writer& write(T const& value) {
        bytes_.write(value);
        if (buffer_.size() >= chunk) flush();
        return *this;
    }
    void put_byte(std::uint8_t byte) { bytes_.put_byte(byte); }
    void put_bytes(std::string_view bytes) {
        bytes_.put_bytes(bytes);
        if (buffer_.size() >= chunk) flush();
    }
    void put_varint(std::uint64_t value) { bytes_.put_varint(value); }
    void put_zigzag(std::int64_t value) { bytes_.put_zigzag(value); }
    void put_fixed32(std::uint32_t value) { bytes_.put_fixed32(value); }
    void put_fixed64(std::uint64_t value) { bytes_.put_fixed64(value); }

    void begin_member(std::string_view name, std::string_view id) {
        manifest_.members.push_back({std::string{name}, std::string{id}, {}, {}});
        types_.emplace(&manifest_.members.back().types);
        next_before_ = 0;
        begin_extent();
    }
    void end_member() {
        end_extent({});
        types_.reset();
    }

    /// The number of the snapshot that is being written.
    [[nodiscard]] std::uint64_t number() const noexcept { return manifest_.number; }
    /// What the attempt at the snapshot `written` wrote, and has not changed since (0: it has), is in the one before
    /// this: attempts that failed have higher numbers than that.
    [[nodiscard]] bool has(std::uint64_t written) const noexcept {
        return before_ != nullptr && written != 0 && written <= before_->number;
    }
    /// A part of the member: what f() writes, unless it has not changed and the snapshot before has it. True if it was
    /// written.
    template <class F>
    bool part(std::string_view name, bool changed, F&& f) {
        end_extent({});
        if (!changed && take_from_before(name)) return false;
        f();
        end_extent(name);
        return true;
    }
    /// Everything is in the file, not yet synced.
    void finish() { flush(); }
    [[nodiscard]] std::uint64_t size() const noexcept { return flushed_ + buffer_.size(); }

private:
    void flush() {
        count();
        if (!buffer_.empty()) into_.write_at(flushed_, buffer_);
        flushed_ += buffer_.size();
        buffer_.clear();
        counted_ = 0;
    }
    void count() {
        sum_.add(buffer_.data() + counted_, buffer_.size() - counted_);
        counted_ = buffer_.size();
    }
    void begin_extent() {
        counted_ = buffer_.size();
        begin_ = size();
        sum_.reset();
    }
    void end_extent(std::string_view part) {
        count();
        if (auto const end = size(); end != begin_) {
            manifest_.members.back().extents.push_back({0, begin_, end - begin_, sum_.value(), std::string{part}});
        }
        begin_extent();
    }
    bool take_from_before(std::string_view part) {
        if (before_ == nullptr) return false;
        auto const& members = manifest_.members;
        auto const place = members.size() - 1;
        if (place >= before_->members.size() || before_->members[place].name != members[place].name) return false;
        auto const& theirs = before_->members[place].extents;
        // Parts come in the same order, as a rule.
        for (std::size_t looked = 0; looked < theirs.size(); ++looked, ++next_before_) {
            if (next_before_ >= theirs.size()) next_before_ = 0;
            auto const& each = theirs[next_before_];
            if (each.part != part) continue;
            ++next_before_;
            auto copy = each;
            copy.file = place_of(before_->files[static_cast<std::size_t>(each.file)]);
            manifest_.members.back().extents.push_back(std::move(copy));
            add_types(before_->members[place].types);
            return true;
        }
        return false;
    }
    void add_types(std::vector<snapshot_type> const& of) {
        auto& into = manifest_.members.back().types;
        for (auto const& each : of) {
            bool there = false;
            for (auto const& one : into) there = there || one == each;
            if (!there) into.push_back(each);
        }
    }
    std::uint64_t place_of(std::string const& file_name) {
        for (std::size_t i = 0; i < manifest_.files.size(); ++i) {
            if (manifest_.files[i] == file_name) return i;
        }
        manifest_.files.push_back(file_name);
        return manifest_.files.size() - 1;
    }
};
}  // namespace driftless::inline v0::detail
#endif
