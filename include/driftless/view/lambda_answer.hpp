// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_LAMBDA_ANSWER_HPP
#define DRIFTLESS_VIEW_LAMBDA_ANSWER_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/batch_contract.hpp>
#include <driftless/view/reported.hpp>
#include <driftless/view/served_at.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {

/// Who says what a lambda_view answers.
enum class lambda_layer : std::uint8_t {
    none,   ///< nobody: there is no such row
    batch,  ///< the batch layer, as of T
    open,   ///< the batch layer, of a window that was open at T and has not fired since
    speed,  ///< the speed layer, which started from T: its row has all that the batch row has
    both,   ///< both, added (lambda_additive)
};
constexpr std::string_view to_string(lambda_layer of) noexcept {
    constexpr std::string_view names[] = {"none", "batch", "open", "speed", "both"};
    return names[static_cast<std::size_t>(of)];
}

/// What readers are given.
enum class lambda_mode : std::uint8_t {
    merged,      ///< the batch layer up to T, and the speed layer from there
    batch_only,  ///< the batch layer as of T: a plain batch over the records before it
};

/// What a row said before the last T, what it says since, and why.
template <class V>
struct lambda_correction {
    std::optional<V> was;  ///< as readers were shown it last under the T before; nothing: there was no row
    std::optional<V> is;   ///< as it was when T was published; nothing: the row was taken away
    change_cause why = change_cause::correction;
    std::uint64_t contract = 0;  ///< the number of the T that brought it
};

/// What a lambda_view says of one key and window.
///
/// State       Owns its value, and shares its contract.
template <class V>
class lambda_answer {
public:
    using value_type = V;

    /// There is a row.
    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] V const& value() const {
        DRIFTLESS_ASSERT(has_value(), "an answer without a row was asked for its value");
        return *value_;
    }
    V const& operator*() const { return value(); }
    V const* operator->() const { return &value(); }

    [[nodiscard]] lambda_layer layer() const noexcept { return layer_; }
    /// T.
    [[nodiscard]] batch_contract const& contract() const noexcept { return *contract_; }
    /// How far the speed layer has read: offsets, watermark, records. Without one: T.
    [[nodiscard]] served_at const& speed() const noexcept { return speed_; }
    /// From which event time on the batch layer has not confirmed what this answer says: the watermark of T, where the
    /// speed layer or an open window is in it. Nothing: the answer is that of the batch layer, and complete as of T.
    [[nodiscard]] std::optional<event_time> approximate_since() const noexcept { return approximate_since_; }
    /// How the last T changed this row.
    [[nodiscard]] std::optional<lambda_correction<V>> const& correction() const noexcept { return correction_; }
    /// Of the pane that wrote the row: late, where a late record did.
    [[nodiscard]] driftless::timing timing() const noexcept { return timing_; }
    /// The speed layer has failed, is of other logic, or has not been heard of for longer than freshness::max.
    [[nodiscard]] bool stale() const noexcept { return stale_; }
    /// What the speed layer had of this window has been dropped (lambda_options::keep_speed): the row is as of T.
    [[nodiscard]] bool expired() const noexcept { return expired_; }

    // What lambda_view fills in.
    std::optional<V> value_;
    lambda_layer layer_ = lambda_layer::none;
    std::shared_ptr<batch_contract const> contract_;
    served_at speed_;
    std::optional<event_time> approximate_since_;
    std::optional<lambda_correction<V>> correction_;
    driftless::timing timing_ = driftless::timing::on_time;
    bool stale_ = false;
    bool expired_ = false;
};
}  // namespace driftless::inline v0
#endif
