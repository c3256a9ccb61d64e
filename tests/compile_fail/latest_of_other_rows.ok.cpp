// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/latest.hpp>

using namespace driftless;

struct out {
    void write(pane<std::int64_t, std::int64_t> const&) {}
};

int main() {
    out sink;
    [[maybe_unused]] auto const in_front = latest<pane<std::int64_t, std::int64_t>>(sink);
}
