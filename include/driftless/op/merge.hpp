// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_MERGE_HPP
#define DRIFTLESS_OP_MERGE_HPP

#include <driftless/core/pipeline.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/time/watermark_valve.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Owned by the job, at a stable address: what follows a merge, and the watermark of each input.
template <bool Changes, std::size_t Inputs, class Next>
class merge_node {
    Next next_;
    watermark_valve valve_{Inputs};
    bool quiet_ = false;
    std::uint64_t ended_ = 0;
    std::size_t told_ = 0;  // inputs that have said that an epoch is complete

public:
    static constexpr bool deadline_moves = Next::deadline_moves;
    static constexpr bool tight = false;
    static constexpr bool wants_epochs = Next::wants_epochs;
    static constexpr bool can_look_ahead = false;
    static constexpr bool guards_time = Next::guards_time;
    static constexpr bool aligns = Next::aligns;

    explicit constexpr merge_node(Next next) : next_(std::move(next)) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        if constexpr (Changes) next_.on_change(ctx, change<T>{nullptr, &record});
        else next_.on_record(ctx, record);
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        next_.on_change(ctx, row);
    }
    /// The watermark of a merge is the least of its inputs' that are active and aligned.
    constexpr void on_watermark(std::size_t input, event_time watermark) {
        moved(watermark == event_time::max() ? valve_.end(input) : valve_.advance(input, watermark));
    }
    constexpr void on_idle(std::size_t input, bool idle) { moved(idle ? valve_.idle(input) : valve_.resume(input)); }
    /// The inputs have moved on, each from where it was; so does the merge.
    constexpr void on_quiet(duration step) {
        auto const before = valve_.output();
        if (auto const to = before + step; quiet_ && to < event_time::max()) {
            valve_.raise(to);
            moved(valve_.output() > before);
        }
        next_.on_quiet(step);
    }
    /// An epoch is complete when all inputs have said so: what one record brought on the ways of a diamond is together.
    constexpr void on_epoch(std::uint64_t epoch) {
        if (++told_ % Inputs == 0) next_.on_epoch(epoch);
    }
    constexpr void on_end() {
        if (++ended_ == Inputs) next_.on_end();
    }
    constexpr Next& next() noexcept { return next_; }
    constexpr Next const& next() const noexcept { return next_; }
    constexpr void visit_state(auto&& visit) {
        visit("inputs", valve_);
        visit("quiet", quiet_);
        visit("ended", ended_);
        next_.visit_state(visit);
    }

private:
    constexpr void moved(bool grown) {
        if (grown) next_.on_watermark(valve_.output());
        bool const quiet = valve_.quiet() && valve_.output() != event_time::max();
        if (quiet != quiet_) next_.on_idle(quiet);
        quiet_ = quiet;
    }
};

/// The end of one input's chain: stands for input I of the node.
template <class Node, std::size_t I>
class merge_port {
    Node* node_;

public:
    static constexpr bool deadline_moves = Node::deadline_moves;
    static constexpr bool tight = false;
    static constexpr bool wants_epochs = Node::wants_epochs;
    static constexpr bool can_look_ahead = false;
    static constexpr bool guards_time = Node::guards_time;
    static constexpr bool aligns = Node::aligns;
    static constexpr bool meets_others = true;

    explicit constexpr merge_port(Node* node) : node_(node) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        node_->on_record(ctx, record);
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        node_->on_change(ctx, row);
    }
    constexpr void on_watermark(event_time watermark) { node_->on_watermark(I, watermark); }
    // Partitions are the inputs' affair: past a merge there are none.
    constexpr void on_partition(std::uint32_t) {}
    constexpr void on_partition_end(std::uint32_t) {}
    constexpr void on_partition_idle(std::uint32_t, bool) {}
    constexpr void on_quiet(duration step) {
        if constexpr (I == 0) node_->on_quiet(step);
    }
    constexpr void on_chunk() { node_->next().on_chunk(); }
    constexpr void settle() { node_->next().settle(); }
    constexpr void on_epoch(std::uint64_t epoch) { node_->on_epoch(epoch); }
    constexpr void on_idle(bool idle) { node_->on_idle(I, idle); }
    constexpr void on_clock(event_time now) {
        if constexpr (I == 0) node_->next().on_clock(now);
    }
    constexpr void on_end() { node_->on_end(); }
    [[nodiscard]] constexpr event_time deadline() const { return node_->next().deadline(); }
    [[nodiscard]] constexpr event_time clock_deadline() const { return node_->next().clock_deadline(); }
    template <class T>
    [[nodiscard]] event_time merge_time(std::uint32_t, event_time at, T const& record) const {
        return node_->next().merge_time(0, at, record);
    }
    [[nodiscard]] constexpr event_time reached(origin const& from) const { return node_->next().reached(from); }
    [[nodiscard]] constexpr duration max_drift() const { return node_->next().max_drift(); }
    /// The node is visited once, through its first port.
    constexpr void visit_state(auto&& visit) {
        if constexpr (I == 0) node_->visit_state(visit);
    }
};

/// Streams that can flow together: the same record, key and window; records beside changes count as inserts.
template <class A, class B>
concept mergeable =
    std::same_as<typename A::record, typename B::record> && std::same_as<typename A::key, typename B::key>
    && std::same_as<typename A::window, typename B::window> && A::timed == B::timed;
}  // namespace detail

/// Several streams as one. Made by merge().
template <class... Inputs>
struct merge_root : operator_base<merge_root<Inputs...>> {
    static constexpr std::string_view kind = "merge";
    using is_fan_in = void;
    using first_type = std::tuple_element_t<0, std::tuple<Inputs...>>;
    static constexpr bool changes = (changelog<output_of<Inputs>> || ...);
    using first_output = output_of<first_type>;
    using output = stream_of<typename first_output::record, first_output::timed, typename first_output::key,
        typename first_output::window, changes ? stream_kind::changes : stream_kind::records>;

    std::tuple<Inputs...> inputs;

    constexpr explicit merge_root(Inputs... in) : inputs(std::move(in)...) {}

    /// What an operator after the merge finds upstream (its windows are the same in all inputs).
    [[nodiscard]] constexpr first_type const& first_input() const { return std::get<0>(inputs); }
    constexpr void describe(auto&& parameter) const { parameter("inputs", std::uint64_t{sizeof...(Inputs)}); }

    template <class Next>
    using node_t = detail::merge_node<changes, sizeof...(Inputs), Next>;
    template <class Node, std::size_t I>
    using port_t = detail::merge_port<Node, I>;
};

/// Lets several streams of one type flow together.
///
/// Shape       streams of T (same key and windows) -> stream of T; every row once. Records that are merged with
///             changes count as inserts.
/// Time        Rows keep their event time; the watermark is the least of the inputs', as watermark_valve combines
///             them: idle ones are left out. Order: the record with the least event time at the head of its input,
///             ties by input, partition, offset; the same in batch and in streaming.
/// State       One watermark and the flags of each input: idle, unaligned, ended.
/// Errors      Compile time: inputs of other types.
/// Complexity  O(1) per record, O(inputs) per watermark.
template <class... Inputs>
    requires(pipeline<Inputs> && ...)
constexpr auto merge(Inputs... inputs) {
    static_assert(sizeof...(Inputs) > 0, "driftless: merge needs at least one pipeline");
    if constexpr ((is_ill_formed<Inputs> || ...)) {
        return ill_formed{};
    } else {
        using first = output_of<std::tuple_element_t<0, std::tuple<Inputs...>>>;
        constexpr bool fit = (detail::mergeable<first, output_of<Inputs>> && ...);
        static_assert(fit,
            "driftless: merge needs streams of one type: give all inputs the same record (map), key (key_by), "
            "event time and windows before they are merged");
        if constexpr (fit) return root_link<merge_root<Inputs...>>{merge_root<Inputs...>{std::move(inputs)...}};
        else return ill_formed{};
    }
}
}  // namespace driftless::inline v0
#endif
