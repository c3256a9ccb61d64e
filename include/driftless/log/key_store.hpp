// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_KEY_STORE_HPP
#define DRIFTLESS_LOG_KEY_STORE_HPP

#include <driftless/codec/cipher.hpp>
#include <driftless/codec/subject.hpp>
#include <driftless/codec/subject_keys.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/result.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/key_file.hpp>
#include <driftless/log/detail/sealed_value.hpp>
#include <driftless/log/erasure_log.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How a key store is opened.
struct key_store_options {
    log_access access = log_access::append;  ///< read: opens values, seals none that need a new key
    file_system* files = nullptr;            ///< null: real_files()
};

/// The keys of subjects, in a file: each wrapped by the master key that whoever opens the store gives.
///
/// Shape       A folder with the file `keys` (0600), of one entry per subject, and `lock`. A subject's key is made, and
///             durable, before its first value is sealed. The erasure log decides what is in it: opened over an old
///             copy of the file, the store first takes out what was erased since, and no key of theirs is ever used.
/// State       All keys in memory, unwrapped, wiped when they go. About 200 bytes each.
/// Delivery    Written, synced, renamed: at any crash the file is the one before or the one after. A key that was taken
///             out is gone from the file when apply_erasures() or the constructor returns; the bytes of the file before
///             are overwritten, where the file system writes in place.
/// Errors      in_use (another process has it open to append), mismatch (another master key, another or an older
///             erasure log, another cipher), corrupt, unsupported, io. After an io error while keys are written the
///             store seals for no new subject until it is opened anew.
/// Threads     Any number seal and open.
/// Complexity  A new subject: one write, one sync (make_keys: for many at once). An erasure, and rewrap: O(subjects).
template <value_cipher Cipher>
class key_store final : public subject_keys {
    using key_type = secret_key<Cipher>;
    static constexpr std::size_t sealed_key_size = Cipher::key_size + Cipher::tag_size;

    struct entry {
        key_type key;
        std::uint64_t id = 0;
        std::uint64_t generation = 0;
        event_time made;
    };

    std::string folder_;
    key_store_options options_;
    file_system& files_;
    erasure_log& erasures_;
    key_type master_;
    log_id store_id_;
    std::unique_ptr<file> lock_;
    std::unique_ptr<file> file_;  // to append
    std::uint64_t end_ = 0;
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, entry> keys_;
    std::size_t cut_ = 0;     // bytes of an entry that was not finished
    bool broken_ = false;     // nobody knows what the file holds
    bool rewrite_ = false;    // it holds entries that have gone

public:
    /// erasures    the log beside the data that belongs to this store; it outlives it
    key_store(std::string folder, key_type const& master, erasure_log& erasures, key_store_options options = {})
        : folder_(std::move(folder)),
          options_(options),
          files_(options.files != nullptr ? *options.files : real_files()),
          erasures_(erasures),
          master_(master) {
        while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
        if (options_.access == log_access::read) {
            refresh();
            return;
        }
        files_.make_folder(folder_);
        lock_ = files_.open(folder_ + "/lock", open_mode::create_private);
        if (!lock_->try_lock(false)) {
            throw error{error_code::in_use,
                "the key store is open in another process, or twice in this one: close it there, or open it to read",
                folder_};
        }
        if (auto const left = files_.open(path() + ".new", open_mode::write)) {  // by a crash
            overwrite(*left);
            files_.remove(path() + ".new");
        }
        auto const bytes = read_whole_file(path(), files_);
        if (bytes) load(*bytes);
        else store_id_ = detail::random_log_id();
        if (!bytes || rewrite_) rewrite();
        else open_to_append(*bytes);
    }
    [[nodiscard]] std::string path() const { return folder_ + "/keys"; }
    [[nodiscard]] erasure_log const& erasures() const noexcept { return erasures_; }
    /// Subjects that have a key.
    [[nodiscard]] std::size_t size() const {
        std::shared_lock const lock{mutex_};
        return keys_.size();
    }
    [[nodiscard]] bool has_key(subject_id const& subject) const {
        std::shared_lock const lock{mutex_};
        return find(subject) != nullptr;
    }
    /// Bytes of an entry at the end of the file that an earlier process did not finish: nothing was sealed with its
    /// key.
    [[nodiscard]] std::size_t cut() const noexcept { return cut_; }
    [[nodiscard]] bool is_erased(subject_id const& subject) const override { return erasures_.is_erased(subject); }

    /// Makes the keys of many subjects with one write and one sync; those that have one are left as they are.
    ///
    /// Errors      not_there for one that was erased: none is made then.
    template <class Ids>
    void make_keys(Ids const& ids) {
        std::lock_guard const lock{mutex_};
        std::vector<subject_id> fresh;
        for (auto const& each : ids) {
            auto const subject = subject_id::of(each);
            require_not_erased(subject);
            if (find(subject) == nullptr) fresh.push_back(subject);
        }
        std::sort(fresh.begin(), fresh.end());
        fresh.erase(std::unique(fresh.begin(), fresh.end()), fresh.end());
        add(fresh);
    }
    /// Takes the keys of all erased subjects out; returns how many there were. Also where none is left this makes sure
    /// of the file.
    std::size_t apply_erasures() {
        std::lock_guard const lock{mutex_};
        require_writer();
        auto const gone = drop_erased();
        if (rewrite_) rewrite();
        return gone;
    }
    /// Wraps all keys with another master key, which opens the store from now on; no value is sealed anew. At a crash
    /// one of the two opens it.
    void rewrap(key_type const& master) {
        std::lock_guard const lock{mutex_};
        require_writer();
        auto const before = std::exchange(master_, master);
        drop_erased();
        try {
            rewrite();
        } catch (...) {
            if (!broken_) master_ = before;
            throw;
        }
    }
    /// A store that was opened to read: takes what other processes have written since, the erasures first. A key that
    /// was erased elsewhere opens values here until then.
    void refresh() {
        std::lock_guard const lock{mutex_};
        erasures_.refresh();
        if (options_.access != log_access::read) return;
        auto const bytes = read_whole_file(path(), files_);
        if (!bytes) throw error{error_code::not_there, "there is no key store", path()};
        keys_.clear();
        load(*bytes);
    }
    /// The master key opens the store that is in a folder: to find out which of two does after a crash in rewrap().
    [[nodiscard]] static bool opens(
        std::string const& folder, key_type const& master, file_system& files = real_files()) {
        auto const path = folder + "/keys";
        auto const bytes = read_whole_file(path, files);
        if (!bytes) throw error{error_code::not_there, "there is no key store", path};
        auto const found = read(*bytes, path);
        return fits(found.header, master);
    }

protected:
    void seal_bytes(subject_id const& subject, std::string_view schema, use<std::string&> write,
        use<std::string_view> take) override {
        detail::wiped_string<Cipher> plain;
        write(plain.bytes());
        std::string sealed;
        if (!seal_known(subject, schema, plain.bytes(), sealed)) {
            std::lock_guard const lock{mutex_};
            require_not_erased(subject);
            if (find(subject) == nullptr) add({subject});
            sealed = seal_with(*find(subject), subject, schema, plain.bytes());
        }
        take(sealed);
    }
    void open_bytes(subject_id const& subject, std::string_view sealed,
        use<std::string_view, std::string_view> take) const override {
        auto const head = detail::sealed_head::read(sealed);
        if (head.generation < erasures_.generation(subject)) return;
        detail::wiped_string<Cipher> plain;
        {
            std::shared_lock const lock{mutex_};
            auto const* const with = find(subject);
            if (with == nullptr) {
                throw error{error_code::not_there,
                    "there is no key for the subject of an encrypted value, and it was not erased: this is not the key "
                    "store that sealed it, or an old copy of it; bring the newest one back, or refresh() one that was "
                    "opened to read",
                    path()};
            }
            if (with->id != head.key) {
                throw error{error_code::mismatch,
                    "an encrypted value was sealed with another key of its subject than the store has: the store was "
                    "brought back from before that key was made; bring the newest one back",
                    path()};
            }
            if (!detail::open_value<Cipher>(sealed, head, subject, with->key, plain.bytes())) {
                throw error{error_code::corrupt,
                    "an encrypted value does not open with the key of its subject: its bytes or its schema are "
                    "damaged, or it was taken from a record of somebody else",
                    path()};
            }
        }
        take(head.schema, plain.bytes());
    }

private:
    static detail::key_file read(std::string_view bytes, std::string const& path) {
        return detail::key_file::read(bytes, path, Cipher::name, Cipher::nonce_size, sealed_key_size);
    }
    static std::string beside_of_header(log_id const& store) { return "driftless key store " + to_string(store); }
    static bool fits(detail::key_file_header const& header, key_type const& master) {
        std::string zeroes(Cipher::key_size, '\0');
        return Cipher::open(
            zeroes.data(), header.check, beside_of_header(header.store), header.nonce.data(), master.data());
    }
    /// Binds a wrapped key to its store and its place in it.
    std::string beside_of_entry(detail::key_file_entry const& of) const {
        std::string out = "driftless key " + to_string(store_id_);
        byte_writer to{out};
        to.put_fixed64(of.id);
        to.put_fixed64(of.generation);
        to.put_bytes(of.subject);
        return out;
    }
    [[nodiscard]] entry const* find(subject_id const& subject) const {
        auto const found = keys_.find(subject.bytes());
        if (found == keys_.end() || is_dead(found->first, found->second)) return nullptr;
        return &found->second;
    }
    [[nodiscard]] bool is_dead(std::string const& subject, entry const& of) const {
        return of.generation < erasures_.generation(subject_id::from_bytes(subject));
    }
    void require_not_erased(subject_id const& subject) const {
        if (!erasures_.is_erased(subject)) return;
        throw error{error_code::not_there,
            "the subject was erased, and nothing is sealed for it: leave its records out, or readmit(subject) in the "
            "erasure log if it is back",
            erasures_.path()};
    }
    void require_writer() const {
        if (options_.access == log_access::read) {
            throw error{error_code::stopped, "the key store was opened to read: open it to append", path()};
        }
        if (broken_) {
            throw error{
                error_code::stopped, "the file of the key store could not be written: open the store anew", path()};
        }
    }

    [[nodiscard]] bool seal_known(
        subject_id const& subject, std::string_view schema, std::string_view plain, std::string& out) const {
        std::shared_lock const lock{mutex_};
        auto const* const with = find(subject);
        if (with == nullptr) return false;
        out = seal_with(*with, subject, schema, plain);
        return true;
    }
    static std::string seal_with(
        entry const& with, subject_id const& subject, std::string_view schema, std::string_view plain) {
        return detail::seal_value<Cipher>({with.generation, with.id, schema}, subject, plain, with.key);
    }

    // --- the file ------------------------------------------------------------------------------------------------

    void load(std::string_view bytes) {
        auto const found = read(bytes, path());
        auto const& header = found.header;
        if (!fits(header, master_)) {
            throw error{error_code::mismatch,
                "this is not the master key of the key store: give the one that it was made with, or rewrapped to",
                path()};
        }
        if (!(header.erasures == erasures_.id())) {
            throw error{error_code::mismatch,
                "the key store belongs to the erasure log " + to_string(header.erasures) + ", and was given "
                    + to_string(erasures_.id()) + ": without its own what was erased would come back",
                path()};
        }
        if (header.seen > erasures_.erasures()) {
            throw error{error_code::mismatch,
                "the erasure log is older than the key store, and what it lacks would come back: bring the newest one",
                erasures_.path()};
        }
        store_id_ = header.store;
        for (auto const& each : found.entries) {
            entry made;
            if (!Cipher::open(
                    made.key.data(), each.sealed, beside_of_entry(each), each.nonce.data(), master_.data())) {
                throw error{error_code::corrupt,
                    "a wrapped key does not open with the master key that fits the store: somebody has changed the "
                    "file; bring it back from a backup",
                    path()};
            }
            made.id = each.id;
            made.generation = each.generation;
            made.made = each.made;
            if (is_dead(each.subject, made)) rewrite_ = true;
            else keys_.insert_or_assign(each.subject, std::move(made));
        }
        end_ = found.whole;
        cut_ = bytes.size() - found.whole;
    }
    void open_to_append(std::string_view bytes) {
        file_ = files_.open(path(), open_mode::write);
        if (file_ == nullptr) throw error{error_code::io, "the file of the key store has gone", path()};
        if (bytes.size() == end_) return;
        file_->truncate(end_);
        file_->sync();
    }
    detail::key_file_entry wrap(std::string const& subject, entry const& of) const {
        detail::key_file_entry out{of.id, of.generation, of.made, subject, std::string(Cipher::nonce_size, '\0'),
            std::string(sealed_key_size, '\0')};
        Cipher::random(out.nonce.data(), out.nonce.size());
        Cipher::seal(out.sealed.data(), of.key.view(), beside_of_entry(out), out.nonce.data(), master_.data());
        return out;
    }
    void add(std::vector<subject_id> const& fresh) {
        if (fresh.empty()) return;
        require_writer();
        std::vector<std::pair<std::string, entry>> made;
        std::string bytes;
        for (auto const& each : fresh) {
            entry next{key_type::make(), 0, erasures_.generation(each), erasures_.now()};
            Cipher::random(reinterpret_cast<char*>(&next.id), sizeof next.id);
            bytes += encode(wrap(each.bytes(), next), store_id_);
            made.emplace_back(each.bytes(), std::move(next));
        }
        broken_ = true;
        file_->write_at(end_, bytes);
        file_->sync();
        broken_ = false;
        end_ += bytes.size();
        for (auto& each : made) keys_.insert_or_assign(std::move(each.first), std::move(each.second));
    }
    std::size_t drop_erased() {
        auto const gone = std::erase_if(keys_, [&](auto const& each) { return is_dead(each.first, each.second); });
        rewrite_ = rewrite_ || gone != 0;
        return gone;
    }
    /// Replaces the file by one of the keys that are left.
    void rewrite() {
        detail::key_file_header header{store_id_, erasures_.id(), erasures_.erasures(), std::string{Cipher::name},
            std::string(Cipher::nonce_size, '\0'), std::string(sealed_key_size, '\0')};
        Cipher::random(header.nonce.data(), header.nonce.size());
        std::string const zeroes(Cipher::key_size, '\0');
        Cipher::seal(
            header.check.data(), zeroes, beside_of_header(store_id_), header.nonce.data(), master_.data());
        auto bytes = encode(header);
        std::vector<std::string> order;
        for (auto const& each : keys_) order.push_back(each.first);
        std::sort(order.begin(), order.end());
        for (auto const& each : order) bytes += encode(wrap(each, keys_.at(each)), store_id_);

        auto const beside = path() + ".new";
        auto into = files_.open(beside, open_mode::create_private);
        into->truncate(0);
        into->write_at(0, bytes);
        into->sync();
        auto const old = files_.open(path(), open_mode::write);
        broken_ = true;
        files_.rename(beside, path());
        files_.sync_folder(folder_);
        broken_ = false;
        file_ = std::move(into);
        end_ = bytes.size();
        rewrite_ = false;
        if (old != nullptr) overwrite(*old);
    }
    /// Nobody finds the old file by a name any more; its blocks would keep what was in it.
    static void overwrite(file& old) {
        try {
            old.write_at(0, std::string(static_cast<std::size_t>(old.size()), '\0'));
            old.sync();
        } catch (error const&) {  // NOLINT(bugprone-empty-catch): the erasure stands; docs/erasure.md on what is left
        }
    }
};
}  // namespace driftless::inline v0
#endif
