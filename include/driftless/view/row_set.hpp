// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_ROW_SET_HPP
#define DRIFTLESS_VIEW_ROW_SET_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/time.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A row of a row_set: borrowed from it.
template <class K, class V>
struct set_row {
    time_window window;
    std::uint64_t hash;          ///< canonical_hash of the key
    std::string_view key_bytes;  ///< canonical: two rows of one key have the same
    std::string_view encoded_key;
    std::string_view encoded_value;

    [[nodiscard]] K key() const { return decode<K>(encoded_key); }
    [[nodiscard]] V value() const { return decode<V>(encoded_value); }
    /// The order in which panes come.
    [[nodiscard]] bool before(set_row const& other) const noexcept {
        if (window != other.window) return window < other.window;
        return hash != other.hash ? hash < other.hash : key_bytes < other.key_bytes;
    }
};

/// The rows of a view, a run or a source of truth at one moment, to be compared with others. Made by rows_of().
///
/// Shape       By window end, window start, canonical hash of the key, key bytes. Of two rows with one key and window
///             the later one counts, and duplicates() tells of the other.
/// State       Canonical key bytes, key and value of each row as bytes, and 56 bytes: it borrows nothing.
/// Complexity  add O(bytes); finish O(n log n).
template <class K, class V>
class row_set {
    static_assert(canonical_key<K> && encodable<K> && encodable<V>,
        "driftless: rows are compared by the bytes of key and value: adapt both structs with BOOST_HANA_ADAPT_STRUCT");
    struct place {
        time_window window;
        std::uint64_t hash;
        std::size_t key_bytes, key, value, end;  // in bytes_
    };
    std::string bytes_;
    std::vector<place> rows_;
    std::size_t duplicates_ = 0;

public:
    using key_type = K;
    using value_type = V;

    /// Adds a row. Key and value may have text in place of std::string, or the other way round.
    template <class Key, class Value>
    void add(Key const& key, time_window window, Value const& value) {
        static_assert(same_key_type<K, Key> && (std::is_same_v<V, Value> || std::is_same_v<owned_t<Value>, V>),
            "driftless: this row has another key or value than the others of its row_set: convert it first");
        place row{window, canonical_hash(key), bytes_.size(), 0, 0, 0};
        append_key_bytes(bytes_, key);
        row.key = bytes_.size();
        byte_writer{bytes_}.write(key);
        row.value = bytes_.size();
        byte_writer{bytes_}.write(value);
        row.end = bytes_.size();
        rows_.push_back(row);
    }
    /// Puts the rows in order: before they are looked at.
    row_set& finish() & {
        std::sort(rows_.begin(), rows_.end(), [&](place const& a, place const& b) {
            auto const order = compare(a, b);
            return order != 0 ? order < 0 : a.key_bytes < b.key_bytes;  // as they were added
        });
        std::size_t kept = 0;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            bool const again = kept != 0 && compare(rows_[kept - 1], rows_[i]) == 0;
            if (again) ++duplicates_;
            rows_[again ? kept - 1 : kept++] = rows_[i];
        }
        rows_.resize(kept);
        return *this;
    }
    row_set&& finish() && { return std::move(static_cast<row_set&>(*this).finish()); }

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] set_row<K, V> operator[](std::size_t i) const noexcept { return at(rows_[i]); }
    /// How many rows were replaced by a later one of the same key and window.
    [[nodiscard]] std::size_t duplicates() const noexcept { return duplicates_; }

private:
    [[nodiscard]] std::string_view bytes(std::size_t from, std::size_t to) const noexcept {
        return {bytes_.data() + from, to - from};
    }
    [[nodiscard]] set_row<K, V> at(place const& row) const noexcept {
        return {row.window, row.hash, bytes(row.key_bytes, row.key), bytes(row.key, row.value),
            bytes(row.value, row.end)};
    }
    /// As set_row::before; the bytes of keys are looked at where hashes are equal, which is hardly ever.
    [[nodiscard]] std::strong_ordering compare(place const& a, place const& b) const noexcept {
        if (auto const order = a.window <=> b.window; order != 0) return order;
        if (auto const order = a.hash <=> b.hash; order != 0) return order;
        return bytes(a.key_bytes, a.key) <=> bytes(b.key_bytes, b.key);
    }
};

/// A range of panes: what run() returns without a sink, latest(log), and whatever else has key, window and value.
template <class R>
concept pane_range = requires(R const& rows) {
    std::begin(rows)->key;
    std::begin(rows)->value;
    { std::begin(rows)->window } -> std::convertible_to<time_window>;
};

namespace detail {
template <class K, class V>
struct row_collector {
    row_set<K, V>& into;
    template <class Key, class Value>
    void operator()(Key const& key, time_window window, Value const& value) const {
        into.add(key, window, value);
    }
    /// A row of a view.
    template <class Row>
        requires requires(Row const& row) { row.key, row.window, row.value; }
    void operator()(Row const& row) const {
        into.add(row.key, row.window, row.value);
    }
};
}  // namespace detail

/// The rows of a range of panes.
template <pane_range R>
[[nodiscard]] auto rows_of(R const& panes) {
    using pane_t = std::remove_cvref_t<decltype(*std::begin(panes))>;
    row_set<owned_t<decltype(pane_t::key)>, owned_t<decltype(pane_t::value)>> out;
    for (auto const& each : panes) out.add(each.key, each.window, each.value);
    return std::move(out).finish();
}
/// The rows that `source` calls a function with: source.for_each(f), source.each_row(f) or source(f), where f is called
/// with (key, window, value) of each row, or with a row that has members of these names.
template <class K, class V, class Source>
    requires(!pane_range<Source>)
[[nodiscard]] row_set<K, V> rows_of(Source&& source) {
    row_set<K, V> out;
    detail::row_collector<K, V> const to{out};
    if constexpr (requires { source.for_each(to); }) source.for_each(to);
    else if constexpr (requires { source.each_row(to); }) source.each_row(to);
    else if constexpr (requires { source.snapshot().for_each(to); }) source.snapshot().for_each(to);
    else source(to);
    return std::move(out).finish();
}
/// The rows that a view, a snapshot of one, or a view_reader shows, all of one state.
template <class View>
    requires(!pane_range<View>) && requires {
        typename View::key_type;
        typename View::value_type;
    }
[[nodiscard]] auto rows_of(View const& view) {
    return rows_of<owned_t<typename View::key_type>, owned_t<typename View::value_type>>(view);
}
}  // namespace driftless::inline v0
#endif
