// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_INTERVAL_CORE_HPP
#define DRIFTLESS_OP_DETAIL_INTERVAL_CORE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/detail/nearly_sorted_queue.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/record_pool.hpp>
#include <driftless/state/timed_rows.hpp>
#include <driftless/time/interval.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// A record that waits for others in its key. `Waits`: it also stands in the queue of those that met nobody so far.
template <class T, bool Waits>
struct held_row {
    static constexpr std::uint32_t in_no_queue = ~std::uint32_t{0};
    struct no_block {};
    struct no_queue {};  // other types, so that neither takes room

    event_time at;
    T record;
    [[no_unique_address]] std::conditional_t<has_text<T>, std::uint32_t, no_block> block;
    [[no_unique_address]] std::conditional_t<Waits, std::uint32_t, no_queue> queued;
};

/// One input of an interval join: what its records are and what they wait for.
template <class In, bool Waits>
struct interval_side {
    using record_type = typename In::record;
    using row = held_row<record_type, Waits>;
    /// Records that met nobody so far, with the key, by the time at which nobody can come any more.
    using alone_stream = stream_of<record_type, true, typename In::key>;
    struct due {
        event_time at;
        std::uint64_t hash;
        std::uint64_t place;
        std::uint32_t of;
        friend bool operator<(due const& a, due const& b) noexcept {
            if (a.at != b.at) return a.at < b.at;
            return a.hash != b.hash ? a.hash < b.hash : a.place < b.place;
        }
    };
    struct nothing {};

    row_store<row> rows;
    [[no_unique_address]] std::conditional_t<has_text<record_type>, text_blocks, nothing> text;
    [[no_unique_address]] std::conditional_t<Waits, record_pool<alone_stream>, nothing> alone;
    [[no_unique_address]] std::conditional_t<Waits, growing_array<bool>, nothing> met;  // those of `alone`, by place
    [[no_unique_address]] std::conditional_t<Waits, nearly_sorted_queue<due>, nothing> queue;

    event_time late_before = event_time::min();  // what is earlier is refused
    event_time gone_before = event_time::min();  // what is earlier meets nobody any more

    row make(event_time at, record_type const& record) {
        row made{at, record, {}, {}};
        if constexpr (has_text<record_type>) {
            made.block = text.hold([&](auto& bytes) { rehome(made.record, bytes); });
        }
        if constexpr (Waits) made.queued = row::in_no_queue;
        return made;
    }
    void forget(row const& gone) noexcept {
        if constexpr (has_text<record_type>) text.give_back(gone.block);
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = rows.rows() * sizeof(row);
        if constexpr (has_text<record_type>) sum += text.bytes();
        if constexpr (Waits) sum += alone.bytes() + queue.size() * sizeof(due);
        return sum;
    }
};

/// Joins the records of one key whose times are within an interval. Reports to an `out`:
///   out.row(ctx, hash, row, side)  a row, at ctx.at; of those that one watermark brings left ones (0) come first
///   out.refused<I>(ctx, record)    a late record of input I
///   out.threw(from)                the function of the user's threw: inside a catch block
///
/// State       Per key the records of both inputs in order of time; a key goes, with what it keeps, some time after its
///             last record has: once per so many records the table is looked through. What a snapshot holds, and what
///             is said of rows that met nobody, is exact.
template <class Left, class Right, class Kind, class F, bool Exact>
class interval_core {
    using key_type = typename Left::key;
    template <std::size_t I>
    using input = std::conditional_t<I == 0, Left, Right>;
    template <std::size_t I>
    using record_t = typename input<I>::record;
    /// Which rows are told when nobody came. Rows that come out once stand in the queue of those that still may.
    template <std::size_t I>
    static constexpr bool waits = Kind::alone[I];
    template <std::size_t I>
    using side_t = interval_side<input<I>, Kind::alone[I]>;
    template <std::size_t I>
    using row_t = typename side_t<I>::row;

public:
    using projection = join_projection<Kind, F, record_t<0>, record_t<1>>;
    using output_type = typename projection::type;
    static constexpr bool evolves_state = evolves<record_t<0>> && evolves<record_t<1>>;

private:
    struct entry {
        timed_rows<row_t<0>> left;
        timed_rows<row_t<1>> right;

        [[nodiscard]] bool is_empty() const noexcept { return left.empty() && right.empty(); }
        template <std::size_t I>
        auto& rows() noexcept {
            if constexpr (I == 0) return left;
            else return right;
        }
        template <std::size_t I>
        auto const& rows() const noexcept {
            if constexpr (I == 0) return left;
            else return right;
        }
    };
    struct soon {
        static constexpr std::size_t count = 12;
        std::uint64_t hashes[count] = {};
        std::size_t next = 0;
    };
    using table = keyed_table<key_type, entry>;

    [[no_unique_address]] projection project_;
    duration least_;
    duration greatest_;
    duration lateness_;
    input_watermarks marks_;
    table keys_;
    side_t<0> left_;
    side_t<1> right_;
    std::size_t until_sweep_ = first_sweep;
    mutable soon ahead_[2];  // records of each input that are on their way
    account account_;

    static constexpr std::size_t first_sweep = 256;
    /// Left rows come out once, when they meet somebody.
    static constexpr bool once = yields_left<Kind> && !Kind::alone[0];

public:
    interval_core(F function, interval const& within, duration lateness, operator_label label)
        : project_{std::move(function)},
          least_(within.least()),
          greatest_(within.greatest()),
          lateness_(Exact ? duration{} : lateness),
          account_{.label = label} {}
    interval_core(interval_core const& like, fresh_core_t)
        : project_(like.project_),
          least_(like.least_),
          greatest_(like.greatest_),
          lateness_(like.lateness_),
          account_{.label = like.account_.label} {}
    interval_core(interval_core&&) noexcept = default;
    interval_core& operator=(interval_core&&) = delete;
    interval_core(interval_core const&) = delete;
    ~interval_core() { clear(); }

    void keep_time_of(interval_core const& other) noexcept {
        marks_ = other.marks_;
        tell_sides();
    }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return keys_.bytes() + left_.bytes() + right_.bytes(); }

    /// So long rows may wait until they come out, behind the watermark of both inputs.
    [[nodiscard]] duration held_back() const noexcept {
        auto longest = duration{};
        if ((waits<0> || once) && reach<0>() > longest) longest = reach<0>();
        if (waits<1> && reach<1>() > longest) longest = reach<1>();
        return longest + lateness_;
    }

    /// The keys and their rows are more than the cache holds.
    [[nodiscard]] bool looks_ahead() const noexcept { return keys_.bytes() > (std::size_t{128} << 10); }
    /// First the entry of a record that comes soon; some records later, when that is there, its rows.
    template <std::size_t I>
    DRIFTLESS_FUSED void prefetch(std::uint64_t hash) const noexcept {
        keys_.prefetch(hash);
        auto& turn = ahead_[I];
        auto const earlier = std::exchange(turn.hashes[turn.next++ % soon::count], hash);
        if (entry const* const of = keys_.glimpse(earlier)) {
            // As an integer: the lines may lie behind the rows, and there may be none.
            auto const theirs = reinterpret_cast<std::uintptr_t>(of->template rows<1 - I>().begin());
            for (std::uintptr_t line = 0; line < 4; ++line) {
                // NOLINTNEXTLINE(performance-no-int-to-ptr)
                __builtin_prefetch(reinterpret_cast<void const*>(theirs + 64 * line));
            }
            __builtin_prefetch(of->template rows<I>().end(), 1);
        }
    }

    template <std::size_t I, class Ctx, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, record_t<I> const& record, std::uint64_t hash, Out& out) {
        auto& mine = side<I>();
        if constexpr (!Exact) {
            if (ctx.at < mine.late_before) [[unlikely]] {
                account_.refuse_late(marks_.of[I] - ctx.at);
                out.template refused<I>(ctx, record);
                return;
            }
        }
        ++account_.applied;
        entry* found = keys_.find(*ctx.key, hash);
        bool const met = found != nullptr && !is_null_key(*ctx.key) && match<I>(*found, ctx, record, hash, out);
        if constexpr (I == 0 && yields_left<Kind>) {
            if (met) return;  // it has come out, or never will
        }
        if (ctx.at < mine.gone_before) {  // the other input is beyond what it could meet
            if constexpr (waits<I>) {
                if (!met) come_out_alone<I>(ctx, record, hash, out);
            }
            return;
        }
        if (found == nullptr) found = &keys_.insert(*ctx.key, hash, [] { return entry{}; });
        auto row = mine.make(ctx.at, record);
        if constexpr (waits<I>) {
            if (!met) row.queued = wait<I>(ctx, record, hash);
        }
        auto& rows = found->template rows<I>();
        mine.rows.drop_before(rows, mine.gone_before, [&](auto const& gone) { mine.forget(gone); });
        mine.rows.insert(rows, std::move(row));
        if (--until_sweep_ == 0) [[unlikely]]
            sweep();
    }

    /// True if the watermark of both has grown.
    template <class Out>
    bool on_watermarks(input_watermarks const& now, Out& out) {
        bool const grown = now.both > marks_.both;
        bool const ends = (now.of[0] == event_time::max() && marks_.of[0] != event_time::max())
            || (now.of[1] == event_time::max() && marks_.of[1] != event_time::max());
        marks_ = now;
        tell_sides();
        tell_alone(out);
        if (ends) sweep();
        return grown;
    }

    /// Each watermark of an input may make one of its records late.
    [[nodiscard]] static constexpr event_time deadline(std::size_t) noexcept { return event_time::min(); }

    /// The state of n cores, which hold ascending ranges of hashes: the same bytes whatever their number.
    static void save(interval_core* cores, std::size_t n, auto& out) {
        account sum;
        for (std::size_t i = 0; i < n; ++i) sum.add(cores[i].account_);
        out.write(sum.applied);
        for (auto const each : sum.refused) out.write(each);
        out.write(cores[0].marks_.of[0]).write(cores[0].marks_.of[1]).write(cores[0].marks_.both);
        std::uint64_t keys = 0;
        for (std::size_t i = 0; i < n; ++i) keys += cores[i].drop_gone();
        out.write(keys);
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].keys_.for_each_ordered([&](auto const& key, entry& each, std::uint64_t) {
                if (each.is_empty()) return;
                out.write(key);
                cores[i].template save_rows<0>(each, out);
                cores[i].template save_rows<1>(each, out);
            });
        }
    }
    static void load(interval_core* cores, std::size_t n, auto& in) {
        for (std::size_t i = 0; i < n; ++i) cores[i].clear();
        in.read(cores[0].account_.applied);
        for (auto& each : cores[0].account_.refused) in.read(each);
        input_watermarks marks;
        in.read(marks.of[0]).read(marks.of[1]).read(marks.both);
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].marks_ = marks;
            cores[i].tell_sides();
        }
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            key_type key{};
            in.read(key);
            if (left_out::drops(key)) {
                skip_rows<0>(in);
                skip_rows<1>(in);
                continue;
            }
            auto const hash = hash_of(key);
            auto& core = cores[shard_of(hash, n)];
            auto& made = core.keys_.insert(key, hash, [] { return entry{}; });
            core.template load_rows<0>(made, key, hash, in);
            core.template load_rows<1>(made, key, hash, in);
        }
    }

private:
    /// Reads over what load_rows reads.
    template <std::size_t I>
    static void skip_rows(auto& in) {
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            static_cast<void>(in.template read<event_time>());
            static_cast<void>(in.template read<record_t<I>>());
            if constexpr (waits<I>) {
                if (!in.template read<bool>()) continue;
                origin from;
                in.read(from.offset).read(from.partition).read(from.input);
            }
        }
    }
    template <std::size_t I>
    auto& side() noexcept {
        if constexpr (I == 0) return left_;
        else return right_;
    }
    /// How far behind a record of input I the last one may come that meets it.
    template <std::size_t I>
    [[nodiscard]] duration reach() const noexcept {
        auto const far = I == 0 ? greatest_ : -least_;
        return far < duration{} ? duration{} : far;
    }
    void tell_sides() noexcept {
        left_.late_before = marks_.of[0] - lateness_;
        right_.late_before = marks_.of[1] - lateness_;
        left_.gone_before = marks_.of[1] - (reach<0>() + lateness_);
        right_.gone_before = marks_.of[0] - (reach<1>() + lateness_);
    }

    /// Meets what waits on the other side, in order of time; true if there was somebody.
    template <std::size_t I, class Ctx, class Out>
    DRIFTLESS_INLINE bool match(entry& of, Ctx const& ctx, record_t<I> const& record, std::uint64_t hash, Out& out) {
        constexpr std::size_t other = 1 - I;
        auto& theirs = side<other>();
        auto& rows = of.template rows<other>();
        theirs.rows.drop_before(rows, theirs.gone_before, [&](auto const& gone) { theirs.forget(gone); });
        auto const first = I == 0 ? ctx.at + least_ : ctx.at - greatest_;
        auto const last = I == 0 ? ctx.at + greatest_ : ctx.at - least_;
        bool met = false;
        for (auto* each = rows.from(first); each != rows.end() && each->at <= last; ++each) {
            if constexpr (waits<other>) {
                if (each->queued != row_t<other>::in_no_queue) {
                    theirs.met[each->queued] = true;
                    each->queued = row_t<other>::in_no_queue;
                }
            }
            met = true;
            if constexpr (Kind::pairs) {
                if constexpr (I == 0) pair(ctx, each->at, &record, &each->record, hash, out);
                else pair(ctx, each->at, &each->record, &record, hash, out);
            } else if constexpr (I == 0) {
                if constexpr (once) pair(ctx, ctx.at, &record, nullptr, hash, out);
                break;
            } else if constexpr (once) {
                pair(ctx.with_time(each->at), each->at, &each->record, nullptr, hash, out);
            }
        }
        if constexpr (I == 1 && yields_left<Kind>) {
            if (met) take_out(rows, first, last);
        }
        return met;
    }
    /// Left rows that have met somebody and come out once, or never: they are done with.
    void take_out(timed_rows<row_t<0>>& from, event_time first, event_time last) {
        left_.rows.drop_between(from, first, last, [&](auto const& gone) { left_.forget(gone); });
    }
    template <class Ctx, class Out>
    DRIFTLESS_INLINE void pair(Ctx const& ctx, event_time other, record_t<0> const* left, record_t<1> const* right,
        std::uint64_t hash, Out& out) {
        auto const at = ctx.at < other ? other : ctx.at;
        say(context<key_type>{.at = at, .key = ctx.key, .from = ctx.from}, left, right, hash, out);
    }
    template <class Out>
    DRIFTLESS_INLINE void say(context<key_type> const& ctx, record_t<0> const* left, record_t<1> const* right,
        std::uint64_t hash, Out& out, std::uint8_t side = 0) {
        if constexpr (projection::safe) {
            out.row(ctx, hash, project_(left, right), side);
        } else {
            std::optional<output_type> made;
            try {
                made.emplace(project_(left, right));
            } catch (...) {
                out.threw(ctx.from);
                return;
            }
            out.row(ctx, hash, *made, side);
        }
    }

    /// Puts a record that met nobody into the queue; where it is.
    template <std::size_t I, class Ctx>
    std::uint32_t wait(Ctx const& ctx, record_t<I> const& record, std::uint64_t hash) {
        auto& mine = side<I>();
        auto const index = mine.alone.hold(
            context<key_type>{.at = ctx.at, .key = ctx.key, .from = ctx.from}, record, 1);
        while (mine.met.size() <= index) mine.met.push_back(false);
        mine.met[index] = false;
        mine.queue.push({ctx.at, hash, mine.alone[index].place(), static_cast<std::uint32_t>(index)});
        return static_cast<std::uint32_t>(index);
    }
    template <std::size_t I, class Ctx, class Out>
    void come_out_alone(Ctx const& ctx, record_t<I> const& record, std::uint64_t hash, Out& out) {
        context<key_type> const own{.at = ctx.at, .key = ctx.key, .from = ctx.from};
        if constexpr (I == 0) say(own, &record, nullptr, hash, out);
        else say(own, nullptr, &record, hash, out, 1);
    }
    /// Those that nobody can meet any more come out, by time, left ones first.
    template <class Out>
    void tell_alone(Out& out) {
        for (;;) {
            bool const left = is_due<0>();
            bool const right = is_due<1>();
            if constexpr (waits<0> && waits<1>) {
                if (left && (!right || !(right_.queue.top().at < left_.queue.top().at))) tell_first<0>(out);
                else if (right) tell_first<1>(out);
                else return;
            } else {
                if (left) tell_first<0>(out);
                else if (right) tell_first<1>(out);
                else return;
            }
        }
    }
    template <std::size_t I>
    [[nodiscard]] bool is_due() noexcept {
        if constexpr (waits<I>) {
            auto& mine = side<I>();
            return !mine.queue.empty() && mine.queue.top().at < mine.gone_before;
        } else {
            return false;
        }
    }
    template <std::size_t I, class Out>
    void tell_first(Out& out) {
        if constexpr (waits<I>) {
            auto& mine = side<I>();
            auto const first = mine.queue.top();
            mine.queue.pop();
            if (!mine.met[first.of]) {
                auto const& each = mine.alone[first.of];
                come_out_alone<I>(each.ctx(), each.record(), first.hash, out);
            }
            mine.alone.drop(first.of);
        }
    }

    /// Drops what meets nobody any more; how many keys are left.
    std::size_t drop_gone() {
        std::size_t live = 0;
        keys_.for_each_ordered([&](auto const&, entry& each, std::uint64_t) {
            drop_gone<0>(each);
            drop_gone<1>(each);
            live += each.is_empty() ? 0 : 1;
        });
        return live;
    }
    /// The same, and the keys without rows go, once they are more than the others.
    DRIFTLESS_NOINLINE void sweep() {
        auto const live = drop_gone();
        if (2 * live < keys_.size()) {
            table left;
            left.make_room_for(live);
            keys_.for_each_ordered([&](auto const& key, entry& each, std::uint64_t hash) {
                if (each.left.empty()) release<0>(each);
                if (each.right.empty()) release<1>(each);
                if (!each.is_empty()) static_cast<void>(left.insert(key, hash, [&] { return each; }));
            });
            keys_.swap(left);
        }
        until_sweep_ = first_sweep + 8 * keys_.size();
    }
    template <std::size_t I>
    void drop_gone(entry& of) {
        auto& mine = side<I>();
        mine.rows.drop_before(of.template rows<I>(), mine.gone_before, [&](auto const& gone) { mine.forget(gone); });
    }
    template <std::size_t I>
    void release(entry& of) {
        auto& mine = side<I>();
        mine.rows.release(of.template rows<I>(), [&](auto const& gone) { mine.forget(gone); });
    }
    void clear() {
        keys_.for_each_ordered([&](auto const&, entry& each, std::uint64_t) {
            release<0>(each);
            release<1>(each);
        });
        keys_.clear();
        left_ = side_t<0>{};
        right_ = side_t<1>{};
        account_ = account{.label = account_.label};
        until_sweep_ = first_sweep;
    }

    template <std::size_t I>
    void save_rows(entry& of, auto& out) {
        auto& rows = of.template rows<I>();
        out.write(static_cast<std::uint64_t>(rows.size()));
        for (auto const& each : rows) {
            out.write(each.at).write(each.record);
            if constexpr (waits<I>) {
                bool const alone = each.queued != row_t<I>::in_no_queue;
                out.write(alone);
                if (!alone) continue;
                auto const from = side<I>().alone[each.queued].ctx().from;
                out.write(from.offset).write(from.partition).write(from.input);
            }
        }
    }
    template <std::size_t I>
    void load_rows(entry& into, key_type const& key, std::uint64_t hash, auto& in) {
        auto& mine = side<I>();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const at = in.template read<event_time>();
            auto const record = in.template read<record_t<I>>();
            auto row = mine.make(at, record);
            if constexpr (waits<I>) {
                if (in.template read<bool>()) {
                    origin from;
                    in.read(from.offset).read(from.partition).read(from.input);
                    row.queued = wait<I>(context<key_type>{.at = at, .key = &key, .from = from}, record, hash);
                }
            }
            mine.rows.insert(into.template rows<I>(), std::move(row));
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
