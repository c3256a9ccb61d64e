// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_AGGREGATE_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_AGGREGATE_STAGE_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/op/detail/aggregate_core.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Hands what a core reports straight to the next stage.
template <class Key, class Next, class Late>
struct direct_output {
    Next& next;
    Late& late;
    run_services* services;
    operator_label label;

    template <class Result>
    void row(Key const& key, time_window window, pane_info const& info, std::uint64_t hash, Result const& result) {
        row(key, window, info, hash, result, window.max_timestamp());
    }
    template <class Result>
    void row(Key const& key, time_window window, pane_info const& info, std::uint64_t, Result const& result,
        event_time at) {
        next.on_record(context<Key>{at, &key, window, info, {}}, pane<Key, Result>{key, window, result, info});
    }
    template <class Result>
    void change(Key const& key, time_window window, pane_info const& info, std::uint64_t hash, Result const* before,
        Result const* after, Result const* part = nullptr) {
        change(key, window, info, hash, before, after, part, window.max_timestamp());
    }
    template <class Result>
    void change(Key const& key, time_window window, pane_info const& info, std::uint64_t, Result const* before,
        Result const* after, Result const* part, event_time at) {
        std::optional<pane<Key, Result>> old;
        std::optional<pane<Key, Result>> now;
        std::optional<pane<Key, Result>> shown;
        if (before != nullptr) old.emplace(pane<Key, Result>{key, window, *before, info});
        if (after != nullptr) now.emplace(pane<Key, Result>{key, window, *after, info});
        if (part != nullptr) shown.emplace(pane<Key, Result>{key, window, *part, info});
        next.on_change(context<Key>{at, &key, window, info, {}},
            driftless::change<pane<Key, Result>>{
                old ? &*old : nullptr, now ? &*now : nullptr, shown ? &*shown : nullptr});
    }
    template <class Ctx, class T>
    void refused(reason, Ctx const& ctx, T const& record) {
        late.on_record(ctx, record);
    }
    void threw(origin from) { services->user_function_threw(label, from); }
};

/// One core per worker: op/detail/shards.hpp, which comes with the modes that have workers.
template <class Core, class Key, class T, class Result, bool Corrects>
class shard_group;

/// Cores of workers that read partitions of their own: op/detail/partial_cores.hpp, which comes along with it.
template <class Core>
class partial_cores;

/// An unkeyed aggregate, or one over changes, runs on one thread.
struct no_shards {
    static constexpr bool possible = false;
};
template <class Core, class In, class Result, bool Corrects>
struct shards_of {
    static constexpr bool possible = true;
    using group = shard_group<Core, typename In::key, typename In::record, Result, Corrects>;
    using partials = partial_cores<Core>;
};

/// The stage of an aggregate: a core that reports to the next stage; with threads, a core per shard.
template <class Core, class In, class Shards, class Late, class Next>
class aggregate_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using key_type = typename In::key;

    /// The shard group, if there is one: owned, at a stable address, absent from moves. Or the cores of those who read.
    template <class S>
    struct owned_shards {
        typename S::group* group = nullptr;
        typename S::partials* partials = nullptr;
        explicit owned_shards(typename S::group* made) : group(made) {}
        owned_shards(owned_shards&& other) noexcept
            : group(std::exchange(other.group, nullptr)), partials(other.partials) {}
        owned_shards& operator=(owned_shards&&) = delete;
        ~owned_shards() { delete group; }
    };
    struct none {};
    using shards_t = typename std::conditional_t<Shards::possible, std::type_identity<owned_shards<Shards>>,
        std::type_identity<none>>::type;

    Core core_;  // with shards: keeps the time alone; with partials: what the others do not have
    [[no_unique_address]] Late late_;
    run_services* services_;
    [[no_unique_address]] shards_t shards_;

public:
    using core_type = Core;
    using in_type = In;
    /// Records may be added to cores elsewhere, which set_partials() says.
    static constexpr bool takes_partials = [] {
        if constexpr (requires { Core::has_partials; })
            return Core::has_partials && Shards::possible && std::is_same_v<Late, nowhere>;
        else return false;
    }();
    static constexpr bool wants_epochs = [] {
        if constexpr (requires { requires Core::answers_at_once; }) return true;
        else return Next::wants_epochs;
    }();
    static constexpr bool tight = [] {
        if constexpr (requires { Core::tight; }) return Core::tight;
        else return false;
    }();

    constexpr aggregate_stage(Next next, Core core, Late late, run_services* services, bool may_shard)
        : forwarding<Next>(std::move(next)),
          core_(std::move(core)),
          late_(std::move(late)),
          services_(services),
          shards_(make_shards(core_, services, may_shard)) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        auto const hash = hash_in(ctx);
        if constexpr (requires { core_.near(ctx); }) {
            if (auto* const in = sharded() ? nullptr : core_.near(ctx)) [[likely]] {
                auto out = output();
                core_.near_record(*in, ctx, record, hash, out);
            } else if constexpr (In::window::carried) {
                far_record<Ctx, T>(ctx, record, hash);
            } else {
                far_record_at<Ctx, T>(
                    ctx.at, ctx.key, ctx.from.offset, ctx.from.partition, ctx.from.input, record, hash);
            }
        } else if (sharded()) [[unlikely]] {
            far_record<Ctx, T>(ctx, record, hash);
        } else {
            auto out = output();
            core_.on_record(ctx, record, hash, out);
        }
    }
    static constexpr bool can_look_ahead = requires(Core const& core) { core.looks_ahead(); };
    [[nodiscard]] bool looks_ahead() const {
        if constexpr (can_look_ahead) return core_.looks_ahead();
        else return false;
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const&) const {
        if constexpr (can_look_ahead) core_.prefetch(ctx, hash_in(ctx));
    }
    template <class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        auto out = output();
        core_.on_change(ctx, row, hash_in(ctx), out);
    }
    void on_watermark(event_time watermark) {
        auto out = output();
        if constexpr (takes_partials) {
            if (shards_.partials != nullptr) {
                shards_.partials->fire(core_, watermark, out);
                return next_.on_watermark(watermark);
            }
        }
        core_.on_watermark(watermark, out);
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->on_watermark(watermark, out, hand_on());
        }
        if constexpr (requires { core_.passed_on(); }) watermark = core_.passed_on();
        next_.on_watermark(watermark);
    }
    void on_epoch(std::uint64_t epoch) {
        auto out = output();
        if constexpr (requires { core_.on_epoch(out); }) core_.on_epoch(out);
        next_.on_epoch(epoch);
    }
    void on_clock(event_time now) {
        auto out = output();
        if constexpr (requires { core_.on_clock(now, out); }) {
            core_.on_clock(now, out);
            if constexpr (Shards::possible) {
                if (shards_.group != nullptr) return shards_.group->on_clock(now, out, hand_on());
            }
        }
        next_.on_clock(now);
    }
    DRIFTLESS_FUSED void settle() {
        if constexpr (requires { core_.settle(); }) core_.settle();
        next_.settle();
    }
    void on_chunk() {
        wait_for_shards();
        next_.on_chunk();
    }
    void on_end() {
        wait_for_shards();
        next_.on_end();
    }
    [[nodiscard]] event_time deadline() const {
        auto const theirs = next_.deadline();
        auto own = core_.deadline();
        if constexpr (Shards::possible) {
            // The windows are with the shards. What aligned windows do is known from the time alone.
            if (shards_.group != nullptr && (In::window::carried || wakes_by_state)) own = event_time::min();
        }
        return own < theirs ? own : theirs;
    }
    [[nodiscard]] event_time clock_deadline() const {
        auto const theirs = next_.clock_deadline();
        if constexpr (requires { core_.clock_deadline(); }) {
            auto const own = least([](Core const& core) { return core.clock_deadline(); });
            if (own < theirs) return own;
        }
        return theirs;
    }
    /// When a window is due that is open, for run/explain_stuck.hpp.
    [[nodiscard]] event_time next_due() const
        requires requires(Core const& core) { core.next_due(); }
    {
        return least([](Core const& core) { return core.next_due(); });
    }
    [[nodiscard]] Core const& core() const noexcept { return core_; }
    [[nodiscard]] Core& core() noexcept { return core_; }
    void set_partials(partial_cores<Core>* cores) noexcept
        requires takes_partials
    {
        shards_.partials = cores;
    }
    void visit_state(auto&& visit) {
        wait_for_shards();
        visit("aggregate", *this);
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
        if constexpr (takes_partials) {
            if (shards_.partials != nullptr) return core_.state_bytes() + shards_.partials->state_bytes();
        }
        return core_.state_bytes();
    }
    void save_state(auto& out) {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->save(out);
        }
        if constexpr (takes_partials) {
            if (shards_.partials != nullptr) shards_.partials->gather(core_);
        }
        Core::save(&core_, 1, out);
    }
    void load_state(auto& in) {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) {
                shards_.group->load(in);
                core_.keep_time_of(shards_.group->any_core());
                return;
            }
        }
        Core::load(&core_, 1, in);
        if constexpr (takes_partials) {
            if (shards_.partials != nullptr) shards_.partials->restart(core_);
        }
    }

private:
    /// Entries say when they are due (triggers): only the shards know.
    static constexpr bool wakes_by_state = requires { requires Core::wakes_by_state; };

    static shards_t make_shards(Core const& prototype, run_services* services, bool may_shard) {
        if constexpr (Shards::possible) {
            bool const shard = may_shard && services->threads != nullptr;
            return shards_t{shard ? new typename Shards::group(prototype, services->threads) : nullptr};
        } else {
            return {};
        }
    }
    /// With shards: everything so far is applied and has gone on.
    void wait_for_shards() {
        if constexpr (Shards::possible) {
            if (shards_.group == nullptr) return;
            auto out = output();
            shards_.group->flush(out, hand_on());
        }
    }
    [[nodiscard]] DRIFTLESS_INLINE bool sharded() const noexcept {
        if constexpr (Shards::possible) return shards_.group != nullptr;
        else return false;
    }
    /// How the rare path, which is not inlined, takes what the common one has in registers: piece by piece, by value.
    /// For a reference, and by g++ for a whole struct too, it would be put into memory for every record.
    template <class T>
    using piece = std::conditional_t<std::is_trivially_copyable_v<T> && sizeof(T) <= 64, T, T const&>;
    template <class Ctx, class T>
    DRIFTLESS_NOINLINE void far_record_at(event_time at, key_type const* key, std::uint64_t offset,
        std::uint32_t partition, std::uint32_t input, piece<T> record, std::uint64_t hash) {
        Ctx ctx{};
        ctx.at = at;
        ctx.key = key;
        ctx.from = {offset, partition, input};
        far_record<Ctx, T>(ctx, record, hash);
    }
    template <class Ctx, class T>
    DRIFTLESS_NOINLINE void far_record(Ctx const& ctx, T const& record, std::uint64_t hash) {
        auto out = output();
        if constexpr (Shards::possible) {
            if (sharded()) return shards_.group->on_record(ctx, record, hash, out, hand_on());
        }
        core_.on_record(ctx, record, hash, out);
    }
    template <class F>
    [[nodiscard]] event_time least(F f) const {
        if constexpr (Shards::possible) {
            if (shards_.group != nullptr) return shards_.group->least(f);
        }
        if constexpr (takes_partials) {
            if (shards_.partials != nullptr) return shards_.partials->least(core_, f);
        }
        return f(core_);
    }
    auto hand_on() {
        return [this](event_time time, bool clock) {
            if (clock) next_.on_clock(time);
            else next_.on_watermark(time);
        };
    }
    template <class Ctx>
    DRIFTLESS_INLINE static std::uint64_t hash_in(Ctx const& ctx) {
        if constexpr (std::is_same_v<key_type, unkeyed>) return 0;
        else return canonical_hash(*ctx.key);
    }
    DRIFTLESS_INLINE auto output() {
        return direct_output<key_type, Next, Late>{next_, late_, services_, core_.label()};
    }
};
}  // namespace driftless::inline v0::detail
#endif
