// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TOUCHED_PAIRS_HPP
#define DRIFTLESS_OP_DETAIL_TOUCHED_PAIRS_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/time.hpp>
#include <driftless/state/keyed_table.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace driftless::inline v0::detail {
/// The rows of a join of tables that an epoch has touched, by key, with the two rows that they were made of before it:
/// what is told when it ends is the difference, so that nobody sees what is in between.
///
/// State       Copies of keys and of the rows of both sides, until the epoch ends.
/// Complexity  note is O(1) expected.
template <class Key, class Left, class Right>
class touched_pairs {
public:
    struct pair {
        Key key{};
        std::uint64_t hash = 0;
        event_time at = event_time::min();  // of the last change
        std::optional<Left> left{};
        std::optional<Right> right{};
        bool left_changed = false;
        bool once = true;  // one change alone: it is told whatever it says

        [[nodiscard]] Left const* old_left() const noexcept { return left ? &*left : nullptr; }
        [[nodiscard]] Right const* old_right() const noexcept { return right ? &*right : nullptr; }
        /// Both sides are again what they were.
        [[nodiscard]] bool stays(Left const* now_left, Right const* now_right) const {
            return !once && same(old_left(), now_left) && same(old_right(), now_right);
        }
    };

    [[nodiscard]] bool empty() const noexcept { return pairs_.empty(); }
    /// A row is about to change: what it is made of, and whether its left side changes.
    void note(Key const& key, event_time at, Left const* left, Right const* right, bool left_changes) {
        auto const hash = canonical_hash(key);
        if (auto const* const known = index_.find(key, hash)) {
            auto& of = pairs_[*known];
            of.once = false;
            of.left_changed = of.left_changed || left_changes;
            if (of.at < at) of.at = at;
            return;
        }
        auto& made = pairs_.emplace_back(pair{key, hash, at, {}, {}, left_changes});
        if constexpr (has_text<Key>) rehome(made.key, bytes_);
        if (left != nullptr) rehome(made.left.emplace(*left), bytes_);
        if (right != nullptr) rehome(made.right.emplace(*right), bytes_);
        static_cast<void>(index_.insert(key, hash, [&] { return static_cast<std::uint32_t>(pairs_.size() - 1); }));
    }
    /// Calls f(pair) for each, in the order in which they were touched; then there are none.
    template <class F>
    void take(F f) {
        if (pairs_.empty()) return;
        for (auto const& each : pairs_) f(each);
        clear();
    }
    void clear() {
        pairs_.clear();
        index_.clear();
        bytes_.reset();
    }

private:
    template <class T>
    static bool same(T const* a, T const* b) {
        if (a == nullptr || b == nullptr) return a == b;
        std::string bytes[2];
        byte_writer{bytes[0]}.write(*a);
        byte_writer{bytes[1]}.write(*b);
        return bytes[0] == bytes[1];
    }

    std::vector<pair> pairs_;
    keyed_table<Key, std::uint32_t> index_;
    arena bytes_;
};
}  // namespace driftless::inline v0::detail
#endif
