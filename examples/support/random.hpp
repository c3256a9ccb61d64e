// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_RANDOM_HPP
#define EXAMPLES_SUPPORT_RANDOM_HPP

#include <cstdint>

namespace support {

/// Numbers that look random and are the same on every machine.
///
/// Source      G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators" (2014): SplitMix64.
class random {
    std::uint64_t state_;

public:
    explicit random(std::uint64_t seed) : state_(seed) {}
    /// One of 0 ... n - 1.
    template <class Number>
    Number below(Number n) {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return static_cast<Number>((z ^ (z >> 31U)) % static_cast<std::uint64_t>(n));
    }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
};
}  // namespace support
#endif
