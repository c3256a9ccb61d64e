// SPDX-License-Identifier: BSL-1.0
// expect: driftless: a schema needs a description of every member
#include <driftless/codec/schema.hpp>
struct order {
    int sku;
};
int main() { driftless::require_describable<order>(); }
