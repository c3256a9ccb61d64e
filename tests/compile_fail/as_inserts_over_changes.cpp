// SPDX-License-Identifier: BSL-1.0
// expect: driftless: as_inserts makes changes of records, and its input yields changes
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/as_inserts.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
int main() {
    [[maybe_unused]] auto p = from<event<int>>() | as_inserts() | aggregate(count(), unbounded_state{}) | as_inserts();
}
