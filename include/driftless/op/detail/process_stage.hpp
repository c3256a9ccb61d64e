// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_PROCESS_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_PROCESS_STAGE_HPP

#include <driftless/core/operator.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/process_core.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
template <class Core, class Key, class T, class Result, bool Corrects>
class shard_group;  // op/detail/shards.hpp

/// Hands what a core emits to the next stage and the side outputs.
template <class Key, class Next, class Sides, class Late>
struct process_output {
    Next& next;
    Sides& sides;  // a tuple of sink stages
    Late& late;
    run_services* services;
    operator_label label;

    template <std::size_t I, class Call, class Row>
    DRIFTLESS_INLINE void emit(Call const& call, Row const& row) {
        deliver<I>(*call.key, call.in->window, call.at, row);
    }
    template <std::size_t I, class Row>
    DRIFTLESS_INLINE void deliver(Key const& key, time_window const& window, event_time at, Row const& row) {
        context<Key> const ctx{at, &key, window, {}, {}};
        if constexpr (I == 0) next.on_record(ctx, row);
        else std::get<I - 1>(sides).on_record(ctx, row);
    }
    template <class Ctx, class T>
    void refused(reason, Ctx const& ctx, T const& record) {
        late.on_record(ctx, record);
    }
    void threw(origin from) { services->user_function_threw(label, from); }

    /// From the shards: `order` has done its work.
    template <class Result>
    void row(Key const& key, time_window const&, pane_info const&, std::uint64_t, Result const& result, event_time at) {
        auto const deliver_one = [&]<std::size_t I>() {
            if (std::get<1>(result) == I) deliver<I>(key, std::get<0>(result), at, *std::get<I + 2>(result));
        };
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (deliver_one.template operator()<I>(), ...);
        }(std::make_index_sequence<std::tuple_size_v<Result> - 2>{});
    }
};

/// A core on a worker: what it emits is copied, to be handed on in the order of one thread.
template <class Core, class Result>
class sharded_process : public Core {
    template <class Capture>
    struct copying {
        Capture& to;

        template <std::size_t I, class Call, class Row>
        void emit(Call const& call, Row const& row) {
            Result result;
            std::get<0>(result) = call.in->window;
            std::get<1>(result) = I;
            std::get<I + 2>(result).emplace(row);
            to.row(*call.key, call.order, {}, call.hash, result, call.at);
        }
        template <class Ctx, class T>
        void refused(reason why, Ctx const& ctx, T const& record) {
            to.refused(why, ctx, record);
        }
        void threw(origin from) { to.threw(from); }
    };

public:
    sharded_process(sharded_process const& like, fresh_core_t) : Core(like, fresh_core) {}
    explicit sharded_process(Core const& like) : Core(like, fresh_core) {}
    sharded_process(sharded_process&&) = default;

    template <class Ctx, class T, class Capture>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Capture& out) {
        copying<Capture> to{out};
        Core::on_record(ctx, record, hash, to);
    }
    template <class Capture>
    void on_watermark(event_time watermark, Capture& out) {
        copying<Capture> to{out};
        Core::on_watermark(watermark, to);
    }
    template <class Capture>
    void on_clock(event_time now, Capture& out) {
        copying<Capture> to{out};
        Core::on_clock(now, to);
    }
};

struct no_process_shards {
    static constexpr bool possible = false;
};
template <class Core, class In, class Result>
struct process_shards {
    static constexpr bool possible = true;
    using core = sharded_process<Core, Result>;
    using group = shard_group<core, typename In::key, typename In::record, Result, false>;
};

/// The stage of a process function: a core that reports to the next stage; with threads, a core per shard.
template <class Core, class In, class Shards, class Sides, class Late, class Next>
class process_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using key_type = typename In::key;

    template <class S>
    struct owned_shards {
        typename S::group* group = nullptr;
        explicit owned_shards(typename S::group* made) : group(made) {}
        owned_shards(owned_shards&& other) noexcept : group(std::exchange(other.group, nullptr)) {}
        owned_shards& operator=(owned_shards&&) = delete;
        ~owned_shards() { delete group; }
    };
    struct none {};
    using shards_t = typename std::conditional_t<Shards::possible, std::type_identity<owned_shards<Shards>>,
        std::type_identity<none>>::type;

    Core core_;  // with shards: has nothing in it
    Sides sides_;
    [[no_unique_address]] Late late_;
    run_services* services_;
    [[no_unique_address]] shards_t shards_;

public:
    static constexpr bool evolves_state = true;  // it keeps no rows
    static constexpr bool tight = false;
    static constexpr bool can_look_ahead = true;

    process_stage(Next next, Core core, Sides sides, Late late, run_services* services, bool may_shard)
        : forwarding<Next>(std::move(next)),
          core_(std::move(core)),
          sides_(std::move(sides)),
          late_(std::move(late)),
          services_(services),
          shards_(make_shards(core_, services, may_shard)) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        auto const hash = canonical_hash(*ctx.key);
        auto out = output();
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) [[unlikely]]
                return shards_.group->on_record(ctx, record, hash, out, hand_on());
        }
        core_.on_record(ctx, record, hash, out);
    }
    [[nodiscard]] bool looks_ahead() const { return core_.looks_ahead(); }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const&) const {
        core_.prefetch(canonical_hash(*ctx.key));
    }
    void on_watermark(event_time watermark) {
        auto out = output();
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->on_watermark(watermark, out, hand_on());
        }
        core_.on_watermark(watermark, out);
        next_.on_watermark(core_.passed_on());
    }
    void on_clock(event_time now) {
        auto out = output();
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->on_clock(now, out, hand_on());
        }
        core_.on_clock(now, out);
        next_.on_clock(now);
    }
    void on_chunk() {
        wait_for_shards();
        next_.on_chunk();
    }
    void on_end() {
        wait_for_shards();
        next_.on_end();
    }
    [[nodiscard]] event_time clock_deadline() const {
        auto own = core_.clock_deadline();
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) {
                own = shards_.group->least([](auto const& core) { return core.clock_deadline(); });
            }
        }
        auto const theirs = next_.clock_deadline();
        return own < theirs ? own : theirs;
    }
    [[nodiscard]] event_time next_due() const {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) {
                return shards_.group->least([](auto const& core) { return core.next_due(); });
            }
        }
        return core_.next_due();
    }
    /// Whether a record is late, a timer has passed, or state has expired may change with every move.
    [[nodiscard]] static constexpr event_time deadline() noexcept { return event_time::min(); }
    void visit_state(auto&& visit) {
        wait_for_shards();
        visit("process", *this);
        next_.visit_state(visit);
    }

    /// For visitors: the books, and the state as bytes that do not depend on the number of threads.
    [[nodiscard]] account books() const noexcept {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->books();
        }
        return core_.books();
    }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->state_bytes();
        }
        return core_.state_bytes();
    }
    [[nodiscard]] std::size_t pending_timers() const noexcept {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->pending_timers();
        }
        return core_.pending_timers();
    }
    void save_state(auto& out) {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->save(out);
        }
        Core::save(&core_, 1, out);
    }
    void load_state(auto& in) {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->load(in);
        }
        Core::load(&core_, 1, in);
    }

private:
    static shards_t make_shards(Core const& prototype, run_services* services, bool may_shard) {
        if constexpr (Shards::possible) {
            bool const shard = may_shard && services->threads != nullptr;
            return shards_t{
                shard ? new typename Shards::group(typename Shards::core{prototype}, services->threads) : nullptr};
        } else {
            return {};
        }
    }
    void wait_for_shards() {
        if constexpr (Shards::possible) {
            if (shards_.group == nullptr) return;
            auto out = output();
            shards_.group->flush(out, hand_on());
        }
    }
    auto hand_on() {
        return [this](event_time time, bool clock) {
            if (clock) next_.on_clock(time);
            else next_.on_watermark(time);
        };
    }
    DRIFTLESS_INLINE auto output() {
        return process_output<key_type, Next, Sides, Late>{next_, sides_, late_, services_, core_.label()};
    }
};
}  // namespace driftless::inline v0::detail
#endif
