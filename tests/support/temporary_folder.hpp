// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTS_SUPPORT_TEMPORARY_FOLDER_HPP
#define DRIFTLESS_TESTS_SUPPORT_TEMPORARY_FOLDER_HPP

#include <filesystem>
#include <stdexcept>
#include <string>

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp

namespace test {
/// A folder of its own, gone with the object.
class temporary_folder {
    std::string path_;

public:
    temporary_folder() : temporary_folder(std::filesystem::temp_directory_path()) {}
    explicit temporary_folder(std::filesystem::path const& in) : path_((in / "driftless-XXXXXX").string()) {
        if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error{"cannot make " + path_};
    }
    temporary_folder(temporary_folder const&) = delete;
    temporary_folder& operator=(temporary_folder const&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string const& path() const { return path_; }
};
}  // namespace test
#endif
