// SPDX-License-Identifier: BSL-1.0
// A pipeline of two aggregates and the loops that say what it means.
#ifndef DRIFTLESS_TESTS_EQUIVALENCE_TWO_LEVELS_HPP
#define DRIFTLESS_TESTS_EQUIVALENCE_TWO_LEVELS_HPP
#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace equivalence {
using shop_row = pane<text, std::tuple<std::int64_t, std::int64_t>>;

/// How many shops had n sales (mod 3) in a window, and what they sold: the key of a row moves when it is corrected.
constexpr auto by_count(auto timed, auto windows) {
    return timed | key_by<&sale::shop>() | windows | aggregate(count(), sum<&sale::cents>())
        | filter([](shop_row const& row) noexcept { return std::get<0>(row.value) != 2; })
        | key_by([](shop_row const& row) noexcept { return std::get<0>(row.value) % 3; })
        | aggregate(count(), sum([](shop_row const& row) noexcept { return std::get<1>(row.value); }),
            distinct([](shop_row const& row) noexcept { return row.key; }));
}

using shop_groups = std::map<std::pair<time_window, std::string>, std::pair<std::int64_t, std::int64_t>>;
inline shop_groups first_level(std::vector<placed> const& records) {
    shop_groups groups;
    for (auto const& [p, s] : records) {
        auto& [n, sum] = groups[{window_of(s.at), s.shop.str()}];
        ++n;
        sum += s.cents;
    }
    return groups;
}
inline table by_count_loops(std::vector<placed> const& records) {
    std::map<std::pair<time_window, std::int64_t>, std::tuple<std::int64_t, std::int64_t, std::int64_t>> groups;
    for (auto const& [place, row] : first_level(records)) {
        if (row.first == 2) continue;
        auto& [n, sum, shops] = groups[{place.first, row.first % 3}];
        ++n;
        sum += row.second;
        ++shops;
    }
    table out;
    for (auto const& [place, value] : groups) put(out, place.second, place.first, value);
    return out;
}
}  // namespace equivalence
#endif
