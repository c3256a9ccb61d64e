// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DETAIL_NEWEST_ROWS_HPP
#define DRIFTLESS_IO_DETAIL_NEWEST_ROWS_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/io/logged_row.hpp>
#include <driftless/log/detail/block_offsets.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/window_tables.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace driftless::inline v0::detail {

template <class V>
struct newest_row {
    V value{};
    pane_info info{};
    row_kind kind = row_kind::written;
    logged_version version{};
};

/// Of each key and window the row of the greatest version; of equal ones the last.
///
/// State       Keys and values, with their text. The text that a value had before it was replaced stays until clear().
template <class K, class V>
class newest_rows {
    using row = newest_row<V>;
    window_tables<keyed_table<K, row>> windows_;
    arena bytes_;

public:
    /// False if a newer one is there.
    bool put(K const& key, time_window window, row now) {
        auto const at = windows_.find(window);
        auto& rows = at == windows_.size() ? windows_.open(window, false).table : windows_[at].table;
        auto const hash = hash_of(key);
        auto* const there = rows.find(key, hash);
        if (there != nullptr && now.version < there->version) return false;
        rehome(now.value, bytes_);
        if (there != nullptr) *there = std::move(now);
        else static_cast<void>(rows.insert(key, hash, [&] { return std::move(now); }));
        return true;
    }
    /// By window end, window start, canonical hash of the key: f(key, window, row).
    template <class F>
    void for_each(F&& f) {
        for (std::size_t i = 0; i < windows_.size(); ++i) {
            auto const window = windows_[i].window;
            windows_[i].table.for_each_ordered(
                [&](auto const& key, row& each, std::uint64_t) { f(key, window, each); });
        }
    }
    [[nodiscard]] row const* find(K const& key, time_window window) {
        auto* const rows = windows_.table_of(window);
        return rows == nullptr ? nullptr : rows->find(key, hash_of(key));
    }
    [[nodiscard]] std::size_t size() const noexcept {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < windows_.size(); ++i) sum += windows_[i].table.size();
        return sum;
    }
    void clear() {
        while (windows_.size() != 0) windows_.close_first();
        bytes_.reset();
    }
};

/// The key and value of a row that knows both.
template <class Row>
struct row_parts;
template <class K, class V>
struct row_parts<pane<K, V>> {
    using key = K;
    using value = V;
};
template <class K, class V>
struct row_parts<logged_row<K, V>> {
    using key = K;
    using value = V;
};

/// Calls f(partition, offset, record) for all that a log holds.
template <class Log, class F>
void each_record(Log const& log, F&& f) {
    for (std::uint32_t p = 0; p < log.partitions(); ++p) {
        auto const end = log.end_offset(p);
        for (auto from = log.begin_offset(p); from < end;) {
            auto const block = log.read(p, from);
            block.each(0, records_below(block, from, end),
                [&](std::size_t i, auto const& record) { f(p, offset_in(block, from, i), record); });
            from = next_behind(block, from);
        }
    }
}
}  // namespace driftless::inline v0::detail
#endif
