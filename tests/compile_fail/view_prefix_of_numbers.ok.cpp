// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/view.hpp>

int main() {
    driftless::view<std::string, std::int64_t> const out;
    return static_cast<int>(out.snapshot().prefix("ab").size());
}
