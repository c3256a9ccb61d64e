// SPDX-License-Identifier: BSL-1.0
// expect: driftless: window(count_window{n}) fires when a window is full, and takes every record: leave lateness, triggers and pane
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/count_window.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<event<int>>() | window(count_window{3}, allowed_lateness{1_s}); }
