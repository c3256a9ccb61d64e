// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_ROW_TABLES_HPP
#define DRIFTLESS_VIEW_DETAIL_ROW_TABLES_HPP

#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/time.hpp>
#include <driftless/state/table_entries.hpp>
#include <driftless/view/detail/block_pool.hpp>
#include <driftless/view/detail/row_pages.hpp>
#include <driftless/view/detail/stored_row.hpp>
#include <driftless/view/detail/view_root.hpp>
#include <driftless/view/indexed_by.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// One version of all rows: a table of those without a window, one for each window with many rows, one for the rest.
template <class K, class V>
struct version_rows {
    using slot = slot_of<K, V, false>;
    using windowed_slot = slot_of<K, V, true>;
    using pages = row_pages<slot>;
    using windowed_pages = row_pages<windowed_slot>;
    using row = row_ref<K, V>;

    struct of_window {
        time_window window;
        typename pages::directory const* rows;
    };
    typename pages::directory const* global = nullptr;
    of_window const* windows = nullptr;  // by window
    std::size_t window_count = 0;
    typename windowed_pages::directory const* rest = nullptr;
    std::size_t rest_count = 0;
    std::size_t count = 0;

    static bool is_global(time_window const& window) noexcept {
        return window.start == event_time::min() && window.end == event_time::max();
    }
    [[nodiscard]] typename pages::directory const* table_of(time_window const& window) const noexcept {
        auto const* const at = std::lower_bound(windows, windows + window_count, window,
            [](of_window const& each, time_window const& than) { return each.window < than; });
        return at != windows + window_count && at->window == window ? at->rows : nullptr;
    }
    /// Calls then(slot) for the row of a key and window if there is one.
    template <class K2, class Then>
    DRIFTLESS_INLINE bool find(K2 const& key, time_window const& window, Then&& then) const {
        auto const hash = hash_of(key);
        auto const is = [&](auto const& at) DRIFTLESS_INLINE_LAMBDA { return at.is(key, window); };
        auto const* const table = is_global(window) ? global : table_of(window);
        if (table != nullptr) {
            if (auto const* const found = pages::find(table, hash, is)) return then(*found), true;
        }
        if (rest_count == 0) return false;
        auto const* const found = windowed_pages::find(rest, row_hash(hash, window), is);
        return found != nullptr && (then(*found), true);
    }
    /// f(row) for each row.
    template <class F>
    void for_each(F&& f) const {
        pages::for_each(global, [&](slot const& each) { f(row{each, {}}); });
        for (std::size_t i = 0; i < window_count; ++i) for_each_in(windows[i].rows, windows[i].window, f);
        if (rest_count != 0) windowed_pages::for_each(rest, [&](auto const& each) { f(row{each, {}}); });
    }
    /// f(row) for each row of a window.
    template <class F>
    void for_each_of(time_window const& window, F&& f) const {
        auto const* const table = is_global(window) ? global : table_of(window);
        if (table != nullptr) for_each_in(table, window, f);
        if (rest_count == 0) return;
        windowed_pages::for_each(rest, [&](auto const& each) {
            if (window_of(each, {}) == window) f(row{each, {}});
        });
    }

    /// What is otherwise in `after` than in `before`, whose version has that number: written(row) of rows that were
    /// added or replaced, removed(row) of those that are gone.
    template <class Written, class Removed>
    static void compare(version_rows const& before, std::uint64_t version, version_rows const& after,
        Written&& written, Removed&& removed) {
        auto const was = [&](row const& each) {
            if (!after.find(each.key(), each.window, [](auto const&) {})) removed(each);
        };
        auto const is = [&](row const& each) {
            if (each.state.version() > version) written(each);
        };
        auto const both = [&](auto const* from, auto const* to, time_window const& window) {
            using table = std::conditional_t<std::is_same_v<decltype(from), typename pages::directory const*>, pages,
                windowed_pages>;
            table::compare(
                from, to, [&](auto const& each) { was(row{each, window}); },
                [&](auto const& each) { is(row{each, window}); });
        };
        both(before.global, after.global, {});
        auto const* b = before.windows;
        auto const* const b_end = b + before.window_count;
        auto const* a = after.windows;
        auto const* const a_end = a + after.window_count;
        while (b != b_end || a != a_end) {
            if (a == a_end || (b != b_end && b->window < a->window)) {
                for_each_in(b->rows, b->window, was);
                ++b;
            } else if (b == b_end || a->window < b->window) {
                for_each_in(a->rows, a->window, is);
                ++a;
            } else {
                both(b->rows, a->rows, a->window);
                ++a, ++b;
            }
        }
        both(before.rest, after.rest, {});
    }

private:
    template <class F>
    static void for_each_in(typename pages::directory const* in, time_window const& window, F const& f) {
        pages::for_each(in, [&](slot const& each) { f(row{each, window}); });
    }
};

/// One version of a view: its rows, and what its indexes found then.
template <class K, class V, class... By>
struct view_root : version_root {
    version_rows<K, V> rows;
    std::tuple<typename view_index<K, V, By>::pages::directory const*...> indexes{};
};

/// What the writer of a view makes version_rows with. The rows of a window come by ascending hash when it fires:
/// its table is filled from the front to the back, and goes as a whole. A window gets a table when so many of its rows
/// come in a row; those of a session, which are few, stand together in one table.
///
/// Threads     One.
template <class K, class V>
class row_tables {
    using set = version_rows<K, V>;
    using slot = typename set::slot;
    using windowed_slot = typename set::windowed_slot;
    using pages = typename set::pages;
    using windowed_pages = typename set::windowed_pages;
    using node = row_node<K, V>;
    using row = row_ref<K, V>;
    static constexpr std::uint8_t is_node = 1;
    static constexpr std::size_t enough_rows = 32;

    struct of_window {
        time_window window;
        std::unique_ptr<pages> rows;
    };
    version_maker& maker_;
    pages global_{maker_};
    windowed_pages rest_{maker_};
    std::vector<of_window> windows_;  // by window
    of_window* last_ = nullptr;       // the one that was found last
    std::vector<std::uint64_t> run_;  // hashes of rows of one window, put into rest_ one behind the other
    time_window run_window_{};
    std::size_t expected_ = 0;
    typename set::of_window* published_ = nullptr;  // the array of the present version
    std::size_t published_count_ = 0;
    std::uint64_t published_born_ = 0;

public:
    explicit row_tables(version_maker& maker) : maker_(maker) {}
    row_tables(row_tables const&) = delete;
    row_tables& operator=(row_tables const&) = delete;
    ~row_tables() {
        retire_nodes();
        retire_array();
    }

    [[nodiscard]] std::size_t size() const noexcept {
        auto sum = global_.size() + rest_.size();
        for (auto const& each : windows_) sum += each.rows->size();
        return sum;
    }
    /// Adds or replaces a row. Before it is replaced, replaced(row) is shown the old one.
    template <class K2, class V2, class Replaced>
    DRIFTLESS_INLINE void put(
        K2 const& key, time_window const& window, V2 const& value, row_state state, Replaced&& replaced) {
        auto const hash = hash_of(key);
        auto const is = [&](auto const& at) DRIFTLESS_INLINE_LAMBDA { return at.is(key, window); };
        auto* const table = table_of(window);
        if (table != nullptr) {
            if (auto* const there = table->own(hash, is)) return replace(*there, key, window, value, state, replaced);
            if (rest_.size() == 0 || set::is_global(window)) return add(*table, hash, key, window, value, state);
        }
        put_apart(hash, key, window, value, state, replaced, table);
    }
    /// Takes a row away; removed(row) is shown it before. False if there is none.
    template <class K2, class Removed>
    bool remove(K2 const& key, time_window const& window, Removed&& removed) {
        auto const hash = hash_of(key);
        auto const is = [&](auto const& at) { return at.is(key, window); };
        auto* const table = table_of(window);
        if (table != nullptr && erase(*table, hash, is, window, removed)) return true;
        if (rest_.size() == 0) return false;
        return erase(rest_, row_hash(hash, window), is, window, removed);
    }
    /// Takes all rows of windows away that end up to `until`; true if there were any. Those of windows without a table
    /// are looked for only if `all`.
    template <class Removed>
    bool drop_until(event_time until, bool all, Removed&& removed) {
        std::size_t drop = 0;
        while (drop < windows_.size() && windows_[drop].window.end <= until) {
            auto& each = windows_[drop++];
            pages::for_each(each.rows->now(), [&](slot const& at) {
                removed(row{at, each.window});
                retire_row(at);
            });
        }
        windows_.erase(windows_.begin(), windows_.begin() + static_cast<std::ptrdiff_t>(drop));
        if (drop != 0) last_ = nullptr;
        if (!all || rest_.size() == 0) return drop != 0;
        std::vector<std::pair<std::uint64_t, std::pair<K, time_window>>> old;
        windowed_pages::for_each(rest_.now(), [&](windowed_slot const& at) {
            auto const window = window_of(at, {});
            if (window.end <= until) old.push_back({at.hash, {at.key(), window}});
        });
        for (auto const& [hash, which] : old) {
            erase(rest_, hash, [&](auto const& at) { return at.is(which.first, which.second); }, which.second, removed);
        }
        run_.clear();
        return drop != 0 || !old.empty();
    }
    /// Takes everything away.
    void clear() {
        retire_nodes();
        windows_.clear();
        last_ = nullptr;
        run_.clear();
        empty(global_);
        empty(rest_);
    }
    /// The row of a key and window, which is there.
    [[nodiscard]] row row_of(auto const& key, time_window const& window) {
        auto const hash = hash_of(key);
        auto const is = [&](auto const& at) { return at.is(key, window); };
        if (auto* const table = table_of(window)) {
            if (auto const* const found = table->find(hash, is)) return row{*found, window};
        }
        return row{*rest_.find(row_hash(hash, window), is), window};
    }
    template <class F>
    void for_each(F&& f) const {
        pages::for_each(global_.now(), [&](slot const& each) { f(row{each, {}}); });
        for (auto const& of : windows_)
            pages::for_each(of.rows->now(), [&](slot const& each) { f(row{each, of.window}); });
        windowed_pages::for_each(rest_.now(), [&](windowed_slot const& each) { f(row{each, {}}); });
    }
    /// The present rows, as the next version.
    [[nodiscard]] set version() {
        bool same = published_count_ == windows_.size();
        for (std::size_t i = 0; same && i < published_count_; ++i)
            same = published_[i].window == windows_[i].window && published_[i].rows == windows_[i].rows->now();
        if (!same) {
            retire_array();
            if (!windows_.empty()) {
                published_ = static_cast<typename set::of_window*>(maker_.pool.take(array_bytes(windows_.size())));
                for (std::size_t i = 0; i < windows_.size(); ++i)
                    ::new (static_cast<void*>(published_ + i))
                        typename set::of_window{windows_[i].window, windows_[i].rows->now()};
            }
            published_count_ = windows_.size();
            published_born_ = maker_.version;
        }
        set out;
        out.global = global_.now();
        out.windows = published_;
        out.window_count = published_count_;
        out.rest = rest_.now();
        out.rest_count = rest_.size();
        out.count = size();
        return out;
    }
    void drop(retired_block const& what) {
        if constexpr (!slot::is_inline) {
            if (what.kind == is_node) return node::drop(maker_.pool, what.block);
        }
        maker_.pool.give(what.block, what.size);
    }

private:
    static std::size_t array_bytes(std::size_t count) noexcept { return count * sizeof(typename set::of_window); }
    void retire_array() {
        if (published_ != nullptr) maker_.retire(published_, published_born_, array_bytes(published_count_));
        published_ = nullptr;
        published_count_ = 0;
    }
    [[nodiscard]] DRIFTLESS_INLINE pages* table_of(time_window const& window) {
        if (last_ != nullptr && last_->window == window) [[likely]]
            return last_->rows.get();
        if (set::is_global(window)) return &global_;
        auto const at = std::lower_bound(windows_.begin(), windows_.end(), window,
            [](of_window const& each, time_window const& than) { return each.window < than; });
        if (at == windows_.end() || at->window != window) return nullptr;
        last_ = &*at;
        return at->rows.get();
    }
    /// Where some rows stand in the table of all windows.
    template <class K2, class V2, class Replaced>
    DRIFTLESS_NOINLINE void put_apart(std::uint64_t hash, K2 const& key, time_window const& window, V2 const& value,
        row_state state, Replaced&& replaced, pages* table) {
        auto const mixed = row_hash(hash, window);
        auto* const there = rest_.own(mixed, [&](auto const& at) { return at.is(key, window); });
        if (there != nullptr) return replace(*there, key, window, value, state, replaced);
        if (table != nullptr) return add(*table, hash, key, window, value, state);
        add(rest_, mixed, key, window, value, state);
        if (run_window_ != window) run_.clear();
        run_window_ = window;
        run_.push_back(hash);
        if (run_.size() == enough_rows) open_table(window);
    }
    /// The window fires: it gets a table, as large as the one before it has become.
    void open_table(time_window const& window) {
        auto const at = std::lower_bound(windows_.begin(), windows_.end(), window,
            [](of_window const& each, time_window const& than) { return each.window < than; });
        if (at != windows_.begin()) expected_ = (at - 1)->rows->size();
        else if (!windows_.empty()) expected_ = at->rows->size();
        auto& made = *windows_.insert(at, of_window{window, std::make_unique<pages>(maker_, expected_)});
        last_ = &made;
        for (auto const hash : run_) {  // of two rows of one hash it does not matter which moves first
            auto const mixed = row_hash(hash, window);
            auto* const from = rest_.own(mixed, [&](auto const& each) { return window_of(each, {}) == window; });
            if constexpr (slot::is_inline) {
                slot const moved{hash, from->row(), from->key(), window, from->value()};
                std::memcpy(static_cast<void*>(&made.rows->insert(hash)), &moved, sizeof moved);
            } else {
                ::new (static_cast<void*>(&made.rows->insert(hash))) slot{hash, from->node};
            }
            rest_.erase(mixed, from);
        }
        run_.clear();
    }
    template <class Slot, class K2, class V2, class Replaced>
    DRIFTLESS_INLINE void replace(
        Slot& there, K2 const& key, time_window const& window, V2 const& value, row_state state, Replaced& replaced) {
        replaced(row{there, window});
        if constexpr (Slot::is_inline) {
            there.row_value = value;
            there.state = state;
        } else {
            auto* const fresh = make_node(key, window, value, state);
            retire_row(there);
            there.node = fresh;
        }
    }
    template <class Pages, class K2, class V2>
    DRIFTLESS_INLINE void add(Pages& into, std::uint64_t hash, K2 const& key, time_window const& window,
        V2 const& value, row_state state) {
        using made = std::remove_reference_t<decltype(into.insert(hash))>;
        if constexpr (made::is_inline) {
            ::new (static_cast<void*>(&into.insert(hash))) made{hash, state, key, window, value};
        } else {
            auto* const fresh = make_node(key, window, value, state);
            ::new (static_cast<void*>(&into.insert(hash))) made{hash, fresh};
        }
    }
    template <class Pages, class Is, class Removed>
    bool erase(Pages& from, std::uint64_t hash, Is const& is, time_window const& window, Removed& removed) {
        auto* const there = from.own(hash, is);
        if (there == nullptr) return false;
        removed(row{*there, window});
        retire_row(*there);
        from.erase(hash, there);
        if (!run_.empty()) run_.clear();  // it may have been one of them
        return true;
    }
    template <class K2, class V2>
    node* make_node(K2 const& key, time_window window, V2 const& value, row_state state) {
        if constexpr (std::is_same_v<K, K2> && std::is_same_v<V, V2>)
            return node::make(maker_.pool, state, key, window, value);
        else return node::make(maker_.pool, state, K(to_owned(key)), window, V(to_owned(value)));
    }
    template <class Slot>
    void retire_row([[maybe_unused]] Slot const& of) {
        if constexpr (!Slot::is_inline) {
            auto const born = of.node->state.version();
            if (born == maker_.version) node::drop(maker_.pool, of.node);  // nobody has seen it
            else maker_.retire(of.node, born, sizeof(node), is_node);
        }
    }
    void retire_nodes() {
        if constexpr (!slot::is_inline) {
            auto const one = [&](auto const& each) { this->retire_row(each); };
            pages::for_each(global_.now(), one);
            for (auto const& of : windows_) pages::for_each(of.rows->now(), one);
            windowed_pages::for_each(rest_.now(), one);
        }
    }
    template <class Pages>
    void empty(Pages& which) {
        std::destroy_at(&which);
        ::new (static_cast<void*>(&which)) Pages{maker_};
    }
};
}  // namespace driftless::inline v0::detail
#endif
