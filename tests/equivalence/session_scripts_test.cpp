// SPDX-License-Identifier: BSL-1.0
// Random scripts of records and watermarks into sessions, against plain loops over what was accepted: functions that
// take their records in log order, a gap of each record, sessions that touch; stream and batch, restored, on shards.
// Each script is followed step by step: what must be shown, deleted and refused by then is computed from scratch.
#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>

#include <algorithm>
#include <set>

namespace session_scripts {
struct visit {
    std::string key;
    std::int64_t id;
    driftless::duration gap;
    driftless::event_time at;
};
}  // namespace session_scripts
BOOST_HANA_ADAPT_STRUCT(session_scripts::visit, key, id, gap, at);

using namespace equivalence;
using session_scripts::visit;

namespace {
/// Which records came in which order, and nothing else: any other order, loss or repetition shows.
constexpr auto in_order = [](std::string text, visit const& v) {
    return text.empty() ? std::to_string(v.id) : text + "," + std::to_string(v.id);
};
constexpr std::int64_t longest = 9;

struct step {
    bool is_watermark = false;
    std::int64_t watermark = 0;
    visit record{};
};
struct by_hand {
    std::set<std::string> rows;     // that stand now
    std::set<std::string> removed;  // windows whose row stood before and no longer does
    std::size_t refused = 0;
};
std::string row_of(std::string const& key, std::int64_t start, std::int64_t end, std::string const& value) {
    return key + " [" + std::to_string(start) + "," + std::to_string(end) + ") = " + value;
}

struct shape_of_sessions {
    std::int64_t lateness = 0;
    bool touch = false;
};
/// The sessions of all records accepted so far that have been reached by the watermark: sorted, and grown together.
by_hand after(std::vector<step> const& script, std::size_t steps, shape_of_sessions how) {
    by_hand out;
    std::int64_t watermark = INT64_MIN;
    std::map<std::string, std::vector<visit>> keys;
    for (std::size_t i = 0; i < steps; ++i) {
        auto const& [is_watermark, to, record] = script[i];
        if (is_watermark) watermark = to;
        else if (watermark != INT64_MIN && watermark >= record.at.ns() + record.gap.ns() + how.lateness) ++out.refused;
        else keys[record.key].push_back(record);
    }
    for (auto& [key, all] : keys) {
        std::sort(all.begin(), all.end(), [](visit const& a, visit const& b) {
            return a.at != b.at ? a.at < b.at : a.id < b.id;
        });
        for (std::size_t i = 0; i < all.size();) {
            auto const start = all[i].at.ns();
            auto end = start;
            std::vector<std::int64_t> ids;
            do {
                end = std::max(end, all[i].at.ns() + all[i].gap.ns());
                ids.push_back(all[i].id);
                ++i;
            } while (i < all.size() && (how.touch ? all[i].at.ns() <= end : all[i].at.ns() < end));
            if (end > watermark) continue;
            std::sort(ids.begin(), ids.end());  // ids are given in log order
            std::string value;
            for (auto const id : ids) value += (value.empty() ? "" : ",") + std::to_string(id);
            out.rows.insert(row_of(key, start, end, value));
        }
    }
    return out;
}

/// A sink: the rows that stand, and a check of each call against them.
struct standing {
    std::map<std::pair<std::string, time_window>, std::string> rows;
    std::map<std::pair<std::string, time_window>, std::int32_t> indices;
    void write(pane<std::string, std::string> const& row) {
        rows[{row.key, row.window}] = row.value;
        CHECK(row.info.first == (row.info.index == 0));
        CHECK(row.info.index == row.info.non_speculative_index);
        auto const seen = indices.emplace(std::pair{row.key, row.window}, row.info.index);
        if (!seen.second) {
            CHECK(row.info.index > seen.first->second);
            seen.first->second = row.info.index;
        }
    }
    void remove(std::string const& key, time_window window) { CHECK(rows.erase({key, window}) == 1); }  // it stood
    [[nodiscard]] std::set<std::string> lines() const {
        std::set<std::string> out;
        for (auto const& [place, value] : rows)
            out.insert(row_of(place.first, place.second.start.ns(), place.second.end.ns(), value));
        return out;
    }
};

constexpr auto gap_of = [](visit const& v) { return v.gap; };
template <class Session>
auto scripted(Session sessions, std::int64_t lateness) {
    return from<event<visit>>() | key_by<&visit::key>() | window(sessions, allowed_lateness{duration{lateness}})
        | aggregate(fold(std::string{}, in_order));
}

/// Plays a script on some shards, restored every now and then onto others; after each step the rows that stand are
/// those of the loops.
template <class P>
void play_and_check(P const& pipeline, std::vector<step> const& script, shape_of_sessions how, dice& random) {
    using engine = driftless::detail::engine<streaming, P, std::vector<event<visit>>&, standing&>;
    standing out;
    std::vector<event<visit>> nothing;
    std::optional<thread_pool> pool;
    std::optional<engine> run;
    auto const start = [&] {
        auto const threads = random.one_in(16) ? 2 + random.below(2) : 1;
        run.reset();
        pool.reset();
        if (threads > 1) pool.emplace(threads);
        run.emplace(pipeline, nullptr, error_policy{}, pool ? &*pool : nullptr, nothing, out);
    };
    start();
    for (std::size_t i = 0; i < script.size(); ++i) {
        auto const& each = script[i];
        run->each_chain([&](auto& chain) {
            if (each.is_watermark) chain.on_watermark(event_time{each.watermark});
            else
                driftless::detail::push(
                    chain, context<>{.from = {i, 0, 0}}, event<visit>{each.record, each.record.at});
            chain.on_chunk();
        });
        auto const expected = after(script, i + 1, how);
        CHECK(out.lines() == expected.rows);
        CHECK(run->make_report().refused(reason::late) == expected.refused);
        if (!random.one_in(5)) continue;
        std::string bytes;
        run->visit_state(driftless::detail::save_visitor{bytes});
        start();
        byte_reader saved{bytes};
        run->visit_state(driftless::detail::load_visitor{saved});
        saved.expect_end();
        std::string again;
        run->visit_state(driftless::detail::save_visitor{again});
        CHECK(again == bytes);  // whatever the number of shards
    }
    CHECK(run->make_report().state_bytes == 0);
}

std::vector<step> random_script(dice& random, bool own_gaps, std::int64_t gap) {
    std::vector<step> script;
    std::int64_t watermark = -100;
    std::int64_t now = 0;
    for (auto left = random.between(3, 16); left != 0; --left) {
        if (random.one_in(3)) {
            watermark = std::max(watermark, now - random.between(-2, 6));
            script.push_back({true, watermark});
            continue;
        }
        now += random.between(0, 4);
        visit made{random.one_in(3) ? "a" : "a key with more bytes than any small buffer",
            static_cast<std::int64_t>(script.size()),
            duration{own_gaps ? random.between(1, longest) : gap}, event_time{now - random.between(0, 12)}};
        script.push_back({false, 0, made});
    }
    script.push_back({true, INT64_MAX});
    return script;
}

template <bool Touch, bool OwnGaps>
void scripts(int cases) {
    for_seeds(cases, [](std::uint64_t seed) {
        dice random{seed};
        auto const gap = random.between(1, 8);
        shape_of_sessions const how{random.one_in(2) ? 0 : random.between(0, 10), Touch};
        auto const script = random_script(random, OwnGaps, gap);
        if constexpr (OwnGaps && Touch)
            play_and_check(scripted(session(gap_of, duration{longest}, touching), how.lateness), script, how, random);
        else if constexpr (OwnGaps)
            play_and_check(scripted(session(gap_of, duration{longest}), how.lateness), script, how, random);
        else if constexpr (Touch)
            play_and_check(scripted(session{duration{gap}, touching}, how.lateness), script, how, random);
        else play_and_check(scripted(session{duration{gap}}, how.lateness), script, how, random);
    });
}
}  // namespace

TEST_CASE("sessions in log order: scripts, step by step", "[equivalence][sessions]") { scripts<false, false>(2000); }
TEST_CASE("sessions with a gap of each record: scripts, step by step", "[equivalence][sessions]") {
    scripts<false, true>(1500);
}
TEST_CASE("sessions that touch: scripts, step by step", "[equivalence][sessions]") {
    scripts<true, false>(1000);
    scripts<true, true>(500);
}

namespace {
/// Over a log: a stream whose watermark trails far enough refuses nothing, and ends with the rows of the batch.
template <class Session>
void over_a_log(Session sessions, std::vector<visit> const& records, std::int64_t behind, shape_of_sessions how,
    std::uint64_t seed) {
    auto const pipeline = from<visit>() | assign_time<&visit::at>(bounded_disorder{duration{behind}})
        | key_by<&visit::key>() | window(sessions) | aggregate(fold(std::string{}, in_order), count());
    memory_log<visit> log;
    std::vector<step> script;
    for (auto const& each : records) {
        log.append(each);
        script.push_back({false, 0, each});
    }
    script.push_back({true, INT64_MAX});
    auto const lines = [](auto const& results) {
        std::set<std::string> out;
        for (auto const& row : results)
            out.insert(row_of(row.key, row.window.start.ns(), row.window.end.ns(), std::get<0>(row.value)));
        return out;
    };
    auto const expected = after(script, script.size(), how).rows;
    auto const threads = static_cast<int>(1 + seed % 3);
    auto const in_batch = run(batch{.threads = threads}, pipeline, log);
    auto const as_stream = run(stream{.threads = threads, .until = drained}, pipeline, log);
    CHECK(lines(in_batch) == expected);
    CHECK(lines(as_stream) == expected);
    check_books(in_batch.report(), records.size());
    check_books(as_stream.report(), records.size());
    CHECK(as_stream.report().refused(reason::late) == 0);
}
}  // namespace

TEST_CASE("sessions in log order: stream = batch = loops over the log", "[equivalence][sessions]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const gap = random.between(1, 8);
        bool const own_gaps = random.one_in(2);
        std::int64_t const behind = random.between(0, 20);
        std::vector<visit> records;
        std::int64_t now = 0;
        for (auto left = random.between(1, 400); left != 0; --left) {
            now += random.between(0, 3);
            records.push_back({"key " + std::to_string(random.below(4)), static_cast<std::int64_t>(records.size()),
                duration{own_gaps ? random.between(1, longest) : gap}, event_time{now - random.between(0, behind)}});
        }
        if (own_gaps) over_a_log(session(&visit::gap, duration{longest}), records, behind, {}, seed);
        else over_a_log(session{duration{gap}}, records, behind, {}, seed);
        if (own_gaps) over_a_log(session(gap_of, duration{longest}, touching), records, behind, {0, true}, seed);
        else over_a_log(session{duration{gap}, touching}, records, behind, {0, true}, seed);
    });
}

TEST_CASE("sessions that touch, in batch, where a record comes exactly at the watermark", "[equivalence][sessions]") {
    // One record per gap: at the end of a block of the log the watermark is the time of the next record, which is the
    // end of the session so far.
    constexpr std::int64_t n = 20'000;
    memory_log<visit> log;
    for (std::int64_t i = 0; i < n; ++i) log.append(visit{"a", i, duration{10}, event_time{10 * i}});
    auto const counted = [&](auto sessions) {
        auto const visits = from<visit>() | assign_time<&visit::at>() | key_by<&visit::key>();
        return run(batch{}, visits | window(sessions) | aggregate(count()), log);
    };
    auto const one = counted(session{10_ns, touching});
    REQUIRE(one.size() == 1);
    CHECK(one[0].value == n);
    CHECK(counted(session{10_ns}).size() == n);
    auto const in_two = run(batch{},
        from<visit>() | assign_time<&visit::at>() | key_by<&visit::key>() | window(session{10_ns, touching})
            | aggregate(count()) | key_by([](auto const&) { return std::int32_t{0}; })
            | aggregate(sum([](auto const& p) { return p.value; })),
        log);
    REQUIRE(in_two.size() == 1);
    CHECK(in_two[0].value == n);
}
