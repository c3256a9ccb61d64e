// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/stage.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/flat_map.hpp>
#include <driftless/op/from.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <tuple>
#include <vector>

using namespace driftless;

namespace {
/// The number of records, and of those in the longest burst.
struct longest_burst {
    static constexpr combine_class combines = combine_class::exact;
    struct state {
        std::int64_t records = 0;
        std::int64_t longest = 0;
        void save(auto& out) const { out.write(records).write(longest); }
        void load(auto& in) { in.read(records).read(longest); }
    };
    struct burst {
        std::int64_t added = 0;
    };
    template <class T>
    state init(type_of<T>) const {
        return {};
    }
    state lift(auto const&) const { return {1, 0}; }
    void add(state& into, auto const&) const noexcept { ++into.records; }
    void combine(state& into, state const& later) const noexcept {
        into = {into.records + later.records, std::max(into.longest, later.longest)};
    }
    template <class T>
    burst init_burst(type_of<T>) const {
        return {};
    }
    void add(burst& into, auto const&) const noexcept { ++into.added; }
    void absorb(state& into, burst const& of, std::int64_t records) const noexcept {
        combine(into, {of.added, records});
        broken = broken || of.added != records;
    }
    std::tuple<std::int64_t, std::int64_t> lower(state const& of) const { return {of.records, of.longest}; }

    static inline bool broken = false;
};
constexpr auto limit = static_cast<std::int64_t>(burst_limit);
}  // namespace

TEST_CASE("no burst is longer than its limit, and none is lost", "[run][burst]") {
    constexpr auto all = from<std::int64_t>() | aggregate(longest_burst{});
    std::vector<std::int64_t> const in(static_cast<std::size_t>(2 * limit + 3), 1);
    auto const rows = run(batch{}, all, in);
    CHECK(rows[0].value == std::tuple{2 * limit + 3, limit});
    CHECK(rows.report().stages[0].applied == static_cast<std::uint64_t>(2 * limit + 3));
    CHECK_FALSE(longest_burst::broken);
}

TEST_CASE("a flat_map that makes many records of one ends bursts by itself", "[run][burst]") {
    constexpr auto many = from<std::int64_t>()
        | flat_map<std::int64_t>([](std::int64_t n, auto out) {
              for (std::int64_t i = 0; i < n; ++i) out(i);
          })
        | aggregate(longest_burst{});
    std::vector<std::int64_t> const in{limit / 2, 3 * limit, 1};
    auto const rows = run(batch{}, many, in);
    CHECK(rows[0].value == std::tuple{limit / 2 + 3 * limit + 1, limit});
    CHECK_FALSE(longest_burst::broken);
}

TEST_CASE("a total of extreme values is exact in batch, in polls of any size and across a snapshot",
    "[run][burst][oracle]") {
    constexpr auto totals = from<std::int64_t>() | aggregate(count(), sum());
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    for (unsigned seed = 1; seed <= 10; ++seed) {
        std::mt19937_64 random{seed};
        std::vector<std::int64_t> in;
        std::uint64_t modulo = 0;  // the sum fits 64 bits, whatever it was on the way
        auto const take = [&](std::int64_t value) {
            in.push_back(value);
            modulo += static_cast<std::uint64_t>(value);
        };
        for (int i = 0; i < 300; ++i) take(random() % 2 == 0 ? most - static_cast<std::int64_t>(random() % 9) : -5);
        for (auto left = std::count_if(in.begin(), in.end(), [](auto v) { return v > 0; }); left > 0; --left)
            take(least + 3);
        auto const want = std::tuple{static_cast<std::int64_t>(in.size()), static_cast<std::int64_t>(modulo)};

        CHECK(run(batch{}, totals, in)[0].value == want);

        memory_log<std::int64_t> log;
        log.append(in);
        std::vector<std::tuple<std::int64_t, std::int64_t>> got;
        auto sink = to([&](auto const& pane) { got.push_back(pane.value); });
        job first{stream{}, totals, log, sink};
        for (std::size_t read = 0; read < 200;) read += first.poll(1 + random() % 7);
        CHECK(first.metrics().stages[0].applied >= 200);
        job second{stream{}, totals, log, sink};
        second.restore(first.snapshot());
        while (second.poll(1 + random() % 50) != 0) {}
        second.drain();
        CHECK(got == std::vector{want});
    }
}

TEST_CASE("an aggregate that may throw beside one with a burst: each record counts once", "[run][burst]") {
    constexpr auto mixed = from<std::int64_t>()
        | aggregate(count(), sum([](std::int64_t n) {
              if (n == 13) throw std::runtime_error("thirteen");
              return 2 * n;
          }),
            sum());
    std::vector<std::int64_t> const in{1, 2, 13, 4};
    auto const rows = run(batch{.on_error = on_error::skip}, mixed, in);
    CHECK(rows[0].value == std::tuple{std::int64_t{3}, std::int64_t{14}, std::int64_t{7}});
    CHECK(rows.report().stages[0].applied == 3);
}
