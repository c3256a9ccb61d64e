// SPDX-License-Identifier: BSL-1.0
// Every watermark strategy: batch (as declared) = stream, however it is polled, restarted and spread over threads, and
// both refuse what loops refuse that make each partition's promise from scratch.
#include <driftless/time/frames.hpp>
#include <driftless/time/punctuated.hpp>
#include <driftless/time/quantile_disorder.hpp>
#include <equivalence/late_loops.hpp>

using namespace equivalence;

namespace {
using promise = std::optional<std::int64_t>;

/// `promise_of(records)` is what a partition promises after these records of it; it never goes back.
template <class PromiseOf>
judged judge_promises(std::vector<placed> const& in_order, std::uint32_t partitions, PromiseOf promise_of) {
    judged out;
    std::vector<std::vector<sale>> seen(partitions);
    std::vector<promise> promises(partitions);
    for (auto const& each : in_order) {
        bool reported = true;
        std::int64_t least = INT64_MAX;
        for (auto const& p : promises) {
            reported = reported && p.has_value();
            if (p) least = std::min(least, *p);
        }
        bool const late = reported && least >= shifted_window(each.record.at).end.ns();
        (late ? out.refused : out.kept).push_back(each);
        seen[each.partition].push_back(each.record);
        auto const now = promise_of(seen[each.partition]);
        auto& mine = promises[each.partition];
        if (now && (!mine || *now > *mine)) mine = now;
    }
    return out;
}

/// Without and with allowed lateness 0 said, so that both the plain and the correcting aggregate are meant.
template <class Strategy, class PromiseOf>
void check(std::uint64_t seed, dice& random, Strategy strategy, PromiseOf promise_of) {
    auto const of = random_shape(random, duration{random.between(0, 60) * 1'000'000'000});
    auto const records = random_records(random, of);
    auto const expected = judge_promises(merged(records, of.partitions), of.partitions, promise_of);
    auto const pipeline = windowed(from<sale>() | assign_time<&sale::at>(strategy, as_declared), 0_s);
    auto const live = windowed(from<sale>() | assign_time<&sale::at>(strategy), 0_s);

    memory_log<sale> log{of.partitions};
    recorder late;
    auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records), bind("late"_name, late));
    CHECK_SAME(table_of(all), loops(expected.kept));
    CHECK_SAME(late.lines, said_late(expected.refused));
    CHECK(all.report().refused(reason::late) == expected.refused.size());
    check_books(all.report(), records.size());

    auto const streamed = stream_over<rows, true>(live, records, of.partitions, {.seed = seed});
    CHECK_SAME(streamed.out.rows, loops(expected.kept));
    CHECK_SAME(streamed.late.lines, said_late(expected.refused));
    check_books(streamed.report, records.size());

    // Without as_declared a batch knows better than any promise.
    recorder nothing;
    auto const exact = run(batch{}, live, log, bind("late"_name, nothing));
    CHECK_SAME(table_of(exact), loops(records));
}
std::int64_t newest_of(std::vector<sale> const& seen) {
    auto newest = seen.front().at;
    for (auto const& each : seen) newest = std::max(newest, each.at);
    return newest.ns();
}
}  // namespace

TEST_CASE("monotone: batch = stream = loops", "[equivalence][watermark]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        check(seed, random, monotone{}, [](auto const& seen) { return promise{newest_of(seen)}; });
    });
}

TEST_CASE("punctuated: batch = stream = loops", "[equivalence][watermark]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const behind = random.between(0, 20) * 1'000'000'000;
        auto const said = [behind](sale const& s) noexcept {
            return s.cents % 5 == 0 ? s.at - duration{behind} : event_time::min();
        };
        check(seed, random, punctuated(said), [&](std::vector<sale> const& seen) {
            auto const now = said(seen.back());
            return now == event_time::min() ? promise{} : promise{now.ns()};
        });
    });
}

TEST_CASE("in frames: batch = stream = loops", "[equivalence][watermark]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = random.between(0, 20) * 1'000'000'000;
        auto const frame = random.between(1, 30) * 500'000'000;
        check(seed, random, in_frames{bounded_disorder{duration{bound}}, duration{frame}}, [&](auto const& seen) {
            std::int64_t down = -1'000 * frame;
            while (down + frame <= newest_of(seen) - bound) down += frame;
            return promise{down};
        });
    });
}

TEST_CASE("a quantile of the disorder: batch = stream = loops", "[equivalence][watermark]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const of_last = 1 + random.below(40);
        auto const per_mille = random.between(1, 1000);
        auto const at_most = random.between(1, 60) * 1'000'000'000;
        quantile_disorder const strategy{.per_mille = static_cast<std::uint32_t>(per_mille),
            .of_last = static_cast<std::uint32_t>(of_last),
            .at_most = duration{at_most}};
        check(seed, random, strategy, [&](std::vector<sale> const& seen) {
            auto const every = std::max<std::size_t>(1, of_last / 8);
            std::int64_t bound = at_most;
            if (seen.size() >= of_last) {
                auto const measured_at = seen.size() - (seen.size() - of_last) % every;
                std::vector<std::int64_t> behind;
                for (auto i = measured_at - of_last; i < measured_at; ++i) {
                    auto const at = seen[i].at.ns();
                    auto newest = at;
                    for (std::size_t k = 0; k < i; ++k) newest = std::max(newest, seen[k].at.ns());
                    behind.push_back(newest - at);
                }
                std::sort(behind.begin(), behind.end());
                std::size_t rank = 1;
                while (rank * 1000 < behind.size() * static_cast<std::size_t>(per_mille)) ++rank;
                bound = std::min(bound, behind[rank - 1]);
            }
            return promise{newest_of(seen) - bound};
        });
    });
}
