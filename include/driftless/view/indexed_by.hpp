// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_INDEXED_BY_HPP
#define DRIFTLESS_VIEW_INDEXED_BY_HPP

#include <driftless/codec/owned.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/detail/key_order.hpp>
#include <driftless/view/detail/sorted_pages.hpp>
#include <driftless/view/detail/stored_row.hpp>

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Says in the type of a view that its rows are also found by a member of the value, or by what a function without
/// captures makes of it: view<K, V, indexed_by<&V::cents>>.
///
/// Shape       snapshot.where<&V::cents>(700), snapshot.range_by<&V::cents>(700, 800), snapshot.top_by<&V::cents>(10).
/// State       One entry for each row: the member, the key and the window; or an address, where rows have text.
/// Complexity  For the job O(log rows) per write. For readers O(log rows + rows found).
template <auto Member>
struct indexed_by {};

namespace detail {
/// What an index keeps of a row that stands in its page.
template <class K, class V, auto Member, bool InPage>
struct view_index_entry {
    using member_type = std::remove_cvref_t<std::invoke_result_t<decltype(Member) const&, V const&>>;
    member_type its;
    K row_key;
    time_window row_window;

    explicit view_index_entry(row_ref<K, V> const& row)
        : its(std::invoke(Member, *row.value)), row_key(row.key()), row_window(row.window) {}
    [[nodiscard]] member_type const& member() const noexcept { return its; }
    [[nodiscard]] K const& key() const noexcept { return row_key; }
    [[nodiscard]] time_window window() const noexcept { return row_window; }
    [[nodiscard]] bool before(view_index_entry const& other) const {
        if (auto const order = key_order(member(), other.member()); order != 0) return order < 0;
        return fires_before(window(), key(), other.window(), other.key());
    }
};
/// Of one that does not: where it is. Of a row that was replaced the index has the new address.
template <class K, class V, auto Member>
struct view_index_entry<K, V, Member, false> {
    using member_type = std::remove_cvref_t<std::invoke_result_t<decltype(Member) const&, V const&>>;
    row_node<K, V> const* node;

    explicit view_index_entry(row_ref<K, V> const& row) : node(row.node) {}
    [[nodiscard]] decltype(auto) member() const { return std::invoke(Member, node->value); }
    [[nodiscard]] K const& key() const noexcept { return node->key; }
    [[nodiscard]] time_window window() const noexcept { return node->window; }
    [[nodiscard]] bool before(view_index_entry const& other) const {
        if (auto const order = key_order<member_type>(member(), other.member()); order != 0) return order < 0;
        return fires_before(window(), key(), other.window(), other.key());
    }
};

/// The index of a view by one member.
template <class K, class V, class By>
struct view_index;
template <class K, class V, auto Member>
struct view_index<K, V, indexed_by<Member>> {
    using entry = view_index_entry<K, V, Member, stands_in_page<K, V>>;
    using pages = sorted_pages<entry>;
    static_assert(canonical_key<typename entry::member_type>,
        "driftless: indexed_by<...> needs a member with an order: one that could be a key");
    pages rows;

    explicit view_index(version_maker& maker) : rows(maker) {}
    void add(row_ref<K, V> const& row) { rows.insert(entry{row}); }
    void take_out(row_ref<K, V> const& row) { rows.erase(entry{row}); }
};
template <class By>
version_maker& maker_for(version_maker& maker) noexcept {
    return maker;
}
/// The place of indexed_by<Member> among some, or how many there are.
template <auto Member, class... By>
consteval std::size_t index_place() {
    std::size_t place = 0;
    static_cast<void>(((std::is_same_v<By, indexed_by<Member>> || (++place, false)) || ...));
    return place;
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
