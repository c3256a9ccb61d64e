// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Windows that refused late records are reopened from the log: afterwards the rows are those of a batch.
#include <driftless/run/late_windows.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct hit {
    text page;
    std::int64_t bytes;
    event_time at;
};
/// A table of rows as a store keeps it.
struct table {
    std::map<std::pair<std::string, std::int64_t>, std::tuple<std::int64_t, std::int64_t>> rows{};
    std::size_t writes = 0;
    std::size_t late = 0;

    void write(pane<text, std::tuple<std::int64_t, std::int64_t>> const& row) {
        rows[{row.key.str(), row.window.start.ms()}] = row.value;
        ++writes;
        late += row.info.timing == timing::late;
    }
    void remove(text, time_window) {}
};
std::vector<hit> random_hits(std::uint64_t seed) {
    static constexpr char const* pages[] = {"/", "/about", "/a/page/with/a/long/name/that/no/small/buffer/takes"};
    std::vector<hit> out;
    for (std::int64_t i = 0; i < 400; ++i) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        auto const back = seed >> 62 == 0 ? static_cast<std::int64_t>(seed >> 40) % 300 : 0;
        out.push_back({pages[(seed >> 33) % 3], static_cast<std::int64_t>(seed >> 50),
            event_time::from_ms((i * 5 - back) * 1000)});
    }
    return out;
}
}  // namespace

TEST_CASE("the windows that refused records are reopened, and the rows are those of a batch", "[run][late_windows]") {
    auto const check = [](auto const& windows, std::uint64_t seed) {
        auto const p = from<hit>() | assign_time<&hit::at>() | key_by<&hit::page>() | windows | late_to("late"_name)
            | aggregate(count(), sum<&hit::bytes>());
        auto const hits = random_hits(seed);
        auto nothing = to([](auto const&) {});
        late_windows late;
        table stored;
        run(stream{.until = drained}, p, hits, bind("late"_name, late), stored);
        table all;
        run(batch{}, p, hits, bind("late"_name, nothing), all);
        REQUIRE(late.size() > 10);
        CHECK(stored.rows != all.rows);
        auto const before = stored.writes;
        auto const late_before = stored.late;

        auto corrections = late.reopened(stored);
        run(batch{}, p, hits, bind("late"_name, nothing), corrections);
        CHECK(stored.rows == all.rows);
        CHECK(stored.writes - before == late.size());  // these windows, once each, and no others
        CHECK(stored.late - late_before == late.size());
        late.clear();
        CHECK(late.empty());
    };
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        check(window(tumbling{60_s}), seed);
        check(window(tumbling{60_s}, allowed_lateness{45_s}), seed);
        check(window(sliding{60_s, 20_s}), seed);
    }
}
