// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_FIELD_BOUNDS_HPP
#define DRIFTLESS_LOG_DETAIL_FIELD_BOUNDS_HPP

#include <driftless/core/pane.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/time.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace driftless::inline v0::detail {
/// How many places for bounds a record has: one per member; one for event<T>, its envelope.
template <class T>
inline constexpr std::size_t bounded_fields = [] {
    if constexpr (is_event<T>) return std::size_t{1};
    else if constexpr (reflected<T>) return member_count<T>;
    else return std::size_t{0};
}();

/// The least and greatest value of each event_time member over the records of a block.
///
/// The writer widens them before it publishes the record, readers may look at any time: a bound that
/// is already wider than what they see is still a bound.
template <class T>
class field_bounds {
    static constexpr std::size_t fields = bounded_fields<T> == 0 ? 1 : bounded_fields<T>;
    std::atomic<std::int64_t> least_[fields];
    std::atomic<std::int64_t> greatest_[fields];

public:
    field_bounds() noexcept {
        for (std::size_t i = 0; i < fields; ++i) {
            least_[i].store(event_time::max().ns(), std::memory_order_relaxed);
            greatest_[i].store(event_time::min().ns(), std::memory_order_relaxed);
        }
    }
    void widen(T const& record) noexcept {
        if constexpr (is_event<T>) {
            widen(0, record.at);
        } else if constexpr (reflected<T>) {
            for_each_member_index<T>([&]<std::size_t I>() {
                if constexpr (std::is_same_v<member_t<I, T>, event_time>) widen(I, member<I>(record));
            });
        }
    }
    [[nodiscard]] event_time least(std::size_t field) const noexcept {
        return event_time{least_[field].load(std::memory_order_relaxed)};
    }
    [[nodiscard]] event_time greatest(std::size_t field) const noexcept {
        return event_time{greatest_[field].load(std::memory_order_relaxed)};
    }

private:
    void widen(std::size_t field, event_time at) noexcept {
        if (at < least(field)) least_[field].store(at.ns(), std::memory_order_relaxed);
        if (at > greatest(field)) greatest_[field].store(at.ns(), std::memory_order_relaxed);
    }
};
}  // namespace driftless::inline v0::detail
#endif
