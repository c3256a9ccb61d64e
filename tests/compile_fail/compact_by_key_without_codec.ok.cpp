// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/compact_by_key.hpp>
void tidy(driftless::file_log<int>& log) {
    driftless::compact_by_key(log, [](int each) { return each; });
}
