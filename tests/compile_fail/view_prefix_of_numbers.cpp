// SPDX-License-Identifier: BSL-1.0
// expect: prefix() reads the beginning of keys: the key of this view is no text
#include <driftless/view/view.hpp>

int main() {
    driftless::view<std::int64_t, std::int64_t> const out;
    return static_cast<int>(out.snapshot().prefix("ab").size());
}
