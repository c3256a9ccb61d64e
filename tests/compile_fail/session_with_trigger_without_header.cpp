// SPDX-License-Identifier: BSL-1.0
// not precompiled
// expect: driftless: sessions with a trigger or pane options need their header: #include <driftless/op/triggered_session.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
int main() {
    std::vector<event<int>> const in;
    run(batch{}, from<event<int>>() | window(session{1_s}, every(2)) | aggregate(count()), in);
}
