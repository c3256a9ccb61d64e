// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_SERVED_AT_HPP
#define DRIFTLESS_VIEW_SERVED_AT_HPP

#include <driftless/core/frontier.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// A few offsets in place; more behind a pointer that copies share.
class few_offsets {
    static constexpr std::size_t in_place = 4;
    std::size_t count_ = 0;
    std::uint64_t few_[in_place] = {};
    std::shared_ptr<std::vector<std::uint64_t> const> many_;

public:
    few_offsets() = default;
    few_offsets(std::uint64_t const* from, std::size_t count) : count_(count) {
        if (count <= in_place) {
            for (std::size_t i = 0; i < count; ++i) few_[i] = from[i];
        } else {
            many_ = std::make_shared<std::vector<std::uint64_t> const>(from, from + count);
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t operator[](std::size_t i) const noexcept { return many_ ? (*many_)[i] : few_[i]; }
    [[nodiscard]] friend bool operator==(few_offsets const& a, few_offsets const& b) noexcept {
        if (a.count_ != b.count_) return false;
        for (std::size_t i = 0; i < a.count_; ++i) {
            if (a[i] != b[i]) return false;
        }
        return true;
    }
};
}  // namespace detail

/// Which state of a view an answer is of.
struct served_at {
    std::uint64_t version = 0;  ///< of the view: one more each time that readers are shown another state
    std::uint64_t build = 0;    ///< of the view: view_options::build of whoever wrote this version
    std::uint64_t epoch = 0;    ///< records that the job had read: the answer is the one over that prefix
    event_time watermark = event_time::min();  ///< of the job; see frontier
    event_time progress = event_time::min();   ///< of the job; see frontier
    event_time published;                      ///< by the clock of the view, later than that of the version before
    detail::few_offsets offsets;               ///< of the next record: by input, then by partition

    /// Two views of one job, or of jobs over the same inputs, show the same prefix.
    [[nodiscard]] bool same_frontier(served_at const& other) const noexcept {
        return epoch == other.epoch && offsets == other.offsets;
    }
    friend bool operator==(served_at const&, served_at const&) = default;
};
}  // namespace driftless::inline v0
#endif
