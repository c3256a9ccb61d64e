// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/untyped_log.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "print_records.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace log_tool {

int dump(std::vector<std::string> const& words) {
    constexpr auto all = ~std::uint64_t{0};
    arguments given{words, {"--partition", "--from", "--to", "--limit"}};
    given.flag("--json");
    auto const only = given.optional_number("--partition");
    auto const from = given.number("--from", 0);
    auto const to = given.number("--to", all);
    auto limit = given.number("--limit", all);
    driftless::untyped_log log{given.paths(1, "the folder of a log")[0]};
    auto const partitions = partitions_of(log, only);
    for (auto p = partitions.first; p != partitions.end; ++p) {
        auto const end = std::min(to, log.end_offset(p));
        limit -= print_records(log, p, std::max(from, log.begin_offset(p)), end, limit);
    }
    return good;
}
}  // namespace log_tool
