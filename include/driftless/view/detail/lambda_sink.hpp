// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LAMBDA_SINK_HPP
#define DRIFTLESS_VIEW_DETAIL_LAMBDA_SINK_HPP

#include <driftless/codec/detail/kept_as.hpp>
#include <driftless/core/frontier.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/detail/lambda_layers.hpp>

#include <cstdint>
#include <optional>

namespace driftless::inline v0::detail {
/// What either layer writes to.
template <class K, class R, class V>
class lambda_sink {
public:
    using layers_type = lambda_layers<K, R, V>;
    enum class target : std::uint8_t {
        base,
        open,
        speed
    };

private:
    using changed = typename layers_type::changed;
    layers_type* layers_;
    target into_;
    frontier last_;

public:
    using keeps_rows = void;

    lambda_sink(layers_type& layers, target into) : layers_(&layers), into_(into) {}

    /// What comes from now on goes there.
    void turn_to(target into) noexcept { into_ = into; }
    /// Where its job stands; without offsets.
    [[nodiscard]] frontier const& last() const noexcept { return last_; }

    template <class Key, class Value>
    void write(pane<Key, Value> const& row) {
        if (into_ == target::base) {
            layers_->base.write(pane<K, R>{kept_as<K>(row.key), row.window, kept_as<R>(row.value), row.info});
        } else {
            overlay().write(
                pane<K, changed>{kept_as<K>(row.key), row.window, changed{kept_as<R>(row.value)}, row.info});
        }
    }
    template <class Key>
    void remove(Key const& given, time_window window) {
        auto const& key = kept_as<K>(given);
        if (into_ == target::base) {
            layers_->base.remove(key, window);
        } else if (covers(key, window)) {
            overlay().write(pane<K, changed>{key, window, std::nullopt, {}});
        } else {
            overlay().remove(key, window);  // nobody below has it: there is nothing to hide
        }
    }
    void on_frontier(frontier const& at) {
        last_ = at;
        last_.offsets = nullptr;
        last_.partitions = 0;
        if (into_ == target::speed) layers_->speed.on_frontier(at);
    }

private:
    [[nodiscard]] auto& overlay() noexcept { return into_ == target::open ? layers_->open : layers_->speed; }
    [[nodiscard]] bool covers(K const& key, time_window window) const {
        if (into_ == target::open) return true;
        return layers_->base.find(key, window).has_value() || layers_->open.find(key, window).has_value();
    }
};
}  // namespace driftless::inline v0::detail
#endif
