// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_SCRATCH_FOLDER_HPP
#define DRIFTLESS_BENCH_SUPPORT_SCRATCH_FOLDER_HPP

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace bench {

/// A folder for files that are measured: in DRIFTLESS_BENCH_DIR, else in memory (/dev/shm) where there is such a thing,
/// so that no disk has a say in what is a comparison of programs.
class scratch_folder {
    std::string path_;

public:
    scratch_folder() {
        char const* const set = std::getenv("DRIFTLESS_BENCH_DIR");
        std::string const in = set != nullptr && *set != '\0' ? set
            : std::filesystem::exists("/dev/shm")             ? "/dev/shm"
                                                              : "/tmp";
        path_ = in + "/driftless-bench-XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr) {
            std::perror(("bench: cannot make a folder in " + in).c_str());
            std::exit(1);
        }
    }
    scratch_folder(scratch_folder const&) = delete;
    scratch_folder& operator=(scratch_folder const&) = delete;
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string const& path() const { return path_; }
    /// A name in it that holds nothing (any more).
    [[nodiscard]] std::string fresh(std::string const& name) const {
        auto const at = path_ + "/" + name;
        std::filesystem::remove_all(at);
        return at;
    }
};
}  // namespace bench
#endif
