// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
using namespace driftless;
using namespace driftless::literals;
struct opaque {
    int* where;
};
struct order {
    opaque what;
    int sku;
};
int main() { [[maybe_unused]] auto p = from<order>() | key_by<&order::sku>(); }
