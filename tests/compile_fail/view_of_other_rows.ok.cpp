// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/view.hpp>
int main() {
    driftless::view<std::int64_t, std::int64_t> out;
    out.write(driftless::pane<std::int64_t, std::int64_t>{1, {}, 2, {}});
}
