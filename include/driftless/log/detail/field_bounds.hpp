// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_FIELD_BOUNDS_HPP
#define DRIFTLESS_LOG_DETAIL_FIELD_BOUNDS_HPP

#include <driftless/core/time.hpp>
#include <driftless/log/detail/time_fields.hpp>
#include <driftless/log/readable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace driftless::inline v0::detail {

/// The least and greatest value of each event_time member over the records of a block.
///
/// The writer widens them before it publishes the record, readers may look at any time: a bound that
/// is already wider than what they see is still a bound.
template <class T>
class field_bounds {
    static constexpr std::size_t fields = bounded_time_fields<T>;
    struct range {
        std::atomic<std::int64_t> least{event_time::max().ns()};
        std::atomic<std::int64_t> greatest{event_time::min().ns()};
    };
    range ranges_[fields == 0 ? 1 : fields];

public:
    void widen(T const& record) noexcept {
        for_each_time_field(record, [this](std::size_t place, event_time at) {
            auto& [least, greatest] = ranges_[place];
            if (at.ns() < least.load(std::memory_order_relaxed)) least.store(at.ns(), std::memory_order_relaxed);
            if (at.ns() > greatest.load(std::memory_order_relaxed)) greatest.store(at.ns(), std::memory_order_relaxed);
        });
    }
    /// Of the member with that index; unknown unless it is an event_time.
    [[nodiscard]] time_bounds of(std::size_t field) const noexcept {
        auto const place = time_field_place<T>(field);
        if (place >= fields) return {};
        return {event_time{ranges_[place].least.load(std::memory_order_relaxed)},
            event_time{ranges_[place].greatest.load(std::memory_order_relaxed)}, true};
    }
};
}  // namespace driftless::inline v0::detail
#endif
