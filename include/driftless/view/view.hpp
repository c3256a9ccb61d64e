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
#include <driftless/view/detail/row_tables.hpp>
#include <driftless/view/detail/stored_row.hpp>
#include <driftless/view/detail/view_root.hpp>
#include <driftless/view/view_options.hpp>
#include <driftless/view/view_snapshot.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
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
///             Part of the snapshots of its job: one that is started again shows what it had then, and goes on.
/// Errors      find and snapshot throw error_code::stale where the options say so.
/// Threads     One writes (the job). Any number read, at any time: they wait for nobody, and nobody waits for them. All
///             snapshots, rows and answers that hold one are gone before the view goes.
/// Complexity  A write O(1), and once per version the copy of some 16 rows; a point read O(1), no allocation and no
///             write to shared memory.
/// Example     examples/served_view.cpp
template <class K, class V>
class view {
    static_assert(encodable<K> && encodable<V>,
        "driftless: view<K, V> is part of the snapshots of its job: key and value need codecs "
        "(BOOST_HANA_ADAPT_STRUCT, or codec<T>)");
    using root = detail::view_root<K, V>;
    using ref = detail::row_ref<K, V>;

    view_options how_;
    detail::version_maker maker_;
    std::optional<detail::row_tables<K, V>> rows_{std::in_place, maker_};
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
        auto const drop = [this](detail::retired_block const& each) { rows_->drop(each); };
        versions_.drop_all(drop);
        for (auto const& each : maker_.retired) drop(each);
        maker_.retired.clear();
        rows_->clear();
        for (auto const& each : maker_.retired) drop(each);
        maker_.retired.clear();
        rows_.reset();
        for (auto const& each : maker_.retired) maker_.pool.give(each.block, each.size);
    }

    // --- reading: any thread -------------------------------------------------------------------------------------

    /// The row of a key and window; without a window, that of a stream that has none.
    template <class K2>
    [[nodiscard]] answer<V> find(K2 const& asked, time_window window = {}) const {
        auto const& key = detail::as_key<K>(asked);
        detail::reading const now;
        auto const& in = *versions_.current();
        answer<V> out{in};
        in.rows.find(key, window, [&](auto const& found) { out.set(in, found.value(), found.row()); });
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
        static_assert(detail::kept_by_view<K, K2> && detail::kept_by_view<V, V2>,
            "driftless: view<K, V> is given rows of another key or value than its own: name the types that the "
            "pipeline yields (text may be std::string)");
        rows_->put(row.key, row.window, row.value, detail::row_state::of(maker_.version, row.info), [](ref const&) {});
        changed_ = true;
    }
    /// Takes the row of a key and window away.
    template <class K2>
    void remove(K2 const& key, time_window window) {
        if (rows_->remove(key, window, [](ref const&) {})) changed_ = true;
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
        versions_.collect([this](detail::retired_block const& each) { rows_->drop(each); });
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

    void publish(frontier const& at) {
        auto* const last = versions_.current();
        auto* const next = versions_.fresh();
        auto const now = clock();
        next->at = {maker_.version, at.epoch, at.watermark, at.progress, now,
            detail::few_offsets{at.offsets, at.partitions}};
        if (last != nullptr && now <= last->at.published) next->at.published = last->at.published + duration{1};
        next->confirmed_ns.store(now.ns(), std::memory_order_relaxed);
        next->rows = rows_->version();
        versions_.publish(next, maker_.retired, [this](detail::retired_block const& each) { rows_->drop(each); });
        ++maker_.version;
        changed_ = false;
    }
    /// Windows with few rows are looked at when the watermark has moved on by a quarter of the time that rows are kept.
    void drop_old(event_time watermark) {
        if (watermark == event_time::min()) return;
        if (watermark == event_time::max()) return;  // the end of the input is no time: the last rows stay
        auto const until = watermark - how_.keep;
        bool const all = swept_ == event_time::min() || until - swept_ >= duration{how_.keep.ns() / 4};
        if (all) swept_ = until;
        if (rows_->drop_until(until, all, [](ref const&) {})) changed_ = true;
    }

    void save(auto& out) {
        out.write(maker_.version).write(swept_).write(static_cast<std::uint64_t>(rows_->size()));
        rows_->for_each([&](ref const& each) {
            out.write(each.key()).write(each.window).write(*each.value).write(each.state.bits);
        });
    }
    void load(auto& in) {
        std::uint64_t version = 0;
        std::uint64_t count = 0;
        in.read(version).read(swept_).read(count);
        rows_->clear();
        if (maker_.version < version) maker_.version = version;
        for (; count != 0; --count) {
            K key{};
            time_window window;
            V value{};
            detail::row_state state;
            in.read(key).read(window).read(value).read(state.bits);
            rows_->put(key, window, value, state, [](ref const&) {});
        }
        changed_ = true;
    }
};
}  // namespace driftless::inline v0
#endif
