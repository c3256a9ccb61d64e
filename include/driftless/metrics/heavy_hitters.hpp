// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_METRICS_HEAVY_HITTERS_HPP
#define DRIFTLESS_METRICS_HEAVY_HITTERS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A key that is met often.
struct heavy_hitter {
    std::uint64_t hash = 0;
    std::uint64_t count = 0;  ///< at most so often
    std::uint64_t error = 0;  ///< at least count - error times
    std::string name;
};

/// The keys that are met most often, in bounded memory.
///
/// State       `capacity` keys and their counts. A key that was met more than total / capacity times is among them, and
///             its count is too large by its error at most, which is no more than that.
/// Complexity  O(capacity) per key that is met: for samples.
/// Source      A. Metwally, D. Agrawal, A. El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data
///             Streams" (2005): space-saving.
class heavy_hitters {
    std::vector<heavy_hitter> all_;
    std::size_t capacity_;
    std::uint64_t total_ = 0;

public:
    explicit heavy_hitters(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}

    /// `name()` is asked when the key is not among them.
    template <class Name>
    void add(std::uint64_t hash, Name&& name) {
        ++total_;
        auto const found =
            std::find_if(all_.begin(), all_.end(), [&](heavy_hitter const& each) { return each.hash == hash; });
        if (found != all_.end()) {
            ++found->count;
        } else if (all_.size() < capacity_) {
            all_.push_back({hash, 1, 0, name()});
        } else {
            auto& least = *std::min_element(all_.begin(), all_.end(),
                [](heavy_hitter const& a, heavy_hitter const& b) { return a.count < b.count; });
            least = {hash, least.count + 1, least.count, name()};
        }
    }
    /// All that were added, of whatever key.
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    /// The `n` met most often, those first; equal ones by name.
    [[nodiscard]] std::vector<heavy_hitter> top(std::size_t n) const {
        auto out = all_;
        std::sort(out.begin(), out.end(), [](heavy_hitter const& a, heavy_hitter const& b) {
            return a.count != b.count ? a.count > b.count : a.name < b.name;
        });
        if (out.size() > n) out.resize(n);
        return out;
    }
};
}  // namespace driftless::inline v0
#endif
