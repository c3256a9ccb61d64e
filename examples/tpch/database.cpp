// SPDX-License-Identifier: BSL-1.0
#include "database.hpp"

#include "../support/random.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tpch {
namespace {
template <class Row>
void append(rows<Row> const& table, support::random* random, dl::memory_log<arrival<Row>>& to) {
    std::vector<arrival<Row>> all;
    auto const time = [](std::int64_t n) { return dl::event_time{} + n * 1_ns; };
    for (auto const& row : table.all()) {
        if (random == nullptr) {
            all.push_back({row, time(static_cast<std::int64_t>(all.size())), false});
            continue;
        }
        auto wrong = table.all()[random->below(table.all().size())];
        key_of<Row>::copy(row, wrong);
        auto stray = row;
        key_of<Row>::forge(stray);
        std::array<dl::event_time, 3> at;
        for (auto& each : at) each = time(random->below(std::int64_t{1} << 50) * 4);
        std::sort(at.begin(), at.end());
        for (std::int64_t i = 0; auto& each : at) each = each + 1_ns * i++;  // no two at one time
        switch (random->below(8)) {
            case 0: all.insert(all.end(), {{wrong, at[0], false}, {wrong, at[1], true}, {row, at[2], false}}); break;
            case 1: all.insert(all.end(), {{wrong, at[0], false}, {row, at[1], false}}); break;
            case 2: all.insert(all.end(), {{row, at[0], false}, {row, at[1], true}, {row, at[2], false}}); break;
            case 3: all.insert(all.end(), {{stray, at[0], false}, {row, at[1], false}, {stray, at[2], true}}); break;
            default: all.push_back({row, at[0], false});
        }
    }
    std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.at < b.at; });
    for (auto const& each : all) to.append(each);
}
}  // namespace
}  // namespace tpch

void tpch::arrive(database const& from, std::optional<std::uint64_t> shuffle, history& to) {
    support::random random{shuffle.value_or(0)};
    auto* const how = shuffle ? &random : nullptr;
    append(from.regions, how, to.regions);
    append(from.nations, how, to.nations);
    append(from.suppliers, how, to.suppliers);
    append(from.customers, how, to.customers);
    append(from.parts, how, to.parts);
    append(from.orders, how, to.orders);
    append(from.lineitems, how, to.lineitems);
}
