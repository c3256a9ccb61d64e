// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_STORE_FILES_HPP
#define DRIFTLESS_LOG_DETAIL_STORE_FILES_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/log/cold_store.hpp>

#include <memory>
#include <string>
#include <vector>

namespace driftless::inline v0::detail {

/// What is in a cold store as files to read, below the path of the store: so segments are read from it as from a disk.
///
/// Errors      Those of the store; io for whatever would change something.
/// Threads     As the store.
template <cold_store Store>
class store_files final : public file_system {
    Store const& store_;

    [[nodiscard]] std::string name_of(std::string const& path) const {
        std::string const& top = store_.path();
        return path.size() > top.size() ? path.substr(top.size() + 1) : std::string{};
    }
    [[noreturn]] static void refuse(std::string const& path) {
        throw error{error_code::io, "a cold store is read here, and not written", path};
    }

public:
    explicit store_files(Store const& store) : store_(store) {}

    std::unique_ptr<file> open(std::string const& path, open_mode mode) override {
        if (mode != open_mode::read) refuse(path);
        return store_.open(name_of(path));
    }
    std::vector<entry> list(std::string const& folder) override { return store_.list(name_of(folder)); }
    bool exists(std::string const& path) override { return store_.open(name_of(path)) != nullptr; }
    void rename(std::string const& from, std::string const&) override { refuse(from); }
    bool remove(std::string const& path) override { refuse(path); }
    bool make_folder(std::string const& path) override { refuse(path); }
    void sync_folder(std::string const& path) override { refuse(path); }
};
}  // namespace driftless::inline v0::detail
#endif
