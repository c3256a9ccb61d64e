// SPDX-License-Identifier: BSL-1.0
// What the equivalence tests share: random records in random disorder, a log that grows under a job which is
// polled, snapshotted and moved to other thread counts at random, and the results as text that can be compared.
#ifndef DRIFTLESS_TESTS_EQUIVALENCE_GENERATED_HPP
#define DRIFTLESS_TESTS_EQUIVALENCE_GENERATED_HPP
#include <driftless/codec/codec.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace equivalence {
using namespace driftless;
using namespace driftless::literals;

struct sale {
    text shop;
    std::int32_t item;
    std::int64_t cents;
    event_time at;
};

/// Random numbers that are the same with every standard library.
class dice {
    std::mt19937_64 engine_;

public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}
    /// In [0, n).
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
    }
    bool one_in(std::size_t n) { return below(n) == 0; }
};

/// Calls check(seed) for `cases` seeds (20 times as many when slow). A failure prints the seed;
/// DRIFTLESS_SEED=n tries that one alone.
inline void for_seeds(int cases, std::function<void(std::uint64_t)> const& check) {
    if (test::slow()) cases *= 20;
    std::uint64_t first = 1;
    if (char const* const only = std::getenv("DRIFTLESS_SEED")) {
        first = std::strtoull(only, nullptr, 10);
        cases = 1;
    }
    for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(cases); ++seed) {
        INFO("DRIFTLESS_SEED=" << seed);
        check(seed);
    }
}

/// A record and the partition that it goes to.
struct placed {
    std::uint32_t partition;
    sale record;
};
struct shape {
    std::size_t records = 300;
    std::uint32_t partitions = 1;
    duration disorder = 5_s;    ///< how far a record is behind the newest of its partition, at most
    std::size_t shops = 4;
    std::size_t items = 5;
    std::int64_t step_ms = 900;  ///< how fast time goes, on average half of it per record
    std::size_t edges = 8;       ///< one record in so many goes to the edge of the next window; 0: none does
};

/// The texts that records borrow: some empty, some alike, some longer than any small buffer.
inline std::string const& shop_name(std::size_t i) {
    static std::vector<std::string> const names = [] {
        std::vector<std::string> made{
            "", "a", "ab", "b", std::string(1, '\0'), std::string(40, 'x'), std::string(40, 'x') + "y"};
        for (int n = 0; n < 6000; ++n) made.push_back("shop " + std::to_string(n));
        return made;
    }();
    return names[i];
}

/// Records within the bound of disorder; times before the epoch too, many on the edges of windows of 10 s.
inline std::vector<placed> random_records(dice& random, shape const& of) {
    std::vector<placed> made;
    std::vector<std::int64_t> newest(of.partitions, std::int64_t{-30'000'000'000});
    for (std::size_t i = 0; i < of.records; ++i) {
        auto const p = random.below(of.partitions);
        newest[p] += random.between(0, of.step_ms) * 1'000'000;
        if (of.edges != 0 && random.one_in(of.edges))
            newest[p] = (newest[p] / 10'000'000'000 + 1) * 10'000'000'000 - random.between(0, 1);
        auto const behind = random.one_in(3) ? 0 : random.one_in(6) ? of.disorder.ns()
                                                                    : random.between(0, of.disorder.ns());
        made.push_back({static_cast<std::uint32_t>(p),
            {text{shop_name(random.below(of.shops))}, static_cast<std::int32_t>(random.below(of.items)) - 2,
                random.between(-1000, 1000), event_time{newest[p] - behind}}});
    }
    return made;
}

inline time_window window_of(event_time at, duration size = 10_s) {
    auto const n = at.ns();
    auto const s = size.ns();
    auto const k = n >= 0 ? n / s : -((-n + s - 1) / s);
    return {event_time{k * s}, event_time{(k + 1) * s}};
}

/// The order in which partitions are merged (law 3), from scratch: the head with the least time, ties by partition.
inline std::vector<placed> merged(std::vector<placed> const& records, std::uint32_t partitions) {
    std::vector<std::vector<placed>> lanes(partitions);
    for (auto const& each : records) lanes[each.partition].push_back(each);
    std::vector<std::size_t> next(partitions, 0);
    std::vector<placed> out;
    while (out.size() < records.size()) {
        std::optional<std::size_t> first;
        for (std::size_t p = 0; p < partitions; ++p) {
            if (next[p] == lanes[p].size()) continue;
            if (!first || lanes[p][next[p]].record.at < lanes[*first][next[*first]].record.at) first = p;
        }
        out.push_back(lanes[*first][next[*first]++]);
    }
    return out;
}

/// Final rows by (window end, window start, encoded key): the encoded value.
using table = std::map<std::tuple<std::int64_t, std::int64_t, std::string>, std::string>;
template <class Key, class Value>
void put(table& into, Key const& key, time_window window, Value const& value) {
    into[{window.end.ns(), window.start.ns(), encode(key)}] = encode(value);
}
/// Says where two tables or sequences differ, readably; "" if they do not.
inline std::string printable(std::string const& bytes) {
    std::string out;
    for (char const c : bytes) {
        constexpr char hex[] = "0123456789abcdef";
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) out += c;
        else ((out += "\\x") += hex[byte >> 4]) += hex[byte & 15];
    }
    return out;
}
inline std::string difference(std::vector<std::string> const& a, std::vector<std::string> const& b) {
    std::size_t i = 0;
    while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
    if (i == a.size() && i == b.size()) return {};
    return std::to_string(a.size()) + " and " + std::to_string(b.size()) + " lines, from line " + std::to_string(i)
        + ": " + (i < a.size() ? printable(a[i]) : "(end)") + " and " + (i < b.size() ? printable(b[i]) : "(end)");
}
inline std::string difference(table const& a, table const& b) {
    auto const text_of = [](table const& of) {
        std::vector<std::string> lines;
        for (auto const& [place, value] : of) {
            lines.push_back(std::to_string(std::get<1>(place)) + " key " + std::get<2>(place) + " = " + value);
        }
        return lines;
    };
    return a == b ? std::string{} : difference(text_of(a), text_of(b));
}
#define CHECK_SAME(...) CHECK(::equivalence::difference(__VA_ARGS__) == "")

template <class Results>
table table_of(Results const& results) {
    table out;
    for (auto const& row : results) {
        std::tuple const place{row.window.end.ns(), row.window.start.ns(), encode(row.key)};
        CHECK(out.count(place) == 0);
        out[place] = encode(row.value);
    }
    return out;
}

/// A sink: everything that was said, in order, and what it comes down to.
struct recorder {
    std::vector<std::string> lines;
    table rows;
    std::map<std::string, std::vector<pane_info>> infos;  ///< the panes of each (window, key), in order

    template <class Key, class Value>
    void write(pane<Key, Value> const& row) {
        put(rows, row.key, row.window, row.value);
        infos[std::to_string(row.window.end.ns()) + '|' + encode(row.key)].push_back(row.info);
        lines.push_back(encode(row.key) + '|' + std::to_string(row.window.start.ns()) + '|'
            + std::to_string(row.window.end.ns()) + '|' + encode(row.value) + '|'
            + std::string{to_string(row.info.timing)} + std::to_string(row.info.index) + ','
            + std::to_string(row.info.non_speculative_index) + (row.info.first ? 'f' : '-')
            + (row.info.last ? 'l' : '-'));
    }
    template <class Key>
    void remove(Key const& key, time_window window) {
        rows.erase({window.end.ns(), window.start.ns(), encode(key)});
        lines.push_back("remove " + encode(key) + '|' + std::to_string(window.start.ns()));
    }
};

/// How a streaming run is interrupted. `calm` is one poll of everything on one thread.
struct pace {
    std::uint64_t seed = 0;
    bool restarts = true;
    int threads = 0;        ///< 0: another number from 1 to 3 after each restart
    std::size_t most = 40;  ///< records appended or polled at a time, at most
};
inline constexpr std::uint64_t calm = 0;

struct outcome {
    recorder out;
    recorder late;
    driftless::report report;
};

/// Runs a job over inputs that grow by random chunks: polls of random sizes, restarts from snapshots at random
/// points onto other thread counts, then the drain. `start(threads)` makes the job anew, `append(i)` adds record i.
template <class Job, class Start, class Append>
driftless::report drive(std::optional<Job>& running, Start start, Append append, std::size_t records, pace how) {
    dice random{how.seed};
    auto const threads = [&] {
        return how.threads != 0 ? how.threads : how.seed == calm ? 1
                                                                 : 1 + static_cast<int>(random.below(3));
    };
    start(threads());
    for (std::size_t appended = 0; appended < records;) {
        auto chunk = how.seed == calm ? records : 1 + random.below(how.most);
        for (; chunk != 0 && appended < records; --chunk) append(appended++);
        if (how.seed == calm) continue;
        for (auto polls = random.below(3); polls != 0; --polls) running->poll(random.below(how.most));
        if (how.restarts && random.one_in(5)) {
            auto const state = running->snapshot();
            start(threads());
            running->restore(state);
            CHECK(running->snapshot() == state);
        }
    }
    running->drain();
    return running->metrics();
}

/// Streams `pipeline` over one log. With `Late` its output "late" is recorded too.
template <class Layout, bool Late = false, class P>
outcome stream_over(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions, pace how = {}) {
    using log_t = memory_log<sale, Layout>;
    outcome result;
    log_t log{partitions};
    auto const append = [&](std::size_t i) { log.append(records[i].record, records[i].partition); };
    if constexpr (Late) {
        using late = bound<name<"late">, recorder&>;
        std::optional<job<stream, P, log_t&, late, recorder&>> running;
        auto const start = [&](int threads) {
            running.emplace(stream{.threads = threads}, pipeline, log, late{result.late}, result.out);
        };
        result.report = drive(running, start, append, records.size(), how);
    } else {
        std::optional<job<stream, P, log_t&, recorder&>> running;
        auto const start = [&](int threads) { running.emplace(stream{.threads = threads}, pipeline, log, result.out); };
        result.report = drive(running, start, append, records.size(), how);
    }
    return result;
}

template <class Layout>
memory_log<sale, Layout> const& fill(memory_log<sale, Layout>& log, std::vector<placed> const& records) {
    for (auto const& each : records) log.append(each.record, each.partition);
    return log;
}

/// Law 5: everything that was read stands in the books of each stage that sees every record once.
inline void check_books(report const& of, std::uint64_t records, char const* stage = "aggregate") {
    CHECK(of.records == records);
    REQUIRE(of.stage(stage) != nullptr);
    CHECK(of.stage(stage)->in() == records);
}
}  // namespace equivalence
BOOST_HANA_ADAPT_STRUCT(equivalence::sale, shop, item, cents, at);
#endif
