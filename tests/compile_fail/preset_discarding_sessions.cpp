// SPDX-License-Identifier: BSL-1.0
// expect: other aggregates (with presets::beam, say accumulating{})
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/presets.hpp>
using namespace driftless;
auto const steps = from<event<int>>() | window(session{duration{10}}, presets::beam) | aggregate(count());
