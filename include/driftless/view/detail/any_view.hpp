// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_ANY_VIEW_HPP
#define DRIFTLESS_VIEW_DETAIL_ANY_VIEW_HPP

#include <driftless/codec/detail/kept_as.hpp>
#include <driftless/core/frontier.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/build.hpp>
#include <driftless/view/view_options.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
// What versions are kept in is view<K, V>, or any class that can do as much: these are the ways in which it is used.

/// Calls f(key, window, value) for each row, all of one moment.
template <class K, class V, class View, class F>
void each_row(View const& rows, F&& f) {
    if constexpr (requires { rows.for_each(f); }) rows.for_each(f);
    else rows.snapshot().for_each([&](auto const& row) { f(row.key, row.window, row.value); });
}

template <class K, class V, class View, class Key, class Value>
void write_row(View& rows, pane<Key, Value> const& row) {
    if constexpr (requires { rows.write(row); }) rows.write(row);
    else rows.write(pane<K, V>{kept_as<K>(row.key), row.window, kept_as<V>(row.value), row.info});
}
template <class K, class View, class Key>
void remove_row(View& rows, Key const& key, time_window window) {
    if constexpr (requires { rows.remove(key, window); }) rows.remove(key, window);
    else rows.remove(kept_as<K>(key), window);
}
/// Rows that were read from a file are of the frontier that their build had.
template <class View>
void show_rows(View& rows, build const& about) {
    if constexpr (follows_frontier<View>) {
        std::vector<std::uint64_t> offsets;
        offsets.reserve(about.inputs.size());
        for (auto const& each : about.inputs) offsets.push_back(each.offset);
        rows.on_frontier(
            frontier{about.records, about.watermark, about.progress, offsets.data(), offsets.size()});
    }
}
template <class View>
View make_view(view_options const& how) {
    if constexpr (std::is_constructible_v<View, view_options>) return View{how};
    else return View{};
}
}  // namespace driftless::inline v0::detail
#endif
