// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_MEMORY_COLD_STORE_HPP
#define DRIFTLESS_TESTING_MEMORY_COLD_STORE_HPP

#include <driftless/core/error.hpp>
#include <driftless/state/cold_store.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace driftless::inline v0::testing {

/// A cold_store in memory that counts what it is asked, and fails when it is told to: for tests of state that spills.
///
/// Errors      io from the nth call on, fail_from(n); 0: never (default).
/// Threads     Any.
class memory_cold_store final : public cold_store {
    mutable std::mutex using_;
    std::map<std::string, std::string, std::less<>> all_;
    std::uint64_t calls_ = 0;
    std::uint64_t fails_from_ = 0;
    std::uint64_t gets_ = 0;
    std::uint64_t changes_ = 0;
    std::uint64_t batches_ = 0;

    void count() {
        ++calls_;
        if (fails_from_ != 0 && calls_ >= fails_from_) throw error{error_code::io, "cold store: injected fault"};
    }

public:
    bool get(std::string_view key, std::string& value) override {
        std::lock_guard const lock{using_};
        count();
        ++gets_;
        auto const found = all_.find(key);
        if (found == all_.end()) return false;
        value = found->second;
        return true;
    }
    void write(cold_batch const& changes) override {
        std::lock_guard const lock{using_};
        count();
        ++batches_;
        changes_ += changes.size();
        changes.each([&](std::string_view key, std::string_view value) { all_[std::string{key}] = value; },
            [&](std::string_view key) { all_.erase(std::string{key}); });
    }
    void scan(std::string_view prefix, cold_visitor& to) override {
        std::lock_guard const lock{using_};
        count();
        for (auto at = all_.lower_bound(prefix); at != all_.end() && at->first.starts_with(prefix); ++at) {
            to.visit(at->first, at->second);
        }
    }
    void erase_all(std::string_view prefix) override {
        std::lock_guard const lock{using_};
        auto at = all_.lower_bound(prefix);
        while (at != all_.end() && at->first.starts_with(prefix)) at = all_.erase(at);
    }

    void fail_from(std::uint64_t nth) noexcept {
        std::lock_guard const lock{using_};
        calls_ = 0;
        fails_from_ = nth;
    }
    [[nodiscard]] std::size_t size() const {
        std::lock_guard const lock{using_};
        return all_.size();
    }
    [[nodiscard]] std::uint64_t gets() const noexcept { return gets_; }
    [[nodiscard]] std::uint64_t batches() const noexcept { return batches_; }
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
};
}  // namespace driftless::inline v0::testing
#endif
