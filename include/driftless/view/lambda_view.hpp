// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_LAMBDA_VIEW_HPP
#define DRIFTLESS_VIEW_LAMBDA_VIEW_HPP

#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/batch_contract.hpp>
#include <driftless/view/detail/key_order.hpp>
#include <driftless/view/detail/lambda_layers.hpp>
#include <driftless/view/lambda_answer.hpp>
#include <driftless/view/served_at.hpp>
#include <driftless/view/versioned_view.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// The answer of layers to a key and window, with what it carries; `keep` is lambda_options::keep_speed.
template <class Merge, class Layers, class Base, class Open, class Speed, class Key>
auto full_answer(Merge const& merge, Layers const& of, duration keep, Base const& base, Open const& open,
    Speed const* speed, lambda_mode mode, Key const& key, time_window window) {
    using shown = typename Merge::shown;
    auto out = merged_answer(merge, *of.contract, of.speed_start, keep, base, open, speed, key, window);
    out.contract_ = of.contract;
    if (speed == nullptr) out.speed_ = of.base.at();
    auto const is = of.speed_is.load(std::memory_order_acquire);
    if (mode == lambda_mode::merged && is != speed_state::live && is != speed_state::none) out.stale_ = true;
    if (auto const corrected = of.corrections.find(key, window)) {
        auto const& [was, now, why] = *corrected;
        out.correction_ = lambda_correction<shown>{was, now, static_cast<change_cause>(why), of.contract->number};
    }
    return out;
}
/// Readers are given the speed layer, too.
template <class Layers>
bool shows_speed(Layers const& of, lambda_mode mode) noexcept {
    auto const is = of.speed_is.load(std::memory_order_acquire);
    return mode == lambda_mode::merged && (is == speed_state::live || is == speed_state::failed);
}
}  // namespace detail

/// A row as it is shown to a function: borrowed for the call.
template <class K, class V>
struct lambda_row {
    K const& key;
    time_window window;
    V const& value;
    lambda_layer layer;
};

/// One state of a lambda_view, for as long as it is held: one T, and the speed layer at one frontier.
///
/// State       Keeps what the layers have replaced since. The view must outlive it.
/// Threads     Any; one at a time uses one snapshot.
/// Complexity  find O(1); all else looks at all rows.
template <class K, class V, class Merge>
class lambda_snapshot {
    using layers = detail::lambda_layers<K, typename Merge::stored, V>;
    using session = read_session<layers>;
    session held_;
    Merge const* merge_;
    lambda_mode mode_;
    duration keep_;
    typename layers::base_view::snapshot_type base_;
    typename layers::overlay::snapshot_type open_;
    std::optional<typename layers::overlay::snapshot_type> speed_;

public:
    lambda_snapshot(session of, Merge const& merge, lambda_mode mode, duration keep)
        : held_(std::move(of)),
          merge_(&merge),
          mode_(mode),
          keep_(keep),
          base_(held_->base.snapshot()),
          open_(held_->open.snapshot()) {
        if (detail::shows_speed(*held_, mode)) speed_.emplace(held_->speed.snapshot());
    }

    /// T.
    [[nodiscard]] batch_contract const& contract() const noexcept { return *held_->contract; }
    /// How far the speed layer had read; without one: T.
    [[nodiscard]] served_at const& speed() const noexcept { return speed_ ? speed_->at() : base_.at(); }
    /// The speed layer has read nothing beyond T: the rows are those of a plain batch that ends there.
    [[nodiscard]] bool at_contract() const noexcept { return !speed_ || speed_->at().epoch <= held_->speed_start; }

    template <class K2>
    [[nodiscard]] lambda_answer<V> find(K2 const& key, time_window window = {}) const {
        return detail::full_answer(
            *merge_, *held_, keep_, base_, open_, speed_ ? &*speed_ : nullptr, mode_, key, window);
    }
    /// Calls f(lambda_row) for each row, in no particular order.
    template <class F>
    void for_each(F&& f) const {
        auto const show = [&](K const& key, time_window window, auto const& stored, lambda_layer layer) {
            V const& value = merge_->show(stored);
            f(lambda_row<K, V>{key, window, value, layer});
        };
        bool const all = at_contract();
        auto const changed = [&](K const& key, time_window window) {
            return speed_ && speed_->find(key, window).has_value();
        };
        if constexpr (Merge::adds) {
            auto const add = [&](K const& key, time_window window, auto const& stored, lambda_layer layer) {
                if (!changed(key, window)) return show(key, window, stored, layer);
                show(key, window, merge_->sum(stored, **speed_->find(key, window)), lambda_layer::both);
            };
            base_.for_each([&](auto const& row) {
                if (!open_.find(row.key, row.window)) add(row.key, row.window, row.value, lambda_layer::batch);
            });
            open_.for_each([&](auto const& row) {
                if (row.value) add(row.key, row.window, *row.value, lambda_layer::open);
            });
            if (!speed_) return;
            speed_->for_each([&](auto const& row) {
                if (row.value && !base_.find(row.key, row.window) && !open_.find(row.key, row.window))
                    show(row.key, row.window, *row.value, lambda_layer::speed);
            });
        } else {
            base_.for_each([&](auto const& row) {
                if (changed(row.key, row.window) || (all && open_.find(row.key, row.window))) return;
                show(row.key, row.window, row.value, lambda_layer::batch);
            });
            open_.for_each([&](auto const& row) {
                if (!row.value || changed(row.key, row.window)) return;
                bool const stays = merge_->open_stay && speed().watermark < row.window.end
                    && !base_.find(row.key, row.window);
                if (all || stays) show(row.key, row.window, *row.value, lambda_layer::open);
            });
            if (!speed_) return;
            speed_->for_each([&](auto const& row) {
                if (row.value) show(row.key, row.window, *row.value, lambda_layer::speed);
            });
        }
    }
    /// The rows, by window, then by key.
    [[nodiscard]] std::vector<pane<K, V>> rows() const {
        std::vector<pane<K, V>> out;
        for_each([&](auto const& row) { out.push_back({row.key, row.window, row.value, {}}); });
        std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) {
            return detail::fires_before(a.window, a.key, b.window, b.key);
        });
        return out;
    }
    [[nodiscard]] std::size_t size() const {
        std::size_t out = 0;
        for_each([&](auto const&) { ++out; });
        return out;
    }
    /// What the last T changed: f(key, window, lambda_correction).
    template <class F>
    void each_correction(F&& f) const {
        auto const all = held_->corrections.snapshot();
        all.for_each([&](auto const& row) {
            auto const& [was, now, why] = row.value;
            f(row.key, row.window,
                lambda_correction<V>{was, now, static_cast<change_cause>(why), contract().number});
        });
    }
};

/// What a lambda_coordinator serves: one answer out of two layers, in which every record has one owner.
///
/// Shape       As of T, the rows are those of a plain batch over the records before it. Behind T the speed layer, which
///             started from the state of that batch, replaces the rows that it changes: they have all that the batch
///             rows had. So a row never counts a record twice, or not at all, whatever stands in the pipeline. Rows of
///             windows that were open at T (layer `open`) are shown until these fire, where that is certain to be
///             right: of tumbling and sliding windows. Or, lambda_additive, both layers are added.
///             K, V   as the pipeline yields them, owned.
/// Errors      not_there before the first T; stale, where freshness says so.
/// Threads     Any number, at any time.
/// Complexity  find O(1), in at most four tables.
/// Source      N. Marz, J. Warren, "Big Data" (2015), the lambda architecture.
/// Example     examples/lambda_orders
template <class K, class V, class Merge = detail::replaced_rows<V>>
class lambda_view {
public:
    using layers_type = detail::lambda_layers<K, typename Merge::stored, V>;
    using versions_type = versioned_view<K, typename layers_type::stored, layers_type>;
    using key_type = K;
    using value_type = V;
    using snapshot_type = lambda_snapshot<K, V, Merge>;

private:
    versions_type const* versions_;
    Merge merge_;
    duration keep_speed_;
    std::atomic<lambda_mode> mode_;

public:
    lambda_view(versions_type const& of, Merge merge, duration keep_speed, lambda_mode mode)
        : versions_(&of), merge_(std::move(merge)), keep_speed_(keep_speed), mode_(mode) {}

    /// The row of a key and window; without a window, that of a stream that has none.
    template <class K2>
    [[nodiscard]] lambda_answer<V> find(K2 const& key, time_window window = {}) const {
        auto const now = versions_->read();
        auto const how = mode();
        auto const& of = *now;
        auto const* const speed = detail::shows_speed(of, how) ? &of.speed : nullptr;
        return detail::full_answer(merge_, of, keep_speed_, of.base, of.open, speed, how, key, window);
    }
    /// The present state, held: for several reads that belong together.
    [[nodiscard]] snapshot_type snapshot() const {
        return snapshot_type{versions_->read(), merge_, mode(), keep_speed_};
    }
    /// The state of a T that was kept (lambda_options::keep), without its speed layer.
    ///
    /// Errors      not_there.
    [[nodiscard]] snapshot_type as_of_contract(std::uint64_t number) const {
        return snapshot_type{versions_->read_version(number), merge_, lambda_mode::batch_only, keep_speed_};
    }
    /// T.
    ///
    /// Errors      not_there before the first one.
    [[nodiscard]] batch_contract contract() const { return *versions_->read()->contract; }
    /// There is a T.
    [[nodiscard]] bool ready() const { return versions_->try_read().has_value(); }

    /// What readers are given from now on; any thread.
    void serve(lambda_mode mode) noexcept { mode_.store(mode, std::memory_order_release); }
    [[nodiscard]] lambda_mode mode() const noexcept { return mode_.load(std::memory_order_acquire); }
    [[nodiscard]] Merge const& merge() const noexcept { return merge_; }
};
}  // namespace driftless::inline v0
#endif
