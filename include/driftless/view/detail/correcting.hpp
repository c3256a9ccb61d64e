// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_CORRECTING_HPP
#define DRIFTLESS_VIEW_DETAIL_CORRECTING_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/snapshot_visitors.hpp>
#include <driftless/view/build.hpp>
#include <driftless/view/detail/any_view.hpp>
#include <driftless/view/detail/correction_files.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/row_set.hpp>

#include <string>
#include <utility>
#include <vector>

// How the rows of a correction come together: those of windows that end up to a time are the rows of the version that
// it corrects, to the byte; the others are its own.

namespace driftless::inline v0::detail {
template <class K, class V, class View>
driftless::row_set<K, V> set_of_rows(View const& of) {
    driftless::row_set<K, V> out;
    each_row<K, V>(of, [&](auto const& key, time_window window, auto const& value) { out.add(key, window, value); });
    return std::move(out).finish();
}
/// What is otherwise in `after`, in the order in which panes come. Borrows both.
template <class K, class V>
std::vector<row_difference<K, V>> differences(
    driftless::row_set<K, V> const& before, driftless::row_set<K, V> const& after) {
    std::vector<row_difference<K, V>> out;
    each_pair(before, after, [&](set_row<K, V> const* a, set_row<K, V> const* b) {
        if (a != nullptr && b != nullptr && a->encoded_value == b->encoded_value) return;
        row_difference<K, V> one;
        if (a != nullptr) one.before = *a;
        if (b != nullptr) one.after = *b;
        out.push_back(one);
    });
    return out;
}
template <class K, class V, class View>
void make_difference(View& to, row_difference<K, V> const& of) {
    if (of.after) write_row<K, V>(to, pane<K, V>{of.after->key(), of.after->window, of.after->value(), {}});
    else remove_row<K>(to, of.before->key(), of.before->window);
}

/// Gives a correction the rows that are not its own, as the version that it corrects has them now.
template <class K, class V, class View>
void take_other_rows(View const& from, View& to, event_time until, build const& about) {
    auto const theirs = set_of_rows<K, V>(from);
    auto const mine = set_of_rows<K, V>(std::as_const(to));
    bool any = false;
    for (auto const& each : differences(mine, theirs)) {
        if (each.any().window.end > until) continue;
        make_difference<K, V>(to, each);
        any = true;
    }
    if (any) show_rows(to, about);
}

/// Makes an empty view one that has shown what the other one has shown, and then changes to other rows: its history
/// says what was shown before.
template <class K, class V, class View>
void take_history(View& from, View& to, std::vector<row_difference<K, V>> const& changes) {
    std::string bytes;  // may be pointed into
    if constexpr (requires { typename View::snapshot_type; from.visit_state(save_visitor{bytes}); }) {
        from.visit_state(save_visitor{bytes});
        byte_reader in{bytes};
        to.visit_state(load_visitor{in});
    } else {
        each_row<K, V>(std::as_const(from), [&](auto const& key, time_window window, auto const& value) {
            write_row<K, V>(to, pane<K, V>{kept_as<K>(key), window, kept_as<V>(value), {}});
        });
    }
    for (auto const& each : changes) make_difference<K, V>(to, each);
}
}  // namespace driftless::inline v0::detail
#endif
