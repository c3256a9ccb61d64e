// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/memory_log.hpp>
#include <driftless/log/partitioner.hpp>
using namespace driftless;
struct opaque {
    int* where;
};
struct order {
    opaque what;
    int sku;
};
int main() {
    memory_log<order> log;
    partitioned(log, to_partition([](order const&) { return 1; })).append(order{});
}
