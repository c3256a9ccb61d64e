// SPDX-License-Identifier: BSL-1.0
// expect: driftless: window needs records with an event time: put assign_time<&T::at>(...) before it
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<int>() | window(tumbling{1_s}); }
