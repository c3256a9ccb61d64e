// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_RESULTS_HPP
#define DRIFTLESS_RUN_RESULTS_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/run/report.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/window_tables.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class Key, class Value>
struct stored_row {
    owned_t<Value> value;
    pane_info info;
};

/// Keeps the latest row of each (key, window): what a changelog comes down to.
template <class Key, class Value>
class latest_rows {
    using table = keyed_table<owned_t<Key>, stored_row<Key, Value>>;
    window_tables<table> windows_;

public:
    void write(pane<Key, Value> const& row, arena& bytes) {
        auto at = windows_.find(row.window);
        auto& rows = at == windows_.size() ? windows_.open(row.window, false).table : windows_[at].table;
        auto const hash = hash_of(row.key);
        stored_row<Key, Value> now{to_owned(row.value), row.info};
        rehome(now.value, bytes);
        auto const key = to_owned(row.key);
        if (auto* const there = rows.find(key, hash)) *there = std::move(now);
        else static_cast<void>(rows.insert(key, hash, [&] { return std::move(now); }));
    }
    void remove(Key const& key, time_window window) {
        auto const at = windows_.find(window);
        if (at != windows_.size()) windows_[at].table.erase(to_owned(key), hash_of(key));
    }
    /// By (window end, window start), canonical key hash, key bytes.
    template <class F>
    void for_each(F&& f) {
        for (std::size_t i = 0; i < windows_.size(); ++i) {
            windows_[i].table.for_each_ordered(
                [&](auto const& key, stored_row<Key, Value>& row, std::uint64_t) { f(key, windows_[i].window, row); });
        }
    }
};
}  // namespace detail

/// What a run yields when it is given no sink: a range of panes that own their data, and the report.
///
/// Shape       Rows that are emitted once come in the order in which they were emitted: by window end, window
///             start, canonical key hash, key bytes; plain records in the order of the input. Rows that may be
///             corrected come in their final state, in the same order: so batch and stream give equal ranges.
/// State       Owns everything: `text` became std::string; a struct of the user's keeps its type, and the
///             results own the bytes that its `text` points to.
template <class Key, class Value, stream_kind Kind = stream_kind::records>
class results {
public:
    using value_type = pane<owned_t<Key>, owned_t<Value>>;
    using keeps_rows = void;

    [[nodiscard]] auto begin() const noexcept { return panes_.begin(); }
    [[nodiscard]] auto end() const noexcept { return panes_.end(); }
    [[nodiscard]] std::size_t size() const noexcept { return panes_.size(); }
    [[nodiscard]] bool empty() const noexcept { return panes_.empty(); }
    [[nodiscard]] value_type const& operator[](std::size_t i) const noexcept { return panes_[i]; }
    /// Records read, and the books of every stateful stage.
    [[nodiscard]] driftless::report const& report() const noexcept { return report_; }

    /// The sink side, used by the run.
    void write(pane<Key, Value> const& row) {
        if constexpr (Kind == stream_kind::changes) {
            latest_.write(row, bytes_);
        } else {
            panes_.push_back({to_owned(row.key), row.window, to_owned(row.value), row.info});
            rehome(panes_.back().key, bytes_);
            rehome(panes_.back().value, bytes_);
        }
    }
    void remove(Key const& key, time_window window) {
        if constexpr (Kind == stream_kind::changes) latest_.remove(key, window);
    }
    /// Closes the collection: the rows are there now. May be called again after more rows.
    void settle(driftless::report made) {
        report_ = std::move(made);
        if constexpr (Kind == stream_kind::changes) {
            panes_.clear();
            latest_.for_each([&](auto const& key, time_window window, auto const& row) {
                panes_.push_back({key, window, row.value, row.info});
            });
        }
    }

private:
    struct nothing {};
    detail::growing_array<value_type> panes_;
    arena bytes_;
    [[no_unique_address]] std::conditional_t<Kind == stream_kind::changes, detail::latest_rows<Key, Value>, nothing>
        latest_;
    driftless::report report_;
};

namespace detail {
template <class In, class Record>
struct results_for {
    using type = results<typename In::key, Record, In::kind>;
};
template <class In, class Key, class Value>
    requires std::is_same_v<typename In::key, Key>
struct results_for<In, pane<Key, Value>> {
    using type = results<Key, Value, In::kind>;
};
}  // namespace detail

/// The results of a pipeline whose output is the stream In.
template <class In>
using results_of = typename detail::results_for<In, typename In::record>::type;
}  // namespace driftless::inline v0
#endif
