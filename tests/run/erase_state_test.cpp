// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/erase_state.hpp>  // first: proves that the header stands alone

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/as_of_join.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/count_window.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/distinct.hpp>
#include <driftless/op/enrich.hpp>
#include <driftless/op/foreign_key_join.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/process.hpp>
#include <driftless/op/release_on_close.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/sliding_per_record.hpp>
#include <driftless/op/suppress.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/table_join.hpp>
#include <driftless/op/timestamps.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/triggered_session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace erase_state_test {
struct person {
    static constexpr std::string_view subject_kind = "person";
    std::uint64_t number = 0;
    friend bool operator==(person const&, person const&) = default;
};
struct visit {
    person who;
    std::int64_t n = 0;
    event_time at;
};
struct seen {
    struct state {
        value_state<std::int64_t> n;
        event_timer timer;
    };
    void on_record(state& own, visit const& v, auto& context) const {
        own.n = own.n.value_or(0) + v.n;
        context.set(own.timer, v.at + 40_s);
    }
    void on_timer(state& own, fired_timer const&, auto& context) const { context.emit(*own.n); }
};
struct counted {
    struct state {
        value_state<std::int64_t> n;
    };
    void on_record(state& own, visit const&, auto&) const { own.n = own.n.value_or(0) + 1; }
    void on_close(state& own, auto& context) const { context.emit(*own.n); }
};
}  // namespace erase_state_test
BOOST_HANA_ADAPT_STRUCT(erase_state_test::person, number);
BOOST_HANA_ADAPT_STRUCT(erase_state_test::visit, who, n, at);
BOOST_HANA_ADAPT_STRUCT(erase_state_test::seen::state, n, timer);
BOOST_HANA_ADAPT_STRUCT(erase_state_test::counted::state, n);
using namespace erase_state_test;

namespace {
constexpr std::uint64_t gone = 0x1122334455667788;

erased_subjects erased_one() {
    erased_subjects out{1};
    out.add(subject_id::of(person{gone}));
    return out;
}
int people = 5;  // 40: windows large enough to be parts of their own in a snapshot
person nth_person(int i) {
    auto const n = i * 7 % people;
    return {n == 2 ? gone : static_cast<std::uint64_t>(n)};
}
/// Records of all people in turn, those of `gone` in the first half alone, and only if wanted.
template <class Log>
void append_visits(Log& log, int from, int to, bool all) {
    for (int i = from; i < to; ++i) {
        if (nth_person(i).number == gone && !all) continue;
        log.append({nth_person(i), i, event_time{i * 1'000'000'000L}});
    }
}

/// What reaches the sink, but for what is about `gone`.
struct told_rows {
    std::vector<std::string> others{};
    std::size_t of_gone = 0;

    template <class K, class V>
    void write(pane<K, V> const& row) {
        add("+", encode(row.key), row.window, encode(row.value));
    }
    template <class K>
    void remove(K const& key, time_window window) {
        add("-", encode(key), window, "");
    }
    void add(char const* what, std::string const& key, time_window window, std::string const& value) {
        if (key.find(encode(gone)) != std::string::npos) ++of_gone;
        else others.push_back(what + key + "|" + encode(window) + "|" + value);
    }
    std::vector<std::string> sorted() const {
        auto out = others;
        std::sort(out.begin(), out.end());
        return out;
    }
};

/// A job that reads half of its input, is purged, and reads the rest, writes what one does that never met the subject.
template <class P, class... Names>
void purges(std::string const& name, P const& pipeline, thread_count threads, Names... names) {
    CAPTURE(name);
    auto const run = [&](bool all) {
        memory_log<visit> log;  // of all inputs
        told_rows out;
        append_visits(log, 0, 60, all);
        auto const mode = stream{.threads = threads};
        auto const go = [&](auto&& running) {
            running.poll();
            if (all) {
                auto const first = purge_state(running, erased_one());
                CHECK(first.removed > 0);
                CHECK(first.kept_by.empty());
                CHECK(purge_state(running, erased_one()).removed == 0);
                out.of_gone = 0;
            }
            append_visits(log, 60, 120, false);
            running.poll();
            running.drain();
            CHECK(out.of_gone == 0);
        };
        if constexpr (sizeof...(Names) == 0) {
            job running{mode, pipeline, log, out};
            go(running);
        } else {
            job running{mode, pipeline, bind(names, log)..., out};
            go(running);
        }
        return out.sorted();
    };
    auto const expected = run(false);
    CHECK(!expected.empty());
    CHECK(run(true) == expected);
}
template <class Name>
auto input(Name name) {
    return from<visit>(name) | assign_time<&visit::at>(bounded_disorder{0_s}) | key_by<&visit::who>();
}
auto const visits = from<visit>() | assign_time<&visit::at>(bounded_disorder{0_s}) | key_by<&visit::who>();
auto const sums = aggregate(count(), sum<&visit::n>());
std::int64_t both_of(visit const& a, visit const& b) { return a.n * 1000 + b.n; }
}  // namespace

TEST_CASE("a purge takes a subject out of aggregates by its key, in every kind of window", "[run][erase_state]") {
    for (auto const threads : {thread_count{1}, thread_count{2}}) {
        purges("tumbling", visits | window(tumbling{90_s}) | sums, threads);
        purges("sliding", visits | window(sliding{90_s, 30_s}) | sums, threads);
        purges("session", visits | window(session{70_s}) | sums, threads);
        purges("triggered", visits | window(tumbling{90_s}, at_watermark().early(every(3))) | sums, threads);
        purges("triggered session", visits | window(session{70_s}, at_watermark().early(every(3))) | sums, threads);
        purges("count", visits | window(count_window{9}) | aggregate(sum<&visit::n>(), unbounded_state{}), threads);
        purges("per record", visits | window(sliding_per_record{30_s}) | sums, threads);
        purges("unwindowed", visits | aggregate(count(), sum<&visit::n>(), unbounded_state{}), threads);
    }
}
TEST_CASE("a purge takes a subject out of process functions with their timers", "[run][erase_state]") {
    for (auto const threads : {thread_count{1}, thread_count{2}}) {
        purges("process", visits | process<std::int64_t>(seen{}, unbounded_state{}), threads);
        purges("in windows", visits | window(tumbling{90_s}) | process<std::int64_t>(counted{}), threads);
    }
}
TEST_CASE("a purge takes a subject out of what waits to go on", "[run][erase_state]") {
    thread_count const one{1};
    auto const latest = visits | table(unbounded_state{});
    purges("table", latest, one);
    purges("suppress", latest | suppress(time_limit{1000_s}), one);
    purges("final results", visits | window(tumbling{90_s}, allowed_lateness{50_s}) | sums | suppress(final_results{}),
        one);
    purges("second aggregate",
        latest | key_by<&visit::who>() | aggregate(sum<&visit::n>(), unbounded_state{}), one);
    purges("distinct", visits | distinct<&visit::n>(unbounded_state{}), one);
    purges("dedup", visits | dedup<&visit::who>(25_s), one);
    purges("release on close", visits | window(tumbling{90_s}) | release_on_close(), one);
    purges("earliest time", visits | window(tumbling{90_s}, earliest_timestamp{}) | sums, one);
}
TEST_CASE("a purge takes a subject out of joins and tables by their key", "[run][erase_state]") {
    auto const left = input("left"_name);
    auto const right = input("right"_name);
    auto const of_left = left | table(unbounded_state{});
    auto const of_right = right | table(unbounded_state{});
    thread_count const one{1};
    purges("interval", join(left, right, interval{-30_s, 30_s}, both_of), one, "left"_name, "right"_name);
    purges("interval, outer", join(left, right, interval{-30_s, 30_s}, left_outer{}), one, "left"_name, "right"_name);
    purges("window join", join(left | window(tumbling{90_s}), right | window(tumbling{90_s}), both_of), one,
        "left"_name, "right"_name);
    purges("tables", join(of_left, of_right, both_of), one, "left"_name, "right"_name);
    purges("by foreign key", join(of_left, of_right, foreign_key<&visit::who>(), both_of), one, "left"_name,
        "right"_name);
    purges("as of", join(left, right | table(history{100_s}, unbounded_state{}), as_of{}, both_of), one, "left"_name,
        "right"_name);
}

namespace {
/// The bytes of everything in a folder.
std::string all_bytes(testing::memory_files& files, std::string const& folder) {
    std::string out;
    for (auto const& each : files.list(folder)) {
        if (each.folder) out += all_bytes(files, folder + "/" + each.name);
        else out += *read_whole_file(folder + "/" + each.name, files);
    }
    return out;
}
/// The number of `gone` as a snapshot may hold it: fixed, or as a varint.
bool holds_gone(std::string const& bytes) {
    std::string fixed;
    byte_writer{fixed}.put_fixed64(gone);
    return bytes.find(fixed) != std::string::npos || bytes.find(encode(gone)) != std::string::npos;
}
std::size_t manifests(testing::memory_files& files) {
    std::size_t out = 0;
    for (auto const& each : files.list("snapshots")) out += each.name.ends_with(".manifest") ? 1 : 0;
    return out;
}
auto const totals = visits | window(tumbling{30_s}, allowed_lateness{1000_s}) | sums;  // fired windows stay
stream with_snapshots(testing::memory_files& files) {
    stream out{.snapshots = "snapshots"};
    out.snapshot_options = {.every = {}, .keep = 5, .full_every = 10, .logic_version = "1", .files = &files};
    return out;
}
struct many_people {
    many_people() { people = 40; }
    ~many_people() { people = 5; }
};
void take_snapshots(testing::memory_files& files, memory_log<visit>& log, told_rows& out) {
    job running{with_snapshots(files), totals, log, out};
    for (int i = 0; i < 60; i += 20) {
        append_visits(log, i, i + 20, true);
        running.poll();
        running.save_snapshot();
    }
}
std::vector<std::string> without_the_subject() {
    memory_log<visit> log;
    told_rows out;
    append_visits(log, 0, 60, false);
    append_visits(log, 60, 120, false);
    job running{stream{}, totals, log, out};
    running.drain();
    return out.sorted();
}
}  // namespace

TEST_CASE("a purge of a job that runs leaves one snapshot, and nothing of the subject", "[run][erase_state]") {
    many_people const enough;
    testing::memory_files files;
    memory_log<visit> log;
    told_rows out;
    take_snapshots(files, log, out);
    CHECK(manifests(files) == 3);
    CHECK(holds_gone(all_bytes(files, "snapshots")));
    {
        job running{with_snapshots(files), totals, log, out};
        running.poll();
        auto const said = purge_state(running, erased_one(), "snapshots", files);
        CHECK(said.removed > 0);
        CHECK(said.snapshots == 3);
        CHECK(manifests(files) == 1);
        CHECK(!holds_gone(all_bytes(files, "snapshots")));
        append_visits(log, 60, 90, false);
        running.poll();
        running.save_snapshot();  // an incremental one again
        CHECK(!holds_gone(all_bytes(files, "snapshots")));
    }
    append_visits(log, 90, 120, false);
    job running{with_snapshots(files), totals, log, out};
    running.drain();
    CHECK(out.sorted() == without_the_subject());
}

TEST_CASE("a job that starts from older snapshots leaves erased subjects out", "[run][erase_state]") {
    many_people const enough;
    testing::memory_files files;
    memory_log<visit> log;
    told_rows out;
    take_snapshots(files, log, out);
    out.of_gone = 0;
    append_visits(log, 60, 120, false);
    {
        without_erased const filter{erased_one()};
        job running{with_snapshots(files), totals, log, out};
        CHECK(filter.removed() > 0);
        CHECK(filter.kept_by().empty());
        CHECK(snapshot_store{"snapshots", files}.read(3).files.size() > 1);
        CHECK(purge_snapshots(running, "snapshots", files) == 3);  // what it takes points into no older file
        CHECK(snapshot_store{"snapshots", files}.read(4).files.size() == 1);
        CHECK(!holds_gone(all_bytes(files, "snapshots")));
        running.drain();
    }
    CHECK(out.of_gone == 0);
    CHECK(out.sorted() == without_the_subject());
}

TEST_CASE("a crash at any call of a purge is mended by the next one", "[run][erase_state][crash]") {
    many_people const enough;
    std::uint64_t all = 0;
    auto const attempt = [&](std::uint64_t nth, testing::fault what, std::uint64_t seed) {
        testing::memory_files files;
        memory_log<visit> log;
        told_rows out;
        take_snapshots(files, log, out);
        out.of_gone = 0;
        auto const before = files.operations();
        files.inject(nth, what);
        try {
            job running{with_snapshots(files), totals, log, out};
            purge_state(running, erased_one(), "snapshots", files);
        } catch (error const& problem) {
            CHECK(problem.code() == error_code::io);
        }
        all = files.operations() - before;
        files.inject(0, what);
        if (seed == 0) files.restart();
        else files.lose_power(seed);
        append_visits(log, 60, 120, false);
        {
            without_erased const filter{erased_one()};
            job running{with_snapshots(files), totals, log, out};
            purge_snapshots(running, "snapshots", files);
            CHECK(!holds_gone(all_bytes(files, "snapshots")));
            running.drain();
        }
        CHECK(out.of_gone == 0);
        CHECK(out.sorted() == without_the_subject());
    };
    attempt(0, testing::fault::fail, 0);
    auto const calls = all;
    CHECK(calls > 10);
    for (std::uint64_t nth = 1; nth <= calls; ++nth) {
        for (auto const what : {testing::fault::cut, testing::fault::after}) {
            CAPTURE(nth, static_cast<int>(what));
            attempt(nth, what, 0);
            attempt(nth, what, nth * 31 + 1);
        }
    }
}

TEST_CASE("a subject is left out by its kind, also inside another key", "[run][erase_state]") {
    auto const who = erased_one();
    driftless::detail::left_out filter{who};
    CHECK(driftless::detail::left_out::drops(person{gone}));
    CHECK(!driftless::detail::left_out::drops(person{gone + 1}));
    CHECK(!driftless::detail::left_out::drops(gone));  // a number of no kind
    CHECK(driftless::detail::left_out::drops(std::pair{person{gone}, std::string{"shoes"}}));
    CHECK(driftless::detail::left_out::drops(std::tuple{1, std::pair{2, person{gone}}}));
    CHECK(!driftless::detail::left_out::drops(std::pair{person{1}, gone}));
    CHECK(filter.asked() == 6);
    CHECK(filter.dropped() == 3);
    filter.member_read("asks", true);
    filter.member_read("keeps all", true);  // and asked about nothing
    filter.member_read("holds nothing", false);
    CHECK(filter.passed_by() == std::vector<std::string>{"keeps all"});
}

TEST_CASE("the snapshots of a job that does not run go as a whole", "[run][erase_state]") {
    testing::memory_files files;
    memory_log<visit> log;
    told_rows out;
    take_snapshots(files, log, out);
    snapshot_folder_place place{"snapshots/", files};
    static_assert(purgeable<snapshot_folder_place>);
    CHECK(place.purge(erased_one()).removed == 6);
    CHECK(place.purge(erased_one()).removed == 0);
    CHECK(manifests(files) == 0);
    CHECK(!holds_gone(all_bytes(files, "snapshots")));
    CHECK(snapshot_folder_place{"nowhere", files}.purge(erased_one()).removed == 0);
}
