// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_COLD_STORE_HPP
#define DRIFTLESS_STATE_COLD_STORE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// Changes that a cold_store makes together: values by key that are put, and keys that are erased; no key twice.
class cold_batch {
    std::string bytes_;  // of each change: 1 for put, the sizes of key and value, key, value
    std::size_t count_ = 0;

    void add(char kind, std::string_view key, std::string_view value) {
        std::uint64_t const sizes[2] = {key.size(), value.size()};
        bytes_ += kind;
        bytes_.append(reinterpret_cast<char const*>(sizes), sizeof sizes);
        bytes_.append(key).append(value);
        ++count_;
    }

public:
    void put(std::string_view key, std::string_view value) { add(1, key, value); }
    void erase(std::string_view key) { add(0, key, {}); }
    void clear() noexcept {
        bytes_.clear();
        count_ = 0;
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    /// Calls put(key, value) or erase(key) for each change, in order.
    template <class Put, class Erase>
    void each(Put put, Erase erase) const {
        for (std::size_t at = 0; at < bytes_.size();) {
            bool const puts = bytes_[at++] == 1;
            std::uint64_t sizes[2];
            std::memcpy(sizes, bytes_.data() + at, sizeof sizes);
            at += sizeof sizes;
            std::string_view const key{bytes_.data() + at, sizes[0]};
            std::string_view const value{key.data() + key.size(), sizes[1]};
            at += key.size() + value.size();
            if (puts) put(key, value);
            else erase(key);
        }
    }
};

/// Who is shown the entries of a scan.
class cold_visitor {
public:
    cold_visitor() = default;
    cold_visitor(cold_visitor const&) = delete;
    cold_visitor& operator=(cold_visitor const&) = delete;
    /// Both are borrowed for the call.
    virtual void visit(std::string_view key, std::string_view value) = 0;

protected:
    ~cold_visitor() = default;
};

/// Where state goes that does not fit into memory: bytes by key, on disk or wherever an implementation puts them.
///
/// State       Scratch: it need not survive its process, since snapshots hold all state. Several tables share a store;
///             the keys of each begin with the 8 bytes of its space.
/// Errors      Functions throw driftless::error (io).
/// Threads     Tables of several jobs and threads may use one store at a time.
class cold_store {
    std::atomic<std::uint64_t> spaces_{0};

public:
    cold_store() = default;
    cold_store(cold_store const&) = delete;
    cold_store& operator=(cold_store const&) = delete;

    /// A number that no table has had before.
    [[nodiscard]] std::uint64_t open_space() noexcept { return spaces_.fetch_add(1) + 1; }

    /// The value of a key; false if it has none.
    virtual bool get(std::string_view key, std::string& value) = 0;
    /// Makes all changes of a batch; get and scan see them when it returns.
    virtual void write(cold_batch const& changes) = 0;
    /// Shows all entries whose keys begin with `prefix`, by ascending bytes of their keys.
    virtual void scan(std::string_view prefix, cold_visitor& to) = 0;
    /// Erases them.
    virtual void erase_all(std::string_view prefix) = 0;

protected:
    ~cold_store() = default;
};
}  // namespace driftless::inline v0
#endif
