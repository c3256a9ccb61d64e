// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_RECORD_JOIN_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_RECORD_JOIN_STAGE_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/core/services.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/op/detail/join_ports.hpp>

#include <cstddef>
#include <cstdint>
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
    DRIFTLESS_INLINE void row(context<Key> const& ctx, std::uint64_t, Row const& made) {
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

/// The stage of a join of records: a core that reports to the next stage.
///
/// Core    on_record<I>(ctx, record, hash, out), on_watermarks(marks, out), held_back(), and what visitors ask for
template <class Core, class LateLeft, class LateRight, class Next>
class record_join_stage : public forwarding<Next> {
    using forwarding<Next>::next_;

    Core core_;
    [[no_unique_address]] LateLeft late_left_;
    [[no_unique_address]] LateRight late_right_;
    run_services* services_;
    std::size_t since_settled_ = 0;

public:
    static constexpr bool deadline_moves = false;

    record_join_stage(Next next, Core core, LateLeft late_left, LateRight late_right, run_services* services)
        : forwarding<Next>(std::move(next)),
          core_(std::move(core)),
          late_left_(std::move(late_left)),
          late_right_(std::move(late_right)),
          services_(services) {}

    template <std::size_t I, class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        auto out = output();
        core_.template on_record<I>(ctx, record, canonical_hash(*ctx.key), out);
    }
    static constexpr bool can_look_ahead = requires(Core const& core) { core.looks_ahead(); };
    [[nodiscard]] bool looks_ahead() const { return core_.looks_ahead(); }
    template <std::size_t I, class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const&) const {
        core_.template prefetch<I>(canonical_hash(*ctx.key));
    }
    void on_watermarks(input_watermarks const& now) {
        auto out = output();
        if (core_.on_watermarks(now, out)) next_.on_watermark(now.both - core_.held_back());
    }
    void settle() {
        since_settled_ = 0;
        next_.settle();
    }
    [[nodiscard]] event_time deadline(std::size_t input) const {
        auto const own = core_.deadline(input);
        auto const theirs = next_.deadline() + core_.held_back();
        return own < theirs ? own : theirs;
    }
    void visit_state(auto&& visit) {
        visit("join", *this);
        next_.visit_state(visit);
    }

    /// For visitors: the books, and the state as bytes.
    [[nodiscard]] account const& books() const noexcept { return core_.books(); }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return core_.state_bytes(); }
    void save_state(auto& out) { Core::save(&core_, 1, out); }
    void load_state(auto& in) { Core::load(&core_, 1, in); }

private:
    DRIFTLESS_INLINE auto output() {
        return direct_join_output<Next, LateLeft, LateRight>{
            next_, late_left_, late_right_, services_, core_.label(), since_settled_};
    }
};
}  // namespace driftless::inline v0::detail
#endif
