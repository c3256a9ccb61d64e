// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_GRID_TABLES_HPP
#define DRIFTLESS_OP_DETAIL_GRID_TABLES_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>

namespace driftless::inline v0::detail {
/// Where the table of a time is, among many open windows of one size that follow one another: two multiplications, and
/// no branch that records out of order could mislead.
///
/// Complexity  cover is linear in the windows it covers, at most 256; find is O(1) without a division.
template <class Table>
class grid_tables {
    static constexpr std::size_t most = 256;

    growing_array<Table*> at_;  // null: not open, or not to be changed without a word
    event_time low_ = event_time::max();  // the start of the first one
    std::uint64_t span_ = 0;              // how far they reach from there
    std::uint64_t size_ = 1;
    std::uint64_t inverse_ = 0;  // 2^64 / size, rounded down
    bool full_ = false;

public:
    [[nodiscard]] DRIFTLESS_INLINE bool active() const noexcept { return !at_.empty(); }
    /// There are more windows than it covers, and `start` begins one of those.
    [[nodiscard]] bool is_beyond(event_time start) const noexcept { return full_ && past_low(start) >= span_; }
    void forget() noexcept {
        at_.clear();
        span_ = 0;
        full_ = false;
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = 0;
        for (auto const* each : at_) sum += each == nullptr ? 0 : each->bytes();
        return sum;
    }

    /// The table of a time; null if its window is not open, or not covered.
    [[nodiscard]] DRIFTLESS_INLINE Table* find(event_time at) const noexcept {
        auto const past = past_low(at);
        if (past >= span_) return nullptr;
        auto place = static_cast<std::uint64_t>((static_cast<uint128>(past) * inverse_) >> 64);
        place += std::uint64_t{past - place * size_ >= size_};  // both roundings are down: at most one too few
        return at_[place];
    }
    /// Covers the windows from index `from` on that the next snapshot writes, as far as they are not too many and do
    /// not end with time.
    void cover(auto const& windows, std::size_t from, duration size) {
        forget();
        low_ = windows[from].window.start;
        for (auto i = from; i < windows.size(); ++i) {
            auto const& window = windows[i].window;
            if (window.start.is_infinite() || window.end.is_infinite()) break;
            auto const place = static_cast<std::uint64_t>((window.start - low_).ns() / size.ns());
            if (place >= most) {
                full_ = true;
                break;
            }
            while (at_.size() < place) at_.push_back(nullptr);
            at_.push_back(windows[i].written == 0 ? &windows[i].table : nullptr);
        }
        size_ = static_cast<std::uint64_t>(size.ns());
        inverse_ = ~std::uint64_t{0} / size_;
        span_ = at_.size() * size_;
    }

private:
    [[nodiscard]] DRIFTLESS_INLINE std::uint64_t past_low(event_time at) const noexcept {
        return static_cast<std::uint64_t>(at.ns()) - static_cast<std::uint64_t>(low_.ns());
    }
};
}  // namespace driftless::inline v0::detail
#endif
