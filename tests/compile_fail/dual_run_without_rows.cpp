// SPDX-License-Identifier: BSL-1.0
// expect: dual_run compares rows by key and window
#include <driftless/log/memory_log.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/view/dual_run.hpp>

int main() {
    using namespace driftless;
    memory_log<int> const log;
    static_cast<void>(dual_run(from<int>() | filter([](int n) { return n > 0; }), log));
}
