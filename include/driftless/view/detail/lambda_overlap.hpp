// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LAMBDA_OVERLAP_HPP
#define DRIFTLESS_VIEW_DETAIL_LAMBDA_OVERLAP_HPP

#include <driftless/core/time.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/row_set.hpp>
#include <driftless/view/versioned_view.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace driftless::inline v0::detail {
/// What the present layers say where the next T will be, kept until the batch has said the same, or has not.
///
/// State       The versions of the views as of then.
template <class Layers>
class lambda_overlap {
    using base_view = typename Layers::base_view;
    using K = typename base_view::key_type;
    using R = typename base_view::value_type;

    read_session<Layers> held_;
    duration keep_;
    typename Layers::overlay::snapshot_type speed_;
    std::optional<reconciliation> found_;

public:
    lambda_overlap(read_session<Layers> of, duration keep)
        : held_(std::move(of)), keep_(keep), speed_(held_->speed.snapshot()) {}

    /// Compares the rows of windows that have fired: all of them, since the batch has read all records again.
    void compare(Layers const& next, std::size_t samples) {
        driftless::row_set<K, R> present;
        held_->base.snapshot().for_each([&](auto const& row) {
            if (!has_expired(row.window) && !speed_.find(row.key, row.window))
                present.add(row.key, row.window, row.value);
        });
        speed_.for_each([&](auto const& row) {
            if (row.value && !has_expired(row.window)) present.add(row.key, row.window, *row.value);
        });
        driftless::row_set<K, R> again;
        next.base.snapshot().for_each([&](auto const& row) {
            if (!has_expired(row.window)) again.add(row.key, row.window, row.value);
        });
        found_ = reconcile(present.finish(), again.finish(), {.samples = samples});
    }
    [[nodiscard]] std::optional<reconciliation> const& found() const noexcept { return found_; }

private:
    /// The speed layer may have dropped what it had of that window.
    [[nodiscard]] bool has_expired(time_window window) const {
        if (keep_ == duration::max() || window == time_window{}) return false;
        auto const watermark = speed_.at().watermark;
        return watermark != event_time::min() && (watermark == event_time::max() || window.end <= watermark - keep_);
    }
};
}  // namespace driftless::inline v0::detail
#endif
