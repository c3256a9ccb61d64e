// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TOUCHED_ROWS_HPP
#define DRIFTLESS_OP_DETAIL_TOUCHED_ROWS_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/text.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// Values whose == may be asked for: that of containers is there for any element.
template <class T>
inline constexpr bool compared_as_it_is = std::is_arithmetic_v<T> || std::same_as<T, text>;
template <class... T>
inline constexpr bool compared_as_it_is<std::tuple<T...>> = (compared_as_it_is<T> && ...);

/// The rows that an epoch has touched, as they were before it: what is told when it ends is the difference, so that
/// nobody sees what is in between. A Result that owns_its_text is kept as it is.
///
/// State       Copies of keys and rows, until the epoch ends.
/// Complexity  find is linear in the rows of the epoch: few, unless one record changes many groups.
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
            if (!before || !after) return !before && !after;
            if constexpr (compared_as_it_is<Result>) {
                return *before == *after;
            } else if constexpr (encodable<Result>) {
                std::string bytes[2];
                byte_writer{bytes[0]}.write(*before);
                byte_writer{bytes[1]}.write(*after);
                return bytes[0] == bytes[1];
            } else {
                return false;
            }
        }
    };

    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] bool contains(Key const& key, time_window const& window, std::uint64_t hash) {
        return find(key, window, hash) != nullptr;
    }
    [[nodiscard]] row* find(Key const& key, time_window const& window, std::uint64_t hash) {
        for (auto& each : rows_) {
            if (each.hash == hash && each.window == window && is_same(each.key, key)) return &each;
        }
        return nullptr;
    }
    row& add(Key const& key, time_window const& window, std::uint64_t hash, std::optional<Result> const& before) {
        auto& made = rows_.emplace_back(row{key, window, hash, before});
        if constexpr (has_text<Key>) rehome(made.key, bytes_);
        if constexpr (!requires { typename Result::owns_its_text; }) {
            if (made.before) rehome(*made.before, bytes_);
        }
        return made;
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
    static bool is_same(Key const& a, Key const& b) {
        if constexpr (std::same_as<Key, unkeyed>) return true;
        else return same_key(a, b);
    }

    std::vector<row> rows_;
    arena bytes_;
};
}  // namespace driftless::inline v0::detail
#endif
