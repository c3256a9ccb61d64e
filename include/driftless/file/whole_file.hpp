// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_WHOLE_FILE_HPP
#define DRIFTLESS_FILE_WHOLE_FILE_HPP

#include <driftless/core/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace driftless::inline v0 {
namespace detail {
/// A file descriptor that closes itself.
class descriptor {
    int fd_;

public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
};

[[noreturn]] inline void io_failed(char const* what, std::string const& path) {
    throw error{error_code::io, std::string{what} + ": " + std::strerror(errno), path};
}
inline void sync_folder(std::string const& path) {
    descriptor const folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder.is_open() || ::fsync(folder.get()) != 0) io_failed("cannot sync a folder", path);
}
}  // namespace detail

/// Creates a folder unless it is there; its parent must exist.
///
/// Errors      driftless::error with code io and the path.
inline void make_folder(std::string const& path) {
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) detail::io_failed("cannot make a folder", path);
}

/// Everything in a file; nothing if there is no such file.
///
/// Errors      driftless::error with code io and the path, for anything but a missing file.
inline std::optional<std::string> read_whole_file(std::string const& path) {
    detail::descriptor const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) {
        if (errno == ENOENT) return std::nullopt;
        detail::io_failed("cannot open a file to read it", path);
    }
    std::string bytes;
    char buffer[65536];
    for (;;) {
        auto const n = ::read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) detail::io_failed("cannot read a file", path);
        if (n == 0) return bytes;
        bytes.append(buffer, static_cast<std::size_t>(n));
    }
}

/// Replaces folder/name by `bytes`, whole or not at all: written beside it, synced, renamed, folder synced.
///
/// Errors      driftless::error with code io and the path; the old file is then still there.
inline void write_whole_file(std::string const& folder, std::string const& file_name, std::string_view bytes) {
    auto const path = folder + "/" + file_name;
    auto const beside = path + ".new";
    {
        detail::descriptor const file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
        if (!file.is_open()) detail::io_failed("cannot open a file to write it", beside);
        while (!bytes.empty()) {
            auto const n = ::write(file.get(), bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) detail::io_failed("cannot write a file", beside);
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        if (::fsync(file.get()) != 0) detail::io_failed("cannot sync a file", beside);
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) detail::io_failed("cannot rename a file", beside);
    detail::sync_folder(folder);
}
}  // namespace driftless::inline v0
#endif
