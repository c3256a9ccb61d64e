// SPDX-License-Identifier: BSL-1.0
// expect: view<K, V> is part of the snapshots of its job: key and value need codecs
#include <driftless/view/view.hpp>

struct totals {
    std::int64_t cents;
};
int main() { driftless::view<std::int64_t, totals> out; }
