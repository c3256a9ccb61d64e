// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_DEDUP_MEMORY_HPP
#define DRIFTLESS_OP_DETAIL_DEDUP_MEMORY_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/window_tables.hpp>
#include <driftless/time/window.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// The time by which an id is remembered: that of the first record of its group.
DRIFTLESS_INLINE constexpr event_time anchor_of(event_time at) noexcept { return at; }
template <class State>
DRIFTLESS_INLINE constexpr event_time anchor_of(State const& state) noexcept {
    return state.anchor;
}

/// Ids that are remembered for a time, each with what is known of its group: the records that are less than the time to
/// live from the first of them.
///
/// Time is cut into slices as long as the time to live, with a table each. Two groups of one id are at least that
/// apart, so a slice has an id once; a record belongs to a group in its own slice, or maybe to one in the slices before
/// and behind. The watermark drops whole slices.
template <class Id, class State, bool Exact>
class ids_in_time {
    using table = keyed_table<Id, State>;
    using slice = typename window_tables<table>::open_window;
    /// A record may be near two groups. Where it matters to which of them it belongs, it is the one with the lesser
    /// time, so that nobody sees where slices begin.
    static constexpr bool tells_groups = !std::is_same_v<State, event_time>;

    duration ttl_;
    duration lateness_;
    event_time watermark_ = event_time::min();
    window_tables<table> slices_;
    // The slice of the last record, and its neighbours; null where there is none.
    time_window near_{event_time::max(), event_time::max()};
    slice* before_ = nullptr;
    slice* at_ = nullptr;
    slice* behind_ = nullptr;

public:
    using state_type = State;

    ids_in_time(duration ttl, duration lateness) : ttl_(ttl), lateness_(Exact ? duration{} : lateness) {}
    /// Another shard of the same, empty.
    [[nodiscard]] ids_in_time fresh() const { return {ttl_, lateness_}; }

    [[nodiscard]] DRIFTLESS_INLINE bool late(event_time at) const noexcept {
        if constexpr (Exact) return false;
        else return watermark_ > at + lateness_;
    }
    /// The group of an id to which a record at that time belongs, or null. `Change` says that it is to be changed.
    template <bool Change = false>
    DRIFTLESS_INLINE State* find(Id const& id, std::uint64_t hash, event_time at) {
        if (at < near_.start || at >= near_.end) [[unlikely]]
            come_near(at);
        if constexpr (tells_groups) {
            if (auto* const there = find_before<Change>(id, hash, at)) return there;
            if (auto* const there = find_in<Change>(at_, id, hash)) return there;
        } else {
            if (auto* const there = find_in<Change>(at_, id, hash)) return there;
            if (auto* const there = find_before<Change>(id, hash, at)) return there;
        }
        if (behind_ != nullptr) [[unlikely]] {
            auto* const there = find_in<Change>(behind_, id, hash);
            if (there != nullptr && anchor_of(*there) - at < ttl_) return there;
        }
        return nullptr;
    }
    /// Begins a group with a record of that time; find() has just said that it belongs to none. False if there is no
    /// room.
    template <class Init>
    DRIFTLESS_INLINE bool add(Id const& id, std::uint64_t hash, Init const& init) {
        if (at_ == nullptr) [[unlikely]]
            at_ = &slices_.open(near_, false);
        static_cast<void>(at_->change().insert(id, hash, init));
        return true;
    }
    DRIFTLESS_INLINE void prefetch(std::uint64_t hash, event_time at) const noexcept {
        if (at_ != nullptr) at_->table.prefetch(hash);
        if (before_ != nullptr && at < near_.end) before_->table.prefetch(hash);
    }
    void on_watermark(event_time watermark) {
        if (watermark < watermark_) return;  // a promise is not taken back
        watermark_ = watermark;
        bool dropped = false;
        for (; slices_.size() != 0 && drops_at(slices_[0].window) <= watermark; dropped = true) slices_.close_first();
        if (dropped) forget_near();
    }
    /// The next watermark that changes what is late, or frees memory.
    [[nodiscard]] event_time deadline() const noexcept {
        if constexpr (!Exact) return event_time::min();
        else return slices_.size() != 0 ? drops_at(slices_[0].window) : event_time::max();
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return slices_.bytes(); }

    /// All of n shards, which hold ascending ranges of hashes: the same bytes whatever their number.
    static void save(ids_in_time const* shards, std::size_t n, auto& out) {
        out.write(shards[0].watermark_);
        save_windows(n, [shards](std::size_t i) -> auto const& { return shards[i].slices_; }, out);
    }
    static void load(ids_in_time* shards, std::size_t n, auto& in) {
        auto const watermark = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) {
            shards[i].watermark_ = watermark;
            shards[i].slices_.clear();
            shards[i].forget_near();
        }
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const window = in.template read<time_window>();
            load_entries<Id, State>(in.template read<std::uint64_t>(), in, [&](std::uint64_t hash) -> auto& {
                auto& of = shards[shard_of(hash, n)];
                if (of.at_ == nullptr || of.at_->window != window) of.at_ = &of.slices_.open(window, false);
                return of.at_->table;
            });
        }
        for (std::size_t i = 0; i < n; ++i) {
            shards[i].forget_near();
            shards[i].slices_.set_restored();
        }
    }

private:
    template <bool Change>
    DRIFTLESS_INLINE static State* find_in(slice* in, Id const& id, std::uint64_t hash) {
        if (in == nullptr) return nullptr;
        State* const there = in->table.find(id, hash);
        if constexpr (Change) {
            if (there != nullptr) static_cast<void>(in->change());
        }
        return there;
    }
    template <bool Change>
    DRIFTLESS_INLINE State* find_before(Id const& id, std::uint64_t hash, event_time at) const {
        State* const there = find_in<Change>(before_, id, hash);
        return there != nullptr && at - anchor_of(*there) < ttl_ ? there : nullptr;
    }
    /// When no record that is not late can belong to a group in the slice.
    [[nodiscard]] event_time drops_at(time_window const& of) const noexcept {
        return of.max_timestamp() + ttl_ + lateness_;
    }
    void forget_near() noexcept {
        near_ = {event_time::max(), event_time::max()};
        before_ = at_ = behind_ = nullptr;
    }
    [[nodiscard]] slice* open_at(time_window const& window) const noexcept {
        auto const place = slices_.find(window);
        return place != slices_.size() ? &slices_[place] : nullptr;
    }
    DRIFTLESS_NOINLINE void come_near(event_time at) {
        near_ = tumbling{ttl_}.assign(at);
        at_ = open_at(near_);
        before_ = open_at({near_.start - ttl_, near_.start});
        behind_ = open_at({near_.end, near_.end + ttl_});
    }
};

/// What is known of an id of which nothing has to be known.
struct known_id {
    void save(auto&) const {}
    void load(auto&) {}
};

/// Ids that are never forgotten, at most so many.
template <class Id, class State>
class ids_for_ever {
    std::uint64_t most_;
    keyed_table<Id, State> all_;

public:
    using state_type = State;

    explicit ids_for_ever(std::uint64_t most) : most_(most) {}
    [[nodiscard]] ids_for_ever fresh() const { return ids_for_ever{most_}; }

    [[nodiscard]] constexpr bool late(event_time) const noexcept { return false; }
    template <bool Change = false>
    DRIFTLESS_INLINE State* find(Id const& id, std::uint64_t hash, event_time) {
        return all_.find(id, hash);
    }
    template <class Init>
    DRIFTLESS_INLINE bool add(Id const& id, std::uint64_t hash, Init const& init) {
        if (all_.size() >= most_) return false;
        static_cast<void>(all_.insert(id, hash, init));
        return true;
    }
    DRIFTLESS_INLINE void prefetch(std::uint64_t hash, event_time) const noexcept { all_.prefetch(hash); }
    constexpr void on_watermark(event_time) const noexcept {}
    [[nodiscard]] constexpr event_time deadline() const noexcept { return event_time::max(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return all_.bytes(); }

    static void save(ids_for_ever* shards, std::size_t n, auto& out) {
        std::uint64_t size = 0;
        for (std::size_t i = 0; i < n; ++i) size += shards[i].all_.size();
        out.write(size);
        for (std::size_t i = 0; i < n; ++i) shards[i].all_.save_entries(out);
    }
    static void load(ids_for_ever* shards, std::size_t n, auto& in) {
        for (std::size_t i = 0; i < n; ++i) shards[i].all_.clear();
        load_entries<Id, State>(in.template read<std::uint64_t>(), in,
            [&](std::uint64_t hash) -> auto& { return shards[shard_of(hash, n)].all_; });
    }
};
}  // namespace driftless::inline v0::detail
#endif
