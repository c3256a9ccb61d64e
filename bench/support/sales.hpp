// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_SALES_HPP
#define DRIFTLESS_BENCH_SUPPORT_SALES_HPP

#include <driftless/core/time.hpp>

#include <support/random.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

// The record of the benchmarks of windows, and what their rows come to.

namespace bench {

struct sale {
    std::int64_t user;
    std::int64_t cents;
    driftless::event_time at;
};

/// Sales `step` apart over `keys` users whose numbers are scattered; one in `one_in` comes up to `disorder` behind.
inline std::vector<sale> make_sales(std::size_t count, std::size_t keys, driftless::duration step,
    driftless::duration disorder, std::uint64_t one_in = 20) {
    random draw{7};
    std::vector<sale> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto at = static_cast<std::int64_t>(i) * step.ns() + disorder.ns();
        if (draw.below(one_in) == 0) {
            at -= static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(disorder.ns())));
        }
        random scatter{draw.below(keys)};
        out.push_back({static_cast<std::int64_t>(scatter()), static_cast<std::int64_t>(draw.below(10'000)),
            driftless::event_time{at}});
    }
    return out;
}

/// What all rows come to, in whatever order they come, and what became of the records.
struct digest {
    std::uint64_t rows = 0;
    std::uint64_t removed = 0;
    std::uint64_t mixed = 0;
    std::uint64_t applied = 0;
    std::uint64_t late = 0;

    void row(std::int64_t key, std::int64_t start, std::int64_t count, std::int64_t sum, std::int64_t most = 0) {
        ++rows;
        auto const x = (static_cast<std::uint64_t>(key) ^ static_cast<std::uint64_t>(start)) * 0x9e3779b97f4a7c15u;
        mixed += (x ^ (x >> 32)) * static_cast<std::uint64_t>(2 * sum + 1)
            + static_cast<std::uint64_t>(count + 3 * most) * (x >> 1);
    }
    friend bool operator==(digest const&, digest const&) = default;
};
}  // namespace bench
BOOST_HANA_ADAPT_STRUCT(bench::sale, user, cents, at);
#endif
