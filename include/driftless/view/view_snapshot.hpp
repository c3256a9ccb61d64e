// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VIEW_SNAPSHOT_HPP
#define DRIFTLESS_VIEW_VIEW_SNAPSHOT_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/answer.hpp>
#include <driftless/view/detail/key_order.hpp>
#include <driftless/view/detail/row_tables.hpp>
#include <driftless/view/detail/stored_row.hpp>
#include <driftless/view/detail/view_root.hpp>
#include <driftless/view/indexed_by.hpp>
#include <driftless/view/served_at.hpp>
#include <driftless/view/view_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
/// One state of a view, for as long as it is held: whatever is asked of it is answered from that state.
///
/// State       Keeps what the view has replaced since, at most once more the size of the view. The view must outlive
///             it.
/// Threads     Any; one at a time uses one snapshot.
/// Complexity  find O(1), and O(log windows) where there is one. What is asked of one window looks at the rows of that
///             window, and at those of windows with few rows; everything else at all rows.
template <class K, class V, class... Index>
class view_snapshot {
    using root = detail::view_root<K, V, Index...>;
    using ref = detail::row_ref<K, V>;
    detail::version_hold hold_;

public:
    using key_type = K;
    using value_type = V;
    using row = view_row<K, V>;
    using rows_type = view_rows<K, V>;

    explicit view_snapshot(detail::version_hold hold) noexcept : hold_(std::move(hold)) {}

    [[nodiscard]] served_at const& at() const noexcept { return hold_.root()->at; }
    [[nodiscard]] std::size_t size() const noexcept { return now().count; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// The row of a key and window; without a window, that of a stream that has none.
    template <class K2>
    [[nodiscard]] answer<V> find(K2 const& asked, time_window window = {}) const {
        auto const& key = detail::as_key<K>(asked);
        answer<V> out{*hold_.root()};
        now().find(key, window, [&](auto const& found) { out.set(*hold_.root(), found.value(), found.row()); });
        return out;
    }
    /// Calls f(view_row) for each row, in no particular order.
    template <class F>
    void for_each(F&& f) const {
        now().for_each([&](ref const& each) { f(shown(each)); });
    }
    /// f(view_row) for each row of a window.
    template <class F>
    void for_each_of(time_window window, F&& f) const {
        now().for_each_of(window, [&](ref const& each) { f(shown(each)); });
    }
    /// What is otherwise than in `before`, an earlier state of the same view: written(view_row) of each row that was
    /// added or replaced since, removed(key, window) of each that is gone; in no particular order.
    ///
    /// Complexity  O(rows in pages that have changed).
    template <class Written, class Removed>
    void changes_since(view_snapshot const& before, Written&& written, Removed&& removed) const {
        changed_rows(
            before, [&](ref const& each) { written(shown(each)); },
            [&](ref const& each) { removed(each.key(), each.window); });
    }
    /// All rows for which only(view_row) holds, by window, then by key.
    template <class Only>
    [[nodiscard]] rows_type rows_if(Only&& only) const {
        std::vector<ref> found;
        now().for_each([&](ref const& each) {
            if (only(shown(each))) found.push_back(each);
        });
        return owned_in_order(found);
    }
    [[nodiscard]] rows_type rows() const {
        return rows_if([](row const&) { return true; });
    }
    /// The rows of one window, by key.
    [[nodiscard]] rows_type rows(time_window window) const {
        std::vector<ref> found;
        now().for_each_of(window, [&](ref const& each) { found.push_back(each); });
        return owned_in_order(found);
    }
    /// The rows of one key, by window.
    template <class K2>
    [[nodiscard]] rows_type windows_of(K2 const& asked) const {
        auto const& key = detail::as_key<K>(asked);
        return rows_if([&](row const& each) { return detail::is_key(each.key, key); });
    }
    /// The rows of the keys in [from, to), of all windows, by window, then by key.
    template <class From, class To>
    [[nodiscard]] rows_type range(From const& from, To const& to) const {
        auto const& first = detail::as_key<K>(from);
        auto const& end = detail::as_key<K>(to);
        return rows_if([&](row const& each) {
            return detail::key_order(each.key, first) >= 0 && detail::key_order(each.key, end) < 0;
        });
    }
    /// The rows whose key begins so, of all windows, by window, then by key. For keys of text.
    [[nodiscard]] rows_type prefix(std::string_view begin) const {
        static_assert(detail::shape_of<K> == detail::value_shape::text,
            "driftless: prefix() reads the beginning of keys: the key of this view is no text; ask for a range()");
        return rows_if([&](row const& each) {
            if constexpr (detail::shape_of<K> == detail::value_shape::text)
                return std::string_view{each.key}.starts_with(begin);
            else return false;
        });
    }
    /// The n rows of a window with the greatest by(value), greatest first, equal ones by key.
    template <class By>
    [[nodiscard]] rows_type top(std::size_t n, By const& by, time_window window) const {
        return top_of(n, by, [&](auto const& f) { now().for_each_of(window, f); });
    }
    /// Of all windows; equal ones by window, then by key.
    template <class By>
    [[nodiscard]] rows_type top(std::size_t n, By const& by) const {
        return top_of(n, by, [&](auto const& f) { now().for_each(f); });
    }
    /// The rows whose member is so, by window, then by key; for a view with indexed_by<Member>.
    template <auto Member, class M>
    [[nodiscard]] rows_type where(M const& is) const {
        using member = typename index_of<Member>::entry::member_type;
        auto const& value = detail::as_key<member>(is);
        return by_index<Member>([&](auto const& each) { return detail::key_order<member>(each.member(), value) < 0; },
            [&](auto const& each) { return detail::key_order<member>(each.member(), value) == 0; });
    }
    /// The rows whose member is in [from, to), by it, then by window and key; for a view with indexed_by<Member>.
    template <auto Member, class From, class To>
    [[nodiscard]] rows_type range_by(From const& from, To const& to) const {
        using member = typename index_of<Member>::entry::member_type;
        auto const& first = detail::as_key<member>(from);
        auto const& end = detail::as_key<member>(to);
        return by_index<Member>([&](auto const& each) { return detail::key_order<member>(each.member(), first) < 0; },
            [&](auto const& each) { return detail::key_order<member>(each.member(), end) < 0; });
    }
    /// The n rows with the greatest member, greatest first, equal ones by window and key backwards; for a view with
    /// indexed_by<Member>.
    template <auto Member>
    [[nodiscard]] rows_type top_by(std::size_t n) const {
        std::vector<ref> found;
        index_of<Member>::pages::each_backwards(directory_of<Member>(), [&](auto const& each) {
            if (found.size() < n) found.push_back(row_at(each));
            return found.size() < n;
        });
        return owned(found);
    }
    /// For this room: changes_since, with rows that in_order takes.
    template <class Written, class Removed>
    void changed_rows(view_snapshot const& before, Written&& written, Removed&& removed) const {
        detail::version_rows<K, V>::compare(before.now(), before.at().version, now(), written, removed);
    }
    [[nodiscard]] rows_type in_order(std::vector<ref>& of) const { return owned_in_order(of); }

private:
    template <auto Member>
    using index_of = detail::view_index<K, V, indexed_by<Member>>;
    template <auto Member>
    [[nodiscard]] auto const* directory_of() const noexcept {
        constexpr auto place = detail::index_place<Member, Index...>();
        static_assert(place < sizeof...(Index),
            "driftless: this view has no such index: say view<K, V, indexed_by<&V::member>>");
        using directory = typename index_of<Member>::pages::directory;
        if constexpr (place < sizeof...(Index))
            return static_cast<directory const*>(std::get<place>(static_cast<root const*>(hold_.root())->indexes));
        else return static_cast<directory const*>(nullptr);
    }
    template <auto Member, class Early, class While>
    [[nodiscard]] rows_type by_index(Early const& too_early, While const& goes_on) const {
        std::vector<ref> found;
        index_of<Member>::pages::each_from(directory_of<Member>(), too_early, [&](auto const& each) {
            if (!goes_on(each)) return false;
            found.push_back(row_at(each));
            return true;
        });
        return owned(found);
    }
    template <class Entry>
    [[nodiscard]] ref row_at(Entry const& entry) const {
        ref out;
        now().find(entry.key(), entry.window(), [&](auto const& at) { out = ref{at, entry.window()}; });
        return out;
    }
    [[nodiscard]] detail::version_rows<K, V> const& now() const noexcept {
        return static_cast<root const*>(hold_.root())->rows;
    }
    static row shown(ref const& of) {
        return {of.key(), of.window, *of.value, of.state.version(), of.state.timing()};
    }
    [[nodiscard]] rows_type owned_in_order(std::vector<ref>& of) const {
        std::sort(of.begin(), of.end(), [](ref const& a, ref const& b) {
            return detail::fires_before(a.window, a.key(), b.window, b.key());
        });
        return owned(of);
    }
    [[nodiscard]] rows_type owned(std::vector<ref> const& of) const {
        std::vector<typename rows_type::value_type> out;
        out.reserve(of.size());
        for (auto const& each : of) {
            out.push_back({to_owned(each.key()), each.window, to_owned(*each.value),
                pane_info{.timing = each.state.timing()}});
        }
        return {hold_, std::move(out)};
    }
    template <class By, class Each>
    [[nodiscard]] rows_type top_of(std::size_t n, By const& by, Each const& each_row) const {
        auto const before = [&](ref const& a, ref const& b) {
            auto const& x = std::invoke(by, *a.value);
            auto const& y = std::invoke(by, *b.value);
            if (y < x) return true;
            if (x < y) return false;
            return detail::fires_before(a.window, a.key(), b.window, b.key());
        };
        std::vector<ref> best;  // a heap, the last one on top
        each_row([&](ref const& each) {
            if (n == 0) return;
            if (best.size() == n) {
                if (!before(each, best.front())) return;
                std::pop_heap(best.begin(), best.end(), before);
                best.pop_back();
            }
            best.push_back(each);
            std::push_heap(best.begin(), best.end(), before);
        });
        std::sort_heap(best.begin(), best.end(), before);
        return owned(best);
    }
};
}  // namespace driftless::inline v0
#endif
