// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VIEW_SUBSCRIPTION_HPP
#define DRIFTLESS_VIEW_VIEW_SUBSCRIPTION_HPP

#include <driftless/codec/owned.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/detail/row_tables.hpp>
#include <driftless/view/detail/view_root.hpp>
#include <driftless/view/served_at.hpp>
#include <driftless/view/view_rows.hpp>
#include <driftless/view/view_snapshot.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
/// What a view shows since a subscriber was last told.
template <class K, class V>
struct view_changes {
    bool everything = false;   ///< it is the first: `written` is all there is
    view_rows<K, V> written;   ///< rows that were added or replaced, as they are now, by window and key
    std::vector<std::pair<owned_t<K>, time_window>> removed;  ///< rows that are gone, in no particular order

    /// The state that one has who applies them.
    [[nodiscard]] served_at const& at() const noexcept { return written.at(); }
};

/// Follows a view: first all its rows, then what has changed, each time from one whole state to a later one. Who asks
/// seldom is told less: of a row that has changed ten times the last state, of one that came and went nothing. So there
/// is no queue that could overflow, and nobody waits for a slow subscriber.
///
/// State       Keeps the state that it has told: at most once more the size of the view, however slow it is. The view
///             must outlive it, and what it has told.
/// Threads     One at a time uses one subscription.
/// Complexity  next(): O(rows in pages that have changed).
template <class View>
class view_subscription {
    using K = typename View::key_type;
    using V = typename View::value_type;
    using ref = detail::row_ref<K, V>;
    View const* of_;
    std::optional<typename View::snapshot_type> told_;

public:
    explicit view_subscription(View const& of) : of_(&of) {}

    /// Nothing if the view shows what has been told.
    [[nodiscard]] std::optional<view_changes<K, V>> next() {
        auto now = of_->snapshot();
        if (told_ && told_->at().version == now.at().version) return std::nullopt;
        std::optional<view_changes<K, V>> out;
        if (!told_) {
            out.emplace(view_changes<K, V>{true, now.rows(), {}});
        } else {
            std::vector<ref> written;
            std::vector<std::pair<owned_t<K>, time_window>> removed;
            now.changed_rows(
                *told_, [&](ref const& each) { written.push_back(each); },
                [&](ref const& each) { removed.emplace_back(to_owned(each.key()), each.window); });
            out.emplace(view_changes<K, V>{false, now.in_order(written), std::move(removed)});
        }
        told_ = std::move(now);
        return out;
    }
};
}  // namespace driftless::inline v0
#endif
