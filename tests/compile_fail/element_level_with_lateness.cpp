// SPDX-License-Identifier: BSL-1.0
// expect: driftless: window is element_level{}: whatever is behind the watermark is refused
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
auto const steps = from<event<int>>() | window(tumbling{duration{10}}, element_level{}, allowed_lateness{duration{5}});
