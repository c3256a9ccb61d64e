// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/flag_values.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/flag.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    memory_log<flag_change<bool>> changes;
    flag_values on{changes, false};
    auto const p = from<event<int>>() | flag<"on"_name>(on, [](int n, bool now) { return now ? n : 0; });
    static_cast<void>(p);
}
