// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DETAIL_STAGED_PARTS_HPP
#define DRIFTLESS_IO_DETAIL_STAGED_PARTS_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/io/detail/sink_books.hpp>
#include <driftless/io/directory_parts.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The two phases of a sink whose transactions are files of a folder. A transaction is written and synced in the folder
/// `.staged` and renamed when it is committed; the books are there too:
///
///   .staged/OWNER.INSTANCE.open.EXT         being written
///   .staged/OWNER.INSTANCE.N.ROWS.EXT       prepared
///   .staged/OWNER.committed                 the books (sink_books)
///   .staged/OWNER.INSTANCE.lock             held: two sinks of one name would write over each other
///   OWNER.N.EXT                             committed
class staged_parts {
    file_system* files_;
    std::string folder_;
    std::string staged_;
    std::string extension_;
    std::string name_;
    std::size_t buffer_bytes_;
    sink_books books_;
    std::string buffer_;  // behind size_
    std::unique_ptr<file> open_;
    std::unique_ptr<file> lock_;
    std::uint64_t size_ = 0;
    std::uint64_t rows_ = 0;  // since the last prepare
    bool failed_ = false;
    bool unsynced_ = false;  // something was renamed

public:
    staged_parts(
        file_system& files, std::string folder, std::string name, std::string extension, std::size_t buffer_bytes)
        : files_(&files),
          folder_(std::move(folder)),
          staged_(folder_ + "/.staged"),
          extension_("." + std::move(extension)),
          name_(std::move(name)),
          buffer_bytes_(buffer_bytes) {}

    void recover(driftless::sink_position const& at) {
        open_.reset();
        buffer_.clear();
        size_ = rows_ = 0;
        failed_ = true;  // until all is done
        make_folders();
        books_.begin(*files_, staged_, {}, name_, at);
        lock();
        std::vector<std::pair<std::string, std::string>> found;  // name, extension
        for (auto const& each : files_->list(staged_)) {
            auto const dot = each.name.rfind('.');
            if (each.folder || dot == std::string::npos) continue;
            auto name = each.name.substr(0, dot);
            if (each.name.ends_with(".lock")) remove_old_lock(name);
            else if (is_open_part(name)) files_->remove(staged_ + "/" + each.name);
            else found.emplace_back(std::move(name), each.name.substr(dot));
        }
        std::vector<std::string> names;
        names.reserve(found.size());
        for (auto const& each : found) names.push_back(each.first);
        auto const with_extension = [&](std::string const& name, auto&& f) {  // the format may have been another one
            for (auto const& each : found) {
                if (each.first == name) f(each.second);
            }
        };
        books_.recover(
            at, names,
            [&](std::string const& name, staged_id const& id) {
                with_extension(name, [&](std::string const& extension) { show(name, id, extension); });
            },
            [&](std::string const& name) {
                with_extension(
                    name, [&](std::string const& extension) { files_->remove(staged_ + "/" + name + extension); });
            });
        // Also what a process that died had renamed: the next snapshot would not know it as its own any more.
        unsynced_ = true;
        sync_folders();
        failed_ = false;
    }
    /// Where the next row is appended; then call end_row().
    [[nodiscard]] std::string& begin_row() {
        require_usable();
        if (buffer_.size() >= buffer_bytes_) flush();
        return buffer_;
    }
    void end_row() noexcept { ++rows_; }

    void prepare(std::uint64_t n) {
        require_usable();
        auto const name = books_.next_name(n, rows_);
        if (rows_ != 0) {
            flush();
            failed_ = true;  // until all is done
            open_->sync();
            auto const from = open_->path();
            open_.reset();
            files_->rename(from, staged_ + "/" + name + extension_);
            files_->sync_folder(staged_);
            failed_ = false;
        }
        size_ = 0;
        books_.prepared(n, std::exchange(rows_, 0));
    }
    /// May be called again after it threw.
    void commit(std::uint64_t n) {
        books_.commit(n, [&](std::string const& name, staged_id const& id) { show(name, id, extension_); });
        sync_folders();
    }
    /// Removes what was committed for a job, and the books.
    void start_over(std::string const& job) {
        make_folders();
        auto const owner = (job.empty() ? std::string{"_"} : job) + "." + name_;
        for (auto const& each : directory_parts(folder_, *files_)) {
            if (each.job + "." + each.sink == owner) files_->remove(each.path);
        }
        files_->sync_folder(folder_);
        files_->remove(staged_ + "/" + owner + ".committed");  // last: until then the job is refused
        files_->sync_folder(staged_);
        failed_ = true;
    }
    [[nodiscard]] std::uint64_t committed() const noexcept { return books_.committed(); }
    /// Rows that the sink was given for the job before the next one, since its very beginning.
    [[nodiscard]] std::uint64_t rows() const noexcept { return books_.rows() + rows_; }
    [[nodiscard]] std::uint64_t open_rows() const noexcept { return rows_; }
    [[nodiscard]] std::string const& owner() const noexcept { return books_.owner(); }
    [[nodiscard]] std::string const& folder() const noexcept { return folder_; }

private:
    void require_usable() const {
        books_.require_open();
        if (!failed_) return;
        throw error{error_code::stopped,
            "this sink has failed, and nobody knows what of its rows is on the disk: start its job again", folder_};
    }
    void make_folders() {
        if (files_->make_folder(folder_)) {
            auto const slash = folder_.rfind('/');
            files_->sync_folder(slash == std::string::npos ? "." : folder_.substr(0, slash == 0 ? 1 : slash));
        }
        if (files_->make_folder(staged_)) files_->sync_folder(folder_);
    }
    void lock() {
        lock_.reset();
        lock_ = files_->open(mine() + ".lock", open_mode::create);
        if (lock_->try_lock(false)) return;
        throw error{error_code::in_use,
            "another sink writes as `" + books_.owner() +
                "` to this folder: where one job has two sinks in a folder, "
                "name them; where another process runs this job, end it",
            folder_};
    }
    /// Whoever holds it has been replaced, and keeps what it has locked.
    void remove_old_lock(std::string_view name) {
        auto const& owner = books_.owner();
        std::uint64_t instance = 0;
        if (!name.starts_with(owner) || name.size() < owner.size() + 2 || name[owner.size()] != '.') return;
        if (!read_numbers(name.substr(owner.size() + 1), &instance, 1) || instance == books_.instance()) return;
        files_->remove((staged_ + "/").append(name) + ".lock");
    }
    /// Of this owner and instance.
    [[nodiscard]] std::string mine() const {
        return staged_ + "/" + books_.owner() + "." + std::to_string(books_.instance());
    }
    [[nodiscard]] bool is_open_part(std::string_view name) const noexcept {
        auto const& owner = books_.owner();
        if (!name.starts_with(owner) || !name.ends_with(".open") || name.size() < owner.size() + 6) return false;
        name = name.substr(owner.size(), name.size() - owner.size() - 5);
        std::uint64_t instance = 0;
        return name[0] == '.' && read_numbers(name.substr(1), &instance, 1);
    }
    void flush() {
        if (buffer_.empty()) return;
        failed_ = true;  // until all is done
        if (!open_) {
            open_ = files_->open(mine() + ".open" + extension_, open_mode::create);
            open_->truncate(0);
            size_ = 0;
        }
        open_->write_at(size_, buffer_);
        size_ += buffer_.size();
        buffer_.clear();
        failed_ = false;
    }
    void show(std::string const& name, staged_id const& id, std::string const& extension) {
        auto const from = staged_ + "/" + name + extension;
        auto const to = folder_ + "/" + part_name(books_.owner(), id.n, std::string_view{extension}.substr(1));
        unsynced_ = true;
        if (!files_->exists(from) && files_->exists(to)) return;  // by a commit that failed behind it
        files_->rename(from, to);
    }
    void sync_folders() {
        if (!unsynced_) return;
        files_->sync_folder(folder_);
        files_->sync_folder(staged_);
        unsynced_ = false;
    }
};
}  // namespace driftless::inline v0::detail
#endif
