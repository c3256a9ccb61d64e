// SPDX-License-Identifier: BSL-1.0
// expect: driftless: sorted_by_time keeps records, and this one has no codec: write BOOST_HANA_ADAPT_STRUCT(T, members...)
#include <driftless/op/sorted_by_time.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
struct reading {
    int value;
};
int main() { [[maybe_unused]] auto p = from<event<reading>>() | sorted_by_time(); }
