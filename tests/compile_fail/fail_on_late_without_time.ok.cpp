// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/fail_on_late.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
int main() { [[maybe_unused]] auto p = from<event<int>>() | fail_on_late(); }
