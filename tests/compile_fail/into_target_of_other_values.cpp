// SPDX-License-Identifier: BSL-1.0
// expect: driftless: into(target) needs a target of pane<Key, Value> or of Value
#include <driftless/core/pane.hpp>
#include <driftless/io/into.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<long>& all, pane<int, int> const& row) { into(all).write(row); }
