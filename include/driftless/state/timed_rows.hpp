// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_TIMED_ROWS_HPP
#define DRIFTLESS_STATE_TIMED_ROWS_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// The rows of one key in order of their time, those of one time in the order in which they came. A row has `at`.
///
/// State       A handle: who owns it gives the rows back to the row_store they come from.
template <class Row>
class timed_rows {
    template <class>
    friend class row_store;
    Row* rows_ = nullptr;
    std::uint32_t first_ = 0;
    std::uint32_t last_ = 0;
    std::uint32_t room_ = 0;

public:
    [[nodiscard]] bool empty() const noexcept { return first_ == last_; }
    [[nodiscard]] std::size_t size() const noexcept { return last_ - first_; }
    [[nodiscard]] Row* begin() const noexcept { return rows_ + first_; }
    [[nodiscard]] Row* end() const noexcept { return rows_ + last_; }

    /// The first row whose time is not before `at`.
    [[nodiscard]] DRIFTLESS_INLINE Row* from(event_time at) const noexcept {
        Row* low = begin();
        auto left = size();
        // Near the front, as it is where rows are dropped in time: a few steps beat a search.
        for (int i = 0; i < 8; ++i, ++low, --left) {
            if (left == 0 || low->at >= at) return low;
        }
        while (left != 0) {
            auto const half = left / 2;
            if (low[half].at < at) {
                low += half + 1;
                left -= half + 1;
            } else {
                left = half;
            }
        }
        return low;
    }
};

/// Memory for the rows of many keys: what one key gives back the next one takes.
///
/// State       As much as was ever lent at once.
/// Errors      std::bad_alloc; nothing has changed then.
/// Complexity  insert is O(1) for a row that comes in order and O(rows behind it) otherwise; in steady state nothing
///             is allocated.
template <class Row>
class row_store {
    static_assert(std::is_nothrow_move_constructible_v<Row>);
    static constexpr std::uint32_t least_room = 4;
    static constexpr std::size_t classes = 30;
    detail::growing_array<Row*> spare_[classes];  // by room: least_room << i
    std::size_t rows_ = 0;

public:
    row_store() = default;
    row_store(row_store&& other) noexcept { swap(other); }
    row_store& operator=(row_store&& other) noexcept {
        row_store moved{std::move(other)};
        swap(moved);
        return *this;
    }
    row_store(row_store const&) = delete;
    row_store& operator=(row_store const&) = delete;
    ~row_store() {
        for (auto& all : spare_) {
            for (auto* const each : all) give_back(each);
        }
    }

    /// How many rows are lent.
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

    /// Adds a row behind those that are not after it.
    DRIFTLESS_INLINE Row& insert(timed_rows<Row>& into, Row&& row) {
        if (into.last_ == into.room_) [[unlikely]]
            make_room(into);
        ++rows_;
        Row* at = into.rows_ + into.last_++;
        if (at != into.rows_ + into.first_ && row.at < at[-1].at) [[unlikely]]
            at = shift(into, row.at);
        return *::new (static_cast<void*>(at)) Row(std::move(row));
    }
    /// Takes out the rows before `at`, from the front; calls f(row) for each.
    template <class F>
    DRIFTLESS_INLINE void drop_before(timed_rows<Row>& from, event_time at, F&& f) {
        while (from.first_ != from.last_ && from.rows_[from.first_].at < at) {
            Row& gone = from.rows_[from.first_++];
            f(gone);
            gone.~Row();
            --rows_;
        }
        if (from.first_ == from.last_) from.first_ = from.last_ = 0;
    }
    /// Takes out the rows of [first, last]; calls f(row) for each.
    template <class F>
    void drop_between(timed_rows<Row>& from, event_time first, event_time last, F&& f) {
        Row* const begin = from.from(first);
        Row* end = begin;
        for (; end != from.end() && end->at <= last; ++end) {
            f(*end);
            end->~Row();
            --rows_;
        }
        auto const gone = static_cast<std::uint32_t>(end - begin);
        if (begin == from.begin()) {
            from.first_ += gone;
        } else if (gone != 0) {
            move_rows(begin, end, static_cast<std::size_t>(from.end() - end));
            from.last_ -= gone;
        }
        if (from.first_ == from.last_) from.first_ = from.last_ = 0;
    }
    /// Takes out all rows and the memory.
    template <class F>
    void release(timed_rows<Row>& from, F&& f) {
        for (auto& gone : from) {
            f(gone);
            gone.~Row();
            --rows_;
        }
        if (from.rows_ != nullptr) spare_[class_of(from.room_)].push_back(from.rows_);
        from = timed_rows<Row>{};
    }

    void swap(row_store& other) noexcept {
        for (std::size_t i = 0; i < classes; ++i) spare_[i].swap(other.spare_[i]);
        std::swap(rows_, other.rows_);
    }

private:
    [[nodiscard]] static std::size_t class_of(std::uint32_t room) noexcept {
        return static_cast<std::size_t>(__builtin_ctz(room) - __builtin_ctz(least_room));
    }
    Row* lend(std::uint32_t room) {
        if (auto& spare = spare_[class_of(room)]; !spare.empty()) {
            Row* const found = spare.back();
            spare.pop_back();
            return found;
        }
        return static_cast<Row*>(::operator new(room * sizeof(Row), std::align_val_t{alignof(Row)}));
    }
    static void give_back(Row* rows) noexcept { ::operator delete(rows, std::align_val_t{alignof(Row)}); }
    static void move_rows(Row* to, Row* from, std::size_t n) noexcept {
        if constexpr (std::is_trivially_copyable_v<Row>) {
            if (n != 0) std::memmove(static_cast<void*>(to), static_cast<void const*>(from), n * sizeof(Row));
        } else {
            for (std::size_t i = 0; i < n; ++i) {  // downwards: what is overwritten has been moved
                ::new (static_cast<void*>(to + i)) Row(std::move(from[i]));
                from[i].~Row();
            }
        }
    }
    DRIFTLESS_NOINLINE void make_room(timed_rows<Row>& of) {
        auto const n = of.last_ - of.first_;
        if (of.first_ != 0 && of.first_ >= of.room_ / 2) {
            move_rows(of.rows_, of.begin(), n);
        } else {
            auto const room = of.room_ == 0 ? least_room : of.room_ * 2;
            Row* const larger = lend(room);
            try {
                if (of.rows_ != nullptr) spare_[class_of(of.room_)].push_back(of.rows_);
            } catch (...) {
                give_back(larger);
                throw;
            }
            move_rows(larger, of.begin(), n);
            of.rows_ = larger;
            of.room_ = room;
        }
        of.first_ = 0;
        of.last_ = n;
    }
    /// Makes a gap for a row out of order; last_ counts it already.
    DRIFTLESS_NOINLINE static Row* shift(timed_rows<Row>& in, event_time at) noexcept {
        Row* gap = in.rows_ + in.last_ - 1;
        for (Row* const front = in.begin(); gap != front && at < gap[-1].at; --gap) {
            if constexpr (std::is_trivially_copyable_v<Row>) {
                std::memcpy(static_cast<void*>(gap), static_cast<void const*>(gap - 1), sizeof(Row));
            } else {
                ::new (static_cast<void*>(gap)) Row(std::move(gap[-1]));
                gap[-1].~Row();
            }
        }
        return gap;
    }
};
}  // namespace driftless::inline v0
#endif
