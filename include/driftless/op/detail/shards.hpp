// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SHARDS_HPP
#define DRIFTLESS_OP_DETAIL_SHARDS_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/detail/block_list.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/executor.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/chunk_ring.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Runs one core per worker, each on its range of key hashes, and reports in the order of one thread.
///
/// Records are copied into chunks; a full chunk goes to all workers, each takes the records of its
/// shard. What the cores report is kept with the sequence number of what caused it, and handed on
/// by the job's own thread in the order (sequence, window, shard): the order in which a single core
/// would have reported.
template <class Core, class Key, class T, class Result, bool Corrects>
class shard_group {
    struct item {
        context<> ctx;  // without the key, which stands beside it
        std::uint64_t sequence;
        std::uint64_t hash;
        Key key;
        T record;
    };
    struct mark {
        std::uint64_t sequence;
        event_time time;
        bool clock;  // of the clock, not of the watermark
    };
    struct nothing {};
    using earlier = std::conditional_t<Corrects, std::optional<Result>, nothing>;
    /// Something a core reported, with all it borrowed copied.
    struct reported {
        enum class what : std::uint8_t {
            pane,
            incident
        };
        std::uint64_t cause;  // the sequence number of the record or watermark
        time_window window{};
        pane_info info{};
        event_time at{};         // of a row
        std::uint64_t hash = 0;  // of an incident: its place
        what kind = what::pane;
        Key key{};
        std::optional<Result> after{};
        [[no_unique_address]] earlier before{};
        [[no_unique_address]] earlier part{};
    };
    /// A record was refused, or a function threw.
    struct incident {
        reason why{};
        std::size_t index = 0;  // of a refused record
        origin from{};
        std::exception_ptr thrown{};
    };

    struct share;
    using chunk = worker_chunk<item, mark, share>;
    /// What a core reports to, on a worker.
    struct capture {
        block_list<reported>* into;
        growing_array<incident>* incidents;
        arena* bytes;
        std::uint64_t cause = 0;
        std::size_t index = 0;

        void row(Key const& key, time_window window, pane_info const& info, std::uint64_t hash, Result const& result) {
            row(key, window, info, hash, result, window.max_timestamp());
        }
        void row(Key const& key, time_window window, pane_info const& info, std::uint64_t hash, Result const& result,
            event_time at) {
            auto& made = fill(key, window, info, hash);
            made.at = at;
            keep(made.after, result);
        }
        void change(Key const& key, time_window window, pane_info const& info, std::uint64_t hash,
            Result const* before, Result const* after, Result const* part = nullptr) {
            auto& made = fill(key, window, info, hash);
            if (before != nullptr) keep(made.before, *before);
            if (after != nullptr) keep(made.after, *after);
            if (part != nullptr) keep(made.part, *part);
        }
        template <class Ctx>
        void refused(reason why, Ctx const& ctx, T const&) {
            note(incident{.why = why, .index = index}).window = ctx.window;
        }
        void threw(origin from) { note(incident{.from = from, .thrown = std::current_exception()}); }

    private:
        reported& note(incident&& one) {
            auto& made = into->push_back(
                reported{.cause = cause, .hash = incidents->size(), .kind = reported::what::incident});
            incidents->push_back(std::move(one));
            return made;
        }
        reported& fill(Key const& key, time_window window, pane_info const& info, std::uint64_t hash) {
            auto& made = into->push_back(
                reported{.cause = cause, .window = window, .info = info, .hash = hash, .key = key});
            rehome(made.key, *bytes);
            return made;
        }
        template <class V>
        void keep(std::optional<V>& to, V const& value) {
            to.emplace(value);
            rehome(*to, *bytes);
        }
    };
    /// The share of one worker in one chunk.
    // NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): nothing derives from it
    struct share final : chunk_share {
        chunk* of = nullptr;
        Core* core = nullptr;
        block_list<reported> out;
        growing_array<incident> incidents;
        arena bytes;

    private:
        void apply() override {
            capture to{&out, &incidents, &bytes};
            auto passed = of->marks.begin();
            auto const pass_marks = [&](std::uint64_t before) {
                for (; passed != of->marks.end() && passed->sequence < before; ++passed) {
                    to.cause = passed->sequence;
                    tell(*core, *passed, to);
                }
            };
            constexpr std::size_t ahead = 12;
            for (std::size_t i = 0; i < mine.size(); ++i) {
                if (i + ahead < mine.size()) look_at(of->items[mine[i + ahead]]);
                auto const index = mine[i];
                item const& each = of->items[index];
                pass_marks(each.sequence);
                to.cause = each.sequence;
                to.index = index;
                core->on_record(each.ctx.with_key(each.key), each.record, each.hash, to);
            }
            pass_marks(of->next_sequence);
        }
        /// Brings what the record will be added to into the cache.
        void look_at(item const& next) const {
            if constexpr (requires { core->prefetch(next.ctx, next.hash); }) core->prefetch(next.ctx, next.hash);
            else if constexpr (requires { core->prefetch(next.hash); }) core->prefetch(next.hash);
        }
        static void tell(Core& core, mark const& moved, capture& to) {
            if constexpr (requires { core.on_clock(moved.time, to); }) {
                if (moved.clock) return core.on_clock(moved.time, to);
            }
            core.on_watermark(moved.time, to);
        }
    };
    growing_array<Core> cores_;
    chunk_ring<chunk> ring_;

public:
    shard_group(Core const& prototype, executor* threads)
        : cores_(fresh_cores(prototype, threads->workers())), ring_(threads, [&](share& of, chunk& in, std::size_t i) {
              of.of = &in;
              of.core = &cores_[i];
          }) {}

    template <class Ctx, class Out, class OnWatermark>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out, OnWatermark const& hand_on) {
        auto& into = ring_.filling();
        into.items.push_back(item{context<>{ctx.at, nullptr, ctx.window, ctx.info, ctx.from}, into.next_sequence++,
            hash, *ctx.key, record});
        auto& copy = into.items.back();
        rehome(copy.key, into.bytes);
        rehome(copy.record, into.bytes);
        into.assign_last(shard_of(hash, cores_.size()));
        if (into.items.size() == ring_.chunk_records) submit(out, hand_on);
    }
    template <class Out, class OnWatermark>
    void on_watermark(event_time watermark, Out& out, OnWatermark const& hand_on) {
        add_mark(watermark, false, out, hand_on);
    }
    template <class Out, class OnWatermark>
    void on_clock(event_time now, Out& out, OnWatermark const& hand_on) {
        add_mark(now, true, out, hand_on);
    }
    /// Everything so far is applied and handed on.
    template <class Out, class OnWatermark>
    void flush(Out& out, OnWatermark const& hand_on) {
        ring_.flush([&](chunk& done) { collect(done, out, hand_on); });
    }

    /// A core, to ask it the time.
    [[nodiscard]] Core const& any_core() const noexcept { return cores_[0]; }
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
    [[nodiscard]] std::size_t pending_timers() const noexcept
        requires requires(Core const& core) { core.pending_timers(); }
    {
        std::size_t sum = 0;
        for (auto const& each : cores_) sum += each.pending_timers();
        return sum;
    }
    /// The least of what f(core) says.
    template <class F>
    [[nodiscard]] event_time least(F f) const {
        auto of_all = event_time::max();
        for (auto const& each : cores_) {
            if (auto const own = f(each); own < of_all) of_all = own;
        }
        return of_all;
    }
    void save(auto& out) { Core::save(cores_.begin(), cores_.size(), out); }
    void load(auto& in) { Core::load(cores_.begin(), cores_.size(), in); }

private:
    template <class Out, class OnWatermark>
    void add_mark(event_time time, bool clock, Out& out, OnWatermark const& hand_on) {
        auto& into = ring_.filling();
        into.marks.push_back(mark{into.next_sequence++, time, clock});
        if (into.marks.size() == ring_.chunk_records) submit(out, hand_on);
    }
    template <class Out, class OnWatermark>
    void submit(Out& out, OnWatermark const& hand_on) {
        ring_.submit([&](chunk& done) { collect(done, out, hand_on); });
    }
    /// Hands on what a chunk has reported, in the order of one thread.
    template <class Out, class OnWatermark>
    void collect(chunk& done, Out& out, OnWatermark const& hand_on) {
        auto passed = done.marks.begin();
        for (auto* next = first_reported(done); next != nullptr; next = first_reported(done)) {
            reported& one = *next->out.front();
            // A watermark goes on behind what it caused, and before what comes after it.
            for (; passed != done.marks.end() && passed->sequence < one.cause; ++passed) {
                hand_on(passed->time, passed->clock);
            }
            replay(done, *next, one, out);
            next->out.pop_front();
        }
        for (; passed != done.marks.end(); ++passed) hand_on(passed->time, passed->clock);
        recycle(done);
    }
    static share* first_reported(chunk const& of) {
        share* first = nullptr;
        for (auto* const each : of.shares) {
            auto const* const next = each->out.front();
            if (next != nullptr && (first == nullptr || before(*next, *first->out.front()))) first = each;
        }
        return first;
    }
    static bool before(reported const& a, reported const& b) {
        if (a.cause != b.cause) return a.cause < b.cause;
        return a.window < b.window;
    }
    template <class Out>
    void replay(chunk const& of, share const& by, reported const& one, Out& out) {
        if (one.kind == reported::what::pane) {
            if constexpr (Corrects) {
                out.change(one.key, one.window, one.info, one.hash, one.before ? &*one.before : nullptr,
                    one.after ? &*one.after : nullptr, one.part ? &*one.part : nullptr);
            } else {
                out.row(one.key, one.window, one.info, one.hash, *one.after, one.at);
            }
            return;
        }
        auto const& what = by.incidents[static_cast<std::size_t>(one.hash)];
        if (what.thrown) {
            try {
                std::rethrow_exception(what.thrown);
            } catch (...) {
                out.threw(what.from);
            }
            return;
        }
        auto const& each = of.items[what.index];
        auto ctx = each.ctx.with_key(each.key);
        ctx.window = one.window;
        out.refused(what.why, ctx, each.record);
    }
    static void recycle(chunk& done) {
        done.clear();
        for (auto* const each : done.shares) {
            each->out.clear();
            each->incidents.clear();
            each->bytes.reset();
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
