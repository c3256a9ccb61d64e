// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_KEPT_LOG_HPP
#define EXAMPLES_SUPPORT_KEPT_LOG_HPP

#include "options.hpp"

#include <driftless/core/error.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <stdlib.h>

namespace support {
namespace dl = driftless;

/// A folder that is gone at the end.
class temporary_folder {
    std::string path_ = (std::filesystem::temp_directory_path() / "driftless-XXXXXX").string();

public:
    temporary_folder() {
        if (::mkdtemp(path_.data()) == nullptr) {
            throw dl::error{dl::error_code::io, std::string{"cannot make a folder: "} + std::strerror(errno), path_};
        }
    }
    temporary_folder(temporary_folder const&) = delete;
    temporary_folder& operator=(temporary_folder const&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
};

/// The log of a program: in the folder that --log names, or in one that is gone at the end.
template <class Log>
class kept_log {
    std::optional<temporary_folder> folder_;
    Log log_;

public:
    explicit kept_log(options const& asked)
        : folder_(asked.log.empty() ? std::optional<temporary_folder>{std::in_place} : std::nullopt),
          log_(folder_ ? folder_->path() + "/log" : asked.log) {
        if (has_records() && !asked.input.empty()) {
            throw usage_error{"the log in '" + asked.log
                + "' has records already: leave out --input to read them, or name another folder with --log"};
        }
    }
    [[nodiscard]] bool has_records() const { return log_.end_offset() > 0; }
    [[nodiscard]] Log& log() noexcept { return log_; }
};
}  // namespace support
#endif
