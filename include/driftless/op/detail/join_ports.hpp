// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_JOIN_PORTS_HPP
#define DRIFTLESS_OP_DETAIL_JOIN_PORTS_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/time/watermark_valve.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

// What operators over two inputs of different types are made of. The description derives from two_inputs<Left, Right>
// and has, besides what every root has,
//   template <class Mode> auto bind(auto next, auto const& place) const
// which makes a stage around its successor. That stage derives from forwarding<Next> and says, in place of the calls
// that know of one input only,
//   on_record<I>(ctx, record)       a record of input I, 0 being the left one
//   on_change<I>(ctx, change)       a row of input I that changed
//   on_watermarks(marks)            a watermark has grown; what goes on to the successor is the stage's to say
//   deadline(input)                 the least watermark of this input at which anything can change
//   prefetch<I>(ctx, record)        if it can_look_ahead
// Other calls come once for both inputs, on_end() when both have ended; on_chunk() and settle() may come twice.

namespace driftless::inline v0::detail {
/// The watermarks of two inputs: each one's own, by which its records are late, and the one that may go on.
///
/// An input that is idle, or that is back and behind, is taken to be where both are; one that has ended is at +inf.
struct input_watermarks {
    event_time of[2] = {event_time::min(), event_time::min()};
    event_time both = event_time::min();

    friend constexpr bool operator==(input_watermarks const&, input_watermarks const&) = default;
};

/// Owned by the job, at a stable address: a stage with two inputs, and the watermarks of these.
template <class Stage>
class join_node {
    Stage stage_;
    watermark_valve valve_{2};
    input_watermarks told_;
    bool quiet_ = false;
    std::uint64_t ended_ = 0;
    unsigned told_epoch_ = 0;  // inputs that have said that an epoch is complete

public:
    static constexpr bool deadline_moves = Stage::deadline_moves;
    static constexpr bool wants_epochs = Stage::wants_epochs;
    static constexpr bool can_look_ahead = Stage::can_look_ahead;

    explicit join_node(Stage stage) : stage_(std::move(stage)) {}

    [[nodiscard]] Stage& stage() noexcept { return stage_; }
    [[nodiscard]] Stage const& stage() const noexcept { return stage_; }

    void on_watermark(std::size_t input, event_time watermark) {
        if (watermark == event_time::max()) valve_.end(input);
        else valve_.advance(input, watermark);
        moved();
    }
    void on_idle(std::size_t input, bool idle) {
        if (idle) valve_.idle(input);
        else valve_.resume(input);
        moved();
    }
    /// The inputs have moved on, each from where it was; so does what they are together.
    void on_quiet(duration step) {
        if (auto const to = valve_.output() + step; quiet_ && to < event_time::max()) {
            valve_.raise(to);
            moved();
        }
        stage_.on_quiet(step);
    }
    /// An epoch is complete when both inputs have said so.
    void on_epoch(std::uint64_t epoch) {
        if (++told_epoch_ % 2 == 0) stage_.on_epoch(epoch);
    }
    void on_end() {
        if (++ended_ == 2) stage_.on_end();
    }
    void visit_state(auto&& visit) {
        visit("inputs", valve_);
        visit("quiet", quiet_);
        visit("ended", ended_);
        told_ = marks();
        stage_.visit_state(visit);
    }

private:
    [[nodiscard]] event_time watermark_of(std::size_t input) const {
        if (valve_.has_ended(input)) return event_time::max();
        auto const own = valve_.watermark_of(input);
        return own < valve_.output() ? valve_.output() : own;
    }
    [[nodiscard]] input_watermarks marks() const {
        return {{watermark_of(0), watermark_of(1)}, valve_.output()};
    }
    void moved() {
        if (auto const now = marks(); now != told_) {
            told_ = now;
            stage_.on_watermarks(now);
        }
        bool const quiet = valve_.quiet() && valve_.output() != event_time::max();
        if (quiet != quiet_) stage_.on_idle(quiet);
        quiet_ = quiet;
    }
};

/// The end of the chain of input I.
template <class Node, std::size_t I>
class join_port {
    Node* node_;

public:
    static constexpr bool deadline_moves = Node::deadline_moves;
    static constexpr bool tight = false;
    static constexpr bool wants_epochs = Node::wants_epochs;
    static constexpr bool can_look_ahead = Node::can_look_ahead;
    static constexpr bool guards_time = false;  // a guard behind it judges other records
    static constexpr bool aligns = false;  // nor is what has passed a join anybody's progress
    static constexpr bool meets_others = true;

    explicit constexpr join_port(Node* node) : node_(node) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        node_->stage().template on_record<I>(ctx, record);
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_change(Ctx const& ctx, change<T> const& row) {
        node_->stage().template on_change<I>(ctx, row);
    }
    [[nodiscard]] bool looks_ahead() const { return node_->stage().looks_ahead(); }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const& record) const {
        node_->stage().template prefetch<I>(ctx, record);
    }
    void on_watermark(event_time watermark) { node_->on_watermark(I, watermark); }
    // Partitions are the inputs' affair: behind a join there are none.
    void on_partition(std::uint32_t) {}
    void on_partition_end(std::uint32_t) {}
    void on_partition_idle(std::uint32_t, bool) {}
    void on_quiet(duration step) {
        if constexpr (I == 0) node_->on_quiet(step);
    }
    void on_chunk() { node_->stage().on_chunk(); }
    void settle() { node_->stage().settle(); }
    void on_epoch(std::uint64_t epoch) { node_->on_epoch(epoch); }
    void on_idle(bool idle) { node_->on_idle(I, idle); }
    void on_clock(event_time now) {
        if constexpr (I == 0) node_->stage().on_clock(now);
    }
    void on_end() { node_->on_end(); }
    [[nodiscard]] event_time deadline() const { return node_->stage().deadline(I); }
    [[nodiscard]] event_time clock_deadline() const { return node_->stage().clock_deadline(); }
    /// The node is visited once, through its first port.
    void visit_state(auto&& visit) {
        if constexpr (I == 0) node_->visit_state(visit);
    }
};

/// What the descriptions of operators over two inputs have in common.
template <class Left, class Right>
struct two_inputs {
    using is_fan_in = void;
    using makes_records = void;  // what comes out are other records than went in
    using first_type = Left;
    using left_stream = output_of<Left>;
    using right_stream = output_of<Right>;

    std::tuple<Left, Right> inputs;

    /// What an operator behind it finds upstream (windows are the same in both).
    [[nodiscard]] constexpr Left const& first_input() const { return std::get<0>(inputs); }

    template <class Stage>
    using node_t = join_node<Stage>;
    template <class Node, std::size_t I>
    using port_t = join_port<Node, I>;

protected:
    /// Where refused records of input I go: the late_to(...) in its own chain.
    template <std::size_t I, class Place>
    [[nodiscard]] auto late_output_of(Place const& at) const {
        auto const& input = std::get<I>(inputs);
        using input_type = std::remove_cvref_t<decltype(input)>;
        return late_output<output_of<input_type>>(
            place<input_type, std::remove_reference_t<decltype(at.builder)>>{input, at.builder, at.label});
    }
};
}  // namespace driftless::inline v0::detail
#endif
