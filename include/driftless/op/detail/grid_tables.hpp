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
/// Complexity  cover is linear in the windows it covers, at most 256; at is O(1) without a division.
template <class Table>
class grid_tables {
    static constexpr std::size_t most = 256;

    growing_array<Table*> at_;  // null: not open
    std::uint64_t size_ = 1;
    std::uint64_t inverse_ = 0;  // 2^64 / size, rounded down
    bool full_ = false;

public:
    [[nodiscard]] DRIFTLESS_INLINE bool active() const noexcept { return !at_.empty(); }
    /// There are more windows than it covers.
    [[nodiscard]] bool full() const noexcept { return full_; }
    void forget() noexcept {
        at_.clear();
        full_ = false;
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = 0;
        for (auto const* each : at_) sum += each == nullptr ? 0 : each->bytes();
        return sum;
    }

    /// The table of a time that is so far behind the start of what is covered; null if its window is not open.
    [[nodiscard]] DRIFTLESS_INLINE Table* at(std::uint64_t past) const noexcept {
        auto place = static_cast<std::uint64_t>((static_cast<uint128>(past) * inverse_) >> 64);
        place += std::uint64_t{past - place * size_ >= size_};  // both roundings are down: at most one too few
        return at_[place];
    }
    /// Covers the windows of index [from, to), as far as they are not too many, and says how far that reaches from the
    /// start of the first one; 0 if they are no grid.
    std::uint64_t cover(auto const& windows, std::size_t from, std::size_t to, duration size) {
        forget();
        auto const low = windows[from].window.start;
        for (auto i = from; i < to; ++i) {
            auto const& window = windows[i].window;
            if (window.start.is_infinite() || window.end.is_infinite()) break;
            auto const place = static_cast<std::uint64_t>((window.start - low).ns() / size.ns());
            if (place >= most) {
                full_ = true;
                break;
            }
            while (at_.size() < place) at_.push_back(nullptr);
            at_.push_back(&windows[i].table);
        }
        size_ = static_cast<std::uint64_t>(size.ns());
        inverse_ = ~std::uint64_t{0} / size_;
        return at_.size() * size_;
    }
};
}  // namespace driftless::inline v0::detail
#endif
