// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_AUDIT_LOG_HPP
#define DRIFTLESS_VIEW_AUDIT_LOG_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/result.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/view/audit_entry.hpp>
#include <driftless/view/detail/audit_lines.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

namespace detail {
inline constexpr char const* audit_file = "audit.log";
inline constexpr char const* audit_head_file = "audit.head";
inline constexpr char const* audit_lock_file = "audit.lock";

/// The entries of an audit log, as far as they have been read and found good.
struct audit_chain {
    audit_head head{};
    std::vector<audit_entry> entries;

    /// Reads what the head on disk says has come since; false if there is neither head nor log.
    ///
    /// Errors      corrupt, with path and place.
    bool catch_up(file_system& files, std::string const& folder) {
        auto const head_path = folder + '/' + audit_head_file;
        auto const path = folder + '/' + audit_file;
        // The head comes first: what it speaks of is then in the log, whoever appends meanwhile.
        auto const text = read_whole_file(head_path, files);
        auto const from = files.open(path, open_mode::read);
        if (!text) {
            if (!from || from->size() == 0) return false;
            throw error{error_code::corrupt,
                "the head of the audit log is missing: bring it back from a copy, or move the log away", head_path};
        }
        auto const now = read_audit_head(*text, head_path);
        if (now.entries < head.entries || now.bytes < head.bytes) {
            throw error{error_code::corrupt,
                sentence({"the audit log has become shorter: it had ", head.entries, " entries and its head says ",
                    now.entries}),
                head_path};
        }
        auto const size = from ? from->size() : 0;
        if (size < now.bytes) {
            throw error{error_code::corrupt,
                sentence({"the audit log has been cut: its head says ", now.entries, " entries in ", now.bytes,
                    " bytes, and there are ", size, " bytes"}),
                path, size};
        }
        std::string bytes(static_cast<std::size_t>(now.bytes - head.bytes), '\0');
        if (!bytes.empty()) bytes.resize(from->read_at(head.bytes, bytes.data(), bytes.size()));
        std::string_view rest{bytes};
        while (!rest.empty()) {
            auto const end = rest.find('\n');
            auto const line = rest.substr(0, end);
            entries.push_back(read_audit_line(line, head.entries + 1, head.checksum, path, head.bytes));
            if (end == std::string_view::npos) {
                throw error{error_code::corrupt, "the audit log does not end with a whole line", path, head.bytes};
            }
            rest.remove_prefix(end + 1);
            head = {head.entries + 1, head.bytes + end + 1, entries.back().checksum};
        }
        if (head != now) {
            throw error{error_code::corrupt,
                sentence({"the audit log is another one than its head speaks of: it has ", head.entries,
                    " entries where the head says ", now.entries}),
                path, head.bytes};
        }
        return true;
    }
};
}  // namespace detail

/// How an audit log is opened.
struct audit_log_options {
    file_system* files = nullptr;     ///< where the folder is; null: on the disk
    event_time (*clock)() = nullptr;  ///< of the entries; null: the system's
};

/// What was done to the versions of a view: deploys, validations, cut-overs, rollbacks, erasures; append-only.
///
/// Shape       Two files in a folder, made if its parent is there: audit.log, a line of text per entry, and audit.head,
///             which says how many there are. An entry counts when the head speaks of it: what a crash left behind that
///             is cut off by the next append. Each entry's checksum is seeded with that of the one before it, so that a
///             line that was changed, moved or removed, the last one too, is found.
/// Time        Entries never go back in time: a clock that does is held at the time of the entry before.
/// Delivery    append() that returned has made the entry durable. One that threw has left it or not.
/// Errors      driftless::error: corrupt with path, place and entry; io; in_use (another process holds the lock and
///             does not let go); unsupported (a newer format).
///             The checksums find mistakes and careless hands. They have no secret: who rewrites all of the log and its
///             head is found only by comparing head() with one written down elsewhere.
/// Threads     Any number, in any number of processes.
/// Complexity  append: two files written and synced. Meant for what people and deployments do, not for records. Names
///             and reasons stay for ever: write no personal data into them that may have to be erased.
class audit_log {
    std::string folder_;
    file_system* files_;
    event_time (*clock_)();
    mutable std::mutex mutex_;
    mutable detail::audit_chain chain_;

public:
    explicit audit_log(std::string folder, audit_log_options options = {})
        : folder_(std::move(folder)),
          files_(options.files != nullptr ? options.files : &real_files()),
          clock_(options.clock != nullptr ? options.clock : &detail::system_time) {
        while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
        if (files_->make_folder(folder_)) {
            auto const slash = folder_.rfind('/');
            files_->sync_folder(slash == std::string::npos ? "." : folder_.substr(0, slash == 0 ? 1 : slash));
        }
        auto const held = lock();
        open();
    }
    audit_log(audit_log const&) = delete;
    audit_log& operator=(audit_log const&) = delete;

    [[nodiscard]] std::string const& folder() const noexcept { return folder_; }

    /// Adds an entry; returns it with its number, time and checksum.
    audit_entry append(audit_kind kind, std::string_view version, std::string_view who, std::string_view why,
        std::string_view verdict = {}) {
        std::lock_guard const one{mutex_};
        auto const held = lock();
        open();
        audit_entry entry{.number = chain_.head.entries + 1,
            .at = clock_(),
            .kind = kind,
            .version = std::string{version},
            .who = std::string{who},
            .why = std::string{why},
            .verdict = std::string{verdict}};
        if (!chain_.entries.empty()) entry.at = std::max(entry.at, chain_.entries.back().at);
        auto const line = detail::audit_line(entry, chain_.head.checksum);
        bool const first = !files_->exists(path());
        {
            auto const into = files_->open(path(), open_mode::create);
            // What is behind the head was never finished.
            if (into->size() != chain_.head.bytes) into->truncate(chain_.head.bytes);
            into->write_at(chain_.head.bytes, line);
            into->sync();
        }
        if (first) files_->sync_folder(folder_);
        audit_head const head{entry.number, chain_.head.bytes + line.size(), entry.checksum};
        write_whole_file(folder_, detail::audit_head_file, detail::audit_head_text(head), *files_);
        chain_.head = head;
        chain_.entries.push_back(entry);
        return entry;
    }

    /// All entries, with those that other processes have added.
    [[nodiscard]] std::vector<audit_entry> history() const {
        std::lock_guard const one{mutex_};
        chain_.catch_up(*files_, folder_);
        return chain_.entries;
    }
    /// Those about one version.
    [[nodiscard]] std::vector<audit_entry> history(std::string_view version) const {
        auto all = history();
        std::erase_if(all, [&](audit_entry const& each) { return each.version != version; });
        return all;
    }
    /// How far it goes.
    [[nodiscard]] audit_head head() const {
        std::lock_guard const one{mutex_};
        chain_.catch_up(*files_, folder_);
        return chain_.head;
    }

    /// Reads every byte anew, and compares: with itself, and with what this object has seen before.
    ///
    /// Errors      corrupt, with path and place; io.
    audit_head verify() const {
        std::lock_guard const one{mutex_};
        detail::audit_chain fresh;
        fresh.catch_up(*files_, folder_);
        for (std::size_t i = 0; i < chain_.entries.size(); ++i) {
            if (i < fresh.entries.size() && fresh.entries[i] == chain_.entries[i]) continue;
            throw error{error_code::corrupt,
                detail::sentence(
                    {"the audit log has been replaced: entry ", std::uint64_t{i + 1}, " is not the one read before"}),
                path()};
        }
        chain_ = std::move(fresh);
        return chain_.head;
    }
    [[nodiscard]] result<audit_head> try_verify() const {
        return detail::capture([&] { return verify(); });
    }

private:
    [[nodiscard]] std::string path() const { return folder_ + '/' + detail::audit_file; }
    /// With the lock: reads what is there; the head of a new log comes before its first line.
    void open() {
        if (chain_.catch_up(*files_, folder_)) return;
        if (chain_.head.entries != 0) {
            throw error{error_code::corrupt, "the audit log has been removed while it was in use", path()};
        }
        write_whole_file(folder_, detail::audit_head_file, detail::audit_head_text({}), *files_);
    }
    /// Held for moments only; who does not get it in 10 s gives up.
    [[nodiscard]] std::unique_ptr<file> lock() const {
        auto held = files_->open(folder_ + '/' + detail::audit_lock_file, open_mode::create);
        for (int tries = 0; !held->try_lock(false); ++tries) {
            if (tries == 10'000) {
                throw error{error_code::in_use,
                    "another process holds the lock of the audit log and does not let go: end it", folder_};
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        return held;
    }
};

/// The entries of an audit log that somebody else may be writing: nothing is made, locked or changed.
///
/// Errors      not_there if there is none; corrupt with path and place; io.
inline std::vector<audit_entry> read_audit_log(std::string const& folder, file_system& files = real_files()) {
    detail::audit_chain chain;
    if (!chain.catch_up(files, folder)) {
        throw error{error_code::not_there, "there is no audit log in this folder: look at the path", folder};
    }
    return std::move(chain.entries);
}
}  // namespace driftless::inline v0
#endif
