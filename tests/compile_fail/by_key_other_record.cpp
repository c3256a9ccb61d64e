// SPDX-License-Identifier: BSL-1.0
// expect: driftless: by_key needs members or functions of the record
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
    partitioned(log, by_key([](int* other) { return *other; })).append(order{});
}
