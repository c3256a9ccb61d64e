// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_DEDUP_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_DEDUP_STAGE_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/time.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/window_tables.hpp>
#include <driftless/time/window.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// What became of a record.
enum class sighting : std::uint8_t {
    first,
    duplicate,
    full
};

/// Ids that are remembered for a time, each with the time of the record that passed.
///
/// Time is cut into slices as long as the time to live, with a table each. Two records of one id in a slice are less
/// than that apart, so a slice has an id once; a record is a duplicate of one in its own slice, or maybe of one in the
/// slices before and behind. The watermark drops whole slices.
template <class Id, bool Exact>
class ids_in_time {
    using table = keyed_table<Id, event_time>;

    duration ttl_;
    duration lateness_;
    event_time watermark_ = event_time::min();
    window_tables<table> slices_;
    // The slice of the last record, and its neighbours; null where there is none.
    time_window near_{event_time::max(), event_time::max()};
    table* before_ = nullptr;
    typename window_tables<table>::open_window* at_ = nullptr;
    table* behind_ = nullptr;

public:
    ids_in_time(duration ttl, duration lateness) : ttl_(ttl), lateness_(Exact ? duration{} : lateness) {}

    [[nodiscard]] DRIFTLESS_INLINE bool late(event_time at) const noexcept {
        if constexpr (Exact) return false;
        else return watermark_ > at + lateness_;
    }
    DRIFTLESS_INLINE sighting look(Id const& id, std::uint64_t hash, event_time at) {
        if (at < near_.start || at >= near_.end) [[unlikely]]
            come_near(at);
        if (at_ != nullptr && at_->table.find(id, hash) != nullptr) return sighting::duplicate;
        if (before_ != nullptr) {
            if (auto const* const other = before_->find(id, hash); other != nullptr && at - *other < ttl_)
                return sighting::duplicate;
        }
        if (behind_ != nullptr) [[unlikely]] {
            if (auto const* const other = behind_->find(id, hash); other != nullptr && *other - at < ttl_)
                return sighting::duplicate;
        }
        if (at_ == nullptr) [[unlikely]]
            at_ = &slices_.open(near_, false);
        static_cast<void>(at_->change().insert(id, hash, [at] { return at; }));
        return sighting::first;
    }
    DRIFTLESS_INLINE void prefetch(std::uint64_t hash, event_time at) const noexcept {
        if (at_ != nullptr) at_->table.prefetch(hash);
        if (before_ != nullptr && at < near_.end) before_->prefetch(hash);
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

    void save(auto& out) {
        out.write(watermark_);
        save_windows(1, [this](std::size_t) -> auto const& { return slices_; }, out);
    }
    void load(auto& in) {
        in.read(watermark_);
        slices_.clear();
        forget_near();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto& into = slices_.open(in.template read<time_window>(), false).table;
            load_entries<Id, event_time>(
                in.template read<std::uint64_t>(), in, [&](std::uint64_t) -> auto& { return into; });
        }
        slices_.set_restored();
    }

private:
    /// When no record that is not late can be a duplicate of one in the slice.
    [[nodiscard]] event_time drops_at(time_window const& slice) const noexcept {
        return slice.max_timestamp() + ttl_ + lateness_;
    }
    void forget_near() noexcept {
        near_ = {event_time::max(), event_time::max()};
        before_ = behind_ = nullptr;
        at_ = nullptr;
    }
    DRIFTLESS_NOINLINE void come_near(event_time at) {
        near_ = tumbling{ttl_}.assign(at);
        auto const place = slices_.find(near_);
        at_ = place != slices_.size() ? &slices_[place] : nullptr;
        before_ = slices_.table_of({near_.start - ttl_, near_.start});
        behind_ = slices_.table_of({near_.end, near_.end + ttl_});
    }
};

/// Ids that are never forgotten, at most so many.
template <class Id>
class ids_for_ever {
    struct nothing {
        void save(auto&) const {}
        void load(auto&) {}
    };
    std::uint64_t most_;
    keyed_table<Id, nothing> all_;

public:
    explicit ids_for_ever(std::uint64_t most) : most_(most) {}

    [[nodiscard]] constexpr bool late(event_time) const noexcept { return false; }
    DRIFTLESS_INLINE sighting look(Id const& id, std::uint64_t hash, event_time) {
        if (all_.find(id, hash) != nullptr) return sighting::duplicate;
        if (all_.size() >= most_) return sighting::full;
        static_cast<void>(all_.insert(id, hash, [] { return nothing{}; }));
        return sighting::first;
    }
    DRIFTLESS_INLINE void prefetch(std::uint64_t hash, event_time) const noexcept { all_.prefetch(hash); }
    constexpr void on_watermark(event_time) const noexcept {}
    [[nodiscard]] constexpr event_time deadline() const noexcept { return event_time::max(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return all_.bytes(); }

    void save(auto& out) {
        out.write(static_cast<std::uint64_t>(all_.size()));
        all_.save_entries(out);
    }
    void load(auto& in) {
        all_.clear();
        load_entries<Id, nothing>(in.template read<std::uint64_t>(), in, [&](std::uint64_t) -> auto& { return all_; });
    }
};

/// Hands on the first record of each id.
///
/// Memory      which ids there have been: ids_in_time, ids_for_ever
template <class F, class Memory, class Late, class Removed, class Next>
class dedup_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    /// Bytes of tables up to which looking ahead costs more than it saves.
    static constexpr std::size_t fits_cache = std::size_t{1} << 20;

    [[no_unique_address]] F id_of_;
    Memory memory_;
    [[no_unique_address]] Late late_;
    [[no_unique_address]] Removed removed_;
    account account_;
    run_services* services_;

public:
    static constexpr bool tight = false;
    static constexpr bool can_look_ahead = F::members_only;

    dedup_stage(Next next, F id_of, Memory memory, Late late, Removed removed, operator_label label,
        run_services* services)
        : looking_through<Next>(std::move(next)),
          id_of_(std::move(id_of)),
          memory_(std::move(memory)),
          late_(std::move(late)),
          removed_(std::move(removed)),
          account_{.label = label},
          services_(services) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        if (memory_.late(ctx.at)) [[unlikely]] {
            account_.refuse(reason::late);
            return late_.on_record(ctx, record);
        }
        sighting said = sighting::full;
        if (!look(ctx, record, said)) return account_.refuse(reason::failed);
        if (said == sighting::first) {
            ++account_.applied;
            next_.on_record(ctx, record);
        } else if (said == sighting::duplicate) {
            account_.refuse(reason::duplicate);
            removed_.on_record(ctx, record);
        } else {
            account_.refuse(reason::capacity);
        }
    }
    [[nodiscard]] bool looks_ahead() const {
        if (memory_.bytes() > fits_cache) return true;
        if constexpr (Next::can_look_ahead) return next_.looks_ahead();
        else return false;
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const& record) const {
        if constexpr (can_look_ahead) memory_.prefetch(canonical_hash(id_of_(record)), ctx.at);
        if constexpr (Next::can_look_ahead) next_.prefetch(ctx, record);
    }
    void on_watermark(event_time watermark) {
        memory_.on_watermark(watermark);
        next_.on_watermark(watermark);
    }
    [[nodiscard]] event_time deadline() const {
        auto const own = memory_.deadline();
        auto const theirs = next_.deadline();
        return own < theirs ? own : theirs;
    }
    void visit_state(auto&& visit) {
        visit("dedup", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return memory_.bytes(); }
    void save_state(auto& out) {
        out.write(account_.applied);
        for (auto const each : account_.refused) out.write(each);
        memory_.save(out);
    }
    void load_state(auto& in) {
        in.read(account_.applied);
        for (auto& each : account_.refused) in.read(each);
        memory_.load(in);
    }

private:
    /// False if the function that finds the id threw.
    template <class Ctx, class T>
    DRIFTLESS_INLINE bool look(Ctx const& ctx, T const& record, sighting& said) {
        using yielded = decltype(id_of_(record));
        if constexpr (std::is_lvalue_reference_v<yielded> && noexcept(id_of_(record))) {
            said = look_up(id_of_(record), ctx.at);
            return true;
        } else {
            std::optional<std::remove_cvref_t<yielded>> id;
            if (!guarded(services_, account_.label, ctx, [&] { id.emplace(id_of_(record)); })) return false;
            said = look_up(*id, ctx.at);
            return true;
        }
    }
    template <class Id>
    DRIFTLESS_INLINE sighting look_up(Id const& id, event_time at) {
        return memory_.look(id, canonical_hash(id), at);
    }
};
}  // namespace driftless::inline v0::detail
#endif
