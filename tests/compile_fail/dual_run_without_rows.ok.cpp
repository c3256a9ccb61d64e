// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/view/dual_run.hpp>

int main() {
    using namespace driftless;
    memory_log<int> const log;
    auto const rows = from<int>() | key_by([](int n) { return n % 3; }) | aggregate(count(), unbounded_state{});
    auto both = dual_run(rows, log);
    both.poll();
}
