// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_DETAIL_SEEDED_HPP
#define DRIFTLESS_TESTING_DETAIL_SEEDED_HPP

#include <cstddef>
#include <cstdint>

namespace driftless::inline v0::testing::detail {
/// SplitMix64: the same numbers on every machine (std::uniform_int_distribution gives others with every library).
struct seeded {
    std::uint64_t state;
    /// In [0, below).
    std::size_t operator()(std::size_t below) noexcept {
        std::uint64_t x = state += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return static_cast<std::size_t>((x ^ (x >> 31)) % below);
    }
    /// True in one of n cases.
    bool one_in(std::size_t n) noexcept { return (*this)(n) == 0; }
};
}  // namespace driftless::inline v0::testing::detail
#endif
