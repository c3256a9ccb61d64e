// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_FILE_SYSTEM_HPP
#define DRIFTLESS_FILE_FILE_SYSTEM_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// How a file is opened.
enum class open_mode : std::uint8_t {
    read,        ///< to read; must exist
    write,       ///< to read and write; must exist
    create,      ///< to read and write; made unless it exists
    create_new,  ///< to read and write; an error if it exists
    create_private,  ///< as create; a file that it makes is for its owner alone (0600)
};

/// Bytes of a file in memory, shared by whoever holds a copy; they stay when the file is removed.
struct mapped_bytes {
    std::shared_ptr<char> data;
    std::size_t size = 0;

    [[nodiscard]] std::string_view view() const noexcept { return {data.get(), size}; }
};

/// An open file.
///
/// Errors      Every member throws driftless::error with code io, the path and what the system said. A write that fails
///             may have written some of its bytes; after a sync that failed nobody knows what is on the disk.
/// Threads     read_at and map may be called at any time; one thread at a time calls the others.
class file {
public:
    file() = default;
    file(file const&) = delete;
    file& operator=(file const&) = delete;
    virtual ~file() = default;

    /// Reads `size` bytes from `position` on; returns how many there were, fewer only at the end of the file.
    virtual std::size_t read_at(std::uint64_t position, char* into, std::size_t size) = 0;
    /// Writes the pieces one behind the other.
    virtual void write_at(std::uint64_t position, std::string_view const* pieces, std::size_t count) = 0;
    /// Waits until what was written, and the size, are safe from a loss of power.
    virtual void sync() = 0;
    /// Cuts the file, or extends it with zeroes.
    virtual void truncate(std::uint64_t size) = 0;
    [[nodiscard]] virtual std::uint64_t size() = 0;
    /// Maps [0, size) to read it; size must not exceed the file's.
    virtual mapped_bytes map(std::size_t size) = 0;
    /// Maps [0, size) of a file open for writing: whoever maps it, in this process or another, sees what others write.
    virtual mapped_bytes map_shared(std::size_t size) = 0;
    /// Locks the file for this open file, alone or shared with others that ask for a share; false if somebody else
    /// holds it. Given back by unlock, when the file is closed, and when the process dies.
    [[nodiscard]] virtual bool try_lock(bool shared) = 0;
    virtual void unlock() = 0;
    [[nodiscard]] virtual std::string const& path() const = 0;

    void write_at(std::uint64_t position, std::string_view bytes) { write_at(position, &bytes, 1); }
};

/// Where files are: the operating system's (real_files), or made up for a test (testing::memory_files).
///
/// Errors      As for file. A missing file is no error where a function says so.
class file_system {
public:
    file_system() = default;
    file_system(file_system const&) = delete;
    file_system& operator=(file_system const&) = delete;
    virtual ~file_system() = default;

    struct entry {
        std::string name;
        bool folder;
    };

    /// Null if the file does not exist and the mode does not make it.
    [[nodiscard]] virtual std::unique_ptr<file> open(std::string const& path, open_mode mode) = 0;
    /// Replaces `to` if it exists: others see the old one or the new one.
    virtual void rename(std::string const& from, std::string const& to) = 0;
    /// Removes a file or an empty folder; false if there was none.
    virtual bool remove(std::string const& path) = 0;
    /// Makes a folder; false if it was there. Its parent must exist.
    virtual bool make_folder(std::string const& path) = 0;
    /// What is in a folder, sorted by name; empty if there is no such folder.
    [[nodiscard]] virtual std::vector<entry> list(std::string const& folder) = 0;
    [[nodiscard]] virtual bool exists(std::string const& path) = 0;
    /// Waits until what was made, renamed and removed in a folder is safe from a loss of power.
    virtual void sync_folder(std::string const& path) = 0;
};
}  // namespace driftless::inline v0
#endif
