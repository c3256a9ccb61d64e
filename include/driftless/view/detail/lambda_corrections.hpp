// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LAMBDA_CORRECTIONS_HPP
#define DRIFTLESS_VIEW_DETAIL_LAMBDA_CORRECTIONS_HPP

#include <driftless/core/frontier.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/lambda_answer.hpp>
#include <driftless/view/lambda_view.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/reported.hpp>
#include <driftless/view/row_set.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace driftless::inline v0::detail {
/// How two states of a view that are compared belong together.
struct correction_terms {
    bool same_records = false;  // both are over the very same records
    bool same_logic = true;
};

template <class K, class V, class Merge>
driftless::row_set<K, V> rows_in(lambda_snapshot<K, V, Merge> const& of) {
    driftless::row_set<K, V> out;
    of.for_each([&](auto const& row) { out.add(row.key, row.window, row.value); });
    return std::move(out).finish();
}

/// Writes down what readers will find changed when `next` takes the place of `before`, and why; returns how many rows.
template <class K, class V, class Merge, class Session, class Corrections>
std::uint64_t find_corrections(Merge const& merge, Session before, Session next, lambda_mode mode, duration keep,
    Corrections& into, correction_terms const& terms) {
    using snapshot = lambda_snapshot<K, V, Merge>;
    snapshot const was{std::move(before), merge, mode, keep};
    snapshot const is{std::move(next), merge, mode, keep};
    std::uint64_t found = 0;
    each_pair(rows_in(was), rows_in(is), [&](set_row<K, V> const* left, set_row<K, V> const* right) {
        if (left != nullptr && right != nullptr && left->encoded_value == right->encoded_value) return;
        auto const& any = right != nullptr ? *right : *left;
        auto const key = any.key();
        auto const why = [&] {
            if (!terms.same_logic) return change_cause::new_build;
            if (left == nullptr) return change_cause::first_result;
            if (right == nullptr) return change_cause::removed;
            auto const now = is.find(key, any.window);
            if (now.timing() == timing::late) return change_cause::late_data;
            bool const open = now.layer() == lambda_layer::open
                || was.find(key, any.window).layer() == lambda_layer::open;
            return terms.same_records && !open ? change_cause::correction : change_cause::more_data;
        }();
        std::optional<V> old;
        std::optional<V> fresh;
        if (left != nullptr) old = left->value();
        if (right != nullptr) fresh = right->value();
        using correction = typename Corrections::value_type;
        into.write(pane<K, correction>{
            key, any.window, correction{std::move(old), std::move(fresh), static_cast<std::uint8_t>(why)}, {}});
        ++found;
    });
    into.on_frontier(frontier{});
    return found;
}
}  // namespace driftless::inline v0::detail
#endif
