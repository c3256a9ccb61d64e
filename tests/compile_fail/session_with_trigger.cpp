// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate over session or sliding_per_record takes plain records and fires by the watermark: leave the trigger and pane options out of the window(...) before it, and put it before other aggregates
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<event<int>>() | window(session{1_s}, every(2)) | aggregate(count()); }
