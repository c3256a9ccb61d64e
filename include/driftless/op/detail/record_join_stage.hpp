// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_RECORD_JOIN_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_RECORD_JOIN_STAGE_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/core/services.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/op/detail/join_shards.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Hands what the core of a join reports straight to the next stage, and what it refuses to the late outputs.
template <class Next, class LateLeft, class LateRight>
struct direct_join_output {
    Next& next;
    LateLeft& late_left;
    LateRight& late_right;
    run_services* services;
    operator_label label;
    std::size_t& since_settled;

    template <class Key, class Row>
    DRIFTLESS_INLINE void row(context<Key> const& ctx, std::uint64_t, Row const& made, std::uint8_t = 0) {
        next.on_record(ctx, made);
        if (++since_settled == burst_limit) [[unlikely]] {
            next.settle();
            since_settled = 0;
        }
    }
    template <std::size_t I, class Ctx, class T>
    void refused(Ctx const& ctx, T const& record) {
        if constexpr (I == 0) late_left.on_record(ctx, record);
        else late_right.on_record(ctx, record);
    }
    void threw(origin from) { services->user_function_threw(label, from); }
};

/// The stage of a join of records: a core that reports to the next stage; with threads, a core per shard.
///
/// Core    on_record<I>(ctx, record, hash, out), on_watermarks(marks, out), held_back(), and what visitors ask for
/// Shards  join_shards<...>, or void for a join that runs on one thread
template <class Core, class Shards, class LateLeft, class LateRight, class Next>
class record_join_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    static constexpr bool may_shard = !std::is_void_v<Shards>;
    /// Owned, at a stable address, absent from moves.
    class owned_shards {
        Shards* group_;

    public:
        explicit owned_shards(Shards* made) : group_(made) {}
        owned_shards(owned_shards&& other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
        owned_shards& operator=(owned_shards&&) = delete;
        ~owned_shards() {
            if constexpr (may_shard) delete group_;
        }
        [[nodiscard]] Shards* get() const noexcept { return group_; }
    };

    Core core_;  // with shards: keeps the time alone
    [[no_unique_address]] LateLeft late_left_;
    [[no_unique_address]] LateRight late_right_;
    run_services* services_;
    std::size_t since_settled_ = 0;
    owned_shards shards_;

public:
    static constexpr bool deadline_moves = false;
    static constexpr bool evolves_state = Core::evolves_state;

    record_join_stage(Next next, Core core, LateLeft late_left, LateRight late_right, run_services* services)
        : forwarding<Next>(std::move(next)),
          core_(std::move(core)),
          late_left_(std::move(late_left)),
          late_right_(std::move(late_right)),
          services_(services),
          shards_([&]() -> Shards* {
              if constexpr (may_shard) {
                  if (services->threads != nullptr) return new Shards{core_, services->threads};
              }
              return nullptr;
          }()) {}

    template <std::size_t I, class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        auto out = output();
        auto const hash = canonical_hash(*ctx.key);
        if constexpr (may_shard) {
            if (sharded()) [[unlikely]]
                return shards_.get()->template on_record<I>(ctx, record, hash, out, hand_on());
        }
        core_.template on_record<I>(ctx, record, hash, out);
    }
    static constexpr bool can_look_ahead = requires(Core const& core) { core.looks_ahead(); };
    [[nodiscard]] bool looks_ahead() const { return core_.looks_ahead(); }
    template <std::size_t I, class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const&) const {
        core_.template prefetch<I>(canonical_hash(*ctx.key));
    }
    void on_watermarks(input_watermarks const& now) {
        auto out = output();
        bool const grown = core_.on_watermarks(now, out);
        if constexpr (may_shard) {
            if (sharded()) return shards_.get()->on_watermarks(now, grown, out, hand_on());
        }
        if (grown) hand_on()(now);
    }
    void settle() {
        since_settled_ = 0;
        next_.settle();
    }
    void on_chunk() {
        wait_for_shards();
        next_.on_chunk();
    }
    void on_idle(bool idle) {
        wait_for_shards();
        next_.on_idle(idle);
    }
    void on_quiet(duration step) {
        wait_for_shards();
        next_.on_quiet(step);
    }
    void on_clock(event_time now) {
        wait_for_shards();
        next_.on_clock(now);
    }
    void on_epoch(std::uint64_t epoch) {
        wait_for_shards();
        next_.on_epoch(epoch);
    }
    void on_end() {
        wait_for_shards();
        next_.on_end();
    }
    [[nodiscard]] event_time deadline(std::size_t input) const {
        auto const own = core_.deadline(input);
        auto const theirs = next_.deadline() + core_.held_back();
        return own < theirs ? own : theirs;
    }
    void visit_state(auto&& visit) {
        wait_for_shards();
        visit("join", *this);
        next_.visit_state(visit);
    }

    /// For visitors: the books, and the state as bytes that do not depend on the number of threads.
    [[nodiscard]] account books() const noexcept {
        if constexpr (may_shard) {
            if (sharded()) return shards_.get()->books();
        }
        return core_.books();
    }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        if constexpr (may_shard) {
            if (sharded()) return shards_.get()->state_bytes();
        }
        return core_.state_bytes();
    }
    void save_state(auto& out) {
        if constexpr (may_shard) {
            if (sharded()) return shards_.get()->save(out);
        }
        Core::save(&core_, 1, out);
    }
    void load_state(auto& in) {
        if constexpr (may_shard) {
            if (sharded()) {
                shards_.get()->load(in);
                core_.keep_time_of(shards_.get()->any_core());
                return;
            }
        }
        Core::load(&core_, 1, in);
    }

private:
    [[nodiscard]] DRIFTLESS_INLINE bool sharded() const noexcept { return shards_.get() != nullptr; }
    /// With shards: everything so far is applied and has gone on.
    void wait_for_shards() {
        if constexpr (may_shard) {
            if (!sharded()) return;
            auto out = output();
            shards_.get()->flush(out, hand_on());
        }
    }
    DRIFTLESS_INLINE auto hand_on() {
        return [this](input_watermarks const& now) { next_.on_watermark(now.both - core_.held_back()); };
    }
    DRIFTLESS_INLINE auto output() {
        return direct_join_output<Next, LateLeft, LateRight>{
            next_, late_left_, late_right_, services_, core_.label(), since_settled_};
    }
};

/// The stage of a join around a core. A row that has no codec may borrow in ways that nobody knows: then the join runs
/// on one thread.
template <class Mode, class Left, class Right, class Next, class Core, class LateLeft, class LateRight>
auto make_record_join(Next next, Core core, LateLeft late_left, LateRight late_right, run_services* services) {
    constexpr bool shards = Mode::threads && encodable<typename Core::output_type>;
    using group = typename std::conditional_t<shards, std::type_identity<join_shards<Core, Left, Right>>,
        std::type_identity<void>>::type;
    return record_join_stage<Core, group, LateLeft, LateRight, Next>{
        std::move(next), std::move(core), std::move(late_left), std::move(late_right), services};
}
}  // namespace driftless::inline v0::detail
#endif
