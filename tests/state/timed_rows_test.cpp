// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/timed_rows.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace driftless;

namespace {
struct numbered {
    event_time at;
    std::string what;  // one that owns memory: a leak or a double free is seen
};
std::vector<std::string> texts(timed_rows<numbered> const& rows) {
    std::vector<std::string> out;
    for (auto const& each : rows) out.push_back(std::to_string(each.at.ns()) + each.what);
    return out;
}
}  // namespace

TEST_CASE("rows of many keys stand in order of time, whatever comes and goes", "[state][timed_rows][oracle]") {
    std::mt19937 random{11};
    row_store<numbered> store;
    timed_rows<numbered> rows[3];
    std::vector<std::pair<std::int64_t, std::string>> want[3];
    std::size_t dropped = 0;
    std::size_t lent = 0;
    auto const count = [&](numbered const&) { ++dropped; };
    for (int step = 0; step < 3000; ++step) {
        auto const k = random() % 3;
        auto& mine = want[k];
        auto const at = static_cast<std::int64_t>(step / 4 + static_cast<int>(random() % 6));
        switch (random() % 8) {
            case 0: {
                auto const before = step / 4 - static_cast<int>(random() % 20);
                store.drop_before(rows[k], event_time{before}, count);
                while (!mine.empty() && mine.front().first < before) mine.erase(mine.begin());
                break;
            }
            case 1: {
                auto const first = at - 3;
                store.drop_between(rows[k], event_time{first}, event_time{at}, count);
                std::erase_if(mine, [&](auto const& each) { return each.first >= first && each.first <= at; });
                break;
            }
            case 2:
                if (random() % 20 == 0) {
                    store.release(rows[k], count);
                    mine.clear();
                }
                break;
            default: {
                auto const text = " row that is long enough " + std::to_string(step);
                store.insert(rows[k], {event_time{at}, text});
                ++lent;
                auto const place = std::upper_bound(mine.begin(), mine.end(), at,
                    [](std::int64_t time, auto const& each) { return time < each.first; });
                mine.insert(place, {at, text});
            }
        }
        std::vector<std::string> expected;
        for (auto const& [time, text] : mine) expected.push_back(std::to_string(time) + text);
        REQUIRE(texts(rows[k]) == expected);
        CHECK(store.rows() == lent - dropped);
        auto const from = rows[k].from(event_time{at});
        CHECK(from - rows[k].begin()
            == std::count_if(mine.begin(), mine.end(), [&](auto const& each) { return each.first < at; }));
    }
    for (auto& each : rows) store.release(each, count);
    CHECK(store.rows() == 0);
}
