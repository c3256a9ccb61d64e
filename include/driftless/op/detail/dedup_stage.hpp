// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_DEDUP_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_DEDUP_STAGE_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/detail/dedup_memory.hpp>
#include <driftless/op/detail/dedup_shards.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// The policy of dedup: the first record of a group passes.
struct keep_first {
    static constexpr bool yields_changes = false;
    struct version_type {};
    /// What is kept of the record that another one replaces: none is.
    template <class T>
    struct replaced {};
    template <class T>
    using state_in_time = event_time;
    template <class T>
    using state_for_ever = known_id;

    template <class T>
    static constexpr version_type version_in(event_time, T const&) noexcept {
        return {};
    }
    template <class Memory, class Id, class T, class Replace>
    DRIFTLESS_INLINE static sighting look(Memory& memory, Id const& id, std::uint64_t hash, event_time at, version_type,
        T const&, Replace const&) {
        if (memory.find(id, hash, at) != nullptr) return sighting::duplicate;
        bool const fits = memory.add(id, hash, [&] {
            if constexpr (std::is_same_v<typename Memory::state_type, event_time>) return at;
            else return known_id{};
        });
        return fits ? sighting::first : sighting::full;
    }
};

/// Hands on one record of each id: the first, or the newest of them as it changes.
///
/// F           from a record to its id
/// Policy      which of the records of an id: keep_first, keep_newest (op/dedup_newest.hpp)
/// Memory      which ids there have been: ids_in_time, ids_for_ever
/// Shards      dedup_shards, where ids may be spread over threads; void
template <class In, class F, class Policy, class Memory, class Shards, class Late, class Removed, class Next>
class dedup_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    using record_type = typename In::record;
    using yielded = std::invoke_result_t<F const&, record_type const&>;
    using id_type = std::remove_cvref_t<yielded>;
    using version_type = typename Policy::version_type;
    static constexpr bool may_shard = !std::is_void_v<Shards>;
    /// Bytes of tables up to which looking ahead costs more than it saves.
    static constexpr std::size_t fits_cache = std::size_t{1} << 20;

    /// The shards, if there are any: owned, at a stable address, absent from moves.
    struct owned_shards {
        Shards* group = nullptr;
        owned_shards() = default;
        owned_shards(owned_shards&& other) noexcept : group(std::exchange(other.group, nullptr)) {}
        owned_shards& operator=(owned_shards&&) = delete;
        ~owned_shards() {
            if constexpr (may_shard) delete group;
        }
    };

    [[no_unique_address]] F id_of_;
    [[no_unique_address]] Policy policy_;
    Memory memory_;  // empty where there are shards
    [[no_unique_address]] Late late_;
    [[no_unique_address]] Removed removed_;
    account account_;
    event_time passed_on_ = event_time::min();  // for the books: the watermark in the order of one thread
    run_services* services_;
    owned_shards shards_;

public:
    static constexpr bool tight = false;
    static constexpr bool can_look_ahead = F::members_only;

    dedup_stage(Next next, F id_of, Policy policy, Memory memory, Late late, Removed removed, operator_label label,
        run_services* services)
        : looking_through<Next>(std::move(next)),
          id_of_(std::move(id_of)),
          policy_(std::move(policy)),
          memory_(std::move(memory)),
          late_(std::move(late)),
          removed_(std::move(removed)),
          account_{.label = label},
          services_(services) {
        if constexpr (may_shard) {
            if (services->threads != nullptr) shards_.group = new Shards(memory_, policy_, services->threads);
        }
    }

    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        if constexpr (may_shard) {
            if (shards_.group != nullptr) [[unlikely]]
                return on_record_of_shard(ctx, record);
        }
        if (memory_.late(ctx.at)) [[unlikely]]
            return hand_on(ctx, record, nullptr, sighting::late, nullptr);
        bool const looked = with_id(ctx, record, [&](id_type const& id, version_type const& version) {
            auto const replaces = [&](T const& old) { hand_on(ctx, record, &id, sighting::newer, &old); };
            auto const said =
                policy_.look(memory_, id, canonical_hash(id), ctx.at, version, record, replaces);
            if (said != sighting::newer) hand_on(ctx, record, &id, said, nullptr);
        });
        if (!looked) account_.refuse(reason::failed);
    }
    [[nodiscard]] bool looks_ahead() const {
        if (sharded()) return false;
        if (memory_.bytes() > fits_cache) return true;
        if constexpr (Next::can_look_ahead) return next_.looks_ahead();
        else return false;
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const& record) const {
        if constexpr (can_look_ahead) memory_.prefetch(canonical_hash(id_of_(record)), ctx.at);
        if constexpr (Next::can_look_ahead && !Policy::yields_changes) next_.prefetch(ctx, record);
    }
    void on_watermark(event_time watermark) {
        if constexpr (may_shard) {
            if (shards_.group != nullptr) return shards_.group->on_watermark(watermark, output());
        }
        memory_.on_watermark(watermark);
        passed_on_ = watermark;
        next_.on_watermark(watermark);
    }
    void on_partition(std::uint32_t partition) {
        if constexpr (may_shard) {
            if (shards_.group != nullptr) return shards_.group->on_partition(partition, output());
        }
        next_.on_partition(partition);
    }
    // What is rare waits until everything before it has gone on.
    void on_partition_end(std::uint32_t partition) {
        wait_for_shards();
        next_.on_partition_end(partition);
    }
    void on_partition_idle(std::uint32_t partition, bool idle) {
        wait_for_shards();
        next_.on_partition_idle(partition, idle);
    }
    void on_quiet(duration step) {
        wait_for_shards();
        next_.on_quiet(step);
    }
    void on_idle(bool idle) {
        wait_for_shards();
        next_.on_idle(idle);
    }
    void on_clock(event_time now) {
        wait_for_shards();
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
    [[nodiscard]] event_time deadline() const {
        if (sharded()) return event_time::min();  // what follows is behind: it cannot be asked
        auto const own = memory_.deadline();
        auto const theirs = next_.deadline();
        return own < theirs ? own : theirs;
    }
    void visit_state(auto&& visit) {
        wait_for_shards();
        visit("dedup", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        if constexpr (may_shard) {
            if (shards_.group != nullptr) return shards_.group->state_bytes();
        }
        return memory_.bytes();
    }
    void save_state(auto& out) {
        out.write(account_.applied);
        for (auto const each : account_.refused) out.write(each);
        if constexpr (may_shard) {
            if (shards_.group != nullptr) return shards_.group->save(out);
        }
        Memory::save(&memory_, 1, out);
    }
    void load_state(auto& in) {
        in.read(account_.applied);
        for (auto& each : account_.refused) in.read(each);
        if constexpr (may_shard) {
            if (shards_.group != nullptr) return shards_.group->load(in);
        }
        Memory::load(&memory_, 1, in);
    }

private:
    /// Calls f(id, version); false if a function that finds them threw.
    template <class Ctx, class T, class Use>
    DRIFTLESS_INLINE bool with_id(Ctx const& ctx, T const& record, Use const& use) {
        constexpr bool sure = noexcept(id_of_(record)) && noexcept(policy_.version_in(ctx.at, record));
        if constexpr (std::is_lvalue_reference_v<yielded> && sure) {
            use(id_of_(record), policy_.version_in(ctx.at, record));
            return true;
        } else {
            std::optional<id_type> id;
            std::optional<version_type> version;
            if (!guarded(services_, account_.label, ctx, [&] {
                    id.emplace(id_of_(record));
                    version.emplace(policy_.version_in(ctx.at, record));
                })) return false;
            use(*id, *version);
            return true;
        }
    }
    /// Says what became of a record. `id` is null where nobody has asked for it.
    template <class Ctx, class T>
    DRIFTLESS_INLINE void hand_on(
        Ctx const& ctx, T const& record, id_type const* id, sighting said, record_type const* old) {
        if (said <= sighting::newer) {
            ++account_.applied;
            if constexpr (!Policy::yields_changes) next_.on_record(ctx, record);
            else next_.on_change(ctx.with_key(*id), change<T>{old, &record});
        } else if (said == sighting::duplicate) {
            account_.refuse(reason::duplicate);
            removed_.on_record(ctx, record);
        } else if (said == sighting::late) {
            account_.refuse_late(passed_on_ - ctx.at);
            late_.on_record(ctx, record);
        } else {
            account_.refuse(reason::capacity);
        }
    }

    [[nodiscard]] DRIFTLESS_INLINE bool sharded() const noexcept { return shards_.group != nullptr; }
    template <class Ctx, class T>
    DRIFTLESS_NOINLINE void on_record_of_shard(Ctx const& ctx, T const& record) {
        bool const looked = with_id(ctx, record, [&](id_type const& id, version_type const& version) {
            shards_.group->on_record(ctx, record, id, canonical_hash(id), version, output());
        });
        if (looked) return;
        account_.refuse(reason::failed);
    }
    /// What shards hand on to, in the order of one thread.
    struct shard_output {
        dedup_stage& of;
        template <class Ctx>
        void record(Ctx const& ctx, record_type const& record, id_type const& id, sighting said,
            record_type const* old) const {
            of.hand_on(ctx, record, &id, said, old);
        }
        void watermark(event_time time) const {
            of.passed_on_ = time;
            of.next_.on_watermark(time);
        }
        void partition(std::uint32_t number) const { of.next_.on_partition(number); }
    };
    [[nodiscard]] shard_output output() { return {*this}; }
    void wait_for_shards() {
        if constexpr (may_shard) {
            if (shards_.group != nullptr) shards_.group->flush(output());
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
