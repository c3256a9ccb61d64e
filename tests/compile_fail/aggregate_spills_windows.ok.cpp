// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/aggregate.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/state/spill.hpp>
#include <driftless/testing/memory_cold_store.hpp>

#include <cstdint>
using namespace driftless;
using namespace driftless::literals;
struct order {
    std::int64_t id;
    text shop;
};
int main() {
    testing::memory_cold_store store;
    [[maybe_unused]] auto p = from<event<order>>() | key_by<&order::id>()
        | aggregate(count(), unbounded_state{}, spill_to{store, 100});
}
