// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TOUCHED_ROWS_HPP
#define DRIFTLESS_OP_DETAIL_TOUCHED_ROWS_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/pane.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// The rows that an epoch has touched, as they were before it: what is told when it ends is the difference, so that
/// nobody sees what is in between.
///
/// State       Copies of keys and rows, until the epoch ends.
/// Complexity  contains is linear in the rows of the epoch, which are few: one record touches them.
template <class Key, class Result>
class touched_rows {
public:
    struct row {
        Key key{};
        time_window window{};
        std::uint64_t hash = 0;
        std::optional<Result> before{};

        /// True if `after` says the same: then there is nothing to tell.
        [[nodiscard]] bool stays(std::optional<Result> const& after) const {
            if (!before && !after) return true;
            if constexpr (std::equality_comparable<Result>) return before && after && *before == *after;
            else return false;
        }
    };

    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] bool contains(Key const& key, time_window const& window, std::uint64_t hash) const {
        for (auto const& each : rows_) {
            if (each.hash == hash && each.window == window && same_key(each.key, key)) return true;
        }
        return false;
    }
    void add(Key const& key, time_window const& window, std::uint64_t hash, std::optional<Result> const& before) {
        auto& made = rows_.emplace_back(row{key, window, hash, before});
        if constexpr (has_text<Key>) rehome(made.key, bytes_);
        if (made.before) rehome(*made.before, bytes_);
    }
    /// Calls f(row) for each, in the order in which they were touched; then there are none.
    template <class F>
    void take(F f) {
        for (auto const& each : rows_) f(each);
        clear();
    }
    void clear() {
        rows_.clear();
        bytes_.reset();
    }

private:
    std::vector<row> rows_;
    arena bytes_;
};
}  // namespace driftless::inline v0::detail
#endif
