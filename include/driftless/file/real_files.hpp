// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_REAL_FILES_HPP
#define DRIFTLESS_FILE_REAL_FILES_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace driftless::inline v0 {
namespace detail {
[[noreturn]] inline void io_failed(char const* what, std::string const& path) {
    throw error{error_code::io, std::string{what} + ": " + std::strerror(errno), path};
}

class real_file final : public file {
    int fd_;
    std::string path_;

public:
    real_file(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    ~real_file() override { ::close(fd_); }

    std::size_t read_at(std::uint64_t position, char* into, std::size_t size) override {
        std::size_t done = 0;
        while (done < size) {
            auto const n = ::pread(fd_, into + done, size - done, static_cast<off_t>(position + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) io_failed("cannot read a file", path_);
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }
    void write_at(std::uint64_t position, std::string_view const* pieces, std::size_t count) override {
        constexpr std::size_t at_once = 64;
        ::iovec list[at_once];
        std::size_t skip = 0;  // bytes of the first piece that are written
        while (count > 0) {
            std::size_t const n = std::min(count, at_once);
            for (std::size_t i = 0; i < n; ++i) {
                auto const piece = pieces[i].substr(i == 0 ? skip : 0);
                list[i] = {const_cast<char*>(piece.data()), piece.size()};
            }
            auto const done = ::pwritev(fd_, list, static_cast<int>(n), static_cast<off_t>(position));
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) io_failed("cannot write a file", path_);
            position += static_cast<std::uint64_t>(done);
            skip += static_cast<std::size_t>(done);
            while (count > 0 && skip >= pieces->size()) {
                skip -= pieces->size();
                ++pieces;
                --count;
            }
        }
    }
    void sync() override {
        if (::fdatasync(fd_) != 0) io_failed("cannot sync a file", path_);
    }
    void truncate(std::uint64_t size) override {
        if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) io_failed("cannot set the size of a file", path_);
    }
    std::uint64_t size() override {
        struct ::stat of{};
        if (::fstat(fd_, &of) != 0) io_failed("cannot ask for the size of a file", path_);
        return static_cast<std::uint64_t>(of.st_size);
    }
    mapped_bytes map(std::size_t size) override { return map(size, PROT_READ); }
    mapped_bytes map_shared(std::size_t size) override { return map(size, PROT_READ | PROT_WRITE); }
    bool try_lock(bool shared) override {
        while (::flock(fd_, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) return false;
            if (errno != EINTR) io_failed("cannot lock a file", path_);
        }
        return true;
    }
    void unlock() override {
        if (::flock(fd_, LOCK_UN) != 0) io_failed("cannot unlock a file", path_);
    }
    std::string const& path() const override { return path_; }

private:
    mapped_bytes map(std::size_t size, int protection) {
        if (size == 0) return {};
        void* const at = ::mmap(nullptr, size, protection, MAP_SHARED, fd_, 0);
        if (at == MAP_FAILED) io_failed("cannot map a file", path_);
        return {std::shared_ptr<char>{static_cast<char*>(at), [size](char* bytes) { ::munmap(bytes, size); }}, size};
    }
};

class real_file_system final : public file_system {
public:
    std::unique_ptr<file> open(std::string const& path, open_mode mode) override {
        int flags = O_CLOEXEC | (mode == open_mode::read ? O_RDONLY : O_RDWR);
        bool const alone = mode == open_mode::create_private;
        if (mode == open_mode::create || mode == open_mode::create_new || alone) flags |= O_CREAT;
        if (mode == open_mode::create_new) flags |= O_EXCL;
        int const fd = above_standard_streams(::open(path.c_str(), flags, alone ? 0600 : 0666));
        if (fd < 0 && errno == ENOENT && (flags & O_CREAT) == 0) return nullptr;
        if (fd < 0) {
            io_failed(
                mode == open_mode::read ? "cannot open a file to read it" : "cannot open a file to write it", path);
        }
        return std::make_unique<real_file>(fd, path);
    }
    void rename(std::string const& from, std::string const& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) io_failed("cannot rename a file", from);
    }
    bool remove(std::string const& path) override {
        if (::remove(path.c_str()) == 0) return true;
        if (errno != ENOENT) io_failed("cannot remove", path);
        return false;
    }
    bool make_folder(std::string const& path) override {
        if (::mkdir(path.c_str(), 0777) == 0) return true;
        if (errno != EEXIST) io_failed("cannot make a folder", path);
        struct ::stat of{};
        if (::stat(path.c_str(), &of) != 0 || !S_ISDIR(of.st_mode)) {
            errno = ENOTDIR;
            io_failed("cannot make a folder, a file has its name", path);
        }
        return false;
    }
    std::vector<entry> list(std::string const& folder) override {
        std::vector<entry> out;
        std::unique_ptr<::DIR, int (*)(::DIR*)> const stream{::opendir(folder.c_str()), [](::DIR* open) {
                                                                 return ::closedir(open);
                                                             }};
        if (!stream && errno == ENOENT) return out;
        if (!stream) io_failed("cannot list a folder", folder);
        for (;;) {
            errno = 0;
            auto const* const each = ::readdir(stream.get());
            if (each == nullptr && errno != 0) io_failed("cannot list a folder", folder);
            if (each == nullptr) break;
            std::string_view const name{static_cast<char const*>(each->d_name)};
            if (name == "." || name == "..") continue;
            out.push_back({std::string{name}, is_folder(*each, folder)});
        }
        std::sort(out.begin(), out.end(), [](entry const& a, entry const& b) { return a.name < b.name; });
        return out;
    }
    bool exists(std::string const& path) override {
        if (::access(path.c_str(), F_OK) == 0) return true;
        if (errno != ENOENT && errno != ENOTDIR) io_failed("cannot look for a file", path);
        return false;
    }
    void sync_folder(std::string const& path) override {
        int const fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool const synced = fd >= 0 && ::fsync(fd) == 0;
        auto const why = errno;
        if (fd >= 0) ::close(fd);
        errno = why;
        if (!synced) io_failed("cannot sync a folder", path);
    }

private:
    /// In a program whose standard output is closed the next file would be number 1, and be printed over.
    static int above_standard_streams(int fd) noexcept {
        if (fd < 0 || fd > STDERR_FILENO) return fd;
        int const higher = ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        auto const why = errno;
        ::close(fd);
        errno = why;
        return higher;
    }
    static bool is_folder(::dirent const& of, std::string const& folder) {
        if (of.d_type != DT_UNKNOWN && of.d_type != DT_LNK) return of.d_type == DT_DIR;
        struct ::stat there{};
        return ::stat((folder + "/" + static_cast<char const*>(of.d_name)).c_str(), &there) == 0
            && S_ISDIR(there.st_mode);
    }
};
}  // namespace detail

/// The files of the operating system (POSIX). Locks are flock's: they end with the process that holds them.
inline file_system& real_files() {
    static detail::real_file_system files;
    return files;
}
}  // namespace driftless::inline v0
#endif
