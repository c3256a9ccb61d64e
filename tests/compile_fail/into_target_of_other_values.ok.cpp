// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/pane.hpp>
#include <driftless/io/into.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int>& all, pane<int, int> const& row) { into(all).write(row); }
