// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_JOIN_SHARDS_HPP
#define DRIFTLESS_OP_DETAIL_JOIN_SHARDS_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/executor.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/chunk_ring.hpp>
#include <driftless/op/detail/join_ports.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>

namespace driftless::inline v0::detail {
/// Runs one core of a join per worker, each on its range of key hashes, and reports in the order of one thread: as
/// shard_group does for aggregates, with records of two inputs and the watermarks of both.
///
/// What the cores report is handed on in the order (sequence number of what caused it, window, time, side, shard): the
/// order of a single core, which goes by hash within the rows of one cause.
template <class Core, class Left, class Right>
class join_shards {
    using key_type = typename Left::key;
    using left_type = typename Left::record;
    using right_type = typename Right::record;
    using row_type = typename Core::output_type;

    struct item {
        context<> ctx;  // without the key, which stands beside it
        std::uint64_t sequence;
        std::uint64_t hash;
        key_type key;
        std::uint32_t side;
        std::uint32_t index;  // among the records of its side
    };
    struct mark {
        std::uint64_t sequence;
        input_watermarks now;
        bool grown;  // the watermark of both
    };
    struct reported {
        enum class what : std::uint8_t {
            row,
            refused,
            threw
        };
        std::uint64_t cause;
        what kind;
        std::uint8_t side = 0;
        std::uint64_t hash = 0;
        std::size_t item = 0;      // of a refused record
        time_window window{};      // that refused it
        context<key_type> ctx{};   // of a row, without the key
        std::optional<key_type> key{};
        std::optional<row_type> row{};
        std::exception_ptr thrown{};
    };

    /// What a core reports to, on a worker.
    struct capture {
        growing_array<reported>* into;
        arena* bytes;
        std::uint64_t cause = 0;
        std::size_t item = 0;

        void row(context<key_type> const& ctx, std::uint64_t hash, row_type const& made, std::uint8_t side = 0) {
            auto& kept = into->push_back(
                reported{.cause = cause, .kind = reported::what::row, .side = side, .hash = hash, .ctx = ctx});
            kept.key.emplace(*ctx.key);
            rehome(*kept.key, *bytes);
            kept.row.emplace(made);
            rehome(*kept.row, *bytes);
        }
        template <std::size_t I, class Ctx, class T>
        void refused(Ctx const& ctx, T const&) {
            into->push_back(
                reported{.cause = cause, .kind = reported::what::refused, .item = item, .window = ctx.window});
        }
        void threw(origin from) {
            auto& kept = into->push_back(
                reported{.cause = cause, .kind = reported::what::threw, .thrown = std::current_exception()});
            kept.ctx.from = from;
        }
    };
    struct chunk;
    /// The share of one worker in one chunk.
    struct share final : chunk_share {
        chunk* of = nullptr;
        Core* core = nullptr;
        growing_array<reported> out;
        arena bytes;
        std::size_t handed_on = 0;

    private:
        void apply() override {
            capture to{&out, &bytes};
            auto passed = of->marks.begin();
            auto const pass_marks = [&](std::uint64_t before) {
                for (; passed != of->marks.end() && passed->sequence < before; ++passed) {
                    to.cause = passed->sequence;
                    core->on_watermarks(passed->now, to);
                }
            };
            for (auto const index : mine) {
                item const& each = of->items[index];
                pass_marks(each.sequence);
                to.cause = each.sequence;
                to.item = index;
                auto const ctx = each.ctx.with_key(each.key);
                if (each.side == 0) core->template on_record<0>(ctx, of->lefts[each.index], each.hash, to);
                else core->template on_record<1>(ctx, of->rights[each.index], each.hash, to);
            }
            pass_marks(of->next_sequence);
        }
    };
    struct chunk : worker_chunk<item, mark, share> {
        growing_array<left_type> lefts;
        growing_array<right_type> rights;
    };

    growing_array<Core> cores_;
    chunk_ring<chunk> ring_;

public:
    join_shards(Core const& prototype, executor* threads)
        : cores_(fresh_cores(prototype, threads->workers())), ring_(threads, [&](share& of, chunk& in, std::size_t i) {
              of.of = &in;
              of.core = &cores_[i];
          }) {}

    template <std::size_t I, class Ctx, class T, class Out, class HandOn>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out, HandOn const& hand_on) {
        auto& into = ring_.filling();
        std::size_t index = 0;
        if constexpr (I == 0) {
            index = into.lefts.size();
            rehome(into.lefts.push_back(record), into.bytes);
        } else {
            index = into.rights.size();
            rehome(into.rights.push_back(record), into.bytes);
        }
        auto& made = into.items.push_back(item{context<>{ctx.at, nullptr, ctx.window, ctx.info, ctx.from},
            into.next_sequence++, hash, *ctx.key, static_cast<std::uint32_t>(I), static_cast<std::uint32_t>(index)});
        rehome(made.key, into.bytes);
        into.assign_last(shard_of(hash, cores_.size()));
        if (into.items.size() == ring_.chunk_records) submit(out, hand_on);
    }
    template <class Out, class HandOn>
    void on_watermarks(input_watermarks const& now, bool grown, Out& out, HandOn const& hand_on) {
        auto& into = ring_.filling();
        into.marks.push_back(mark{into.next_sequence++, now, grown});
        if (into.marks.size() == 4 * ring_.chunk_records) submit(out, hand_on);
    }
    /// Everything so far is applied and handed on.
    template <class Out, class HandOn>
    void flush(Out& out, HandOn const& hand_on) {
        ring_.flush([&](chunk& done) { collect(done, out, hand_on); });
    }

    [[nodiscard]] account books() const noexcept {
        account sum{.label = cores_[0].label()};
        for (auto const& each : cores_) sum.add(each.books());
        return sum;
    }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        std::size_t sum = 0;
        for (auto const& each : cores_) sum += each.state_bytes();
        return sum;
    }
    void save(auto& out) { Core::save(cores_.begin(), cores_.size(), out); }
    void load(auto& in) { Core::load(cores_.begin(), cores_.size(), in); }
    /// A core, to ask it the time.
    [[nodiscard]] Core const& any_core() const noexcept { return cores_[0]; }

private:
    template <class Out, class HandOn>
    void submit(Out& out, HandOn const& hand_on) {
        ring_.submit([&](chunk& done) { collect(done, out, hand_on); });
    }
    template <class Out, class HandOn>
    void collect(chunk& done, Out& out, HandOn const& hand_on) {
        auto passed = done.marks.begin();
        auto const pass = [&] {
            if (passed->grown) hand_on(passed->now);
            ++passed;
        };
        for (auto* next = first_reported(done); next != nullptr; next = first_reported(done)) {
            reported& one = next->out[next->handed_on++];
            // A watermark goes on behind what it caused, and before what comes after it.
            while (passed != done.marks.end() && passed->sequence < one.cause) pass();
            replay(done, one, out);
        }
        while (passed != done.marks.end()) pass();
        recycle(done);
    }
    static share* first_reported(chunk const& of) {
        share* first = nullptr;
        for (auto* const each : of.shares) {
            if (each->handed_on == each->out.size()) continue;
            if (first == nullptr || before(each->out[each->handed_on], first->out[first->handed_on])) first = each;
        }
        return first;
    }
    static bool before(reported const& a, reported const& b) {
        if (a.cause != b.cause) return a.cause < b.cause;
        if (a.ctx.window != b.ctx.window) return a.ctx.window < b.ctx.window;
        return a.ctx.at != b.ctx.at ? a.ctx.at < b.ctx.at : a.side < b.side;
    }
    template <class Out>
    void replay(chunk const& of, reported& one, Out& out) {
        switch (one.kind) {
            case reported::what::row:
                one.ctx.key = &*one.key;
                out.row(one.ctx, one.hash, *one.row);
                break;
            case reported::what::refused: {
                auto const& each = of.items[one.item];
                auto ctx = each.ctx.with_key(each.key);
                ctx.window = one.window;
                if (each.side == 0) out.template refused<0>(ctx, of.lefts[each.index]);
                else out.template refused<1>(ctx, of.rights[each.index]);
                break;
            }
            case reported::what::threw:
                try {
                    std::rethrow_exception(one.thrown);
                } catch (...) {
                    out.threw(one.ctx.from);
                }
                break;
        }
    }
    static void recycle(chunk& done) {
        done.clear();
        done.lefts.clear();
        done.rights.clear();
        for (auto* const each : done.shares) {
            each->out.clear();
            each->bytes.reset();
            each->handed_on = 0;
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
