// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LAMBDA_LAYERS_HPP
#define DRIFTLESS_VIEW_DETAIL_LAMBDA_LAYERS_HPP

#include <driftless/core/frontier.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/batch_contract.hpp>
#include <driftless/view/lambda_answer.hpp>
#include <driftless/view/view.hpp>
#include <driftless/view/view_options.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace driftless::inline v0::detail {
enum class speed_state : std::uint8_t {
    none,     // there is none, and none is wanted
    missing,  // there is none: it failed to start
    live,
    failed,   // it says what it said last
    left,     // it failed, and readers are given the batch layer instead
};

/// What readers are given at one T: the rows of the batch and those of the speed layer that started from there.
///
/// base     what a stream shows that has read up to T: rows of windows that have fired
/// open     what ending there changes: rows of windows that are open at T, or none where one goes. Base and open
///          together are the answer of a batch that ends at T
/// speed    what the speed layer changes: rows, or none where one was taken away
///
/// State       The contract, base, open and corrections never change once readers have them.
template <class K, class R, class V>
class lambda_layers {
public:
    using changed = std::optional<R>;
    using correction = std::tuple<std::optional<V>, std::optional<V>, std::uint8_t>;
    using base_view = view<K, R>;
    using overlay = view<K, changed>;
    /// What is kept on disk: a row of the base (0), of the open windows (1), a correction (2).
    using stored = std::tuple<std::uint8_t, changed, correction>;

    base_view base;
    overlay open;
    overlay speed;
    view<K, correction> corrections;
    std::shared_ptr<batch_contract const> contract = std::make_shared<batch_contract const>();
    std::uint64_t speed_start = 0;  // its epoch at T
    std::atomic<speed_state> speed_is{speed_state::none};

    explicit lambda_layers(view_options const& how)
        : base(plain(how)), open(plain(how)), speed(how), corrections(plain(how)) {}

    void write(pane<K, stored> const& row) {
        auto const& [kind, value, corrected] = row.value;
        if (kind == 0) base.write(pane<K, R>{row.key, row.window, *value, {}});
        else if (kind == 1) open.write(pane<K, changed>{row.key, row.window, value, {}});
        else corrections.write(pane<K, correction>{row.key, row.window, corrected, {}});
    }
    template <class F>
    void for_each(F&& f) const {
        base.snapshot().for_each(
            [&](auto const& row) { f(row.key, row.window, stored{std::uint8_t{0}, row.value, correction{}}); });
        open.snapshot().for_each(
            [&](auto const& row) { f(row.key, row.window, stored{std::uint8_t{1}, row.value, correction{}}); });
        corrections.snapshot().for_each(
            [&](auto const& row) { f(row.key, row.window, stored{std::uint8_t{2}, std::nullopt, row.value}); });
    }
    /// The rows are complete.
    void on_frontier(frontier const& at) {
        base.on_frontier(at);
        open.on_frontier(at);
        corrections.on_frontier(at);
    }

private:
    static view_options plain(view_options how) {
        how.fresh = {};
        how.keep = duration::max();
        how.history = {};
        return how;
    }
};

/// Rows as they come from the pipeline: the speed layer's replace those of the batch.
template <class V>
struct replaced_rows {
    using stored = V;
    using shown = V;
    static constexpr bool adds = false;
    bool open_stay = false;  // rows of windows that are open at T are shown until these fire: see open_rows_stay
    [[nodiscard]] V const& show(V const& row) const noexcept { return row; }
};

/// Answers from layers, or from snapshots of them; `speed` is null where the answer is that of the batch at T.
template <class Merge, class Base, class Open, class Speed, class Key>
lambda_answer<typename Merge::shown> merged_answer(Merge const& merge, batch_contract const& contract,
    std::uint64_t speed_start, duration keep_speed, Base const& base, Open const& open, Speed const* speed,
    Key const& key, time_window window) {
    lambda_answer<typename Merge::shown> out;
    auto const from_batch = [&](auto const& found, lambda_layer layer) {
        out.value_.emplace(merge.show(found));
        out.layer_ = layer;
    };
    auto const from_open = [&] {
        auto const found = open.find(key, window);
        if (!found) return false;
        if (*found) from_batch(**found, lambda_layer::open);
        return true;
    };
    auto const from_base = [&] {
        auto const found = base.find(key, window);
        if (!found) return false;
        from_batch(*found, lambda_layer::batch);
        out.timing_ = found.timing();
        return true;
    };
    if (speed == nullptr) {
        if (!from_open()) from_base();
    } else {
        auto const found = speed->find(key, window);
        out.speed_ = found.at();
        out.stale_ = found.stale();
        bool const at_contract = found.epoch() <= speed_start;
        auto const watermark = found.at().watermark;
        if constexpr (Merge::adds) {
            bool const any = from_open() || from_base();
            if (found && *found) {
                auto sum = **found;
                if (any) {
                    auto const before = open.find(key, window);
                    sum = before && *before ? merge.sum(**before, **found)
                                            : merge.sum(*base.find(key, window), **found);
                }
                out.value_.emplace(merge.show(sum));
                out.layer_ = any ? lambda_layer::both : lambda_layer::speed;
                out.timing_ = found.timing();
            }
        } else if (found) {
            if (*found) from_batch(**found, lambda_layer::speed);
            out.timing_ = found.timing();
        } else if (at_contract) {
            if (!from_open()) from_base();
        } else if (!from_base() && merge.open_stay && watermark < window.end) {
            from_open();
        }
        if (out.layer_ != lambda_layer::speed && out.layer_ != lambda_layer::both && keep_speed != duration::max()
            && window.end > contract.watermark && window != time_window{} && watermark != event_time::min()) {
            out.expired_ = watermark == event_time::max() || window.end <= watermark - keep_speed;
        }
    }
    if (out.layer_ != lambda_layer::none && out.layer_ != lambda_layer::batch)
        out.approximate_since_ = contract.watermark;
    return out;
}
}  // namespace driftless::inline v0::detail
#endif
