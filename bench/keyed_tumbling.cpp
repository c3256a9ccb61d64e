// SPDX-License-Identifier: BSL-1.0
// bench/keyed_tumbling.cpp - count and sum per key in tumbling windows of 10 s, records up to 5 s out of order,
// as a batch and as a stream, against the best of three plans written by hand (support/tumbling_by_hand.hpp).
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/tumbling_by_hand.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

struct sale {
    std::int64_t user;
    std::int64_t cents;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(sale, user, cents, at);

struct visit {
    dl::text user;
    std::int64_t cents;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(visit, user, cents, at);

namespace {
constexpr auto window_size = 10_s;
constexpr auto disorder = 5_s;

template <class Record>
constexpr auto per_user = dl::from<Record>()
    | dl::assign_time<&Record::at>(dl::bounded_disorder{disorder})
    | dl::template key_by<&Record::user>()
    | dl::window(dl::tumbling{window_size})
    | dl::aggregate(dl::count(), dl::template sum<&Record::cents>());

/// What all rows come to, in whatever order they come.
struct digest {
    std::uint64_t rows = 0;
    std::uint64_t mixed = 0;
    std::uint64_t applied = 0;
    std::uint64_t late = 0;

    static std::uint64_t bits_of(std::int64_t key) { return static_cast<std::uint64_t>(key); }
    static std::uint64_t bits_of(std::string_view key) {
        std::uint64_t out = 0;
        std::memcpy(&out, key.data() + key.size() - 8, 8);
        return out;
    }
    void row(auto const& key, std::int64_t start, std::int64_t count, std::int64_t sum) {
        ++rows;
        auto const x = (bits_of(key) ^ static_cast<std::uint64_t>(start)) * 0x9e3779b97f4a7c15u;
        mixed +=
            (x ^ (x >> 32)) * static_cast<std::uint64_t>(2 * sum + 1) + static_cast<std::uint64_t>(count) * (x >> 1);
    }
    friend bool operator==(digest const&, digest const&) = default;
};

/// Runs are timed in laps of this many records: whole blocks of the log.
constexpr std::size_t lap_records = 32'768;

/// A log that tells the stopwatch when another lap begins.
template <class Record>
class lapped_log : public dl::memory_log<Record> {
public:
    bench::laps* laps = nullptr;
    auto read(std::uint32_t partition, std::uint64_t from) const {
        if (from % lap_records == 0) laps->mark(static_cast<std::size_t>(from / lap_records));
        return dl::memory_log<Record>::read(partition, from);
    }
};

template <class Mode, class Record>
digest by_pipeline(Mode const& mode, lapped_log<Record> const& log) {
    digest out;
    auto const report = dl::run(mode, per_user<Record>, log, dl::to([&](auto const& pane) {
        auto const& [count, sum] = pane.value;
        if constexpr (std::is_same_v<Record, visit>) out.row(pane.key.view(), pane.window.start.ns(), count, sum);
        else out.row(pane.key, pane.window.start.ns(), count, sum);
    }));
    auto const& books = report.stages[0];
    out.applied = books.applied;
    out.late = books.refusals(dl::reason::late);
    return out;
}
template <class Plan, bool Exact, std::size_t Ahead, class Record>
digest by_plan(std::span<Record const> records, bench::by_hand::times_to_come const& to_come, std::size_t keys,
    bench::laps& laps) {
    digest out;
    auto const key_of = [](Record const& r) {
        if constexpr (std::is_same_v<Record, visit>) return r.user.view();
        else return r.user;
    };
    auto const books = bench::by_hand::run<Plan, Exact, Ahead>(
        records, to_come, keys, window_size.ns(), disorder.ns(), key_of,
        [&](auto const& key, std::int64_t start, std::int64_t count, std::int64_t sum) {
            out.row(key, start, count, sum);
        },
        [&](std::size_t read) {
            if (read % lap_records == 0) laps.mark(read / lap_records);
        });
    out.applied = books.applied;
    out.late = books.late;
    return out;
}

/// 40 s of event time, so that four windows fill and close; each record is up to 5 s behind the newest before it.
/// There are more records where there are more keys: 200,000 a second then, else 100,000.
constexpr std::size_t records_for(std::size_t keys) { return keys > 100'000 ? 8'000'000 : 4'000'000; }
constexpr auto event_span = 40_s;

template <class Record>
struct input {
    std::vector<Record> records;
    std::unique_ptr<char[]> bytes;  // of text keys, one after the other
    lapped_log<Record> log;
    std::size_t keys;

    input(std::size_t n, double exponent) : keys(n) {
        bench::random draw{n + static_cast<std::size_t>(10 * exponent)};
        bench::ranks const rank{n, exponent};
        auto const record_count = records_for(n);
        auto const step = event_span.ns() / static_cast<std::int64_t>(record_count);
        records.reserve(record_count);
        constexpr std::size_t room = 24;
        if constexpr (std::is_same_v<Record, visit>) bytes = std::make_unique<char[]>(record_count * room);
        std::size_t used = 0;
        for (std::size_t i = 0; i < record_count; ++i) {
            auto const newest = static_cast<std::int64_t>(i) * step + disorder.ns();
            dl::event_time const at{
                newest - static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(disorder.ns()) + 1))};
            auto const cents = static_cast<std::int64_t>(draw.below(100'000)) - 1'000;
            bench::random scatter{rank(draw)};  // keys are spread over 64 bits, popular ones too
            auto const number = scatter();
            if constexpr (std::is_same_v<Record, visit>) {
                char* const to = bytes.get() + used;
                auto const size = static_cast<std::size_t>(std::snprintf(to, room, "user-%0*llu",
                    8 + static_cast<int>(number % 4), static_cast<unsigned long long>(number >> 38)));
                used += size;
                records.push_back({dl::text{to, size}, cents, at});
            } else {
                records.push_back({static_cast<std::int64_t>(number), cents, at});
            }
        }
        log.append(records);
    }
};

template <class Keys, bool Exact, class Mode, class Record>
void contest(std::string const& name, Mode const& mode, input<Record>& in, double goal) {
    namespace hand = bench::by_hand;
    hand::times_to_come const to_come{in.records};
    std::span<Record const> const records{in.records};
    auto const record_count = in.records.size();
    bench::laps laps{record_count / lap_records + 2};
    in.log.laps = &laps;
    bench::contest<digest> game{name, record_count, 1, &laps};
    std::vector<std::size_t> const floors{
        game.add("flat", [&] { return by_plan<hand::flat_plan<Keys>, Exact, 16>(records, to_come, in.keys, laps); }),
        game.add("dictionary",
            [&] { return by_plan<hand::dictionary_plan<Keys>, Exact, 16>(records, to_come, in.keys, laps); }),
        game.add(
            "sparse", [&] { return by_plan<hand::sparse_plan<Keys>, Exact, 16>(records, to_come, in.keys, laps); }),
    };
    auto const pipeline = game.add("pipeline", [&] { return by_pipeline(mode, in.log); });
    game.run({.seconds = bench::full() ? 12.0 : 2.5, .least_rounds = 5});
    auto const best = game.best(floors);
    game.ratio(name, pipeline, best, {goal});
}

template <class Keys, class Record>
void both_modes(std::string const& cell, std::size_t keys, double exponent, double goal) {
    input<Record> in{keys, exponent};
    contest<Keys, true>("keyed_tumbling_batch_" + cell, dl::batch{}, in, goal);
    contest<Keys, false>("keyed_tumbling_stream_" + cell, dl::stream{.until = dl::drained}, in, goal);
}
}  // namespace

int main(int argc, char** argv) {
    // For profiling: bench_keyed_tumbling_... CELL runs one cell alone.
    std::string_view const only = argc > 1 ? argv[1] : "";
    bench::print_circumstances();
    struct {
        char const* name;
        std::size_t keys;
    } const sizes[] = {{"100", 100}, {"10k", 10'000}, {"1M", 1'000'000}};
    struct {
        char const* name;
        double exponent;
    } const shapes[] = {{"uniform", 0}, {"zipf", 1.1}};
    for (auto const& size : sizes) {
        for (auto const& shape : shapes) {
            auto const cell = std::string{size.name} + "_" + shape.name;
            if (only.empty() || only == cell)
                both_modes<bench::by_hand::integer_keys, sale>(cell, size.keys, shape.exponent, 1.15);
        }
    }
    for (auto const& shape : shapes) {
        auto const cell = std::string{"text_10k_"} + shape.name;
        if (only.empty() || only == cell)
            both_modes<bench::by_hand::text_keys, visit>(cell, 10'000, shape.exponent, 1.2);
    }
}
