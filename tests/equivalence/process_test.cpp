// SPDX-License-Identifier: BSL-1.0
// process against loops that look at every key for what is next, and as batch and stream, under random disorder,
// chunking, threads and restores.
#include <driftless/op/process.hpp>

#include <driftless/op/sorted_by_time.hpp>
#include <driftless/state/map_state.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace process_functions {
using namespace equivalence;

constexpr auto second = 1_s;
struct row {
    std::int32_t kind;
    std::int64_t value;
};

/// A bit of everything: a sum that is forgotten, one that is not, a timer that is moved, timers by their times, which
/// set others in the past, at present and in the future.
struct busy {
    struct state {
        value_state<std::int64_t, time_to_live<(7_s).ns()>> sum;
        list_state<std::int64_t> recent;
        map_state<std::string, std::int64_t> by_shop;
        reducing_state<std::int64_t, std::plus<>> all;
        event_timer quiet;
        event_timer_set reminders;
    };
    using outputs = side_outputs<side_output<"audit", row>>;

    void on_record(state& own, sale const& s, auto& context) const {
        own.sum = own.sum.value_or(0) + s.cents;
        own.recent.push_back(s.cents);
        own.by_shop[s.shop.str()] += 1;
        own.all.add(1);
        context.set(own.quiet, s.at + 3 * second);
        context.set(own.reminders, event_time{(s.at.ns() / second.ns() + 5) * second.ns()});
        if (s.cents % 7 == 0) context.cancel(own.reminders, s.at + 2 * second);
        context.emit({0, *std::as_const(own.sum)});
        if (s.cents % 5 == 0) context.emit("audit"_name, row{4, *own.all});
    }
    void on_timer(state& own, fired_timer const& fired, auto& context) const {
        if (fired.is(own.quiet)) {
            context.emit({1, own.sum.value_or(-1)});
            own.recent.erase_if([](std::int64_t cents) { return cents < 0; });
            return;
        }
        auto const n = own.all.value_or(0);
        // Who sets a timer in the past says nothing: it must come in its place all the same.
        if (n % 4 != 0) context.emit({2, static_cast<std::int64_t>(own.recent.size() + 100 * own.by_shop.size())});
        own.all.add(1);
        if (n % 4 == 0) context.set(own.reminders, fired.at - 2 * second);
        if (n % 4 == 1) context.set(own.quiet, fired.at);
        if (n % 4 == 2 && n % 3 == 0) context.set(own.reminders, fired.at + second);
        if (n % 4 == 3) context.emit("audit"_name, row{3, fired.at.ns()});
        if (n > 30) context.clear();
    }
    void on_close(state& own, auto& context) const { context.emit({5, own.all.value_or(0)}); }
};
/// Per window: a timer between its records, and what there was when it closes.
struct per_window {
    struct state {
        std::int64_t records = 0;
        event_timer soon;
    };
    duration lateness;

    void on_record(state& own, sale const& s, auto& context) const {
        ++own.records;
        auto const last = context.window().end + lateness - 1_ns;
        context.set(own.soon, std::min(s.at + 4 * second, last));
    }
    void on_timer(state& own, fired_timer const&, auto& context) const { context.emit({1, own.records}); }
    void on_close(state& own, auto& context) const { context.emit({2, own.records}); }
};
/// count(), and the sum of rows, by hand.
struct counting {
    struct state {
        std::int64_t n = 0;
    };
    void on_record(state& own, sale const&, auto&) const { ++own.n; }
    void on_record(state& own, pane<std::int32_t, std::int64_t> const& row, auto&) const { own.n += row.value; }
    void on_close(state& own, auto& context) const { context.emit(own.n); }
};
/// Rows that borrow text: of the record, and of the state, which changes behind them.
struct borrowing {
    struct state {
        value_state<std::string> last;
        event_timer timer;
    };
    void on_record(state& own, sale const& s, auto& context) const {
        if (own.last) context.emit({text{*own.last}, s.shop});
        own.last = s.shop.str() + "!";
        context.set(own.timer, s.at + 2 * second);
    }
    void on_timer(state& own, fired_timer const&, auto& context) const {
        context.emit({text{*own.last}, text{}});
        own.last.reset();
    }
};
}  // namespace process_functions
BOOST_HANA_ADAPT_STRUCT(process_functions::counting::state, n);
BOOST_HANA_ADAPT_STRUCT(process_functions::borrowing::state, last, timer);
BOOST_HANA_ADAPT_STRUCT(process_functions::row, kind, value);
BOOST_HANA_ADAPT_STRUCT(process_functions::busy::state, sum, recent, by_shop, all, quiet, reminders);
BOOST_HANA_ADAPT_STRUCT(process_functions::per_window::state, records, soon);

namespace {
using namespace equivalence;
using process_functions::busy;
using process_functions::per_window;
using process_functions::row;
constexpr auto second = 1_s;

/// The key of a sale, as an integer, and as text.
template <bool Text>
auto key_of(sale const& s) {
    if constexpr (Text) return s.shop.str();
    else return s.item;
}
template <class Key>
struct said {
    recorder out;
    recorder audit;
    void row_of(Key const& key, row const& r) { out.write(pane<Key, row>{key, {}, r, {}}); }
};

/// Where the watermark is behind each record.
class watermark_by_hand {
    std::vector<std::optional<std::int64_t>> newest_;
    duration bound_;

public:
    watermark_by_hand(std::uint32_t partitions, duration bound) : newest_(partitions), bound_(bound) {}
    event_time after(placed const& each) {
        auto& mine = newest_[each.partition];
        mine = mine ? std::max(*mine, each.record.at.ns()) : each.record.at.ns();
        std::int64_t least = INT64_MAX;
        for (auto const& n : newest_) {
            if (!n) return event_time::min();
            least = std::min(least, *n);
        }
        return event_time{least - bound_.ns()};
    }
};

/// `busy`, written out: plain containers, and a look at every key for what comes next.
template <class Key>
struct busy_by_hand {
    struct account {
        std::optional<std::int64_t> sum;
        event_time updated = event_time::min();
        std::vector<std::int64_t> recent;
        std::map<std::string, std::int64_t> by_shop;
        std::optional<std::int64_t> all;
        std::optional<event_time> quiet;
        std::set<event_time> reminders;
    };
    std::map<std::pair<std::uint64_t, Key>, account> all;
    said<Key> out;
    event_time watermark = event_time::min();

    static event_time next_of(account const& a) {
        auto next = a.quiet.value_or(event_time::max());
        if (!a.reminders.empty()) next = std::min(next, *a.reminders.begin());
        return next;
    }
    void forget(account& a, event_time step) const {
        if (a.sum && step >= a.updated + 7_s) a.sum.reset(), a.updated = event_time::min();
    }
    void record(sale const& s, Key const& key) {
        auto& a = all[{canonical_hash(key), key}];
        forget(a, watermark);
        a.sum = a.sum.value_or(0) + s.cents;
        a.updated = std::max(a.updated, s.at);
        a.recent.push_back(s.cents);
        ++a.by_shop[s.shop.str()];
        a.all = a.all.value_or(0) + 1;
        a.quiet = s.at + 3_s;
        a.reminders.insert(event_time{(s.at.ns() / second.ns() + 5) * second.ns()});
        if (s.cents % 7 == 0) a.reminders.erase(s.at + 2_s);
        out.row_of(key, {0, *a.sum});
        if (s.cents % 5 == 0) out.audit.write(pane<Key, row>{key, {}, {4, *a.all}, {}});
    }
    void advance(event_time to) {
        if (to <= watermark) return;
        auto const from = std::exchange(watermark, to);
        auto now = event_time::min();
        for (;;) {
            auto due = all.end();
            for (auto at = all.begin(); at != all.end(); ++at) {
                if (next_of(at->second) >= to) continue;
                auto const time = std::max(next_of(at->second), now);
                if (due == all.end() || time < std::max(next_of(due->second), now)) due = at;
            }
            if (due == all.end()) break;
            now = std::max(next_of(due->second), now);
            auto const& key = due->first.second;
            auto& a = due->second;
            forget(a, std::max(from, now + 1_ns));
            bool cleared = false;
            while (!cleared && a.quiet && *a.quiet <= now) {
                a.quiet.reset();
                out.row_of(key, {1, a.sum.value_or(-1)});
                std::erase_if(a.recent, [](std::int64_t cents) { return cents < 0; });
            }
            while (!cleared && !a.reminders.empty() && *a.reminders.begin() <= now) {
                auto const at = *a.reminders.begin();
                a.reminders.erase(at);
                auto const n = a.all.value_or(0);
                if (n % 4 != 0)
                    out.row_of(key, {2, static_cast<std::int64_t>(a.recent.size() + 100 * a.by_shop.size())});
                a.all = n + 1;
                if (n % 4 == 0) a.reminders.insert(at - 2_s);
                if (n % 4 == 1) a.quiet = at;
                if (n % 4 == 2 && n % 3 == 0) a.reminders.insert(at + 1_s);
                if (n % 4 == 3) out.audit.write(pane<Key, row>{key, {}, {3, at.ns()}, {}});
                cleared = n > 30;
            }
            if (cleared) all.erase(due);
        }
    }
    void close() {
        for (auto const& [key, a] : all) out.row_of(key.second, {5, a.all.value_or(0)});
    }
};

template <bool Text, class Log, class P>
auto stream_with_audit(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions, pace how) {
    struct result {
        recorder out;
        recorder audit;
        driftless::report report;
    } got;
    Log log{partitions};
    using audit = bound<name<"audit">, recorder&>;
    std::optional<job<stream, P, Log&, audit, recorder&>> running;
    auto const append = [&](std::size_t i) { log.append(records[i].record, records[i].partition); };
    auto const start = [&](int threads) {
        running.emplace(stream{.threads = threads}, pipeline, log, audit{got.audit}, got.out);
    };
    got.report = drive(running, start, append, records.size(), how);
    return got;
}

template <bool Text>
void check_busy(std::uint64_t seed) {
    dice random{seed};
    auto const bound = duration{random.between(0, 5) * 1'000'000'000};
    auto of = random_shape(random, random.one_in(2) ? bound : 12_s);
    of.records = 1 + random.below(250);
    of.step_ms = random.one_in(2) ? 900 : 4'000;
    auto const records = random_records(random, of);
    auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{bound})
        | key_by([](sale const& s) { return key_of<Text>(s); }) | process<row>(busy{}, unbounded_state{});

    busy_by_hand<decltype(key_of<Text>(sale{}))> hand;
    watermark_by_hand watermark{of.partitions, bound};
    for (auto const& each : merged(records, of.partitions)) {
        hand.record(each.record, key_of<Text>(each.record));
        hand.advance(watermark.after(each));
    }
    hand.advance(event_time::max());
    hand.close();

    auto const once =
        stream_with_audit<Text, memory_log<sale, rows>>(pipeline, records, of.partitions, {.seed = calm});
    CHECK_SAME(once.out.lines, hand.out.out.lines);
    CHECK_SAME(once.audit.lines, hand.out.audit.lines);
    CHECK(once.report.state_bytes == 0);
    check_books(once.report, records.size(), "process");
    auto const other =
        stream_with_audit<Text, memory_log<sale, columns>>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.audit.lines, once.audit.lines);

    memory_log<sale> log{of.partitions};
    recorder out;
    recorder audit;
    run(batch{.threads = 1 + static_cast<int>(seed % 3)}, pipeline, fill(log, records), bind("audit"_name, audit), out);
    CHECK_SAME(out.lines, once.out.lines);
    CHECK_SAME(audit.lines, once.audit.lines);
}
}  // namespace

TEST_CASE("process = loops = batch = stream, however it is run, by integer keys", "[equivalence][oracle][process]") {
    for_seeds(40, [](std::uint64_t seed) { check_busy<false>(seed); });
}
TEST_CASE("process = loops = batch = stream, however it is run, by text keys", "[equivalence][oracle][process]") {
    for_seeds(40, [](std::uint64_t seed) { check_busy<true>(seed); });
}

TEST_CASE("process in windows = loops = batch = stream", "[equivalence][oracle][process]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 6) * 1'000'000'000};
        auto const of = random_shape(random, tame ? bound + lateness : 20_s);
        auto const records = random_records(random, of);
        auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>()
            | window(tumbling{10_s, 3_s}, allowed_lateness{lateness}) | late_to("late"_name)
            | process<row>(per_window{lateness});
        struct open {
            std::int64_t records = 0;
            std::optional<event_time> soon;
        };
        // By what is next: (time, timers before windows, window start, hash).
        std::map<std::pair<time_window, std::int32_t>, open> all;
        recorder out;
        recorder late;
        auto watermark = event_time::min();
        auto const advance = [&](event_time to) {
            if (to <= watermark) return;
            watermark = to;
            for (;;) {
                auto due = all.end();
                std::tuple<event_time, int, event_time, std::uint64_t> least;
                for (auto at = all.begin(); at != all.end(); ++at) {
                    auto const& [place, o] = *at;
                    auto const hash = canonical_hash(place.second);
                    auto const last = place.first.end + lateness - 1_ns;
                    auto const mine = o.soon ? std::tuple{*o.soon, 0, event_time{}, hash}
                                             : std::tuple{last, 1, place.first.start, hash};
                    if (std::get<0>(mine) >= to || (due != all.end() && least < mine)) continue;
                    due = at;
                    least = mine;
                }
                if (due == all.end()) return;
                auto& [place, o] = *due;
                out.write(pane<std::int32_t, row>{place.second, place.first, {o.soon ? 1 : 2, o.records}, {}});
                if (o.soon) o.soon.reset();
                else all.erase(due);
            }
        };
        watermark_by_hand by_hand{of.partitions, bound};
        for (auto const& each : merged(records, of.partitions)) {
            auto const w = shifted_window(each.record.at);
            if (watermark >= w.end + lateness) {
                late.write(pane<std::int32_t, sale>{each.record.item, w, each.record, {}});
            } else {
                auto& o = all[{w, each.record.item}];
                ++o.records;
                o.soon = std::min(each.record.at + 4_s, w.end + lateness - 1_ns);
            }
            advance(by_hand.after(each));
        }
        advance(event_time::max());

        auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
        CHECK_SAME(once.out.lines, out.lines);
        CHECK_SAME(once.late.lines, late.lines);
        CHECK(once.report.state_bytes == 0);
        check_books(once.report, records.size(), "process");
        auto const other = stream_over<columns, true>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, out.lines);
        CHECK_SAME(other.late.lines, late.lines);
        memory_log<sale> log{of.partitions};
        recorder batched;
        recorder batch_late;
        run(batch{.threads = 2}, pipeline, fill(log, records), bind("late"_name, batch_late), batched);
        CHECK_SAME(batched.lines, out.lines);
        CHECK_SAME(batch_late.lines, late.lines);
    });
}

TEST_CASE("behind a sort, process sees each key in the order of time, whatever the order of arrival",
    "[equivalence][process]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, 4_s);
        of.partitions = 1;
        auto records = random_records(random, of);
        auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{4_s}) | sorted_by_time()
            | key_by<&sale::item>() | process<row>(busy{}, unbounded_state{});
        auto const once =
            stream_with_audit<false, memory_log<sale, rows>>(pipeline, records, 1, {.seed = calm});
        auto const other =
            stream_with_audit<false, memory_log<sale, rows>>(pipeline, records, 1, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        // In order from the beginning: records of one time stay as they are.
        std::vector<std::size_t> order(records.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return std::pair{records[a].record.at, a} < std::pair{records[b].record.at, b};
        });
        std::vector<placed> sorted;
        for (auto const i : order) sorted.push_back(records[i]);
        auto const in_order =
            stream_with_audit<false, memory_log<sale, rows>>(pipeline, sorted, 1, {.seed = calm});
        CHECK_SAME(in_order.out.lines, once.out.lines);
    });
}

TEST_CASE("a function that counts what is in a window says what aggregate(count()) says", "[equivalence][process]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto const of = random_shape(random, random.one_in(2) ? 4_s : 20_s);
        auto const records = random_records(random, of);
        sliding const windows{duration{random.between(1, 20) * 1'000'000'000},
            duration{random.between(2, 9) * 1'000'000'000},
            duration{random.between(-12, 12) * 1'000'000'000}};
        auto const timed = from<sale>() | assign_time<&sale::at>(bounded_disorder{4_s}) | key_by<&sale::item>()
            | window(windows) | late_to("late"_name);
        auto const by_aggregate = timed | aggregate(count());
        auto const by_function = timed | process<std::int64_t>(process_functions::counting{});
        auto const expected = stream_over<rows, true>(by_aggregate, records, of.partitions, {.seed = calm});
        auto const got = stream_over<rows, true>(by_function, records, of.partitions, {.seed = seed});
        CHECK_SAME(got.out.lines, expected.out.lines);
        CHECK_SAME(got.late.lines, expected.late.lines);
        CHECK(got.report.stage("process")->unassigned == expected.report.stage("aggregate")->unassigned);
        CHECK(got.report.state_bytes == 0);

        // Rows keep their windows, and a function behind an aggregate regroups in them.
        auto const regrouped = key_by([](pane<std::int32_t, std::int64_t> const& row) { return row.key % 2; });
        auto const sums = stream_over<rows, true>(by_aggregate | regrouped
                | aggregate(sum([](pane<std::int32_t, std::int64_t> const& row) { return row.value; })),
            records, of.partitions, {.seed = calm});
        auto const sums_by_function =
            stream_over<rows, true>(by_aggregate | regrouped | process<std::int64_t>(process_functions::counting{}),
                records, of.partitions, {.seed = seed});
        CHECK_SAME(sums_by_function.out.lines, sums.out.lines);
    });
}

TEST_CASE("rows of a function may borrow text of its record and state, on any number of threads",
    "[equivalence][process]") {
    for_seeds(20, [](std::uint64_t seed) {
        dice random{seed};
        auto const of = random_shape(random, 4_s);
        auto const records = random_records(random, of);
        auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{4_s}) | key_by<&sale::shop>()
            | process<std::pair<text, text>>(process_functions::borrowing{}, unbounded_state{});
        auto const once = stream_over<rows>(pipeline, records, of.partitions, {.seed = calm});
        auto const other = stream_over<columns>(pipeline, records, of.partitions, {.seed = seed, .threads = 3});
        CHECK_SAME(other.out.lines, once.out.lines);
    });
}
