// SPDX-License-Identifier: BSL-1.0
// expect: view<K, V> is given rows of another key or value than its own
#include <driftless/view/view.hpp>

int main() {
    driftless::view<std::int64_t, std::int64_t> out;
    out.write(driftless::pane<std::int64_t, double>{1, {}, 2.5, {}});
}
