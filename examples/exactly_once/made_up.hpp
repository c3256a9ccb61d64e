// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_EXACTLY_ONCE_MADE_UP_HPP
#define EXAMPLES_EXACTLY_ONCE_MADE_UP_HPP

#include "../support/random.hpp"

#include <driftless/core/error.hpp>
#include <driftless/io/csv_writer.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace payments {
namespace dl = driftless;

/// Payments of four producers, ten a second, up to ten seconds out of order; one in 500 comes too late.
inline void make_payments(std::string const& path, std::uint64_t count, std::uint64_t seed) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file{
        path == "-" ? stdout : std::fopen(path.c_str(), "w"), [](std::FILE* of) { return std::fclose(of); }};
    if (file == nullptr) throw dl::error{dl::error_code::io, "cannot make a file", path};
    dl::csv_writer lines{file.get()};
    lines.write_row("producer", "sequence", "account", "amount", "time_ms");
    support::random random{seed};
    std::vector<std::uint64_t> next(4);
    for (std::uint64_t i = 0; i < count; ++i) {
        auto const producer = random.below(next.size());
        auto const behind = random.one_in(500) ? 90'000 : random.below(10'000);
        auto const account = random.below(50);
        auto const amount = random.below(20'000) - 5'000;
        lines.write_row(producer + 1, next[producer]++, "account " + std::to_string(account), amount,
            1'700'000'000'000 + static_cast<std::int64_t>(i) * 100 - behind);
    }
    lines.flush();
}
}  // namespace payments
#endif
