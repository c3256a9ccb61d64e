// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_LOGGED_SALES_HPP
#define DRIFTLESS_BENCH_SUPPORT_LOGGED_SALES_HPP

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>

#include <support/random.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

// The record of the benchmarks of logs, and what is done with all of them.

namespace bench::logged {

struct sale {
    std::int64_t user;
    std::int64_t cents;
    std::int64_t item;
    driftless::event_time at;
};
static_assert(sizeof(sale) == 32);

/// What all records, or rows, come to.
struct digest {
    std::uint64_t records = 0;
    std::uint64_t sum = 0;
    friend bool operator==(digest const&, digest const&) = default;
};
}  // namespace bench::logged
BOOST_HANA_ADAPT_STRUCT(bench::logged::sale, user, cents, item, at);

namespace bench::logged {

/// Sales 10 us apart of 10,000 users, out of order by up to 5 ms.
inline std::vector<sale> make_sales(std::size_t count) {
    random draw{count};
    std::vector<sale> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto const at = driftless::event_time{static_cast<std::int64_t>(i * 10'000 + draw.below(5'000'000))};
        out.push_back({static_cast<std::int64_t>(draw.below(10'000)), static_cast<std::int64_t>(draw.below(100'000)),
            static_cast<std::int64_t>(draw.below(1'000)), at});
    }
    return out;
}
/// One member of every record, read block by block.
template <class Log>
digest sum_cents(Log const& log) {
    digest out;
    auto const end = log.end_offset();
    for (auto at = log.begin_offset(); at < end;) {
        auto const block = log.read(0, at);
        block.each(0, block.size(),
            [&](std::size_t, sale const& each) { out.sum += static_cast<std::uint64_t>(each.cents); });
        at = block.next_offset();
    }
    out.records = end;
    return out;
}

inline constexpr auto per_user = driftless::from<sale>()
    | driftless::assign_time<&sale::at>(driftless::bounded_disorder{driftless::duration{5'000'000'000}})
    | driftless::key_by<&sale::user>()
    | driftless::window(driftless::tumbling{driftless::duration{1'000'000'000}})
    | driftless::aggregate(driftless::count(), driftless::sum<&sale::cents>());

/// A whole job over a log.
template <class Log>
digest run_job(Log const& log) {
    digest out;
    static_cast<void>(driftless::run(driftless::batch{}, per_user, log, driftless::to([&](auto const& pane) {
        auto const& [count, sum] = pane.value;
        ++out.records;
        out.sum += static_cast<std::uint64_t>(count) * 31 + static_cast<std::uint64_t>(sum);
    })));
    return out;
}
}  // namespace bench::logged
#endif
