// SPDX-License-Identifier: BSL-1.0
// expect: driftless: fail_on_late needs records that can be refused
#include <driftless/op/fail_on_late.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
int main() { [[maybe_unused]] auto p = from<int>() | fail_on_late(); }
