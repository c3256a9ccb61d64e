// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_RANDOM_HPP
#define DRIFTLESS_BENCH_SUPPORT_RANDOM_HPP

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// Seeded random numbers, the same on every machine and with every compiler.
///
/// Source      SplitMix64 (Steele, Lea, Flood 2014).
class random {
    std::uint64_t state_;

public:
    explicit random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() {
        state_ += 0x9e3779b97f4a7c15u;
        auto x = state_;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }
    /// Uniform in [0, n).
    std::uint64_t below(std::uint64_t n) {
        return static_cast<std::uint64_t>((static_cast<__uint128_t>((*this)()) * n) >> 64);
    }
    /// Uniform in [0, 1).
    double unit() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }
};

/// Ranks 0 .. n-1, rank r with weight 1 / (r + 1)^exponent; exponent 0 is uniform.
///
/// Complexity  O(n) to make, O(1) per draw.
/// Source      A. J. Walker's alias method (1977), in M. D. Vose's form (1991).
class ranks {
    std::vector<double> keep_;
    std::vector<std::uint32_t> other_;

public:
    ranks(std::size_t n, double exponent) : keep_(n), other_(n) {
        double total = 0;
        for (std::size_t i = 0; i < n; ++i) total += keep_[i] = std::pow(static_cast<double>(i + 1), -exponent);
        std::vector<std::uint32_t> small;
        std::vector<std::uint32_t> large;
        for (std::size_t i = 0; i < n; ++i) {
            keep_[i] *= static_cast<double>(n) / total;
            (keep_[i] < 1 ? small : large).push_back(static_cast<std::uint32_t>(i));
        }
        while (!small.empty() && !large.empty()) {
            auto const poor = small.back();
            auto const rich = large.back();
            small.pop_back();
            other_[poor] = rich;
            keep_[rich] -= 1 - keep_[poor];
            if (keep_[rich] < 1) {
                large.pop_back();
                small.push_back(rich);
            }
        }
        for (auto const i : small) keep_[i] = 1;
        for (auto const i : large) keep_[i] = 1;
    }
    std::size_t operator()(random& from) const {
        auto const i = static_cast<std::size_t>(from.below(keep_.size()));
        return from.unit() < keep_[i] ? i : other_[i];
    }
};
}  // namespace bench
#endif
