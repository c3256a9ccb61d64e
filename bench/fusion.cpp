// SPDX-License-Identifier: BSL-1.0
// bench/fusion.cpp - what a chain of stateless stages costs: map, filter, map, filter, sum over 10 M records
// from memory and over 8192 from the cache, against the loop that its user would have written.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/run/batch.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/repeated.hpp>

#include <boost/hana/adapt_struct.hpp>
#if __has_include(<range/v3/view/transform.hpp>)
#define BENCH_HAS_RANGE_V3 1
#include <range/v3/view/filter.hpp>
#include <range/v3/view/transform.hpp>
#endif

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dl = driftless;

// --- every allocation of the program is counted ------------------------------------------------------------

namespace {
std::uint64_t allocations = 0;

void* allocate(std::size_t bytes, std::size_t alignment) {
    ++allocations;
    void* const made = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (made == nullptr) throw std::bad_alloc{};
    return made;
}
}  // namespace
void* operator new(std::size_t bytes) { return allocate(bytes == 0 ? 1 : bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes == 0 ? 1 : bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

// --- the records -------------------------------------------------------------------------------------------

struct trade {
    std::int64_t cents;
    std::int32_t quantity;
    std::int32_t venue;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(trade, cents, quantity, venue, at);
static_assert(sizeof(trade) == 24);

struct click {
    dl::text page;  // 24 bytes of text
    std::int64_t cents;
    std::int32_t visits;
    dl::text note;  // nobody reads it
};
BOOST_HANA_ADAPT_STRUCT(click, page, cents, visits, note);

namespace {

// --- the functions that loops, ranges and pipelines share --------------------------------------------------

constexpr auto cents_in = [](trade const& t) { return t.cents; };
constexpr auto is_sale = [](std::int64_t cents) { return cents > 0; };
constexpr auto net_of = [](std::int64_t cents) { return cents - 30; };  // a flat fee
constexpr auto is_plausible = [](std::int64_t cents) { return cents < 9'000'000; };

constexpr auto trades = dl::from<trade>()
    | dl::map(cents_in)
    | dl::filter(is_sale)
    | dl::map(net_of)
    | dl::filter(is_plausible)
    | dl::aggregate(dl::sum());

constexpr auto scaled = [](std::int64_t x) { return 3 * x + 1; };
constexpr auto not_small = [](std::int64_t x) { return x > 1000; };
constexpr auto folded = [](std::int64_t x) { return x ^ (x >> 7); };
constexpr auto not_large = [](std::int64_t x) { return x < 2'900'000; };

constexpr auto numbers =
    dl::from<std::int64_t>() | dl::map(scaled) | dl::filter(not_small) | dl::map(folded) | dl::filter(not_large);
constexpr auto numbers_summed = numbers | dl::aggregate(dl::sum());
constexpr auto numbers_counted = numbers | dl::aggregate(dl::count());

struct view {
    std::string_view page;
    std::int64_t cents;
};
constexpr auto view_of = [](click const& c) { return view{c.page, c.cents * c.visits}; };
constexpr auto is_shop = [](view const& v) { return v.page.substr(0, 6) != "/admin"; };
constexpr auto cents_of = [](view const& v) { return v.cents - (v.cents >> 6); };

constexpr auto clicks = dl::from<click>()
    | dl::map(view_of)
    | dl::filter(is_shop)
    | dl::map(cents_of)
    | dl::filter(is_plausible)
    | dl::aggregate(dl::sum());

// --- input -------------------------------------------------------------------------------------------------

std::vector<trade> make_trades(std::size_t n) {
    bench::random draw{1};
    std::vector<trade> out;
    out.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        bool const refund = draw.below(512) == 0;
        auto const cents = static_cast<std::int64_t>(100 + draw.below(90'000));
        out.push_back({refund ? -cents : cents, static_cast<std::int32_t>(1 + draw.below(100)),
            static_cast<std::int32_t>(draw.below(8)), dl::event_time{static_cast<std::int64_t>(i) * 1000}});
    }
    return out;
}
std::vector<std::int64_t> make_numbers(std::size_t n) {
    bench::random draw{2};
    std::vector<std::int64_t> out(n);
    for (auto& each : out) each = static_cast<std::int64_t>(draw.below(1'000'000));
    return out;
}

// --- the floors --------------------------------------------------------------------------------------------

/// What an aggregate does beyond adding up: it is exact, it counts what it applied, and it refuses to wrap. The loops
/// called plain do without; they are shown, not compared.
struct exact_sum {
    __extension__ __int128 sum = 0;
    std::uint64_t applied = 0;

    void add(std::int64_t value) {
        sum += value;
        ++applied;
    }
    [[nodiscard]] std::int64_t result() const {
        if (sum < std::numeric_limits<std::int64_t>::min() || sum > std::numeric_limits<std::int64_t>::max()) {
            throw std::overflow_error{"sum"};
        }
        return static_cast<std::int64_t>(sum);
    }
};
struct answer {
    std::int64_t value = 0;
    std::uint64_t applied = 0;
    friend bool operator==(answer const&, answer const&) = default;
};
answer answer_of(exact_sum const& sum) { return {sum.result(), sum.applied}; }
answer answer_of(auto const& results) { return {results[0].value, results.report().stages[0].applied}; }

answer trades_by_hand(std::span<trade const> in, std::size_t times) {
    exact_sum sum;
    for (std::size_t pass = 0; pass < times; ++pass) {
        for (trade const& t : in) {
            std::int64_t const cents = cents_in(t);
            if (!is_sale(cents)) continue;
            std::int64_t const net = net_of(cents);
            if (is_plausible(net)) sum.add(net);
        }
    }
    return answer_of(sum);
}
answer trades_plain(std::span<trade const> in, std::size_t times) {
    std::int64_t sum = 0;
    for (std::size_t pass = 0; pass < times; ++pass) {
        for (trade const& t : in) {
            std::int64_t const cents = cents_in(t);
            if (!is_sale(cents)) continue;
            std::int64_t const net = net_of(cents);
            if (is_plausible(net)) sum += net;
        }
    }
    return {sum, 0};
}
answer numbers_by_hand(std::span<std::int64_t const> in, std::size_t times) {
    exact_sum sum;
    for (std::size_t pass = 0; pass < times; ++pass) {
        for (std::int64_t const x : in) {
            std::int64_t const a = scaled(x);
            if (!not_small(a)) continue;
            std::int64_t const b = folded(a);
            if (not_large(b)) sum.add(b);
        }
    }
    return answer_of(sum);
}
answer numbers_plain(std::span<std::int64_t const> in, std::size_t times) {
    std::int64_t sum = 0;
    for (std::size_t pass = 0; pass < times; ++pass) {
        for (std::int64_t const x : in) {
            std::int64_t const a = scaled(x);
            if (!not_small(a)) continue;
            std::int64_t const b = folded(a);
            if (not_large(b)) sum += b;
        }
    }
    return {sum, 0};
}
/// Compilers turn this one into SIMD: 64-bit counters, no 128-bit sum.
answer count_by_hand(std::span<std::int64_t const> in, std::size_t times) {
    std::int64_t count = 0;
    std::uint64_t applied = 0;
    for (std::size_t pass = 0; pass < times; ++pass) {
        for (std::int64_t const x : in) {
            std::int64_t const a = scaled(x);
            if (!not_small(a)) continue;
            std::int64_t const b = folded(a);
            if (!not_large(b)) continue;
            ++count;
            ++applied;
        }
    }
    return {count, applied};
}

template <class Range>
answer sum_of(Range&& range, exact_sum sum = {}) {
    for (auto const value : range) sum.add(value);
    return answer_of(sum);
}

/// Columns as a good engineer would keep them: one array per member.
struct click_columns {
    std::vector<dl::text> page;
    std::vector<std::int64_t> cents;
    std::vector<std::int32_t> visits;
    std::vector<dl::text> note;
};
answer clicks_by_hand(click_columns const& in) {
    exact_sum sum;
    auto const n = in.page.size();
    for (std::size_t i = 0; i < n; ++i) {
        view const v{in.page[i], in.cents[i] * in.visits[i]};
        if (!is_shop(v)) continue;
        std::int64_t const net = cents_of(v);
        if (is_plausible(net)) sum.add(net);
    }
    return answer_of(sum);
}

// --- the contests ------------------------------------------------------------------------------------------

constexpr std::size_t from_ram = 10'000'000;
constexpr std::size_t slices = 40;
constexpr std::size_t from_l2 = 8192;
constexpr std::size_t passes = 30;

void rows_and_columns_from_ram() {
    auto const all = make_trades(from_ram);
    auto const in = [&](std::size_t slice) {
        return std::span{all}.subspan(slice * (from_ram / slices), from_ram / slices);
    };
    std::vector<dl::memory_log<trade>> rows(slices);
    std::vector<dl::memory_log<trade, dl::columns>> columns(slices);
    for (std::size_t i = 0; i < slices; ++i) {
        rows[i].append(in(i));
        columns[i].append(in(i));
    }

    using std::size_t;
    bench::contest<answer> game{"fusion_ram", from_ram / slices, slices};
    auto const hand = game.add("hand", [&](size_t i) { return trades_by_hand(in(i), 1); });
    auto const vector = game.add("vector", [&](size_t i) { return answer_of(dl::run(dl::batch{}, trades, in(i))); });
    auto const log = game.add("rows", [&](size_t i) { return answer_of(dl::run(dl::batch{}, trades, rows[i])); });
    auto const column =
        game.add("columns", [&](size_t i) { return answer_of(dl::run(dl::batch{}, trades, columns[i])); });
    auto const plain = game.add_unequal("plain", [&](size_t i) { return trades_plain(in(i), 1); });
    auto const ranges = game.add("std::ranges", [&](size_t i) {
        return sum_of(in(i) | std::views::transform(cents_in) | std::views::filter(is_sale)
            | std::views::transform(net_of) | std::views::filter(is_plausible));
    });
#ifdef BENCH_HAS_RANGE_V3
    auto const range_v3 = game.add("range-v3", [&](size_t i) {
        return sum_of(in(i) | ::ranges::views::transform(cents_in) | ::ranges::views::filter(is_sale)
            | ::ranges::views::transform(net_of) | ::ranges::views::filter(is_plausible));
    });
#endif
    game.run({.seconds = 6, .least_rounds = 21});
    game.info("fusion_rows_plain", plain, hand);
    game.info("fusion_rows_std_ranges", ranges, hand);
#ifdef BENCH_HAS_RANGE_V3
    game.info("fusion_rows_range_v3", range_v3, hand);
#else
    bench::skipped("fusion_rows_range_v3", "range-v3 is not installed");
#endif
    game.ratio("fusion_rows", vector, hand, {1.03});
    game.ratio("fusion_rows_log", log, hand, {1.03});
    bool const native = std::string_view{DRIFTLESS_BENCH_SUFFIX}.ends_with("_native");
    game.ratio("fusion_columns", column, hand, {native ? 0.65 : 0.80});
}

void rows_from_l2() {
    auto const in = make_trades(from_l2);
    dl::memory_log<trade> log;
    log.append(in);
    bench::repeated const vectors{bench::span_log<trade>{in.data(), in.size()}, passes};
    bench::repeated const logs{log, passes};

    bench::contest<answer> game{"fusion_l2", from_l2 * passes};
    auto const hand = game.add("hand", [&] { return trades_by_hand(in, passes); });
    auto const vector = game.add("vector", [&] { return answer_of(dl::run(dl::batch{}, trades, vectors)); });
    auto const rows = game.add("rows", [&] { return answer_of(dl::run(dl::batch{}, trades, logs)); });
    auto const plain = game.add_unequal("plain", [&] { return trades_plain(in, passes); });
    auto const ranges = game.add("std::ranges", [&] {
        exact_sum sum;
        for (std::size_t pass = 0; pass < passes; ++pass) {
            for (auto const value : in | std::views::transform(cents_in) | std::views::filter(is_sale)
                    | std::views::transform(net_of) | std::views::filter(is_plausible)) sum.add(value);
        }
        return answer_of(sum);
    });
#ifdef BENCH_HAS_RANGE_V3
    auto const range_v3 = game.add("range-v3", [&] {
        exact_sum sum;
        for (std::size_t pass = 0; pass < passes; ++pass) {
            for (auto const value : in | ::ranges::views::transform(cents_in) | ::ranges::views::filter(is_sale)
                    | ::ranges::views::transform(net_of) | ::ranges::views::filter(is_plausible)) sum.add(value);
        }
        return answer_of(sum);
    });
#endif
    game.run({.seconds = 3, .least_rounds = 21});
    game.info("fusion_rows_l2_plain", plain, hand);
    game.info("fusion_rows_l2_std_ranges", ranges, hand);
#ifdef BENCH_HAS_RANGE_V3
    game.info("fusion_rows_l2_range_v3", range_v3, hand);
#else
    bench::skipped("fusion_rows_l2_range_v3", "range-v3 is not installed");
#endif
    game.ratio("fusion_rows_l2", vector, hand, {1.03});
    game.ratio("fusion_rows_log_l2", rows, hand, {1.03});
}

void numbers_from(char const* where, std::size_t n, std::size_t parts, std::size_t times) {
    auto const all = make_numbers(n);
    auto const in = [&](std::size_t part) { return std::span{all}.subspan(part * (n / parts), n / parts); };
    auto const log = [&](std::size_t part) {
        return bench::repeated{bench::span_log<std::int64_t>{in(part).data(), in(part).size()}, times};
    };
    auto const name = std::string{"fusion_int64_"};

    bench::contest<answer> sums{name + "sum_" + where, n * times / parts, parts};
    auto const hand = sums.add("hand", [&](std::size_t i) { return numbers_by_hand(in(i), times); });
    auto const pipeline =
        sums.add("pipeline", [&](std::size_t i) { return answer_of(dl::run(dl::batch{}, numbers_summed, log(i))); });
    auto const plain = sums.add_unequal("plain", [&](std::size_t i) { return numbers_plain(in(i), times); });
    sums.run({.seconds = 2, .least_rounds = 21});
    sums.info(name + where + "_plain", plain, hand);
    sums.ratio(name + where, pipeline, hand, {1.05});

    bench::contest<answer> counts{name + "count_" + where, n * times / parts, parts};
    auto const simd = counts.add("hand", [&](std::size_t i) { return count_by_hand(in(i), times); });
    auto const counted = counts.add(
        "pipeline", [&](std::size_t i) { return answer_of(dl::run(dl::batch{}, numbers_counted, log(i))); });
    counts.run({.seconds = 2, .least_rounds = 21});
    counts.ratio(name + "count_" + where, counted, simd, {1.05});
}

void text_columns() {
    constexpr std::size_t n = 4'000'000;
    bench::random draw{3};
    dl::memory_log<click, dl::columns> log;
    click_columns hand_in;
    std::string bytes;  // of both text columns, one after the other, as they are appended
    bytes.reserve(n * 64);
    for (std::size_t i = 0; i < n; ++i) {
        auto const keep = [&](std::string const& text) {
            auto const at = bytes.size();
            bytes += text;
            return dl::text{bytes.data() + at, text.size()};
        };
        auto const number = std::to_string(1'000'000 + draw.below(100'000));
        auto const page = keep((draw.below(64) == 0 ? "/admin/sub/page/x" : "/shop/product/n/x") + number);
        click const c{page, static_cast<std::int64_t>(100 + draw.below(90'000)),
            static_cast<std::int32_t>(1 + draw.below(100)), keep("a note that nobody reads, number " + number)};
        hand_in.page.push_back(c.page);
        hand_in.cents.push_back(c.cents);
        hand_in.visits.push_back(c.visits);
        hand_in.note.push_back(c.note);
        log.append(c);
    }

    bench::contest<answer> game{"fusion_text_columns", n};
    auto const hand = game.add("hand", [&] { return clicks_by_hand(hand_in); });
    auto const pipeline = game.add("columns", [&] { return answer_of(dl::run(dl::batch{}, clicks, log)); });
    game.run({.seconds = 3, .least_rounds = 21});
    game.ratio("fusion_text_columns", pipeline, hand, {1.05});

    // A run may allocate to set itself up, however long it is; a record may not.
    auto const before = allocations;
    bench::keep(dl::run(dl::batch{}, clicks, log));
    auto const made = allocations - before;
    std::printf("info %s %llu allocations in a run over %zu records\n", bench::named("fusion_text_columns").c_str(),
        static_cast<unsigned long long>(made), n);
    std::printf("ratio %s %.6f goal 0.0001\n", bench::named("fusion_text_columns_allocations_per_record").c_str(),
        static_cast<double>(made) / static_cast<double>(n));
    if (made > 200) {
        std::fprintf(stderr, "bench: fusion_text_columns: %llu allocations in one run\n",
            static_cast<unsigned long long>(made));
        std::exit(1);
    }
}
}  // namespace

int main() {
    bench::print_circumstances();
    rows_and_columns_from_ram();
    rows_from_l2();
    numbers_from("ram", from_ram, slices, 1);
    numbers_from("l2", from_l2, 1, passes);
    text_columns();
}
