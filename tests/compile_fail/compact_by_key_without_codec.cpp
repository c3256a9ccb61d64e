// SPDX-License-Identifier: BSL-1.0
// expect: compact_by_key needs a key that codec can write: return a number, text or an adapted struct from key_of
// at most 1 errors
#include <driftless/log/compact_by_key.hpp>
struct closed {
    int number;
};
void tidy(driftless::file_log<int>& log) {
    driftless::compact_by_key(log, [](int each) { return closed{each}; });
}
