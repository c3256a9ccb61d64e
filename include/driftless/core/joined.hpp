// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_JOINED_HPP
#define DRIFTLESS_CORE_JOINED_HPP

namespace driftless::inline v0 {

/// Two rows that a join has brought together. A side that may be missing (left_outer, ...) is a std::optional.
template <class Left, class Right>
struct joined {
    Left left{};
    Right right{};

    friend constexpr bool operator==(joined const&, joined const&) = default;
};

template <class T>
inline constexpr bool is_joined = false;
template <class Left, class Right>
inline constexpr bool is_joined<joined<Left, Right>> = true;
}  // namespace driftless::inline v0
#endif
