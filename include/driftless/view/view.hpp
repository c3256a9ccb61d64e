// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VIEW_HPP
#define DRIFTLESS_VIEW_VIEW_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/detail/left_out.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/frontier.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/partition_offset.hpp>
#include <driftless/view/answer.hpp>
#include <driftless/view/detail/block_pool.hpp>
#include <driftless/view/detail/names_erased.hpp>
#include <driftless/view/detail/readers.hpp>
#include <driftless/view/detail/row_tables.hpp>
#include <driftless/view/detail/served_at_bytes.hpp>
#include <driftless/view/detail/stored_row.hpp>
#include <driftless/view/detail/view_root.hpp>
#include <driftless/view/reported.hpp>
#include <driftless/view/view_options.hpp>
#include <driftless/view/view_snapshot.hpp>
#include <driftless/view/view_subscription.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
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
///             Index... are indexed_by<&V::member>, for each member that rows are also found by.
/// Complexity  A write O(1), and once per version the copy of some 16 rows; a point read O(1), no allocation and no
///             write to shared memory.
/// Example     examples/served_view.cpp
template <class K, class V, class... Index>
class view {
    static_assert(encodable<K> && encodable<V>,
        "driftless: view<K, V> is part of the snapshots of its job: key and value need codecs "
        "(BOOST_HANA_ADAPT_STRUCT, or codec<T>)");
    using root = detail::view_root<K, V, Index...>;
    using ref = detail::row_ref<K, V>;

    view_options how_;
    detail::version_maker maker_;
    std::optional<detail::row_tables<K, V>> rows_{std::in_place, maker_};
    std::optional<std::tuple<detail::view_index<K, V, Index>...>> indexes_;
    detail::version_list<root> versions_;
    bool changed_ = false;  // since the last version
    bool without_history_ = false;  // the next version is the first one that history may keep
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
    using snapshot_type = view_snapshot<K, V, Index...>;
    /// A sink that keeps rows: it wants the last one of each key and window.
    using keeps_rows = void;

    view() : view(view_options{}) {}
    explicit view(view_options how) : how_(std::move(how)) {
        indexes_.emplace(detail::maker_for<Index>(maker_)...);
        publish({});
    }
    view(view const&) = delete;
    view& operator=(view const&) = delete;
    ~view() {
        auto const drop = dropper();
        versions_.drop_all(drop);
        indexes_.reset();
        rows_->clear();
        for (auto const& each : maker_.retired) drop(each);
        maker_.retired.clear();
        rows_.reset();
        for (auto const& each : maker_.retired) maker_.pool.give(each.block, each.size);
    }

    // --- reading: any thread -------------------------------------------------------------------------------------

    /// The row of a key and window; without a window, that of a stream that has none.
    template <class K2>
    [[nodiscard]] DRIFTLESS_INLINE answer<V> find(K2 const& asked, time_window const& window = {}) const {
        auto const& key = detail::as_key<K>(asked);
        detail::reading const now;
        auto const& in = *versions_.current();
        auto out = find_in(in, key, window);
        if (how_.fresh.max != duration::max() && require_fresh(in)) out.mark_stale();
        return out;
    }
    /// What has changed since: see view_subscription. The first that it is told is all there is.
    [[nodiscard]] auto subscribe() const { return view_subscription<view>{*this}; }
    /// The present state, held: for several reads that belong together.
    [[nodiscard]] snapshot_type snapshot() const {
        detail::reading const now;
        auto const& in = *versions_.current();
        if (how_.fresh.max != duration::max()) require_fresh(in);
        return snapshot_type{detail::version_hold{&in}};
    }
    /// The state that was shown at that time, by the clock of the view: the last version that had been published.
    ///
    /// Errors      not_there: before the first version that history keeps (view_options::history). With `strict` also
    ///             after the last one: nobody knows yet what is shown then.
    [[nodiscard]] snapshot_type as_of(event_time time, bool strict = false) const {
        detail::reading const now;
        if (strict && versions_.current()->at.published < time)
            refuse_past("the newest version was published before that time: a strict as_of() asks for what is known");
        return last_where([&](served_at const& at) { return at.published <= time; });
    }
    /// The last state over a prefix that ends before that offset, or at it, in that partition: of the first input,
    /// where there are several.
    [[nodiscard]] snapshot_type as_of(partition_offset place) const {
        detail::reading const now;
        auto const& offsets = versions_.current()->at.offsets;
        if (place.partition >= offsets.size()) refuse_past("its job reads no such partition");
        return last_where([&](served_at const& at) {
            return at.offsets.size() <= place.partition || at.offsets[place.partition] <= place.offset;
        });
    }
    /// The version of that number; or the last one before it, where history does not keep each.
    [[nodiscard]] snapshot_type as_of(view_version version) const {
        detail::reading const now;
        if (versions_.current()->at.version < version.number) refuse_past("there is no version of that number yet");
        return last_where([&](served_at const& at) { return at.version <= version.number; });
    }
    /// What readers were told of a key and window at that time, what they are told now, and when and why that changed.
    ///
    /// Errors      As as_of(time).
    template <class K2>
    [[nodiscard]] report_then<V> reported(K2 const& asked, event_time time, time_window window = {}) const {
        auto const& key = detail::as_key<K>(asked);
        detail::reading const now;
        auto const then = as_of(time);
        report_then<V> out{then.find(key, window), find_in(*versions_.current(), key, window), {}};
        root const* changed = nullptr;  // the first version after that with another row
        for (root const* at = versions_.current(); at->at.version > then.at().version; at = before(*at)) {
            if (is_other(find_in(*at, key, window), out.then)) changed = at;
        }
        if (changed == nullptr) return out;
        out.changed = row_change{changed->at, cause_of(out.then, find_in(*changed, key, window))};
        return out;
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
        if constexpr (detail::kept_by_view<K, K2> && detail::kept_by_view<V, V2>)
            put(row.key, row.window, row.value, detail::row_state::of(maker_.version, row.info));
    }
    /// Takes the row of a key and window away.
    template <class K2>
    void remove(K2 const& key, time_window window) {
        if (rows_->remove(key, window, [this](ref const& old) { take_out(old); })) changed_ = true;
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
    /// Takes the rows of erased subjects away, at once: those whose key is the id of one, or has one in it, and those
    /// whose value has one in it, of a class that names its kind (subject_kind). History begins behind the last version
    /// that showed such a row. Who holds a snapshot of before has it until it goes.
    ///
    /// who         erased_subjects
    /// returns     how many rows the view showed of them
    /// Errors      in_use before the end of a poll, when rows have been written that are not shown yet: call it again.
    /// Complexity  O(rows, and what the versions that history keeps have changed).
    template <class Who>
    std::uint64_t purge(Who const& who) {
        if (changed_) {
            throw error{error_code::in_use,
                "view `" + how_.name + "` has rows that belong to no frontier yet: purge it between two polls"};
        }
        std::vector<std::pair<K, time_window>> theirs;
        rows_->for_each([&](ref const& each) {
            if (detail::names_erased(who, each.key(), *each.value)) theirs.emplace_back(each.key(), each.window);
        });
        for (auto const& [key, window] : theirs) remove(key, window);
        if (changed_) publish_now(served_at{versions_.current()->at});
        versions_.forget_oldest(history_that_shows(who));
        collect();
        return theirs.size();
    }
    void visit_state(auto&& visit) { visit("view", contents_); }
    /// Versions that are kept for readers, and bytes of memory for all: for tests and metrics.
    [[nodiscard]] std::size_t kept_versions() const noexcept {
        return versions_.held() + versions_.history().size();
    }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return maker_.pool.bytes(); }
    /// Frees what no reader holds any more; the next versions would do it.
    void collect() { versions_.collect(dropper()); }

private:
    template <class K2>
    DRIFTLESS_INLINE static answer<V> find_in(root const& in, K2 const& key, time_window const& window) {
        answer<V> out{in};
        in.rows.find(key, window, [&](auto const& found) { out.set(in, found.value(), found.row()); });
        return out;
    }
    static root* before(root const& of) noexcept {
        return static_cast<root*>(of.before.load(std::memory_order_acquire));
    }
    /// The caller reads.
    template <class Is>
    [[nodiscard]] snapshot_type last_where(Is const& is) const {
        for (root const* at = versions_.current(); at != nullptr; at = before(*at)) {
            if (is(at->at)) return snapshot_type{detail::version_hold{at}};
        }
        refuse_past("history keeps no version that is so old: view_options::history says how many it keeps");
    }
    [[noreturn]] void refuse_past(char const* why) const {
        throw error{error_code::not_there, "view `" + how_.name + "` cannot say what it showed then: " + why};
    }
    static bool is_other(answer<V> const& a, answer<V> const& b) noexcept {
        return a.has_value() != b.has_value() || a.row_version() != b.row_version();
    }
    static change_cause cause_of(answer<V> const& then, answer<V> const& changed) noexcept {
        if (then.at().build != changed.at().build) return change_cause::new_build;
        if (!changed) return change_cause::removed;
        if (!then) return change_cause::first_result;
        if (changed.timing() == timing::late) return change_cause::late_data;
        return then.timing() == timing::early ? change_cause::more_data : change_cause::correction;
    }
    [[nodiscard]] event_time clock() const { return how_.clock != nullptr ? how_.clock() : detail::system_time(); }
    static event_time confirmed(root const& of) {
        return event_time{of.confirmed_ns.load(std::memory_order_relaxed)};
    }
    /// True if the state is too old, and served all the same.
    DRIFTLESS_NOINLINE bool require_fresh(root const& in) const {
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
    DRIFTLESS_INLINE void put(K2 const& key, time_window const& window, V2 const& value, detail::row_state state) {
        changed_ = true;
        rows_->put(key, window, value, state, [this](ref const& old) { take_out(old); });
        if constexpr (sizeof...(Index) != 0) {
            auto const row = rows_->row_of(key, window);
            std::apply([&](auto&... index) { (index.add(row), ...); }, *indexes_);
        }
    }
    /// Indexes forget a row that is replaced or goes.
    DRIFTLESS_INLINE void take_out(ref const& old) {
        std::apply([&](auto&... index) { (index.take_out(old), ...); }, *indexes_);
    }
    void publish(frontier const& at) {
        publish_now(served_at{0, 0, at.epoch, at.watermark, at.progress, {},
            detail::few_offsets{at.offsets, at.partitions}});
    }
    /// As the next version, by the clock.
    void publish_now(served_at at) {
        auto const* const last = versions_.current();
        auto const now = clock();
        at.version = maker_.version;
        at.build = how_.build;
        // Times of versions only grow, whatever the clock does.
        at.published = last == nullptr ? event_time::min() : now;  // of the empty one nobody says that it was shown
        if (last != nullptr && now <= last->at.published) at.published = last->at.published + duration{1};
        publish(std::move(at), now);
    }
    void publish(served_at at, event_time now) {
        auto* const last = versions_.current();
        auto const rows = rows_->version();
        auto* const next = versions_.fresh();
        next->at = std::move(at);
        next->confirmed_ns.store(now.ns(), std::memory_order_relaxed);
        next->rows = rows;
        next->indexes = std::apply([](auto const&... index) { return std::tuple{index.rows.now()...}; }, *indexes_);
        versions_.publish(next, maker_.retired, last != nullptr && keeps(*last));
        ++maker_.version;  // from here on what readers see is copied before it is changed
        changed_ = false;
        forget_history(next->at.published);
        versions_.collect_some(dropper());
    }
    [[nodiscard]] auto dropper() {
        return [this](detail::retired_block const& each) { rows_->drop(each); };
    }
    /// History keeps a version that is about to be replaced. The empty one, before the job has said anything, was none.
    bool keeps(root const& last) const {
        if (how_.history.keep <= duration{} || how_.history.versions == 0 || last.at.version == 0) return false;
        if (without_history_) return false;
        auto const& kept = versions_.history();
        return kept.empty() || last.at.published - kept.back()->at.published >= how_.history.every;
    }
    void forget_history(event_time now) {
        auto const& kept = versions_.history();
        std::size_t old = std::exchange(without_history_, false) ? kept.size() : 0;
        if (kept.size() - old > how_.history.versions) old = kept.size() - how_.history.versions;
        // It goes when the one that replaced it has been there for so long.
        while (old < kept.size()) {
            auto const replaced = old + 1 < kept.size() ? kept[old + 1]->at.published : now;
            if (now - replaced <= how_.history.keep) break;
            ++old;
        }
        versions_.forget_oldest(old);
    }
    /// So many versions there are up to the last one that shows a row of erased subjects.
    template <class Who>
    [[nodiscard]] std::size_t history_that_shows(Who const& who) const {
        auto const names = [&](auto const& key, auto const& value) -> std::size_t {
            return detail::names_erased(who, key, value) ? 1 : 0;
        };
        std::size_t shown = 0;
        std::size_t last = 0;
        root const* before = nullptr;
        for (std::size_t i = 0; i < versions_.history().size(); ++i) {
            auto const* const at = versions_.history()[i];
            auto const is = [&](ref const& each) { shown += names(each.key(), *each.value); };
            auto const was = [&](ref const& each) { shown -= names(each.key(), *each.value); };
            if (before == nullptr) {
                at->rows.for_each(is);
            } else {
                detail::version_rows<K, V>::compare(
                    before->rows, before->at.version, at->rows,
                    [&](ref const& each) {
                        is(each);
                        before->rows.find(each.key(), each.window,
                            [&](auto const& old) { shown -= names(old.key(), old.value()); });
                    },
                    was);
            }
            if (shown != 0) last = i + 1;
            before = at;
        }
        return last;
    }
    /// Windows with few rows are looked at when the watermark has moved on by a quarter of the time that rows are kept.
    void drop_old(event_time watermark) {
        if (watermark == event_time::min()) return;
        if (watermark == event_time::max()) return;  // the end of the input is no time: the last rows stay
        auto const until = watermark - how_.keep;
        bool const all = swept_ == event_time::min() || until - swept_ >= duration{how_.keep.ns() / 4};
        if (all) swept_ = until;
        if (rows_->drop_until(until, all, [this](ref const& old) { take_out(old); })) changed_ = true;
    }

    // A snapshot has the versions that history keeps, the present one, and what was written since: of the first one all
    // rows, of the others what is otherwise than in the one before.
    void save(auto& out) {
        std::vector<root const*> shown(versions_.history().begin(), versions_.history().end());
        shown.push_back(versions_.current());
        auto const working = rows_->version();
        out.write(swept_).write(maker_.version).write(static_cast<std::uint64_t>(shown.size()));
        detail::version_rows<K, V> const* before = nullptr;
        std::uint64_t version = 0;
        for (auto const* const each : shown) {
            detail::write_served_at(out, each->at);
            save_changes(out, before, version, each->rows);
            before = &each->rows;
            version = each->at.version;
        }
        save_changes(out, before, version, working);
    }
    void save_changes(auto& out, detail::version_rows<K, V> const* before, std::uint64_t version,
        detail::version_rows<K, V> const& after) {
        std::vector<ref> written;
        std::vector<ref> removed;
        if (before == nullptr) {
            after.for_each([&](ref const& each) { written.push_back(each); });
        } else {
            detail::version_rows<K, V>::compare(
                *before, version, after, [&](ref const& each) { written.push_back(each); },
                [&](ref const& each) { removed.push_back(each); });
        }
        out.write(static_cast<std::uint64_t>(written.size()));
        for (auto const& each : written)
            out.write(each.key()).write(each.window).write(*each.value).write(each.state.bits);
        out.write(static_cast<std::uint64_t>(removed.size()));
        for (auto const& each : removed) out.write(each.key()).write(each.window);
    }
    void load(auto& in) {
        bool const anew = versions_.current()->at.version == 0;
        auto const* const filter = detail::left_out::current();
        auto const dropped = filter == nullptr ? 0 : filter->dropped();
        std::apply([](auto&... index) { (index.rows.clear(), ...); }, *indexes_);
        rows_->clear();
        std::uint64_t version = 0;
        std::uint64_t count = 0;
        in.read(swept_).read(version).read(count);
        for (; count != 0; --count) {
            auto at = detail::read_served_at(in);
            if (anew && at.version != 0) maker_.version = at.version;
            load_changes(in, anew);
            if (anew && at.version != 0) publish(std::move(at), clock());
        }
        if (anew && maker_.version < version) maker_.version = version;
        load_changes(in, anew);
        changed_ = true;
        without_history_ = !anew && filter != nullptr && filter->dropped() != dropped;  // that shows what was left out
    }
    /// A view that has shown rows before shows these as written now: versions that it had are not shown again.
    void load_changes(auto& in, bool anew) {
        K key{};
        time_window window;
        std::uint64_t count = 0;
        in.read(count);
        for (; count != 0; --count) {
            V value{};
            detail::row_state state;
            in.read(key).read(window).read(value).read(state.bits);
            if (auto* const filter = detail::left_out::current();
                filter != nullptr && detail::names_erased(*filter, key, value)) {
                filter->note_dropped();
                rows_->remove(key, window, [this](ref const& old) { take_out(old); });
                continue;
            }
            if (!anew) state.bits = (state.bits & 0xff) | maker_.version << 8;
            put(key, window, value, state);
        }
        in.read(count);
        for (; count != 0; --count) {
            in.read(key).read(window);
            rows_->remove(key, window, [this](ref const& old) { take_out(old); });
        }
    }
};
}  // namespace driftless::inline v0
#endif
