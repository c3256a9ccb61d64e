// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_INSTANCE_FILES_HPP
#define DRIFTLESS_RUN_DETAIL_INSTANCE_FILES_HPP

#include <driftless/file/file_system.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace driftless::inline v0::detail {

/// Files beside the snapshots that each instance of a job has one of, `prefix` and its number: an older instance that
/// still runs writes where nobody reads.
class instance_files {
    file_system& files_;
    std::string folder_;
    std::string_view prefix_;
    std::uint64_t instance_;

public:
    instance_files(file_system& files, std::string folder, std::string_view prefix, std::uint64_t instance)
        : files_(files), folder_(std::move(folder)), prefix_(prefix), instance_(instance) {}

    [[nodiscard]] file_system& files() const noexcept { return files_; }
    [[nodiscard]] std::string const& folder() const noexcept { return folder_; }
    [[nodiscard]] std::string name() const { return std::string{prefix_} + std::to_string(instance_); }
    [[nodiscard]] std::string path() const { return folder_ + "/" + name(); }
    /// That of the newest instance; empty if there is none.
    [[nodiscard]] std::string newest() const {
        std::uint64_t last = 0;
        for (auto const& each : files_.list(folder_)) {
            if (auto const n = number_in(each.name); n > last) last = n;
        }
        return last == 0 ? std::string{} : folder_ + "/" + std::string{prefix_} + std::to_string(last);
    }
    /// A snapshot of this instance is valid: nobody goes back to the files of those before.
    void remove_older() const {
        for (auto const& each : files_.list(folder_)) {
            auto const n = number_in(each.name);
            if (n != 0 && n < instance_) files_.remove(folder_ + "/" + each.name);
        }
    }

private:
    [[nodiscard]] std::uint64_t number_in(std::string_view name) const {
        if (!name.starts_with(prefix_)) return 0;
        std::uint64_t out = 0;
        for (char const c : name.substr(prefix_.size())) {
            if (c < '0' || c > '9') return 0;
            out = out * 10 + static_cast<std::uint64_t>(c - '0');
        }
        return out;
    }
};
}  // namespace driftless::inline v0::detail
#endif
