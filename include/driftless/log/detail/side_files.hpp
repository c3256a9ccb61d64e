// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SIDE_FILES_HPP
#define DRIFTLESS_LOG_DETAIL_SIDE_FILES_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/group_state.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/progress.hpp>
#include <driftless/log/detail/staged_transaction.hpp>
#include <driftless/log/reader_position.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace driftless::inline v0::detail {

/// Looks at every file of a log that is not part of a partition: `progress`, `readers`, `transactions`, `groups`.
///
/// found       found(is_problem, path, what) for everything that somebody should know
template <class Found>
class side_files {
    file_system& files_;
    std::string const& path_;
    log_identity const& identity_;
    Found& found_;

public:
    side_files(file_system& files, std::string const& path, log_identity const& identity, Found& found)
        : files_(files), path_(path), identity_(identity), found_(found) {}

    void look() {
        look_at_progress();
        each_file(path_ + "/" + std::string{registration::folder_name},
            [this](std::string const& path, std::string_view) { look_at_reader(path); });
        each_file(path_ + "/" + std::string{transactions_folder},
            [this](std::string const& path, std::string_view name) { look_at_transaction(path, name); });
        for (auto const& group : files_.list(path_ + "/groups")) {
            auto const folder = path_ + "/groups/" + group.name;
            if (!group.folder) {
                foreign(folder);
                continue;
            }
            each_file(folder, [this](std::string const& path, std::string_view name) { look_at_group(path, name); });
        }
    }

private:
    void foreign(std::string const& path) { found_(true, path, "no log makes such a file: move it away"); }
    template <class F>
    void each_file(std::string const& folder, F&& f) {
        for (auto const& each : files_.list(folder)) {
            auto const path = folder + "/" + each.name;
            if (each.folder) foreign(path);
            else if (each.name.ends_with(".new")) found_(false, path, "its writer died before it was finished");
            else f(path, each.name);
        }
    }
    void look_at_progress() {
        auto const path = path_ + "/" + std::string{progress::file_name};
        auto const bytes = read_whole_file(path, files_);
        if (!bytes) return;  // it says again what the segments say
        if (bytes->size() != progress::size_of(identity_.partitions)) {
            return found_(true, path, "the file has the wrong length: remove it, the next writer makes it anew");
        }
        for (std::size_t i = 0; i <= identity_.partitions; ++i) {
            if (progress::number_at(*bytes, i, identity_.id)) continue;
            found_(true, path,
                "number " + std::to_string(i) + " is damaged: remove the file, the next writer makes it anew");
        }
    }
    void look_at_reader(std::string const& path) {
        auto const bytes = read_whole_file(path, files_);
        if (!bytes) return;  // withdrawn meanwhile
        auto const reader = decode_registration(*bytes, identity_.id);
        if (reader && reader->offsets.size() == identity_.partitions) return;
        found_(true, path,
            "the registration of a reader is damaged or of another log, so that nothing is removed any more: remove "
            "the file if the reader may begin anew");
    }
    void look_at_transaction(std::string const& path, std::string_view name) {
        bool const prepared = name.ends_with(prepared_ending);
        if (!prepared && !name.ends_with(committed_ending)) return foreign(path);
        try {
            auto const staged = read_staged(files_, path);
            if (staged.header.id != identity_.id) found_(true, path, "the transaction is one of another log");
            found_(false, path,
                prepared ? "a transaction waits to be committed or given up"
                         : "a committed transaction: the next writer completes it");
        } catch (error const& why) {
            if (why.code() == error_code::io) throw;
            if (why.code() != error_code::not_there) found_(true, path, why.what());
        }
    }
    void look_at_group(std::string const& path, std::string_view name) {
        if (name != "state" && name != "lock") return foreign(path);
        auto const bytes = read_whole_file(path, files_);
        if (!bytes) return;
        if (name == "lock") {
            if (*bytes != group_lock_made && !bytes->empty()) found_(true, path, "the lock of a group is damaged");
            return;
        }
        try {
            static_cast<void>(decode_group_state(*bytes, path));
        } catch (error const& why) {
            if (why.code() == error_code::io) throw;
            found_(true, path, why.what());
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
