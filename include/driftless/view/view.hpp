// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VIEW_HPP
#define DRIFTLESS_VIEW_VIEW_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/frontier.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/view/answer.hpp>
#include <driftless/view/detail/block_pool.hpp>
#include <driftless/view/detail/readers.hpp>
#include <driftless/view/detail/row_pages.hpp>
#include <driftless/view/detail/stored_row.hpp>
#include <driftless/view/detail/view_root.hpp>
#include <driftless/view/view_options.hpp>
#include <driftless/view/view_snapshot.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// The rows of a job, served while it runs: a sink that many threads read.
///
/// Shape       One row per key and window, the newest: a correction replaces it, a removal takes it away. Readers see
///             what the job has written up to the end of a poll, all of it or nothing: the answer over a prefix of the
///             inputs, which each answer names (served_at).
/// State       All rows, until .keep drops them: as many as the pipeline has keys and windows. What readers hold of
///             earlier states is kept for them.
///             Part of the snapshots of its job: a job that is started again shows what it had at the snapshot, and goes
///             on.
/// Errors      find and snapshot throw error_code::stale where the options say so.
/// Threads     One writes (the job). Any number read, at any time: they wait for nobody, and nobody waits for them. All
///             snapshots, rows and answers that hold one are gone before the view goes.
/// Complexity  A write O(1), and once per version the copy of some 16 rows; a point read O(1), no allocation and no
///             write to shared memory.
/// Example     examples/served_view.cpp
template <class K, class V>
class view {
    static_assert(encodable<K> && encodable<V>,
        "driftless: view<K, V> is part of the snapshots of its job: key and value need codecs (BOOST_HANA_ADAPT_STRUCT, "
        "or codec<T>)");
    using slot = detail::slot_of<K, V>;
    using node = detail::row_node<K, V>;
    using pages = detail::row_pages<slot>;
    using root = detail::view_root<K, V>;
    static constexpr std::uint8_t is_node = 1;

    view_options how_;
    detail::version_maker maker_;
    pages pages_{maker_};
    detail::version_list<root> versions_;
    bool changed_ = false;
    event_time swept_ = event_time::min();  // rows of windows that end up to here have been dropped

    /// What snapshots of the job write and read.
    struct contents {
        view* of;
        void save_state(auto& out) { of->save(out); }
        void load_state(auto& in) { of->load(in); }
    };
    contents contents_{this};

public:
    using key_type = K;
    using value_type = V;
    using snapshot_type = view_snapshot<K, V>;
    /// A sink that keeps rows: it wants the last one of each key and window.
    using keeps_rows = void;

    view() : view(view_options{}) {}
    explicit view(view_options how) : how_(std::move(how)) { publish({}); }
    view(view const&) = delete;
    view& operator=(view const&) = delete;
    ~view() {
        versions_.drop_all([this](detail::retired_block const& each) { drop(each); });
        if constexpr (!slot::is_inline) {
            pages::for_each(pages_.now(), [this](slot const& each) { node::drop(maker_.pool, each.node); });
        }
    }

    // --- reading: any thread -------------------------------------------------------------------------------------

    /// The row of a key and window; without a window, that of a stream that has none.
    template <class K2>
    [[nodiscard]] answer<V> find(K2 const& asked, time_window window = {}) const {
        auto const& key = detail::as_key<K>(asked);
        auto const hash = detail::row_hash(detail::hash_of(key), window);
        detail::reading const now;
        auto const& in = *versions_.current();
        auto const* const found = pages::find(in.rows, hash, detail::is_row<slot>(key, window));
        auto out = found == nullptr ? answer<V>{in} : answer<V>{in, *found};
        if (how_.fresh.max != duration::max() && require_fresh(in)) out.mark_stale();
        return out;
    }
    /// The present state, held: for several reads that belong together.
    [[nodiscard]] snapshot_type snapshot() const {
        detail::reading const now;
        auto const& in = *versions_.current();
        if (how_.fresh.max != duration::max()) require_fresh(in);
        return snapshot_type{detail::version_hold{&in}};
    }
    /// What readers are shown now.
    [[nodiscard]] served_at at() const {
        detail::reading const now;
        return versions_.current()->at;
    }
    /// How long ago the job was last heard of.
    [[nodiscard]] duration staleness() const {
        detail::reading const now;
        return clock() - confirmed(*versions_.current());
    }
    [[nodiscard]] view_options const& options() const noexcept { return how_; }

    // --- writing: the job ----------------------------------------------------------------------------------------

    /// Adds or replaces the row of its key and window. Readers see it from the next on_frontier on.
    template <class K2, class V2>
    void write(pane<K2, V2> const& row) {
        static_assert(
            (std::same_as<K, K2> || std::same_as<K, owned_t<K2>>) && (std::same_as<V, V2> || std::same_as<V, owned_t<V2>>),
            "driftless: view<K, V> is given rows of another key or value than its own: name the types that the pipeline "
            "yields (text may be std::string)");
        put(row.key, row.window, row.value, detail::row_state::of(maker_.version, row.info));
    }
    /// Takes the row of a key and window away.
    template <class K2>
    void remove(K2 const& key, time_window window) {
        auto const hash = detail::row_hash(detail::hash_of(key), window);
        auto* const there = pages_.own(hash, detail::is_row<slot>(key, window));
        if (there == nullptr) return;
        retire_row(*there);
        pages_.erase(hash, there);
        changed_ = true;
    }
    /// All that was written belongs to this frontier, and is shown.
    void on_frontier(frontier const& at) {
        auto const& now = *versions_.current();
        if (how_.keep != duration::max()) drop_old(at.watermark);
        if (!changed_ && at.epoch == now.at.epoch && at.watermark == now.at.watermark) {
            versions_.current()->confirmed_ns.store(clock().ns(), std::memory_order_relaxed);
            return;
        }
        publish(at);
    }
    void visit_state(auto&& visit) { visit("view", contents_); }
    /// Versions that are kept for readers, and bytes of memory for all: for tests and metrics.
    [[nodiscard]] std::size_t kept_versions() const noexcept { return versions_.kept(); }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return maker_.pool.bytes(); }
    /// Frees what no reader holds any more; the next versions would do it.
    void collect() {
        versions_.collect([this](detail::retired_block const& each) { drop(each); });
    }

private:
    [[nodiscard]] event_time clock() const { return how_.clock != nullptr ? how_.clock() : detail::system_time(); }
    static event_time confirmed(root const& of) {
        return event_time{of.confirmed_ns.load(std::memory_order_relaxed)};
    }
    /// True if the state is too old, and served all the same.
    bool require_fresh(root const& in) const {
        auto const age = clock() - confirmed(in);
        if (age <= how_.fresh.max) return false;
        if (how_.fresh.then == freshness::action::serve) return true;
        throw error{error_code::stale,
            "view `" + how_.name + "` is at epoch " + std::to_string(in.at.epoch) + ", and its job was last heard of "
                + std::to_string(age.ns() / 1'000'000) +
                " ms ago, which is more than freshness::max: see whether the job "
                "runs, or let the view serve stale answers"};
    }

    template <class K2, class V2>
    void put(K2 const& key, time_window window, V2 const& value, detail::row_state state) {
        auto const hash = detail::row_hash(detail::hash_of(key), window);
        changed_ = true;
        if (auto* const there = pages_.own(hash, detail::is_row<slot>(key, window))) {
            if constexpr (slot::is_inline) {
                there->row_value = value;
                there->state = state;
            } else {
                auto* const fresh = make_node(key, window, value, state);
                retire_row(*there);
                there->node = fresh;
            }
            return;
        }
        if constexpr (slot::is_inline) {
            ::new (static_cast<void*>(&pages_.insert(hash))) slot{hash, state, nullptr, key, window, value};
        } else {
            auto* const fresh = make_node(key, window, value, state);
            ::new (static_cast<void*>(&pages_.insert(hash))) slot{hash, fresh};
        }
    }
    template <class K2, class V2>
    node* make_node(K2 const& key, time_window window, V2 const& value, detail::row_state state) {
        if constexpr (std::same_as<K, K2> && std::same_as<V, V2>)
            return node::make(maker_.pool, state, nullptr, key, window, value);
        else return node::make(maker_.pool, state, nullptr, K(to_owned(key)), window, V(to_owned(value)));
    }
    void retire_row(slot const& of) {
        if constexpr (!slot::is_inline) {
            auto const born = of.node->state.version();
            if (born == maker_.version) node::drop(maker_.pool, of.node);  // nobody has seen it
            else maker_.retire(of.node, born, sizeof(node), is_node);
        }
    }
    void drop(detail::retired_block const& what) {
        if constexpr (!slot::is_inline) {
            if (what.kind == is_node) return node::drop(maker_.pool, what.block);
        }
        maker_.pool.give(what.block, what.size);
    }

    void publish(frontier const& at) {
        auto* const last = versions_.current();
        auto* const next = versions_.fresh();
        auto const now = clock();
        next->at = {maker_.version, at.epoch, at.watermark, at.progress, now,
            detail::few_offsets{at.offsets, at.partitions}};
        if (last != nullptr && now <= last->at.published) next->at.published = last->at.published + duration{1};
        next->confirmed_ns.store(now.ns(), std::memory_order_relaxed);
        next->rows = pages_.now();
        next->count = pages_.size();
        versions_.publish(next, maker_.retired, [this](detail::retired_block const& each) { drop(each); });
        ++maker_.version;
        changed_ = false;
    }
    /// Looks at all rows when the watermark has moved on by a quarter of the time that they are kept: four looks at a
    /// row in all.
    void drop_old(event_time watermark) {
        if (watermark == event_time::min()) return;
        auto const until = watermark == event_time::max() ? watermark : watermark - how_.keep;
        if (until == event_time::max()) return;  // the end of the input is no time: the last rows stay
        auto const step = duration{how_.keep.ns() / 4};
        if (swept_ != event_time::min() && until - swept_ < step) return;
        swept_ = until;
        std::vector<std::pair<std::uint64_t, time_window>> old;
        std::vector<K> keys;
        pages::for_each(pages_.now(), [&](slot const& each) {
            auto const window = each.window();
            if (window.end > until || window.end == event_time::max()) return;
            old.emplace_back(each.hash, window);
            keys.push_back(each.key());
        });
        for (std::size_t i = 0; i < old.size(); ++i) {
            auto* const there = pages_.own(old[i].first, detail::is_row<slot>(keys[i], old[i].second));
            retire_row(*there);
            pages_.erase(old[i].first, there);
        }
        changed_ = changed_ || !old.empty();
    }

    void save(auto& out) {
        out.write(maker_.version).write(swept_).write(static_cast<std::uint64_t>(pages_.size()));
        pages::for_each(pages_.now(), [&](slot const& each) {
            out.write(each.key()).write(each.window()).write(each.value()).write(each.row().bits);
        });
    }
    void load(auto& in) {
        std::uint64_t version = 0;
        std::uint64_t count = 0;
        in.read(version).read(swept_).read(count);
        clear();
        if (maker_.version < version) maker_.version = version;
        for (; count != 0; --count) {
            K key{};
            time_window window;
            V value{};
            detail::row_state state;
            in.read(key).read(window).read(value).read(state.bits);
            put(key, window, value, state);
        }
    }
    void clear() {
        std::vector<slot> all;
        pages::for_each(pages_.now(), [&](slot const& each) { all.push_back(each); });
        for (auto const& each : all) {
            auto* const there = pages_.own(each.hash, [&](slot const& at) { return is_same(at, each); });
            retire_row(*there);
            pages_.erase(each.hash, there);
        }
        changed_ = true;
    }
    static bool is_same(slot const& a, slot const& b) {
        return a.window() == b.window() && detail::is_key(a.key(), b.key());
    }
};
}  // namespace driftless::inline v0
#endif
