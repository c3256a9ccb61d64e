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
void check_times(grid const& covered, std::uint64_t span, tables const& open, tumbling const& windows) {
    auto const low = open[0].window.start;
    for (std::uint64_t past = 0; past < span; past += span / 5'000 + 1) {
        auto const window = windows.assign(low + duration{static_cast<std::int64_t>(past)});
        CHECK(covered.at(past) == open.table_of(window));
    }
    for (std::size_t i = 0; i < open.size(); ++i) {  // at their very edges
        auto const past = static_cast<std::uint64_t>((open[i].window.start - low).ns());
        if (past >= span) break;
        CHECK(covered.at(past) == &open[i].table);
        CHECK(covered.at(past + static_cast<std::uint64_t>(windows.size.ns()) - 1) == &open[i].table);
    }
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
            auto const span = covered.cover(open, 0, open.size(), windows.size);
            CHECK(span == 40 * static_cast<std::uint64_t>(size));
            CHECK(covered.active());
            CHECK_FALSE(covered.full());
            CHECK(covered.bytes() == 3 * open.size());
            check_times(covered, span, open, windows);
            covered.forget();
            CHECK_FALSE(covered.active());
        }
    }
}

TEST_CASE("more windows than it takes, or ones that end with time, are left to the search", "[op][grid_tables]") {
    tumbling const windows{duration{10}};
    tables open;
    for (std::int64_t k = 0; k < 300; ++k) open.open(windows.assign(event_time{k * 10}), false);
    grid covered;
    auto const span = covered.cover(open, 0, open.size(), windows.size);
    CHECK(span == 256 * 10);
    CHECK(covered.full());
    check_times(covered, span, open, windows);

    tables last;
    last.open(windows.assign(event_time{INT64_MAX - 25}), false);
    last.open(windows.assign(event_time{INT64_MAX - 1}), false);
    CHECK(covered.cover(last, 0, 2, windows.size) == 10);
    CHECK_FALSE(covered.full());
    tables first;
    first.open(windows.assign(event_time{INT64_MIN + 1}), false);
    CHECK(covered.cover(first, 0, 1, windows.size) == 0);
    CHECK_FALSE(covered.active());
}
