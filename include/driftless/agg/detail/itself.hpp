// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DETAIL_ITSELF_HPP
#define DRIFTLESS_AGG_DETAIL_ITSELF_HPP

#include <driftless/core/config.hpp>

namespace driftless::inline v0::detail {

/// The record itself as its own projection: sum() over a stream of numbers.
struct itself {
    template <class T>
    DRIFTLESS_INLINE constexpr T const& operator()(T const& value) const noexcept {
        return value;
    }
    friend constexpr bool operator==(itself, itself) = default;
};
}  // namespace driftless::inline v0::detail
#endif
