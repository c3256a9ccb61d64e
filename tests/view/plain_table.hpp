// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTS_VIEW_PLAIN_TABLE_HPP
#define DRIFTLESS_TESTS_VIEW_PLAIN_TABLE_HPP

#include <driftless/core/pane.hpp>

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

namespace test {
/// The plainest thing that a version can be kept in.
template <class K, class V>
class plain_table {
    mutable std::shared_mutex mutex_;
    std::map<std::pair<driftless::time_window, K>, V> rows_;

public:
    void write(driftless::pane<K, V> const& row) {
        std::unique_lock const lock{mutex_};
        rows_[{row.window, row.key}] = row.value;
    }
    void remove(K const& key, driftless::time_window window) {
        std::unique_lock const lock{mutex_};
        rows_.erase({window, key});
    }
    template <class F>
    void for_each(F&& f) const {
        std::shared_lock const lock{mutex_};
        for (auto const& [at, value] : rows_) f(at.second, at.first, value);
    }
    [[nodiscard]] std::optional<V> find(K const& key, driftless::time_window window) const {
        std::shared_lock const lock{mutex_};
        auto const found = rows_.find({window, key});
        return found == rows_.end() ? std::nullopt : std::optional<V>{found->second};
    }
    [[nodiscard]] std::size_t size() const {
        std::shared_lock const lock{mutex_};
        return rows_.size();
    }
};
}  // namespace test
#endif
