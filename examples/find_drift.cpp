// SPDX-License-Identifier: BSL-1.0
// examples/find_drift.cpp - explore() finds an aggregate that is not what it says, and shows the smallest script.
// expect: the sum: no drift
// expect: the rise: a drift, in a script of 2 records
// expect:   the stream  key 1 [at(0_s), at(1_min)) = 140
// expect:   the batch   key 1 [at(0_s), at(1_min)) = -140
// expect: auto const once = play(pipeline,
// expect:     event{price{1, 140}, at(57_s)},
// expect:     event{price{1, 280}, at(9_s)},
// expect:     end_of_input{});
#include <driftless/driftless.hpp>
#include <driftless/testing/explore.hpp>

#include <iostream>
#include <string_view>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct price {
    std::int32_t item;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(price, item, cents);

/// The last price less the first. It says that the order of records does not matter, and it does.
struct rise {
    static constexpr std::string_view kind = "rise";
    static constexpr auto combines = dl::combine_class::exact;
    struct state {
        std::int64_t first = 0;
        std::int64_t last = 0;
        void save(dl::byte_writer& out) const { out.write(first).write(last); }
        void load(dl::byte_reader& in) { in.read(first), in.read(last); }
    };
    state lift(price const& one) const { return {one.cents, one.cents}; }
    void combine(state& a, state const& b) const { a.last = b.last; }
    std::int64_t lower(state const& of) const { return of.last - of.first; }
};

int main() {
    std::vector<dl::event<price>> prices;
    prices.reserve(100);
    for (std::int64_t i = 0; i < 100; ++i) {
        prices.push_back({price{static_cast<std::int32_t>(i % 4), 100 + i % 11 * 20}, dl::testing::at(i * 1_s)});
    }
    auto const per_minute = dl::from<dl::event<price>>() | dl::key_by<&price::item>() | dl::window(dl::tumbling{1_min});

    auto const sound = dl::testing::explore(per_minute | dl::aggregate(dl::sum<&price::cents>()), prices);
    std::cout << "the sum: " << (sound ? "no drift" : sound.sentence) << '\n';

    auto const found = dl::testing::explore(per_minute | dl::aggregate(rise{}), prices);
    std::cout << "the rise: a drift, in a script of " << found.script.steps().size() - 1 << " records\n"
              << found.sentence;
}
