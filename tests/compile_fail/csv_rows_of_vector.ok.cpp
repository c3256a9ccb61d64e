// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/directory_sink.hpp>
#include <driftless/io/json_lines.hpp>

#include <vector>

using namespace driftless;

int main() { directory_sink<pane<std::int64_t, std::vector<std::int64_t>>, json_lines> const out{"out"}; }
