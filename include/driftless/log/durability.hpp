// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DURABILITY_HPP
#define DRIFTLESS_LOG_DURABILITY_HPP

#include <driftless/core/time.hpp>

#include <cstdint>

namespace driftless::inline v0 {

/// When a file log makes records safe from a loss of power. Whatever it is, records that were written survive the death
/// of the process.
///
/// on_close         when the log is closed or sync() is called; a loss of power before may take everything since
/// every_batch      before append() returns; batches that wait together share one sync
/// every(100_ms)    so often, by a thread of the log's; a loss of power takes what came after the last time
class durability {
public:
    enum class kind : std::uint8_t {
        on_close,
        every_batch,
        timed,
    };

    constexpr explicit durability(kind what, duration interval = {}) noexcept : kind_(what), interval_(interval) {}
    [[nodiscard]] constexpr kind what() const noexcept { return kind_; }
    [[nodiscard]] constexpr duration interval() const noexcept { return interval_; }
    friend constexpr bool operator==(durability const&, durability const&) = default;

private:
    kind kind_;
    duration interval_;
};

/// When the log is closed; when each append returns.
inline constexpr durability on_close{durability::kind::on_close};
inline constexpr durability every_batch{durability::kind::every_batch};
/// At least 1 ms.
constexpr durability every(duration interval) noexcept {
    constexpr duration least{1'000'000};
    return durability{durability::kind::timed, interval < least ? least : interval};
}
}  // namespace driftless::inline v0
#endif
