// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_DEDUP_SHARDS_HPP
#define DRIFTLESS_OP_DETAIL_DEDUP_SHARDS_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/executor.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/chunk_ring.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// What became of a record. Those up to `newer` go on.
enum class sighting : std::uint8_t {
    first,
    newer,
    duplicate,
    full,
    late
};

/// Remembers the ids of dedup on several threads, each in its range of hashes, and hands records on in their order.
///
/// Records are copied into chunks; a full chunk goes to all workers, and each says of the records of its shard what
/// became of them. The job's own thread hands on record by record, in the order in which they came, with the watermarks
/// between them: what one thread would have done.
template <class In, class Policy, class Memory, class Id>
class dedup_shards {
    using key_type = typename In::key;
    using record_type = typename In::record;
    using version_type = typename Policy::version_type;
    static constexpr bool has_key = !std::is_same_v<key_type, unkeyed>;

    struct item {
        context<> ctx;  // without the key, which stands beside it
        std::uint64_t sequence;
        std::uint64_t hash;
        [[no_unique_address]] key_type key;
        Id id;
        [[no_unique_address]] version_type version;
        record_type record;
        // What the worker says.
        sighting said = sighting::full;
        [[no_unique_address]] typename Policy::template replaced<record_type> old{};
    };
    struct mark {
        std::uint64_t sequence;
        event_time time;
        std::uint32_t partition;
        bool of_watermark;
    };
    struct share;
    using chunk = worker_chunk<item, mark, share>;
    /// The share of one worker in one chunk.
    struct share final : chunk_share {
        chunk* of = nullptr;
        Memory* memory = nullptr;
        Policy const* policy = nullptr;

    private:
        void apply() override {
            auto passed = of->marks.begin();
            auto const pass_marks = [&](std::uint64_t before) {
                for (; passed != of->marks.end() && passed->sequence < before; ++passed) {
                    if (passed->of_watermark) memory->on_watermark(passed->time);
                }
            };
            constexpr std::size_t ahead = 12;
            for (std::size_t i = 0; i < mine.size(); ++i) {
                if (i + ahead < mine.size()) {
                    auto const& soon = of->items[mine[i + ahead]];
                    memory->prefetch(soon.hash, soon.ctx.at);
                }
                item& each = of->items[mine[i]];
                pass_marks(each.sequence);
                if (memory->late(each.ctx.at)) {
                    each.said = sighting::late;
                    continue;
                }
                each.said = policy->look(*memory, each.id, each.hash, each.ctx.at, each.version, each.record,
                    [&](auto const& old) { keep(each, old); });
            }
            pass_marks(of->next_sequence);
        }
        static void keep([[maybe_unused]] item& of, [[maybe_unused]] record_type const& old) {
            if constexpr (requires { of.old.set(old); }) of.old.set(old);
        }
    };
    Policy policy_;
    growing_array<Memory> memories_;
    chunk_ring<chunk> ring_;

public:
    dedup_shards(Memory const& like, Policy const& policy, executor* threads)
        : policy_(policy),
          memories_(fresh_memories(like, threads->workers())),
          ring_(threads, [&](share& of, chunk& in, std::size_t i) {
              of.of = &in;
              of.memory = &memories_[i];
              of.policy = &policy_;
          }) {}

    template <class Ctx, class Out>
    void on_record(Ctx const& ctx, record_type const& record, Id const& id, std::uint64_t hash,
        version_type const& version, Out const& out) {
        auto& into = ring_.filling();
        into.items.push_back(item{context<>{ctx.at, nullptr, ctx.window, ctx.info, ctx.from}, into.next_sequence++,
            hash, key_in(ctx), id, version, record});
        auto& copy = into.items.back();
        if constexpr (has_key) rehome(copy.key, into.bytes);
        rehome(copy.id, into.bytes);
        rehome(copy.record, into.bytes);
        into.assign_last(shard_of(hash, memories_.size()));
        if (into.items.size() == ring_.chunk_records) submit(out);
    }
    template <class Out>
    void on_watermark(event_time watermark, Out const& out) {
        add_mark({0, watermark, 0, true}, out);
    }
    template <class Out>
    void on_partition(std::uint32_t partition, Out const& out) {
        add_mark({0, {}, partition, false}, out);
    }
    /// Everything so far has gone on.
    template <class Out>
    void flush(Out const& out) {
        ring_.flush([&](chunk& done) { collect(done, out); });
    }

    [[nodiscard]] std::size_t state_bytes() const noexcept {
        std::size_t sum = 0;
        for (auto const& each : memories_) sum += each.bytes();
        return sum;
    }
    void save(auto& out) { Memory::save(memories_.begin(), memories_.size(), out); }
    void load(auto& in) { Memory::load(memories_.begin(), memories_.size(), in); }

private:
    static growing_array<Memory> fresh_memories(Memory const& like, std::size_t n) {
        growing_array<Memory> out;
        out.reserve(n);
        while (out.size() != n) out.push_back(like.fresh());
        return out;
    }
    template <class Ctx>
    static key_type key_in(Ctx const& ctx) {
        if constexpr (has_key) return *ctx.key;
        else return {};
    }
    template <class Out>
    void add_mark(mark made, Out const& out) {
        auto& into = ring_.filling();
        made.sequence = into.next_sequence++;
        into.marks.push_back(made);
        if (into.marks.size() == 4 * ring_.chunk_records) submit(out);
    }
    template <class Out>
    void submit(Out const& out) {
        ring_.submit([&](chunk& done) { collect(done, out); });
    }
    template <class Out>
    void collect(chunk& done, Out const& out) {
        auto passed = done.marks.begin();
        auto const pass_marks = [&](std::uint64_t before) {
            for (; passed != done.marks.end() && passed->sequence < before; ++passed) {
                if (passed->of_watermark) out.watermark(passed->time);
                else out.partition(passed->partition);
            }
        };
        for (auto const& each : done.items) {
            pass_marks(each.sequence);
            if constexpr (has_key) hand_on(each, each.ctx.with_key(each.key), out);
            else hand_on(each, each.ctx, out);
        }
        pass_marks(done.next_sequence);
        done.clear();
    }
    template <class Ctx, class Out>
    static void hand_on(item const& each, Ctx const& ctx, Out const& out) {
        if constexpr (requires { each.old.has_value(); }) {
            if (each.said == sighting::newer) {
                auto const old = each.old.get();
                return out.record(ctx, each.record, each.id, each.said, &old);
            }
        }
        out.record(ctx, each.record, each.id, each.said, nullptr);
    }
};
}  // namespace driftless::inline v0::detail
#endif
