// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/indexed_by.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/run/detail/snapshot_visitors.hpp>
#include <driftless/view/view.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace view_index_test {
using namespace driftless;
struct totals {
    std::int64_t orders;
    std::int64_t cents;
    friend bool operator==(totals const&, totals const&) = default;
};
struct best {
    std::string country;
    std::int64_t cents;
    friend bool operator==(best const&, best const&) = default;
};
}  // namespace view_index_test
BOOST_HANA_ADAPT_STRUCT(view_index_test::totals, orders, cents);
BOOST_HANA_ADAPT_STRUCT(view_index_test::best, country, cents);

namespace {
using namespace driftless;
using view_index_test::best;
using view_index_test::totals;
using key_and_window = std::pair<std::int64_t, time_window>;

time_window of(std::int64_t n) { return n == 0 ? time_window{} : time_window{event_time{n}, event_time{n + 10}}; }
template <class View>
void show(View& of_it, std::uint64_t epoch) {
    of_it.on_frontier({epoch, event_time::min(), event_time::min(), &epoch, 1});
}
template <class V>
using truth = std::map<key_and_window, V>;
/// (member, window, key, value) of all rows for which only(value) holds, in order.
template <class V, class Member, class Only>
auto expected(truth<V> const& rows, Member member, Only only) {
    std::vector<std::tuple<std::remove_cvref_t<decltype(std::declval<V>().*member)>, time_window, std::int64_t>> out;
    for (auto const& [key, value] : rows) {
        if (only(value)) out.emplace_back(value.*member, key.second, key.first);
    }
    std::sort(out.begin(), out.end());
    return out;
}
template <class V, class Member>
auto listed(view_rows<std::int64_t, V> const& rows, Member member, truth<V> const& in) {
    std::vector<std::tuple<std::remove_cvref_t<decltype(std::declval<V>().*member)>, time_window, std::int64_t>> out;
    for (auto const& each : rows) {
        REQUIRE(in.at({each.key, each.window}) == each.value);
        out.emplace_back(each.value.*member, each.window, each.key);
    }
    return out;
}
template <class V, auto First, auto Second>
void check_against_a_map(auto const& make) {
    for (std::uint32_t seed = 1; seed <= 6; ++seed) {
        std::mt19937_64 random{seed};
        using indexed = view<std::int64_t, V, indexed_by<First>, indexed_by<Second>>;
        indexed out;
        truth<V> now;
        std::vector<std::pair<typename indexed::snapshot_type, truth<V>>> held;
        auto const turn = [&](indexed& into, std::uint64_t epoch) {
            for (auto n = random() % 400; n != 0; --n) {
                auto const key = static_cast<std::int64_t>(random() % 300);
                auto const window = of(static_cast<std::int64_t>(random() % 3));
                if (random() % 3 == 0) {
                    into.remove(key, window);
                    now.erase({key, window});
                } else {
                    auto const value = make(random);
                    into.write(pane<std::int64_t, V>{key, window, value, {}});
                    now[{key, window}] = value;
                }
            }
            show(into, epoch);
            held.emplace_back(into.snapshot(), now);
            if (held.size() > 4) held.erase(held.begin() + static_cast<std::ptrdiff_t>(random() % 4));
            for (auto const& [shown, rows] : held) {
                auto const sample = make(random);
                auto const upper = make(random);
                auto const a = sample.*First;
                auto const b = upper.*First;
                auto const c = sample.*Second;
                REQUIRE(listed<V>(shown.template where<First>(a), First, rows)
                    == expected(rows, First, [&](V const& v) { return v.*First == a; }));
                REQUIRE(listed<V>(shown.template range_by<First>(a, b), First, rows)
                    == expected(rows, First, [&](V const& v) { return a <= v.*First && v.*First < b; }));
                REQUIRE(listed<V>(shown.template where<Second>(c), Second, rows)
                    == expected(rows, Second, [&](V const& v) { return v.*Second == c; }));
                auto best_first = expected(rows, Second, [](V const&) { return true; });
                std::reverse(best_first.begin(), best_first.end());
                if (best_first.size() > 10) best_first.resize(10);
                REQUIRE(listed<V>(shown.template top_by<Second>(10), Second, rows) == best_first);
            }
        };
        for (std::uint64_t epoch = 1; epoch <= 25; ++epoch) turn(out, epoch);
        // What is restored has its indexes.
        std::string bytes;
        out.visit_state(driftless::detail::save_visitor{bytes});
        indexed again;
        byte_reader in{bytes};
        again.visit_state(driftless::detail::load_visitor{in});
        held.clear();
        for (std::uint64_t epoch = 26; epoch <= 30; ++epoch) turn(again, epoch);
        held.clear();
    }
}
}  // namespace

TEST_CASE("an index finds the rows that a look at all rows finds", "[view][index][oracle]") {
    check_against_a_map<totals, &totals::orders, &totals::cents>([](auto& random) {
        return totals{static_cast<std::int64_t>(random() % 5), static_cast<std::int64_t>(random() % 50) - 25};
    });
    check_against_a_map<best, &best::country, &best::cents>([](auto& random) {
        return best{std::string(1 + random() % 3, static_cast<char>('a' + random() % 3)),
            static_cast<std::int64_t>(random() % 1000)};
    });
}

TEST_CASE("an index forgets the rows of windows that are dropped", "[view][index]") {
    view<std::int64_t, totals, indexed_by<&totals::orders>> out{{.keep = duration{100}}};
    for (std::int64_t w = 0; w < 50; ++w) {
        time_window const window{event_time{w * 10}, event_time{w * 10 + 10}};
        for (std::int64_t key = 0; key < 100; ++key)
            out.write(pane<std::int64_t, totals>{key, window, {key % 4, w}, {}});
        std::uint64_t const offset = static_cast<std::uint64_t>(w) + 1;
        out.on_frontier({offset, window.end, window.end, &offset, 1});
        auto const shown = out.snapshot();
        CHECK(shown.size() <= 1100);
        CHECK(shown.where<&totals::orders>(2).size() == shown.size() / 4);
    }
}
