// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_COLD_STORE_HPP
#define DRIFTLESS_LOG_COLD_STORE_HPP

#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Where a tiered_log puts what is old: named objects, each written once, as a whole. A folder (cold_folder), or the
/// bucket of an object store. A name is `identity`, or `pNNNNN/` and the name of a file of a partition.
///
/// put(name, bytes)   whole or not at all, in place of what had the name; durable when it returns
/// remove(name)       false if there was none
/// open(name)         to read; null if there is none. What is open stays readable after remove
/// list(prefix)       what is in `pNNNNN`, or at the top for an empty prefix, sorted by name
/// path()             for messages
/// prepare(prefix)    optional: makes the place for what has that prefix
/// tidy()             optional: removes what a put() has left that died
///
/// Errors      driftless::error with code io and the path. Threads: any number open and list, one puts and removes.
template <class S>
concept cold_store =
    std::move_constructible<S> && requires(S& store, S const& seen, std::string const& name, std::string_view bytes) {
        store.put(name, bytes);
        { store.remove(name) } -> std::same_as<bool>;
        { seen.open(name) } -> std::same_as<std::unique_ptr<file>>;
        { seen.list(name) } -> std::same_as<std::vector<file_system::entry>>;
        { seen.path() } -> std::convertible_to<std::string const&>;
    };

/// A folder as a cold store, on whatever disk; it is a log that `driftless-log` and file_log can read.
///
/// State       Its path. The folder is made by the first put(); its parent must exist.
class cold_folder {
    std::string path_;
    file_system* files_;

public:
    explicit cold_folder(std::string path, file_system& files = real_files())
        : path_(std::move(path)), files_(&files) {}

    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    void prepare(std::string const& prefix) {
        make(path_);
        if (!prefix.empty()) make(path_ + "/" + prefix);
    }
    void put(std::string const& name, std::string_view bytes) {
        auto const slash = name.rfind('/');
        auto const prefix = slash == std::string::npos ? std::string{} : name.substr(0, slash);
        prepare(prefix);
        auto const folder = prefix.empty() ? path_ : path_ + "/" + prefix;
        write_whole_file(folder, slash == std::string::npos ? name : name.substr(slash + 1), bytes, *files_);
    }
    bool remove(std::string const& name) {
        if (!files_->remove(path_ + "/" + name)) return false;
        files_->sync_folder(parent_of(path_ + "/" + name));
        return true;
    }
    [[nodiscard]] std::unique_ptr<file> open(std::string const& name) const {
        return files_->open(path_ + "/" + name, open_mode::read);
    }
    [[nodiscard]] std::vector<file_system::entry> list(std::string const& prefix) const {
        return files_->list(prefix.empty() ? path_ : path_ + "/" + prefix);
    }
    void tidy() {
        for (auto const& each : list({})) {
            if (!each.folder) {
                tidy(each.name);
                continue;
            }
            for (auto const& inner : list(each.name)) tidy(each.name + "/" + inner.name);
        }
    }

private:
    static std::string parent_of(std::string const& path) {
        auto const slash = path.rfind('/');
        if (slash == std::string::npos) return ".";
        return slash == 0 ? "/" : path.substr(0, slash);
    }
    void make(std::string const& folder) {
        if (files_->make_folder(folder)) files_->sync_folder(parent_of(folder));
    }
    void tidy(std::string const& name) {
        if (name.ends_with(".new")) remove(name);
    }
};
}  // namespace driftless::inline v0
#endif
