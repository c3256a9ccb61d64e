// SPDX-License-Identifier: BSL-1.0
// expect: driftless: the columns layout needs to know the members
#include <driftless/core/reflect.hpp>
#include <driftless/log/layout.hpp>
struct order {
    int sku;
};
int main() { driftless::columns::store<order> log{16}; }
