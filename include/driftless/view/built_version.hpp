// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_BUILT_VERSION_HPP
#define DRIFTLESS_VIEW_BUILT_VERSION_HPP

#include <driftless/view/build.hpp>
#include <driftless/view/detail/any_view.hpp>
#include <driftless/view/detail/pinned_switch.hpp>
#include <driftless/view/view_options.hpp>

#include <cstdint>
#include <mutex>
#include <utility>

namespace driftless::inline v0 {

/// One version of a view, while it is in memory: its rows, and what it was made of.
template <class View>
class built_version {
    std::uint64_t number_;
    View rows_;
    mutable std::mutex mutex_;
    build about_;

public:
    explicit built_version(build about, view_options const& how = {})
        : number_(about.number), rows_(detail::make_view<View>(how)), about_(std::move(about)) {}

    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    [[nodiscard]] View const& rows() const noexcept { return rows_; }
    [[nodiscard]] View& rows() noexcept { return rows_; }
    /// What it was made of, as of the last chunk of records.
    [[nodiscard]] build about() const {
        std::lock_guard const lock{mutex_};
        return about_;
    }
    void tell(build about) {
        std::lock_guard const lock{mutex_};
        about_ = std::move(about);
    }
};

/// What a reader holds: one version, and no other, however long it reads.
///
/// State       The version stays in memory until the session ends, also when it was retired.
/// Threads     One; sessions are cheap.
template <class View>
class read_session {
    using pin = typename detail::pinned_switch<built_version<View>>::pin;
    pin held_;

public:
    explicit read_session(pin held) noexcept : held_(std::move(held)) {}

    /// The number of the version.
    [[nodiscard]] std::uint64_t version() const noexcept { return held_->number(); }
    [[nodiscard]] build about() const { return held_->about(); }
    [[nodiscard]] View const& operator*() const noexcept { return std::as_const(*held_).rows(); }
    [[nodiscard]] View const* operator->() const noexcept { return &**this; }
};
}  // namespace driftless::inline v0
#endif
