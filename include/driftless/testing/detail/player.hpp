// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_DETAIL_PLAYER_HPP
#define DRIFTLESS_TESTING_DETAIL_PLAYER_HPP

#include <driftless/core/executor.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/detail/shards.hpp>
#include <driftless/run/answers.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/partition_workers.hpp>
#include <driftless/run/detail/snapshot_visitors.hpp>
#include <driftless/run/report.hpp>
#include <driftless/testing/steps.hpp>
#include <driftless/time/watermark_valve.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing::detail {
template <class P>
struct source_of {
    using type = typename source_of<typename P::prev_type>::type;
};
template <class Root>
struct source_of<root_link<Root>> {
    using type = Root;
};
/// Where the inputs of a fan-in read one source, it is that of the first.
template <class Root>
    requires requires { typename Root::is_fan_in; }
struct source_of<root_link<Root>> {
    using type = typename source_of<typename Root::first_type>::type;
};
/// What the one input of P holds.
template <class P>
struct source_element {
    using type = typename source_of<P>::type::element;
};
template <class T>
struct event_value {
    using type = T;
};
template <class T>
struct event_value<event<T>> {
    using type = T;
};

template <class Op>
struct is_assign_time : std::bool_constant<driftless::detail::assigns_time<Op>> {};
/// P makes its watermarks itself.
template <class P>
inline constexpr bool declares_time = driftless::detail::any_operator<is_assign_time, P>();
template <class P>
inline constexpr bool has_event_times = is_event<typename source_element<P>::type> || declares_time<P>;
/// The operator that finds the event time of what the input holds; void where it is an event, unknown_time where a
/// changed record has it.
template <class P>
using time_op_of = typename driftless::detail::source_time<P, typename source_of<P>::type>::type;

/// Runs the steps one by one on an engine of its own. `Outputs` are what run() would be given besides the input.
template <class P, class T, class Sink, class... Outputs>
class player {
    using what = typename step<T>::what;
    using element = typename source_element<P>::type;
    using engine = driftless::detail::engine<streaming, P, std::vector<element>&, Sink&, Outputs&...>;

public:
    struct manner {
        executor* threads = nullptr;
        std::size_t chunk = 1;
    };

private:
    manner manner_;
    P const& pipeline_;
    std::tuple<Sink&, Outputs&...> outputs_;
    std::vector<element> nothing_;
    std::optional<engine> run_;
    watermark_valve valve_;
    std::uint32_t partitions_;
    std::vector<std::uint64_t> offsets_;
    std::uint32_t current_ = 0;
    bool quiet_ = false;
    std::size_t since_pause_ = 0;
    std::size_t changed_by_restore_ = 0;
    std::uint64_t pushed_ = 0;

public:
    player(manner how, P const& pipeline, std::uint32_t partitions, Sink& out, Outputs&... outputs)
        : manner_(how),
          pipeline_(pipeline),
          outputs_(out, outputs...),
          valve_(partitions),
          partitions_(partitions),
          offsets_(partitions) {
        start();
    }

    void play(step<T> const& next) {
        take(next);
        if (++since_pause_ < manner_.chunk) return;
        pause();
    }
    /// All state is saved, the stages are thrown away, new ones take the state up.
    void restore() {
        pause();
        auto const bytes = saved();
        start();
        byte_reader in{bytes};
        run_->visit_state(driftless::detail::load_visitor{in});
        in.expect_end();
        if (saved() != bytes) ++changed_by_restore_;
        if (quiet_) each([](auto& chain) { chain.on_idle(true); });
    }
    [[nodiscard]] driftless::report make_report() { return run_->make_report(); }
    [[nodiscard]] event_time watermark() const noexcept { return valve_.output(); }
    [[nodiscard]] std::size_t changed_by_restore() const noexcept { return changed_by_restore_; }

private:
    template <class F>
    void each(F&& f) {
        run_->each_chain(f);
    }
    void take(step<T> const& next) {
        switch (next.kind) {
            case what::record: return push(next);
            case what::watermark: return move_watermark(next);
            case what::clock:
                each([&](auto& chain) { chain.on_clock(next.to); });
                if constexpr (engine::tells_epochs) each([&](auto& chain) { chain.on_epoch(pushed_); });
                return;
            case what::idle: return moved(valve_.idle(next.partition));
            case what::active: return moved(valve_.resume(next.partition));
            case what::end_partition:
                each([&](auto& chain) { chain.on_partition_end(next.partition); });
                current_ = next.partition;  // whoever keeps a clock per partition has entered it
                return moved(valve_.end(next.partition));
            case what::pause: return each([](auto& chain) { chain.settle(); });
            case what::restore: return restore();
            case what::end: return run_->finish();
        }
    }
    void pause() {
        auto const hand_on = [&] { each([](auto& chain) { chain.on_chunk(); }); };
        hand_on();
        driftless::detail::wait_for_answers(run_->services(), hand_on);  // what a step brings is there behind it
        since_pause_ = 0;
    }
    [[nodiscard]] std::string saved() {
        std::string bytes;
        run_->visit_state(driftless::detail::save_visitor{bytes});
        return bytes;
    }
    void start() {
        std::apply(
            [&](auto&... out) {
                run_.emplace(pipeline_, nullptr, error_policy{}, manner_.threads, nothing_, out...);
            },
            outputs_);
        // As a source does: all partitions are there before the first record.
        run_->each_chain([&](auto& chain) {
            for (auto p = partitions_; p-- > 0;) chain.on_partition(p);
        });
        current_ = 0;
    }
    void push(step<T> const& next) {
        context<> const at{.from = origin{offsets_[next.partition], next.partition, 0}};
        each([&](auto& chain) {
            if (next.partition != current_) chain.on_partition(next.partition);
            if constexpr (is_event<element>) {
                driftless::detail::push(chain, at, *next.record);
            } else {
                check_time(*next.record);
                driftless::detail::push(chain, at, next.record->value);
            }
        });
        current_ = next.partition;
        ++offsets_[next.partition];
        if constexpr (engine::tells_epochs) each([&](auto& chain) { chain.on_epoch(++pushed_); });
    }
    static void check_time(event<T> const& record) {
        using time = driftless::detail::head_time<element, time_op_of<P>>;
        if constexpr (time::known) {
            if (time::of(record.value) != record.at) {
                refuse_script("an event has another time than the one that assign_time finds in its record");
            }
        }
    }
    void move_watermark(step<T> const& next) {
        if (next.partition != next.all) return moved(valve_.advance(next.partition, next.to));
        bool grown = false;
        for (std::uint32_t p = 0; p < partitions_; ++p) {
            if (!valve_.is_idle(p)) grown = valve_.advance(p, next.to) || grown;
        }
        moved(grown);
    }
    /// The valve has been told something. +inf is left to end_of_input{}.
    void moved(bool grown) {
        each([&](auto& chain) {
            if (grown && valve_.output() != event_time::max()) chain.on_watermark(valve_.output());
            if (quiet_ != valve_.quiet()) chain.on_idle(valve_.quiet());
        });
        quiet_ = valve_.quiet();
    }
};
}  // namespace driftless::inline v0::testing::detail
#endif
