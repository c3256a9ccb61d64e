// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SLIDING_TOTALS_HPP
#define DRIFTLESS_OP_DETAIL_SLIDING_TOTALS_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/op/detail/slice_columns.hpp>
#include <driftless/op/detail/slice_grid.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

// The totals of all keys over a run of slices [from, to) that only ever moves ahead. They have
//   move_to(pack, from, to, slices, rows, neutral)   the slices given are still there, also those that leave,
//                                                    and `rows` of their cells are in use
//   of(pack, row, scratch)                           the total of a row
//   add_late(pack, slice, row, one)                  a record that comes into a slice that is in already
// and what they hold follows from [from, to) and the slices alone, however they came there: nothing of it is saved.

namespace driftless::inline v0::detail {

/// Calls f for the slices in [from, to): those at the end, as a rule.
void each_between(auto const& slices, std::int64_t from, std::int64_t to, auto&& f) {
    for (auto left = slices.size(); left != 0; --left) {
        auto const& slice = slices[left - 1].table;
        if (slice.number < from) break;
        if (slice.number < to) f(slice);
    }
}

/// Totals from which a slice that leaves is subtracted: of what can be, the rest of a cell stays as it was.
template <class Pack, class Cell>
class subtracting_totals {
    row_column<Cell> total_;
    std::int64_t from_ = int64_limits::min();
    std::int64_t to_ = int64_limits::min();

public:
    explicit subtracting_totals(slice_grid const&) noexcept {}

    [[nodiscard]] std::size_t bytes() const noexcept { return total_.bytes(); }

    void move_to(Pack const& pack, std::int64_t from, std::int64_t to, auto const& slices, std::size_t rows,
        Cell const& neutral) {
        if (total_.empty()) total_.fill(slices[0].table.cells.size(), neutral);
        for (std::size_t i = 0; i < slices.size() && slices[i].table.number < from; ++i) {
            auto const& slice = slices[i].table;
            if (slice.number < from_ || slice.number >= to_) continue;
            each_pair_of_cells(total_, slice.cells, rows,
                [&](Cell& total, Cell const& out) { total.inverse_subtractable(pack, out); });
        }
        each_between(slices, to_ > from ? to_ : from, to, [&](auto const& slice) {
            each_pair_of_cells(total_, slice.cells, rows,
                [&](Cell& total, Cell const& in) { total.combine_subtractable(pack, in); });
        });
        from_ = from;
        to_ = to;
    }
    [[nodiscard]] DRIFTLESS_INLINE Cell const& of(Pack const&, std::uint32_t row, Cell&) const noexcept {
        return total_[row];
    }
    void add_late(Pack const& pack, std::int64_t slice, std::uint32_t row, Cell const& one, std::size_t rows,
        Cell const& neutral) {
        if (slice >= to_) return;
        if (total_.empty()) total_.fill(rows, neutral);
        total_[row].combine_subtractable(pack, one);
    }
    void renumber(growing_array<std::uint32_t> const& old_rows, std::size_t rows, Cell const& neutral) {
        if (!total_.empty()) total_.renumber(old_rows, rows, neutral);
    }
    void clear() noexcept { total_ = {}; }
};

/// Totals of what cannot be subtracted: blocks of slices are added up from their last slice on backwards, once they are
/// complete; the slices behind the last such block forwards, as they come. A window is one of the former and one of
/// the latter: the two stacks of a queue, at fixed places and shared by all keys.
///
/// Complexity  Each slice is added twice; a total is one more addition.
/// Source      K. Tangwongsan, M. Hirzel, S. Schneider, K.-L. Wu, "General Incremental Sliding-Window Aggregation"
///             (VLDB 2015); M. van Herk, "A fast algorithm for local minimum and maximum filters" (1992).
template <class Pack, class Cell>
class stacked_remainders {
    using rest = remainder_cell<Pack>;
    struct suffix {
        std::int64_t slice;  // of all slices of the block from this one on
        row_column<rest> cells;
    };
    growing_array<suffix> front_;  // by descending slice: the last is the one in use
    growing_array<row_column<rest>> spare_;
    row_column<rest> back_;
    std::int64_t block_;
    std::int64_t mark_ = int64_limits::min();  // where the front ends and the back begins
    std::int64_t to_ = int64_limits::min();

public:
    explicit stacked_remainders(slice_grid const& grid) noexcept : block_(grid.block()) {}

    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = back_.bytes();
        for (auto const& each : front_) sum += each.cells.bytes();
        return sum;
    }

    void move_to(Pack const& pack, std::int64_t from, std::int64_t to, auto const& slices, std::size_t rows,
        Cell const& neutral) {
        auto const mark = next_mark(from);
        if (mark != mark_ || back_.empty()) {
            while (!front_.empty()) drop_last();
            back_.fill(slices[0].table.cells.size(), rest::of(neutral));
            for (auto i = slices.size(); i-- > 0;) {
                auto const& slice = slices[i].table;
                if (slice.number >= from && slice.number < mark) push(pack, slice, rows, neutral);
            }
            to_ = mark_ = mark;
        }
        while (!front_.empty() && front_.back().slice < from) drop_last();
        each_between(slices, to_ > from ? to_ : from, to, [&](auto const& slice) {
            each_pair_of_cells(back_, slice.cells, rows, [&](rest& sum, Cell const& in) { sum.combine(pack, in); });
        });
        to_ = to;
    }
    /// Puts the remainder of a row into its total.
    DRIFTLESS_INLINE void put(Pack const& pack, std::uint32_t row, Cell& total) const noexcept {
        if (front_.empty()) return Pack::copy_remainder(total.state, back_[row].state);
        Pack::copy_remainder(total.state, front_[front_.size() - 1].cells[row].state);
        pack.combine_remainder(total.state, back_[row].state);
    }
    void add_late(Pack const& pack, std::int64_t slice, std::uint32_t row, Cell const& one, std::size_t rows,
        Cell const& neutral) {
        if (slice >= to_) return;
        if (back_.empty()) back_.fill(rows, rest::of(neutral));
        auto const add_to = [&](row_column<rest>& column) { column[row].combine(pack, one); };
        if (slice >= mark_) return add_to(back_);
        std::size_t at = front_.size();
        while (at != 0 && front_[at - 1].slice < slice) --at;
        if (at == 0 || front_[at - 1].slice != slice) insert(at, slice, rows, neutral);
        else --at;
        for (; at < front_.size(); ++at) add_to(front_[at].cells);
    }
    void renumber(growing_array<std::uint32_t> const& old_rows, std::size_t rows, Cell const& neutral) {
        if (!back_.empty()) back_.renumber(old_rows, rows, rest::of(neutral));
        for (auto& each : front_) each.cells.renumber(old_rows, rows, rest::of(neutral));
        spare_.clear();
    }
    void clear() noexcept {
        front_.clear();
        spare_.clear();
        back_ = {};
    }

private:
    /// The first multiple of a block from `from` on.
    [[nodiscard]] std::int64_t next_mark(std::int64_t from) const noexcept {
        auto const past = from % block_;
        if (past == 0) return from;
        return saturating_add(from - past, past < 0 ? 0 : block_);
    }
    row_column<rest> take_spare() {
        if (spare_.empty()) return {};
        auto out = std::move(spare_.back());
        spare_.pop_back();
        return out;
    }
    void drop_last() {
        spare_.push_back(std::move(front_.back().cells));
        front_.pop_back();
    }
    void push(Pack const& pack, auto const& slice, std::size_t rows, Cell const& neutral) {
        auto column = take_spare();
        if (column.size() != slice.cells.size()) column.fill(slice.cells.size(), rest::of(neutral));
        if (front_.empty()) {
            each_pair_of_cells(column, slice.cells, slice.cells.size(),
                [](rest& sum, Cell const& in) { sum = rest::of(in); });
        } else {
            rest const* newer = front_.back().cells.data();
            each_pair_of_cells(column, slice.cells, rows, [&](rest& sum, Cell const& in) {
                sum = rest::of(in);
                sum.combine(pack, *newer++);
            });
        }
        front_.push_back(suffix{slice.number, std::move(column)});
    }
    /// A slice of the front that had no records so far.
    void insert(std::size_t at, std::int64_t slice, std::size_t rows, Cell const& neutral) {
        auto column = take_spare();
        if (at == 0) column.fill(rows, rest::of(neutral));
        else column.copy(front_[at - 1].cells);
        front_.push_back(suffix{slice, std::move(column)});
        for (auto i = front_.size() - 1; i > at; --i) std::swap(front_[i], front_[i - 1]);
    }
};

/// Totals of a pack of which some cannot be subtracted: the number of records and what can be are, the rest is stacked.
/// The stacks are as narrow as what is in them, beside the slices, which stay as they are for snapshots.
template <class Pack, class Cell>
class mixed_totals {
    subtracting_totals<Pack, Cell> total_;
    stacked_remainders<Pack, Cell> rest_;

public:
    explicit mixed_totals(slice_grid const& grid) noexcept : total_(grid), rest_(grid) {}

    [[nodiscard]] std::size_t bytes() const noexcept { return total_.bytes() + rest_.bytes(); }
    void move_to(Pack const& pack, std::int64_t from, std::int64_t to, auto const& slices, std::size_t rows,
        Cell const& neutral) {
        total_.move_to(pack, from, to, slices, rows, neutral);
        rest_.move_to(pack, from, to, slices, rows, neutral);
    }
    [[nodiscard]] DRIFTLESS_INLINE Cell const& of(Pack const& pack, std::uint32_t row, Cell& scratch) const noexcept {
        scratch = total_.of(pack, row, scratch);
        if (!scratch.empty()) rest_.put(pack, row, scratch);
        return scratch;
    }
    void add_late(Pack const& pack, std::int64_t slice, std::uint32_t row, Cell const& one, std::size_t rows,
        Cell const& neutral) {
        total_.add_late(pack, slice, row, one, rows, neutral);
        rest_.add_late(pack, slice, row, one, rows, neutral);
    }
    void renumber(growing_array<std::uint32_t> const& old_rows, std::size_t rows, Cell const& neutral) {
        total_.renumber(old_rows, rows, neutral);
        rest_.renumber(old_rows, rows, neutral);
    }
    void clear() noexcept {
        total_.clear();
        rest_.clear();
    }
};

template <class Pack, class Cell>
using sliding_totals = typename std::conditional_t<Pack::subtractable,
    std::type_identity<subtracting_totals<Pack, Cell>>, std::type_identity<mixed_totals<Pack, Cell>>>::type;
}  // namespace driftless::inline v0::detail
#endif
