// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_MEMORY_FILES_HPP
#define DRIFTLESS_TESTING_MEMORY_FILES_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing {

/// What goes wrong at an operation of memory_files.
enum class fault : std::uint8_t {
    fail,   ///< it throws; a write has written half of its bytes; what follows works again
    cut,    ///< a write has written half of its bytes, anything else is not done; nothing works until restart()
    after,  ///< it is done, and nothing works until restart()
};

/// Files in memory that fail on demand and forget on a loss of power what was not synced: deterministic, no disk.
///
/// State       What processes see, and what would survive a loss of power. A file is safe up to its last sync, a name
///             after the sync of its folder. A failed sync leaves bytes that no later sync makes safe, as on Linux.
/// Errors      As for file_system; injected ones say so. A handle from before restart() throws.
/// Threads     Any number; one operation at a time.
class memory_files final : public file_system {
    struct change {
        std::uint64_t position;
        std::optional<std::string> bytes;  // nothing: the file is cut or extended to `position`
    };
    struct node {
        bool folder = false;
        std::shared_ptr<char> data;
        std::size_t size = 0;
        std::size_t room = 0;
        std::string safe;              // as of the last sync
        std::vector<change> unsynced;  // since then
        void const* owner = nullptr;   // of the lock
        std::set<void const*> sharers;

        void resize(std::size_t to) {
            if (to > room) {
                auto const more = std::max<std::size_t>(to, 4096) * 2;
                std::shared_ptr<char> fresh{new char[more](), [](char const* bytes) { delete[] bytes; }};
                if (size != 0) std::memcpy(fresh.get(), data.get(), size);
                data = std::move(fresh);
                room = more;
            }
            if (to > size) std::memset(data.get() + size, 0, to - size);
            size = to;
        }
        void put(std::uint64_t position, std::string_view bytes) {
            auto const at = static_cast<std::size_t>(position);
            if (at + bytes.size() > size) resize(at + bytes.size());
            if (!bytes.empty()) std::memcpy(data.get() + at, bytes.data(), bytes.size());
        }
    };
    using node_ptr = std::shared_ptr<node>;
    struct naming {  // a name made, moved or removed, not synced yet
        std::string from;
        std::string to;
        node_ptr what;
    };

    mutable std::mutex mutex_;
    std::map<std::string, node_ptr, std::less<>> names_;
    std::map<std::string, node_ptr, std::less<>> safe_names_;
    std::vector<naming> unsynced_names_;
    std::uint64_t operations_ = 0;
    std::uint64_t bad_operation_ = 0;
    fault fault_ = fault::fail;
    bool off_ = false;
    std::uint64_t process_ = 0;
    static constexpr auto no_limit = ~std::size_t{0};
    std::size_t limit_ = no_limit;
    std::vector<char const*>* noted_ = nullptr;
    std::uint64_t reads_ = 0;
    std::uint64_t bad_read_ = 0;

    class handle final : public file {
        memory_files& files_;
        node_ptr node_;
        std::string path_;
        std::uint64_t process_;
        bool writable_;

    public:
        handle(memory_files& files, node_ptr of, std::string path, bool writable)
            : files_(files),
              node_(std::move(of)),
              path_(std::move(path)),
              process_(files.process_),
              writable_(writable) {}
        ~handle() override {
            std::lock_guard const lock{files_.mutex_};
            release();
        }
        std::size_t read_at(std::uint64_t position, char* into, std::size_t size) override {
            auto const lock = enter(false);
            files_.count_read(path_);
            if (position >= node_->size) return 0;
            auto const n = std::min(size, node_->size - static_cast<std::size_t>(position));
            if (n != 0) std::memcpy(into, node_->data.get() + position, n);
            return n;
        }
        void write_at(std::uint64_t position, std::string_view const* pieces, std::size_t count) override {
            auto const lock = enter(true);
            std::string bytes;
            for (std::size_t i = 0; i < count; ++i) bytes += pieces[i];
            auto const half = std::string_view{bytes}.substr(0, bytes.size() / 2);
            files_.operate("cannot write a file", path_, [&](bool whole) {
                auto todo = whole ? std::string_view{bytes} : half;
                auto const end = static_cast<std::size_t>(position) + todo.size();
                auto const grows = end > node_->size ? end - node_->size : 0;
                bool const fits =
                    files_.limit_ == no_limit || (grows <= files_.limit_ && files_.used() <= files_.limit_ - grows);
                if (!fits) todo = todo.substr(0, todo.size() / 2);
                if (fits || todo.size() < grows) {
                    node_->put(position, todo);
                    node_->unsynced.push_back({position, std::string{todo}});
                }
                if (!fits) files_.refuse("cannot write a file: No space left on device", path_);
            });
        }
        void sync() override {
            auto const lock = enter(false);
            try {
                files_.operate("cannot sync a file", path_, [&](bool whole) {
                    if (!whole) return;
                    for (auto const& each : node_->unsynced) apply(node_->safe, each);
                    node_->unsynced.clear();
                });
            } catch (error const&) {
                if (!files_.off_) node_->unsynced.clear();  // never to be safe
                throw;
            }
        }
        void truncate(std::uint64_t to) override {
            auto const lock = enter(true);
            files_.operate("cannot set the size of a file", path_, [&](bool whole) {
                if (!whole) return;
                node_->resize(static_cast<std::size_t>(to));
                node_->unsynced.push_back({to, std::nullopt});
            });
        }
        std::uint64_t size() override {
            auto const lock = enter(false);
            return node_->size;
        }
        mapped_bytes map(std::size_t size) override {
            auto const lock = enter(false);
            files_.count_read(path_);
            return {node_->data, size};
        }
        mapped_bytes map_shared(std::size_t size) override {
            auto const lock = enter(true);
            return {node_->data, size};
        }
        bool try_lock(bool shared) override {
            auto const lock = enter(false);
            auto const others = node_->sharers.size() - node_->sharers.count(this);
            if (node_->owner != nullptr && node_->owner != this) return false;
            if (!shared && others != 0) return false;
            release();
            if (shared) node_->sharers.insert(this);
            else node_->owner = this;
            return true;
        }
        void unlock() override {
            auto const lock = enter(false);
            release();
        }
        std::string const& path() const override { return path_; }

    private:
        std::unique_lock<std::mutex> enter(bool writes) {
            std::unique_lock lock{files_.mutex_};
            if (process_ != files_.process_) files_.refuse("the process that opened a file has ended", path_);
            if (writes && !writable_) files_.refuse("cannot write a file that was opened to read it", path_);
            return lock;
        }
        void release() {
            if (node_->owner == this) node_->owner = nullptr;
            node_->sharers.erase(this);
        }
    };

public:
    memory_files() {
        names_[""] = std::make_shared<node>();
        names_[""]->folder = true;
        safe_names_ = names_;
    }

    // --- what goes wrong ---------------------------------------------------------------------------------------

    /// Operations so far that could fail: opening, writing, syncing, truncating, renaming, removing, making folders.
    [[nodiscard]] std::uint64_t operations() const {
        std::lock_guard const lock{mutex_};
        return operations_;
    }
    /// What each operation from now on would say if it failed ("cannot sync a file") is added to `into`; null: no more.
    void note_operations(std::vector<char const*>* into) {
        std::lock_guard const lock{mutex_};
        noted_ = into;
    }
    /// The nth operation from now on (1 is the next) goes wrong; 0: none does.
    void inject(std::uint64_t nth, fault what) {
        std::lock_guard const lock{mutex_};
        bad_operation_ = nth == 0 ? 0 : operations_ + nth;
        fault_ = what;
    }
    /// The nth time from now on that a file is read or mapped it cannot be; 0: it always can.
    void inject_read(std::uint64_t nth) {
        std::lock_guard const lock{mutex_};
        bad_read_ = nth == 0 ? 0 : reads_ + nth;
    }
    /// No more than so many bytes in all files together.
    void limit(std::size_t bytes) {
        std::lock_guard const lock{mutex_};
        limit_ = bytes;
    }
    /// All processes die; their files stay as they are, their locks end.
    void restart() {
        std::lock_guard const lock{mutex_};
        end_processes();
    }
    /// The same with a loss of power: of what was not synced the seed decides what stays, torn or whole; 0: nothing.
    void lose_power(std::uint64_t seed) {
        std::lock_guard const lock{mutex_};
        auto const below = [&seed](std::uint64_t n) {  // xorshift* (Vigna 2014)
            if (seed == 0) return std::uint64_t{0};
            seed ^= seed >> 12;
            seed ^= seed << 25;
            seed ^= seed >> 27;
            return (seed * 0x2545f4914f6cdd1d >> 20) % n;
        };
        auto const named = below(unsynced_names_.size() + 1);
        for (std::size_t i = 0; i < named; ++i) rename_in(safe_names_, unsynced_names_[i]);
        unsynced_names_.clear();
        std::set<node*> nodes;
        for (auto const& [name, of] : safe_names_) nodes.insert(of.get());
        for (auto* const each : nodes) {
            for (auto lost : each->unsynced) {
                auto const kept = below(4);  // nothing, a part or all of each write, in whatever order
                if (kept == 0) continue;
                if (kept == 1 && lost.bytes) {
                    lost.bytes->resize(static_cast<std::size_t>(below(lost.bytes->size() / 512 + 1)) * 512);
                }
                apply(each->safe, lost);
            }
            each->unsynced.clear();
            each->data.reset();  // mappings of the dead keep what they saw
            each->size = each->room = 0;
            each->put(0, each->safe);
        }
        names_ = safe_names_;
        end_processes();
    }

    // --- file_system -------------------------------------------------------------------------------------------

    std::unique_ptr<file> open(std::string const& path, open_mode mode) override {
        std::lock_guard const lock{mutex_};
        node_ptr found = find(path);
        operate("cannot open a file", path, [&](bool whole) {
            if (!whole) return;
            if (found && found->folder) refuse("cannot open a file: it is a folder", path);
            if (found && mode == open_mode::create_new) refuse("cannot make a file: it exists", path);
            if (found || mode == open_mode::read || mode == open_mode::write) return;
            require_parent(path);
            found = std::make_shared<node>();
            name({{}, path, found});
        });
        if (!found) return nullptr;
        return std::make_unique<handle>(*this, std::move(found), path, mode != open_mode::read);
    }
    void rename(std::string const& from, std::string const& to) override {
        std::lock_guard const lock{mutex_};
        operate("cannot rename a file", from, [&](bool whole) {
            if (!whole) return;
            auto const found = find(from);
            if (!found) refuse("cannot rename a file: there is none", from);
            if (found->folder) refuse("cannot rename a folder", from);
            require_parent(to);
            name({from, to, found});
        });
    }
    bool remove(std::string const& path) override {
        std::lock_guard const lock{mutex_};
        bool there = false;
        operate("cannot remove", path, [&](bool whole) {
            auto const found = find(path);
            if (!whole || !found) return;
            if (found->folder && !list_in(path).empty()) refuse("cannot remove a folder: it is not empty", path);
            there = true;
            name({path, {}, nullptr});
        });
        return there;
    }
    bool make_folder(std::string const& path) override {
        std::lock_guard const lock{mutex_};
        bool made = false;
        operate("cannot make a folder", path, [&](bool whole) {
            if (!whole) return;
            auto const found = find(path);
            if (found && !found->folder) refuse("cannot make a folder: a file has its name", path);
            if (found) return;
            require_parent(path);
            auto fresh = std::make_shared<node>();
            fresh->folder = true;
            name({{}, path, std::move(fresh)});
            made = true;
        });
        return made;
    }
    std::vector<entry> list(std::string const& folder) override {
        std::lock_guard const lock{mutex_};
        if (off_) refuse("the power is off", folder);
        return list_in(folder);
    }
    bool exists(std::string const& path) override {
        std::lock_guard const lock{mutex_};
        if (off_) refuse("the power is off", path);
        return find(path) != nullptr;
    }
    void sync_folder(std::string const& path) override {
        std::lock_guard const lock{mutex_};
        operate("cannot sync a folder", path, [&](bool whole) {
            if (!whole) return;
            std::vector<naming> left;
            for (auto& each : unsynced_names_) {
                if (parent(each.to.empty() ? each.from : each.to) == path) rename_in(safe_names_, each);
                else left.push_back(std::move(each));
            }
            unsynced_names_ = std::move(left);
        });
    }

private:
    using name_map = std::map<std::string, node_ptr, std::less<>>;

    [[noreturn]] static void refuse(char const* what, std::string const& path) {
        throw error{error_code::io, what, path};
    }
    /// Counts an operation, and does it: wholly, or not, or in part as the injected fault says.
    template <class F>
    void operate(char const* what, std::string const& path, F&& act) {
        if (off_) refuse("the power is off", path);
        if (noted_ != nullptr) noted_->push_back(what);
        if (++operations_ != bad_operation_) return act(true);
        if (fault_ != fault::fail) off_ = true;
        act(fault_ == fault::after);
        throw error{error_code::io, std::string{what} + ": injected fault", path};
    }
    void count_read(std::string const& path) {
        if (++reads_ == bad_read_) refuse("cannot read a file: injected fault", path);
    }
    static void apply(std::string& to, change const& what) {
        auto const at = static_cast<std::size_t>(what.position);
        if (!what.bytes) return to.resize(at);
        if (to.size() < at + what.bytes->size()) to.resize(at + what.bytes->size());
        what.bytes->copy(to.data() + at, what.bytes->size());
    }
    static void rename_in(name_map& names, naming const& what) {
        if (!what.from.empty()) names.erase(what.from);
        if (!what.to.empty()) names[what.to] = what.what;
    }
    void name(naming what) {
        rename_in(names_, what);
        unsynced_names_.push_back(std::move(what));
    }
    static std::string parent(std::string const& path) {
        auto const slash = path.rfind('/');
        return slash == std::string::npos ? std::string{} : path.substr(0, slash);
    }
    node_ptr find(std::string_view path) const {
        auto const found = names_.find(path);
        return found == names_.end() ? nullptr : found->second;
    }
    void require_parent(std::string const& path) const {
        auto const folder = find(parent(path));
        if (!folder || !folder->folder) refuse("there is no folder for it", path);
    }
    std::vector<entry> list_in(std::string const& folder) const {
        std::vector<entry> out;
        for (auto const& [path, of] : names_) {
            if (!path.empty() && parent(path) == folder) {
                out.push_back({path.substr(folder.empty() ? 0 : folder.size() + 1), of->folder});
            }
        }
        return out;
    }
    std::size_t used() const {
        std::size_t sum = 0;
        for (auto const& [path, of] : names_) sum += of->size;
        return sum;
    }
    void end_processes() {
        ++process_;
        off_ = false;
        bad_operation_ = bad_read_ = 0;
        for (auto const& [path, of] : names_) {
            of->owner = nullptr;
            of->sharers.clear();
        }
    }
};
}  // namespace driftless::inline v0::testing
#endif
