// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SLICE_COLUMNS_HPP
#define DRIFTLESS_OP_DETAIL_SLICE_COLUMNS_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/state/keyed_table.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

// What sliced windows keep: each key has a row number, shared by all slices, and each slice has a column of states by
// row. So windows are added up and subtracted by loops over arrays, and a record is looked up once.

namespace driftless::inline v0::detail {

/// The state of one key and slice, and how many records are in it, unless the state says so itself.
template <class Pack>
struct slice_cell {
    struct nothing {};
    typename Pack::state state;
    [[no_unique_address]] std::conditional_t<Pack::counts_records, nothing, std::uint64_t> records{};

    [[nodiscard]] DRIFTLESS_INLINE bool empty() const noexcept {
        if constexpr (Pack::counts_records) return Pack::records_in(state) == 0;
        else return records == 0;
    }
    /// Behind a record that was added to the state.
    DRIFTLESS_INLINE void count_one() noexcept {
        if constexpr (!Pack::counts_records) ++records;
    }
    DRIFTLESS_INLINE void combine(Pack const& pack, slice_cell const& other) {
        pack.combine(state, other.state);
        if constexpr (!Pack::counts_records) records += other.records;
    }
    /// Of what can be taken out again: the number of records, and the functions that say so.
    DRIFTLESS_INLINE void combine_subtractable(Pack const& pack, slice_cell const& other) {
        pack.combine_subtractable(state, other.state);
        if constexpr (!Pack::counts_records) records += other.records;
    }
    DRIFTLESS_INLINE void inverse_subtractable(Pack const& pack, slice_cell const& part) {
        pack.inverse_subtractable(state, part.state);
        if constexpr (!Pack::counts_records) records -= part.records;
    }
    void save(auto& out) const {
        Pack::save(state, out);
        if constexpr (!Pack::counts_records) out.write(records);
    }
    void load(auto& in) {
        Pack::load(state, in);
        if constexpr (!Pack::counts_records) in.read(records);
    }
};

/// Of the state of one key and some slices: what cannot be taken out again.
template <class Pack>
struct remainder_cell {
    typename Pack::remainder state;

    DRIFTLESS_INLINE static remainder_cell of(slice_cell<Pack> const& cell) { return {Pack::remainder_of(cell.state)}; }
    /// `other` is one of its kind, or a slice_cell.
    DRIFTLESS_INLINE void combine(Pack const& pack, auto const& other) { pack.combine_remainder(state, other.state); }
};

/// The row numbers of keys, and the keys in canonical order.
///
/// State       One entry per key; `text` of keys in the arena of the table. Rows are numbered anew, in canonical
///             order, when room runs out or keys that are gone are dropped.
template <class Key>
class row_directory {
public:
    struct place {
        Key key;  // its text lies in the table
        std::uint64_t hash;
        std::uint32_t row;
    };

private:
    keyed_table<Key, std::uint32_t> rows_;
    growing_array<place> ordered_;
    std::uint32_t size_ = 0;
    std::uint32_t room_ = 0;
    bool in_order_ = true;  // ordered_ has every key

public:
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    /// How many rows columns have to have.
    [[nodiscard]] std::uint32_t room() const noexcept { return room_; }
    [[nodiscard]] bool full() const noexcept { return size_ == room_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return rows_.bytes() + ordered_.size() * sizeof(place); }
    [[nodiscard]] std::size_t table_bytes() const noexcept { return rows_.bytes(); }
    DRIFTLESS_FUSED void prefetch(std::uint64_t hash) const noexcept { rows_.prefetch(hash); }

    /// The row of a key, or null.
    template <class K>
    [[nodiscard]] DRIFTLESS_INLINE std::uint32_t const* find(K const& key, std::uint64_t hash) {
        return rows_.find(key, hash);
    }
    /// Adds a key that is not there, where there is room.
    template <class K>
    std::uint32_t add(K const& key, std::uint64_t hash) {
        auto const row = static_cast<std::uint32_t>(rows_.insert(key, hash, [this] { return size_; }));
        ++size_;
        in_order_ = false;
        return row;
    }
    /// All keys in canonical order.
    growing_array<place> const& ordered() {
        if (!in_order_) put_in_order();
        return ordered_;
    }
    /// Drops the keys whose row does not satisfy `lives`, and numbers the others in canonical order, with room for
    /// half as many again. Returns the old number of each row.
    template <class Lives>
    growing_array<std::uint32_t> renumber(Lives const& lives) {
        growing_array<std::uint32_t> old_rows;
        old_rows.reserve(size_);
        keyed_table<Key, std::uint32_t> fresh;
        for (auto const& each : ordered()) {
            if (!lives(each.row)) continue;
            auto const row = static_cast<std::uint32_t>(old_rows.size());
            static_cast<void>(fresh.insert(each.key, each.hash, [&] { return row; }));
            old_rows.push_back(each.row);
        }
        rows_ = static_cast<keyed_table<Key, std::uint32_t>&&>(fresh);
        size_ = static_cast<std::uint32_t>(old_rows.size());
        room_ = size_ + size_ / 2 < least_room ? least_room : size_ + size_ / 2;
        put_in_order();
        return old_rows;
    }
    void clear() noexcept {
        rows_ = keyed_table<Key, std::uint32_t>{};
        ordered_.clear();
        size_ = room_ = 0;
        in_order_ = true;
    }

private:
    static constexpr std::uint32_t least_room = std::is_same_v<Key, unkeyed> ? 1 : 16;

    DRIFTLESS_NOINLINE void put_in_order() {
        ordered_.clear();
        ordered_.reserve(size_);
        rows_.for_each_ordered([&](auto const& key, std::uint32_t row, std::uint64_t hash) {
            ordered_.push_back(place{key, hash, row});
        });
        in_order_ = true;
    }
};

/// A directory that stays where it is when its owner moves.
template <class Key>
class directory_owner {
    row_directory<Key>* at_ = new row_directory<Key>;

public:
    directory_owner() = default;
    directory_owner(directory_owner&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
    directory_owner& operator=(directory_owner&&) = delete;
    ~directory_owner() { delete at_; }
    [[nodiscard]] DRIFTLESS_INLINE row_directory<Key>* get() const noexcept { return at_; }
    [[nodiscard]] DRIFTLESS_INLINE row_directory<Key>* operator->() const noexcept { return at_; }
};

/// One value per row.
template <class Cell>
class row_column {
    static_assert(std::is_trivially_copyable_v<Cell>);
    growing_array<Cell> cells_;

public:
    [[nodiscard]] bool empty() const noexcept { return cells_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return cells_.size() * sizeof(Cell); }
    [[nodiscard]] Cell* data() noexcept { return cells_.begin(); }
    [[nodiscard]] Cell const* data() const noexcept { return cells_.begin(); }
    [[nodiscard]] Cell& operator[](std::size_t row) noexcept { return cells_[row]; }
    [[nodiscard]] Cell const& operator[](std::size_t row) const noexcept { return cells_[row]; }

    void clear() noexcept { cells_.clear(); }
    /// `rows` cells that are all `neutral`.
    void fill(std::size_t rows, Cell const& neutral) { cells_.assign(rows, neutral); }
    void copy(row_column const& other) {
        if (cells_.size() != other.cells_.size()) cells_.assign(other.cells_.size(), other.cells_[0]);
        std::memcpy(static_cast<void*>(cells_.begin()), other.cells_.begin(), cells_.size() * sizeof(Cell));
    }
    /// Follows a directory that numbered its rows anew.
    void renumber(growing_array<std::uint32_t> const& old_rows, std::size_t rows, Cell const& neutral) {
        growing_array<Cell> moved;
        moved.reserve(rows);
        for (auto const old : old_rows) moved.push_back(cells_[old]);
        while (moved.size() != rows) moved.push_back(neutral);
        cells_.swap(moved);
    }
};

/// Calls f(into[row], part[row]) for the first `rows`.
template <class Into, class Part, class F>
DRIFTLESS_INLINE void each_pair_of_cells(row_column<Into>& into, row_column<Part> const& part, std::size_t rows, F f) {
    Into* const to = into.data();
    Part const* const from = part.data();
    for (std::size_t i = 0; i < rows; ++i) f(to[i], from[i]);
}
}  // namespace driftless::inline v0::detail
#endif
