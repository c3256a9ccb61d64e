// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VIEW_ROWS_HPP
#define DRIFTLESS_VIEW_VIEW_ROWS_HPP

#include <driftless/codec/owned.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/detail/view_root.hpp>
#include <driftless/view/served_at.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A row as it is shown to a function: borrowed for the call.
template <class K, class V>
struct view_row {
    K const& key;
    time_window window;
    V const& value;
    std::uint64_t version;  ///< of the view that wrote it
    driftless::timing timing;
};

/// Rows of one state of a view: a range of panes.
///
/// State       Owns them, and keeps that version of the view, which must outlive it.
template <class K, class V>
class view_rows {
public:
    using value_type = pane<owned_t<K>, owned_t<V>>;

private:
    std::vector<value_type> rows_;
    detail::version_hold hold_;

public:
    view_rows(detail::version_hold hold, std::vector<value_type> rows)
        : rows_(std::move(rows)),
          hold_(std::move(hold)) {}

    [[nodiscard]] auto begin() const noexcept { return rows_.begin(); }
    [[nodiscard]] auto end() const noexcept { return rows_.end(); }
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] value_type const& operator[](std::size_t i) const noexcept { return rows_[i]; }
    /// The state that they are of.
    [[nodiscard]] served_at const& at() const noexcept { return hold_.root()->at; }
};
}  // namespace driftless::inline v0
#endif
