// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
struct row {
    std::int64_t n;
};
int main() { [[maybe_unused]] auto p = from<int>() | aggregate<row>(count()); }
