// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Answers from outside come when they like, and nobody can tell: batch, stream and plain loops agree for any pace, any
// order of the answers, any failures that were overcome, restarts amid calls, and threads. Where the outside answers
// otherwise each time, what was written down gives the same output again.
#include <driftless/op/enrich.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/call_pool.hpp>
#include <driftless/testing/seeded_calls.hpp>
#include <equivalence/generated.hpp>

#include <algorithm>
#include <atomic>
#include <set>
#include <stdexcept>
#include <type_traits>

using namespace equivalence;
using testing::seeded_calls;

namespace {
struct priced {
    std::int32_t item;
    std::int64_t worth;
    event_time at;
};
/// A pure answer, which some calls do not give: each record's first one or two, by a number of its own.
struct price_list {
    std::atomic<std::uint64_t>* calls;
    std::int64_t operator()(sale const& s) const {
        auto const nth = calls->fetch_add(1);
        if (nth % 7 == 3) throw std::runtime_error{"no connection"};
        return 100 + s.item * 17 + static_cast<std::int64_t>(s.shop.size());
    }
};
std::int64_t price_of(sale const& s) { return 100 + s.item * 17 + static_cast<std::int64_t>(s.shop.size()); }
constexpr auto worth = [](sale const& s, std::int64_t price) { return sale{s.shop, s.item, s.cents * price, s.at}; };

constexpr auto as_they_came = fold(std::uint64_t{7}, [](std::uint64_t hash, sale const& s) {
    return hash * 31 + static_cast<std::uint64_t>(s.cents);
});
constexpr auto totals = [](auto const& p) {
    return p | key_by<&sale::shop>() | window(tumbling{10_s}) | aggregate(count(), sum<&sale::cents>(), as_they_came);
};

table loops(std::vector<placed> const& records) {
    std::map<std::pair<time_window, std::string>, std::tuple<std::int64_t, std::int64_t, std::uint64_t>> groups;
    for (auto const& [p, s] : records) {
        auto& [n, sum, hash] = groups.try_emplace({window_of(s.at), std::string{s.shop}}, 0, 0, 7).first->second;
        ++n;
        sum += s.cents * price_of(s);
        hash = hash * 31 + static_cast<std::uint64_t>(s.cents * price_of(s));
    }
    table out;
    for (auto const& [place, value] : groups) put(out, place.second, place.first, value);
    return out;
}
template <class P>
outcome stream_with(P const& p, std::vector<placed> const& records, std::uint32_t partitions, seeded_calls& outside,
    pace how) {
    memory_log<sale> log{partitions};
    outcome result;
    dice random{how.seed};
    std::optional<job<stream, P, memory_log<sale>&, recorder&>> running;
    auto const start = [&](int threads) { running.emplace(stream{.threads = threads}, p, log, result.out); };
    auto const append = [&](std::size_t i) {
        log.append(records[i].record, records[i].partition);
        if (random.one_in(3)) outside.advance(duration{random.between(0, 3'000'000)});
    };
    result.report = drive(running, start, append, records.size(), how);
    return result;
}
}  // namespace

TEST_CASE("answers in any order, at any pace: batch = stream = loops", "[equivalence][enrich]") {
    std::size_t most = 0;
    for_seeds(120, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(300), .disorder = 5_s});
        auto const expected = loops(records);
        auto const n = 1 + random.below(9);
        seeded_calls outside{seed, 1_us, 2_ms};
        std::atomic<std::uint64_t> calls{0};
        auto const p = totals(from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s})
            | enrich(price_list{&calls}, concurrency{n}, calls_on(outside), retries{200, 1_us, 5_ms},
                call_timeout{duration{random.between(500'000, 5'000'000)}}, worth));

        memory_log<sale> log;
        auto const all = run(batch{.threads = 1 + seed % 3}, p, fill(log, records));
        CHECK_SAME(table_of(all), expected);
        check_books(all.report(), records.size());
        check_books(all.report(), records.size(), "enrich");

        auto const once = stream_with(p, records, 1, outside, {.seed = calm});
        CHECK_SAME(once.out.rows, expected);
        auto const other = stream_with(p, records, 1, outside, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        check_books(other.report, records.size());
        check_books(other.report, records.size(), "enrich");
        CHECK(other.report.failures == 0);
        CHECK(outside.most_at_once() <= n);
        most = std::max(most, outside.most_at_once());
    });
    CHECK(most == 9);
}

TEST_CASE("answers of real threads: batch = stream = loops", "[equivalence][enrich]") {
    for_seeds(40, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(300), .disorder = 5_s});
        auto const expected = loops(records);
        std::atomic<std::uint64_t> calls{0};
        auto const p = totals(from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s})
            | enrich(price_list{&calls}, concurrency{1 + random.below(4)}, retries{50}, worth));
        memory_log<sale> log;
        CHECK_SAME(table_of(run(batch{.threads = 1 + seed % 3}, p, fill(log, records))), expected);
        seeded_calls nobody{1};
        auto const once = stream_with(p, records, 1, nobody, {.seed = calm});
        CHECK_SAME(once.out.rows, expected);
        CHECK_SAME(stream_with(p, records, 1, nobody, {.seed = seed}).out.lines, once.out.lines);
    });
}

TEST_CASE("enrich before assign_time keeps each record with its partition", "[equivalence][enrich]") {
    for_seeds(80, [&](std::uint64_t seed) {
        dice random{seed};
        std::uint32_t const partitions = 1 + static_cast<std::uint32_t>(random.below(4));
        auto const records = random_records(random, {.records = random.below(300), .partitions = partitions});
        seeded_calls outside{seed, 1_us, 2_ms};
        std::atomic<std::uint64_t> calls{0};
        auto const p = from<sale>()
            | enrich(price_list{&calls}, concurrency{1 + random.below(9)}, calls_on(outside), retries{50}, worth)
            | assign_time<&sale::at>(bounded_disorder{5_s}) | key_by<&sale::shop>() | window(tumbling{10_s})
            | aggregate(count(), sum<&sale::cents>());
        table expected;
        std::map<std::pair<time_window, std::string>, std::tuple<std::int64_t, std::int64_t>> groups;
        for (auto const& [part, s] : records) {
            auto& [n, sum] = groups[{window_of(s.at), std::string{s.shop}}];
            ++n;
            sum += s.cents * price_of(s);
        }
        for (auto const& [place, value] : groups) put(expected, place.second, place.first, value);
        auto const got = stream_with(p, records, partitions, outside, {.seed = seed});
        CHECK_SAME(got.out.rows, expected);
        CHECK(got.report.refused(reason::late) == 0);
    });
}

namespace {
struct in_order {
    static constexpr bool is_enrich_option = true;
};
/// Answers otherwise each time, and sometimes not at all.
struct moody {
    std::uint64_t* calls;
    std::int64_t operator()(sale const& s) const {
        auto const nth = (*calls)++;
        if (nth % 5 == 2) throw std::runtime_error{"not now"};
        return s.cents + static_cast<std::int64_t>(nth) * 1000;
    }
};
/// A job that is polled, moved on by its snapshots, and killed now and then: what came out since is taken back.
template <class Start>
driftless::report live(dice& random, Start start, auto& running, recorder& out, auto append, std::size_t records) {
    start();
    std::pair<std::string, recorder> saved{running->snapshot(), out};
    for (std::size_t next = 0; next < records;) {
        for (auto n = random.below(9); n != 0 && next < records; --n) append(next++);
        if (random.one_in(10)) running->run();
        else running->poll(random.one_in(3) ? random.below(5) : 1000);
        if (random.one_in(10)) saved = {running->snapshot(), out};
        if (random.one_in(15)) {
            start();
            out = saved.second;
            running->restore(saved.first);
        }
    }
    running->drain();
    return running->metrics();
}
}  // namespace

TEST_CASE("answers that were written down are read in place of asking", "[equivalence][enrich]") {
    std::size_t failed = 0;
    for_seeds(120, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(250), .disorder = 5_s});
        seeded_calls outside{seed, 1_us, 2_ms};
        std::uint64_t calls = 0;
        // Two of them, one behind the other, share the journal.
        auto const p = totals(from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s})
            | enrich(moody{&calls}, concurrency{1 + random.below(9)}, calls_on(outside), worth)
            | enrich(moody{&calls}, concurrency{1 + random.below(9)}, calls_on(outside), retries{1}, worth)
                .id("second"_name));
        using p_t = std::remove_const_t<decltype(p)>;
        memory_log<sale> log;
        memory_log<answer_entry> answers;
        stream mode{.on_error = on_error::skip, .until = end_of_log, .answers = answers_in(answers)};
        recorder lived;
        std::optional<job<stream, p_t, memory_log<sale>&, recorder&>> running;
        auto const report = live(
            random,
            [&] {
                mode.threads = 1 + random.below(3);
                running.emplace(mode, p, log, lived);
            },
            running, lived,
            [&](std::size_t i) {
                log.append(records[i].record);
                if (random.one_in(3)) outside.advance(duration{random.between(0, 3'000'000)});
            },
            records.size());
        failed += report.failures;

        auto const asked = calls;
        auto const written = answers.end_offset();
        recorder again;
        running.emplace(mode, p, log, again);
        while (running->poll(1 + random.below(30)) != 0) {}
        running->drain();
        CHECK_SAME(again.lines, lived.lines);
        CHECK(running->metrics().failures == report.failures);
        auto const rows = run(batch{.on_error = on_error::skip, .answers = answers_in(answers)}, p, log);
        CHECK_SAME(table_of(rows), lived.rows);
        CHECK(calls == asked);
        CHECK(answers.end_offset() == written);

        // Half of them are lost: the rest is asked about, and only that.
        memory_log<answer_entry> half;
        for (std::uint64_t i = 0; i < written / 2; ++i) half.append(answers.read(0, i)[0]);
        static_cast<void>(run(batch{.on_error = on_error::skip, .answers = answers_in(half)}, p, log));
        if (written > 1) CHECK(calls > asked);
    });
    CHECK(failed > 1000);
}

TEST_CASE("without an order: batch = stream = loops, and nothing is late", "[equivalence][enrich]") {
    std::size_t other_order = 0;
    for_seeds(120, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(300), .disorder = 5_s});
        std::map<std::pair<time_window, std::string>, std::tuple<std::int64_t, std::int64_t>> groups;
        for (auto const& [p, s] : records) {
            auto& [n, sum] = groups[{window_of(s.at), std::string{s.shop}}];
            ++n;
            sum += s.cents * price_of(s);
        }
        table expected;
        for (auto const& [place, value] : groups) put(expected, place.second, place.first, value);

        seeded_calls outside{seed, 1_us, 2_ms};
        std::atomic<std::uint64_t> calls{0};
        auto const priced = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s})
            | enrich(price_list{&calls}, concurrency{1 + random.below(9)}, calls_on(outside), retries{200, 1_us, 5_ms},
                unordered{}, worth);
        auto const p =
            priced | key_by<&sale::shop>() | window(tumbling{10_s}) | aggregate(count(), sum<&sale::cents>());
        memory_log<sale> log;
        CHECK_SAME(table_of(run(batch{.threads = 1 + seed % 3}, p, fill(log, records))), expected);
        auto const got = stream_with(p, records, 1, outside, {.seed = seed});
        CHECK_SAME(got.out.rows, expected);
        CHECK(got.report.refused(reason::late) == 0);
        check_books(got.report, records.size(), "enrich");
        auto const in_turn = stream_with(totals(priced), records, 1, outside, {.seed = seed});
        other_order += in_turn.out.rows != loops(records) ? 1 : 0;
    });
    CHECK(other_order > 60);
}

TEST_CASE("what is late stays late behind enrich, with an order and without", "[equivalence][enrich]") {
    std::uint64_t late = 0;
    for_seeds(120, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(300), .disorder = 40_s});
        seeded_calls outside{seed, 1_us, 2_ms};
        std::atomic<std::uint64_t> calls{0};
        auto const sales = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s});
        auto const n = 1 + random.below(9);
        auto const expected =
            stream_with(totals(sales), records, 1, outside, {.seed = seed}).report.refused(reason::late);
        auto const in_turn = totals(
            sales | enrich(price_list{&calls}, concurrency{n}, calls_on(outside), retries{200, 1_us, 5_ms}, worth));
        CHECK(stream_with(in_turn, records, 1, outside, {.seed = seed}).report.refused(reason::late) == expected);
        auto const any = totals(sales
            | enrich(
                price_list{&calls}, concurrency{n}, calls_on(outside), retries{200, 1_us, 5_ms}, unordered{}, worth));
        CHECK(stream_with(any, records, 1, outside, {.seed = seed}).report.refused(reason::late) == expected);
        late += expected;
    });
    CHECK(late > 1000);
}

TEST_CASE("without an order: what was written down gives the same order again", "[equivalence][enrich]") {
    for_seeds(200, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(250), .disorder = 5_s});
        seeded_calls outside{seed, 1_us, 2_ms};
        std::uint64_t calls = 0;
        auto const p = totals(from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s})
            | enrich(moody{&calls}, concurrency{1 + random.below(9)}, calls_on(outside), unordered{}, worth)
            | enrich(moody{&calls}, concurrency{1 + random.below(9)}, calls_on(outside), retries{1}, unordered{}, worth)
                .id("second"_name));
        using p_t = std::remove_const_t<decltype(p)>;
        memory_log<sale> log;
        memory_log<answer_entry> answers;
        stream mode{.on_error = on_error::skip, .until = end_of_log, .answers = answers_in(answers)};
        recorder lived;
        std::optional<job<stream, p_t, memory_log<sale>&, recorder&>> running;
        auto const report = live(
            random,
            [&] {
                mode.threads = 1 + random.below(3);
                running.emplace(mode, p, log, lived);
            },
            running, lived,
            [&](std::size_t i) {
                log.append(records[i].record);
                if (random.one_in(3)) outside.advance(duration{random.between(0, 3'000'000)});
            },
            records.size());

        auto const asked = calls;
        auto const written = answers.end_offset();
        recorder again;
        running.emplace(mode, p, log, again);
        while (running->poll(1 + random.below(30)) != 0) {}
        running->drain();
        CHECK_SAME(again.lines, lived.lines);
        CHECK(running->metrics().failures == report.failures);
        auto const rows = run(batch{.on_error = on_error::skip, .answers = answers_in(answers)}, p, log);
        CHECK_SAME(table_of(rows), lived.rows);
        CHECK(calls == asked);
        CHECK(answers.end_offset() == written);

        // Half of the answers are lost: the rest is asked about.
        memory_log<answer_entry> half;
        for (std::uint64_t i = 0; i < written / 2; ++i) half.append(answers.read(0, i)[0]);
        static_cast<void>(run(batch{.on_error = on_error::skip, .answers = answers_in(half)}, p, log));
        if (written > 1) CHECK(calls > asked);
    });
}

TEST_CASE("without an order: a part of the input takes those of its answers that are there", "[equivalence][enrich]") {
    for_seeds(100, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = 100, .disorder = 5_s});
        seeded_calls outside{seed, 1_us, 2_ms};
        std::uint64_t calls = 0;
        auto const p = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s})
            | enrich(moody{&calls}, concurrency{2 + random.below(9)}, calls_on(outside), unordered{}, worth);
        memory_log<answer_entry> answers;
        batch<> const mode{.on_error = on_error::skip, .answers = answers_in(answers)};
        std::multiset<std::int64_t> all;
        auto take_all = to([&](sale const& s) { all.insert(s.cents); });
        memory_log<sale> log;
        static_cast<void>(run(mode, p, fill(log, records), take_all));
        auto const asked = calls;

        std::multiset<std::int64_t> some;
        auto take_some = to([&](sale const& s) { some.insert(s.cents); });
        memory_log<sale> part;
        for (auto i = random.below(100); i-- > 0;) part.append(records[part.end_offset()].record);
        auto const report = run(mode, p, part, take_some);
        CHECK(calls == asked);
        CHECK(answers.end_offset() == 100);
        CHECK(report.stage("enrich")->in() == part.end_offset());
        CHECK(std::includes(all.begin(), all.end(), some.begin(), some.end()));
    });
}

TEST_CASE("answers of another run are refused", "[equivalence][enrich]") {
    dice random{5};
    auto const records = random_records(random, {.records = 50});
    seeded_calls outside{1};
    std::uint64_t calls = 0;
    auto const p = totals(from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s})
        | enrich(moody{&calls}, concurrency{4}, calls_on(outside), retries{9}, worth));
    memory_log<sale> log;
    fill(log, records);
    memory_log<answer_entry> answers;
    static_cast<void>(run(batch{.answers = answers_in(answers)}, p, log));
    memory_log<sale> other;
    for (std::size_t i = records.size(); i-- > 0;) other.append(records[i].record);
    auto const code_of = [](auto const& result) { return result ? error_code::none : result.error().code(); };
    CHECK(code_of(try_run(batch{.answers = answers_in(answers)}, p, log)) == error_code::none);
    CHECK(code_of(try_run(batch{.answers = answers_in(answers)}, p, other)) == error_code::mismatch);

    // A snapshot that has seen more answers than there are.
    using job_t = job<stream, std::remove_const_t<decltype(p)>, memory_log<sale>&>;
    job_t first{stream{.answers = answers_in(answers)}, p, log};
    first.poll();
    auto const state = first.snapshot();
    memory_log<answer_entry> empty;
    job_t second{stream{.answers = answers_in(empty)}, p, log};
    CHECK_THROWS_AS(second.restore(state), error);
}

TEMPLATE_TEST_CASE("with the journal of the job, answers meet another input where they met it", "[equivalence][enrich]",
    in_order, unordered) {
    std::size_t other_order = 0;
    std::size_t entries = 0;
    for_seeds(120, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(250), .partitions = 2, .disorder = 5_s});
        seeded_calls outside{seed, 1_us, 5_ms};
        std::uint64_t calls = 0;
        auto const web = from<sale>("web"_name) | assign_time<&sale::at>(bounded_disorder{5_s})
            | enrich(moody{&calls}, concurrency{1 + random.below(9)}, calls_on(outside), call_timeout{3_s}, TestType{},
                worth);
        auto const till = from<sale>("till"_name) | assign_time<&sale::at>(bounded_disorder{5_s});
        auto const p = totals(merge(web, till));
        using p_t = std::remove_const_t<decltype(p)>;
        memory_log<sale> logs[2];
        memory_log<answer_entry> answers;
        memory_log<journal_entry> journal;
        stream mode{.on_error = on_error::skip, .until = end_of_log};
        mode.journal = journal_in(journal);
        mode.answers = answers_in(answers);
        using web_t = bound<name<"web">, memory_log<sale>&>;
        using till_t = bound<name<"till">, memory_log<sale>&>;
        recorder lived;
        std::optional<job<stream, p_t, web_t, till_t, recorder&>> running;
        auto const start = [&](recorder& into) { running.emplace(mode, p, web_t{logs[0]}, till_t{logs[1]}, into); };
        live(
            random, [&] { start(lived); }, running, lived,
            [&](std::size_t i) {
                logs[records[i].partition].append(records[i].record);
                if (random.one_in(3)) outside.advance(duration{random.between(0, 8'000'000)});
            },
            records.size());
        auto const asked = calls;
        entries += journal.end_offset();
        recorder again;
        start(again);
        while (running->poll(1 + random.below(30)) != 0) {}
        running->drain();
        CHECK_SAME(again.lines, lived.lines);
        CHECK(calls == asked);

        // Without it they meet otherwise now and then: the test would see it.
        mode.journal = {};
        recorder otherwise;
        start(otherwise);
        running->drain();
        other_order += otherwise.lines != lived.lines ? 1 : 0;
    });
    CHECK(other_order > 20);
    CHECK(entries > 500);
}
