// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_SNAPSHOT_STORE_HPP
#define DRIFTLESS_RUN_SNAPSHOT_STORE_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/run/detail/state_writer.hpp>
#include <driftless/run/snapshot_manifest.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace driftless::inline v0 {

/// The folder of a job's snapshots.
///
/// Shape       A snapshot is a file of state, `NUMBER-INSTANCE.state`, and then a manifest, `NUMBER.manifest`: written
///             last, whole or not at all, it makes the snapshot valid. The file `instance` counts the starts of the
///             job.
/// Errors      driftless::error with the path: io; corrupt (other bytes than were written); unsupported; fenced
///             (another instance of the job has started since); in_use (another instance holds the lock, and does not
///             move).
/// Threads     One. Any number of processes: each start of a job claims the folder, and the older instance is fenced at
///             its next snapshot.
/// Complexity  A snapshot: one write of its bytes, two syncs of files, two of the folder.
class snapshot_store {
    std::string folder_;
    file_system* files_;
    std::uint64_t instance_ = 0;

    static constexpr std::string_view manifest_ending = ".manifest";
    static constexpr std::string_view state_ending = ".state";

public:
    /// Makes the folder if its parent is there.
    explicit snapshot_store(std::string folder, file_system& files) : folder_(std::move(folder)), files_(&files) {
        while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
        files_->make_folder(folder_);
    }

    [[nodiscard]] std::string const& folder() const noexcept { return folder_; }
    [[nodiscard]] std::uint64_t instance() const noexcept { return instance_; }
    [[nodiscard]] std::string path_of(std::string_view name) const { return detail::sentence({folder_, "/", name}); }

    /// The numbers of the snapshots that have a manifest, ascending.
    [[nodiscard]] std::vector<std::uint64_t> numbers() const {
        std::vector<std::uint64_t> out;
        for (auto const& each : files_->list(folder_)) {
            if (auto const n = number_in(each.name, manifest_ending); n != 0) out.push_back(n);
        }
        return out;
    }
    /// Greater than that of everything in the folder.
    [[nodiscard]] std::uint64_t next_number() const {
        std::uint64_t last = 0;
        for (auto const& each : files_->list(folder_)) {
            for (auto const ending : {manifest_ending, state_ending}) {
                if (auto const n = number_in(each.name, ending); n > last) last = n;
            }
        }
        return last + 1;
    }
    /// Errors      not_there, corrupt, unsupported.
    [[nodiscard]] snapshot_manifest read(std::uint64_t number) const {
        auto const path = path_of(manifest_name(number));
        auto const bytes = read_whole_file(path, *files_);
        if (!bytes) throw error{error_code::not_there, "there is no such snapshot", path};
        return read_manifest(*bytes, path);
    }

    /// The state that a manifest speaks of, read through memory maps.
    class reader {
        snapshot_store const* store_;
        snapshot_manifest const* manifest_;
        std::vector<mapped_bytes> maps_;

    public:
        /// Errors      corrupt where a file is missing, shorter, or holds other bytes than were written: everything is
        ///             checked.
        reader(snapshot_store const& store, snapshot_manifest const& manifest) : store_(&store), manifest_(&manifest) {
            maps_.resize(manifest.files.size());
            for (auto const& member : manifest.members) {
                for (auto const& each : member.extents) {
                    auto const bytes = bytes_of(each);
                    auto const sum = xxh3_64(bytes.data(), bytes.size());
                    if (sum == each.checksum) continue;
                    throw error{error_code::corrupt,
                        detail::sentence({"the snapshot is damaged: the checksum of the state of ", member.name, " is ",
                            sum, " and should be ", each.checksum}),
                        path_of(each), each.offset};
                }
            }
        }
        /// The bytes of a member: where they lie, or put together in `room`.
        [[nodiscard]] std::string_view bytes_of(snapshot_member const& member, std::string& room) {
            auto const& all = member.extents;
            if (all.empty()) return {};
            bool adjacent = true;
            std::uint64_t size = 0;
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (i != 0) {
                    adjacent = adjacent && all[i].file == all[0].file
                        && all[i].offset == all[i - 1].offset + all[i - 1].size;
                }
                size += all[i].size;
            }
            if (adjacent) return maps_[static_cast<std::size_t>(all[0].file)].view().substr(
                static_cast<std::size_t>(all[0].offset), static_cast<std::size_t>(size));
            room.clear();
            room.reserve(static_cast<std::size_t>(size));
            for (auto const& each : all) room += bytes_of(each);
            return room;
        }

    private:
        [[nodiscard]] std::string path_of(snapshot_extent const& of) const {
            auto const place = static_cast<std::size_t>(of.file);
            return store_->path_of(place < manifest_->files.size() ? manifest_->files[place] : "?");
        }
        std::string_view bytes_of(snapshot_extent const& of) {
            auto const damaged = [&](std::string_view what) {
                throw error{error_code::corrupt, detail::sentence({"the snapshot is damaged: ", what}), path_of(of)};
            };
            if (of.file >= maps_.size()) damaged("its manifest speaks of a file that it does not name");
            auto& map = maps_[static_cast<std::size_t>(of.file)];
            if (!map.data) {
                auto const from = store_->files_->open(path_of(of), open_mode::read);
                if (!from) damaged("a file of state is missing");
                auto const size = static_cast<std::size_t>(from->size());
                if (size != 0) map = from->map(size);
            }
            if (of.offset > map.size || of.size > map.size - of.offset) damaged("a file of state is too short");
            return map.view().substr(static_cast<std::size_t>(of.offset), static_cast<std::size_t>(of.size));
        }
    };

    /// Begins an instance of the job: those before it can complete no more snapshots. Returns its number.
    std::uint64_t claim() {
        auto const alone = lock();
        auto last = claimed();
        for (auto const n : numbers()) {
            try {
                if (auto const of = read(n).instance; of > last) last = of;
            } catch (error const& problem) {
                if (problem.code() != error_code::corrupt && problem.code() != error_code::unsupported) throw;
            }
        }
        instance_ = last + 1;
        write_whole_file(folder_, "instance", std::to_string(instance_) + "\n", *files_);
        return instance_;
    }

    /// Writes the file of a snapshot: `fill` is called with a state_writer. Names the file in the manifest. The
    /// manifest before it, if there is one, is where parts that are untouched are looked for.
    template <class Fill>
    void write_state(snapshot_manifest& manifest, snapshot_manifest const* before, Fill&& fill) {
        auto const name = detail::sentence({padded(manifest.number), "-", instance_, state_ending});
        manifest.files.assign(1, name);
        auto const into = files_->open(path_of(name), open_mode::create);
        into->truncate(0);
        detail::state_writer out{*into, manifest, before};
        fill(out);
        out.finish();
        into->sync();
    }
    /// Makes the snapshot valid.
    ///
    /// Errors      fenced: another instance has started.
    void complete(snapshot_manifest const& manifest) {
        auto const alone = lock();
        if (auto const other = claimed(); other != instance_) {
            throw error{error_code::fenced,
                detail::sentence(
                    {"another instance of this job, number ", other, ", has started since this one, number ",
                        instance_, ": it goes on from the last snapshot, and this one must not"}),
                folder_};
        }
        // The folder is synced with the manifest: before it the file of state has its name for sure.
        files_->sync_folder(folder_);
        write_whole_file(folder_, manifest_name(manifest.number), manifest_bytes(manifest), *files_);
    }
    /// Removes all but the newest `count` snapshots, and files of state that none of these needs.
    void keep_newest(std::size_t count) {
        auto const all = numbers();
        if (all.empty()) return;
        auto const newest = all.back();
        std::vector<std::string> needed;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (i + count < all.size()) {
                files_->remove(path_of(manifest_name(all[i])));
                continue;
            }
            try {
                for (auto const& each : read(all[i]).files) needed.push_back(each);
            } catch (error const& problem) {
                if (problem.code() == error_code::io) throw;
                return;  // nobody knows what it needs
            }
        }
        files_->sync_folder(folder_);
        for (auto const& each : files_->list(folder_)) {
            auto const n = number_in(each.name, state_ending);
            if (n == 0 || n > newest || contains(needed, each.name)) continue;
            files_->remove(path_of(each.name));
        }
    }

private:
    static bool contains(std::vector<std::string> const& all, std::string const& name) {
        for (auto const& each : all) {
            if (each == name) return true;
        }
        return false;
    }
    static std::string padded(std::uint64_t number) {
        auto digits = std::to_string(number);
        return digits.size() < 12 ? std::string(12 - digits.size(), '0') + digits : digits;
    }
    static std::string manifest_name(std::uint64_t number) { return padded(number).append(manifest_ending); }
    /// The number in a name that ends so; 0 if it is another one.
    static std::uint64_t number_in(std::string_view name, std::string_view ending) {
        if (!name.ends_with(ending)) return 0;
        std::uint64_t out = 0;
        std::size_t i = 0;
        while (i < name.size() && name[i] >= '0' && name[i] <= '9' && i < 19) {
            out = out * 10 + static_cast<std::uint64_t>(name[i++] - '0');
        }
        return i >= 12 ? out : 0;
    }
    /// The number in the file `instance`; 0 if it is not there, or not readable.
    [[nodiscard]] std::uint64_t claimed() const {
        auto const bytes = read_whole_file(path_of("instance"), *files_);
        std::uint64_t out = 0;
        if (bytes) {
            for (char const c : *bytes) {
                if (c >= '0' && c <= '9') out = out * 10 + static_cast<std::uint64_t>(c - '0');
            }
        }
        return out;
    }
    /// Held for moments only, so waiting is short; who does not get it in 10 s gives up.
    [[nodiscard]] std::unique_ptr<file> lock() const {
        auto held = files_->open(path_of("lock"), open_mode::create);
        for (int tries = 0; !held->try_lock(false); ++tries) {
            if (tries == 10000) {
                throw error{error_code::in_use,
                    "another instance of this job holds the lock of its snapshots and does not let go: end it",
                    folder_};
            }
            ::usleep(1000);
        }
        return held;
    }
};
}  // namespace driftless::inline v0
#endif
