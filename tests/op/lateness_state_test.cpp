// SPDX-License-Identifier: BSL-1.0
// What allowed lateness keeps: a watermark five minutes behind, and windows that take records for two days more.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>

using namespace driftless;
using namespace driftless::literals;

namespace lateness_rows {
struct sale {
    std::int64_t shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace lateness_rows
BOOST_HANA_ADAPT_STRUCT(lateness_rows::sale, shop, cents, at);
using lateness_rows::sale;

namespace {
constexpr std::int64_t minute = 60'000'000'000;
constexpr std::int64_t shops = 100;

struct kept {
    std::uint64_t third_day = 0;  // the most there was up to its end
    std::uint64_t most = 0;
    std::uint64_t in_the_end = 0;
    std::uint64_t late = 0;
};
/// Ten days with ten sales a minute, shop by shop; every 50th is two days old, every 100th three.
template <class... Options>
kept keep(Options... options) {
    auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_min}) | key_by<&sale::shop>()
        | window(tumbling{1_h}, options...) | aggregate(count(), sum<&sale::cents>());
    memory_log<sale> log;
    auto sink = to([](auto const&) {}, [](auto const&, time_window) {});
    job following{stream{}, pipeline, log, sink};
    kept out;
    for (std::int64_t i = 0; i < 10 * 24 * 60; ++i) {
        for (std::int64_t k = 0; k < 10; ++k) {
            auto const n = 10 * i + k;
            auto const old = n % 100 == 0 ? 72 * 60 : n % 50 == 0 ? 47 * 60
                                                                  : 0;
            log.append(sale{n % shops, 1, event_time{(i - old) * minute}});
        }
        if (i % 60 != 59) continue;
        while (following.poll() != 0) {}
        out.most = std::max<std::uint64_t>(out.most, following.metrics().state_bytes);
        if (i < 3 * 24 * 60) out.third_day = out.most;
    }
    following.drain();
    out.in_the_end = following.metrics().state_bytes;
    out.late = following.metrics().refused(reason::late);
    return out;
}
}  // namespace

TEST_CASE("48 h of lateness keep 48 h of windows, and no more however long the job runs", "[op][aggregate][lateness]") {
    auto const without = keep();
    auto const with = keep(allowed_lateness{48_h});
    CHECK(without.most > 0);
    // At most two windows are open without it: with it those whose end lies up to 48 h behind the watermark as well.
    CHECK(with.most > without.most * 48 / 2 / 2);
    // An entry counts its panes besides: 40 bytes instead of 32.
    CHECK(with.most <= without.most * (48 + 2) * 40 / 32);
    CHECK(with.most <= with.third_day);  // it has had all it needs by then
    CHECK(with.in_the_end == 0);
    CHECK(without.in_the_end == 0);
    // Three days old is too old for either, two days only for the one without; for the first record there is no
    // watermark yet.
    CHECK(with.late == 10 * 24 * 60 * 10 / 100 - 1);
    CHECK(without.late == 10 * 24 * 60 * 10 / 50 - 1);
}
