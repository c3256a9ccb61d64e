// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_PER_PARTITION_HPP
#define DRIFTLESS_OP_DETAIL_PER_PARTITION_HPP

#include <driftless/time/watermark.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace driftless::inline v0::detail {
/// What is remembered of each partition; `current()` belongs to the one whose records follow.
template <class State>
class per_partition {
    std::vector<State> all_ = std::vector<State>(1);
    std::size_t current_ = 0;

public:
    static constexpr bool keeps = true;
    void enter(std::uint32_t partition) {
        if (all_.size() <= partition) all_.resize(partition + std::size_t{1});
        current_ = partition;
    }
    [[nodiscard]] State& current() noexcept { return all_[current_]; }
    [[nodiscard]] State const& current() const noexcept { return all_[current_]; }
    [[nodiscard]] State const& of(std::uint32_t partition) const {
        static State const nothing{};
        return partition < all_.size() ? all_[partition] : nothing;
    }

    void save(auto& out) const { out.write(all_); }
    void load(auto& in) {
        in.read(all_);
        if (all_.empty()) all_.resize(1);
        current_ = 0;
    }
};
template <>
class per_partition<no_partition_state> {
    [[no_unique_address]] no_partition_state none_;

public:
    static constexpr bool keeps = false;
    constexpr void enter(std::uint32_t) noexcept {}
    constexpr no_partition_state& current() noexcept { return none_; }
    [[nodiscard]] constexpr no_partition_state const& of(std::uint32_t) const noexcept { return none_; }
};
}  // namespace driftless::inline v0::detail
#endif
