// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/detail/grid_tables.hpp>

#include <driftless/state/window_tables.hpp>
#include <driftless/time/window.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

using namespace driftless;

namespace {
struct plain_table {
    [[nodiscard]] std::size_t bytes() const { return 3; }
    void clear() noexcept {}
};
using tables = window_tables<plain_table>;
using grid = driftless::detail::grid_tables<plain_table>;

/// Every time near the windows is found where it lies, or nowhere.
void check_times(grid const& covered, std::size_t count, tables const& open, tumbling const& windows) {
    auto const low = open[0].window.start;
    auto const end = open[count - 1].window.end;
    auto const step = duration{(end - low).ns() / 5'000 + 1};
    for (auto at = low; at < end; at = at + step) CHECK(covered.find(at) == open.table_of(windows.assign(at)));
    for (std::size_t i = 0; i < count; ++i) {  // at their very edges
        CHECK(covered.find(open[i].window.start) == &open[i].table);
        CHECK(covered.find(open[i].window.max_timestamp()) == &open[i].table);
    }
    CHECK(covered.find(low - duration{1}) == nullptr);
    CHECK(covered.find(end) == nullptr);
}
}  // namespace

TEST_CASE("a time is found in its window, and in none between open ones", "[op][grid_tables]") {
    for (auto const size : std::initializer_list<std::int64_t>{1, 2, 3, 7, 1'000'003, 3'600'000'000'000}) {
        tumbling const windows{duration{size}, duration{5}};
        for (auto const from : std::initializer_list<std::int64_t>{-90, 0, 1'000}) {
            tables open;
            for (std::int64_t k = 0; k < 40; ++k) {
                if (k % 7 == 3) continue;
                open.open(windows.assign(event_time{(from + k) * size + 5}), false);
            }
            grid covered;
            CHECK_FALSE(covered.active());
            covered.cover(open, 0, windows.size);
            CHECK(covered.active());
            CHECK_FALSE(covered.is_beyond(open[open.size() - 1].window.end));
            CHECK(covered.bytes() == 3 * open.size());
            check_times(covered, open.size(), open, windows);
            covered.forget();
            CHECK_FALSE(covered.active());
            CHECK(covered.find(open[0].window.start) == nullptr);
        }
    }
}

TEST_CASE("more windows than it takes, or ones that end with time, are left to the search", "[op][grid_tables]") {
    tumbling const windows{duration{10}};
    tables open;
    for (std::int64_t k = 0; k < 300; ++k) open.open(windows.assign(event_time{k * 10}), false);
    grid covered;
    covered.cover(open, 0, windows.size);
    CHECK_FALSE(covered.is_beyond(open[255].window.start));
    CHECK(covered.is_beyond(open[256].window.start));
    check_times(covered, 256, open, windows);
    covered.cover(open, 290, windows.size);  // from a later one on
    CHECK(covered.find(open[289].window.start) == nullptr);
    CHECK(covered.find(open[299].window.start) == &open[299].table);

    tables last;
    last.open(windows.assign(event_time{INT64_MAX - 25}), false);
    last.open(windows.assign(event_time{INT64_MAX - 1}), false);
    covered.cover(last, 0, windows.size);
    check_times(covered, 1, last, windows);
    CHECK_FALSE(covered.is_beyond(last[1].window.start));
    tables first;
    first.open(windows.assign(event_time{INT64_MIN + 1}), false);
    covered.cover(first, 0, windows.size);
    CHECK_FALSE(covered.active());
}
