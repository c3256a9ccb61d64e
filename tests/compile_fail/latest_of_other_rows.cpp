// SPDX-License-Identifier: BSL-1.0
// expect: latest<Row>(sink) resolves rows by key and window: name Row as pane<Key, Value> or logged_row<Key, Value>
#include <driftless/io/latest.hpp>

using namespace driftless;

struct out {
    void write(pane<std::int64_t, std::int64_t> const&) {}
};

int main() {
    out sink;
    auto const in_front = latest<std::int64_t>(sink);
}
