// SPDX-License-Identifier: BSL-1.0
// expect: driftless: count_window needs its header: #include <driftless/op/count_window.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/time/count_window.hpp>

#include <vector>
using namespace driftless;
int main() {
    std::vector<event<int>> const input;
    static_cast<void>(run(batch{}, from<event<int>>() | window(count_window{3}) | aggregate(count()), input));
}
