// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_ANSWER_HPP
#define DRIFTLESS_VIEW_ANSWER_HPP

#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/detail/stored_row.hpp>
#include <driftless/view/detail/view_root.hpp>
#include <driftless/view/served_at.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// What a view says of one key and window, and of which state of the view that is.
///
/// State       Owns its value. Where the value is a reflected struct with `text`, it keeps the version of the view, and
///             the view must outlive it.
template <class V>
class answer {
    using value_type = owned_t<V>;
    struct no_hold {
        no_hold() = default;
        explicit no_hold(detail::version_root const*) {}
    };
    using hold = std::conditional_t<has_text<value_type>, detail::version_hold, no_hold>;

    std::optional<value_type> value_;
    served_at at_;
    std::uint64_t row_version_ = 0;
    event_time confirmed_;
    driftless::timing timing_ = driftless::timing::on_time;
    bool stale_ = false;
    [[no_unique_address]] hold hold_;

public:
    DRIFTLESS_INLINE explicit answer(detail::version_root const& root)
        : at_(root.at), confirmed_(root.confirmed_ns.load(std::memory_order_relaxed)) {}
    /// The caller reads that version.
    DRIFTLESS_INLINE void set(detail::version_root const& root, V const& value, detail::row_state row) {
        value_.emplace(to_owned(value));
        row_version_ = row.version();
        timing_ = row.timing();
        if constexpr (has_text<value_type>) hold_ = hold{&root};
    }

    /// There is a row.
    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] value_type const& value() const {
        DRIFTLESS_ASSERT(has_value(), "an answer without a row was asked for its value");
        return *value_;
    }
    value_type const& operator*() const { return value(); }
    value_type const* operator->() const { return &value(); }

    /// The state of the view that was asked.
    [[nodiscard]] served_at const& at() const noexcept { return at_; }
    [[nodiscard]] std::uint64_t epoch() const noexcept { return at_.epoch; }
    /// The version of the view that wrote the row; 0 without one.
    [[nodiscard]] std::uint64_t row_version() const noexcept { return row_version_; }
    /// Of the pane that wrote it: late, where a late record did.
    [[nodiscard]] driftless::timing timing() const noexcept { return timing_; }
    /// How long before `now` the job was last there, by the clock of the view: the row may have another value since.
    [[nodiscard]] duration staleness(event_time now) const noexcept { return now - confirmed_; }
    /// It is older than freshness::max of the view, which serves it all the same.
    [[nodiscard]] bool stale() const noexcept { return stale_; }
    void mark_stale() noexcept { stale_ = true; }
};
}  // namespace driftless::inline v0
#endif
