// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DETAIL_KEPT_ROW_HPP
#define DRIFTLESS_IO_DETAIL_KEPT_ROW_HPP

#include <driftless/codec/detail/kept_as.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/io/logged_row.hpp>

#include <concepts>
#include <utility>

namespace driftless::inline v0::detail {

/// What a target of Row keeps: logged_row everything, pane the pane, anything else the value.
template <class Row>
struct kept_row {
    static constexpr bool takes_removals = is_logged_row<Row>;

    /// Calls f(Row const&).
    template <class K, class V, class F>
    static void write(pane<K, V> const& from, logged_version version, F&& f) {
        if constexpr (is_logged_row<Row>) f(logged(from, row_kind::written, version));
        else if constexpr (std::same_as<Row, pane<K, V>>) f(from);
        else if constexpr (is_pane<Row>)
            f(Row{kept_as<decltype(Row::key)>(from.key), from.window, kept_as<decltype(Row::value)>(from.value),
                from.info});
        else f(static_cast<Row const&>(kept_as<Row>(from.value)));
    }
    template <class K, class F>
    static void remove(K const& key, time_window window, logged_version version, F&& f) {
        static_assert(takes_removals,
            "driftless: this pipeline takes rows back, and the target of its sink keeps no removals: make it one of "
            "logged_row<Key, Value>, and read it with latest(target)");
        if constexpr (takes_removals)
            f(Row{kept_as<decltype(Row::key)>(key), window, {}, {}, row_kind::removed, version});
    }
    template <class K, class V, class F>
    static void retract(pane<K, V> const& from, logged_version version, F&& f) {
        static_assert(takes_removals,
            "driftless: this pipeline says retracting{}, and the target of its sink keeps no retractions: make it one "
            "of logged_row<Key, Value>");
        if constexpr (takes_removals) f(logged(from, row_kind::retracted, version));
    }

private:
    template <class K, class V>
    static Row logged(pane<K, V> const& from, row_kind kind, logged_version version) {
        return Row{kept_as<decltype(Row::key)>(from.key), from.window, kept_as<decltype(Row::value)>(from.value),
            from.info, kind, version};
    }
};
}  // namespace driftless::inline v0::detail
#endif
