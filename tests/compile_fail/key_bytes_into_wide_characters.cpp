// SPDX-License-Identifier: BSL-1.0
// expect: driftless: append_key_bytes needs a container of single bytes
#include <driftless/codec/key_bytes.hpp>
#include <vector>
void put(std::vector<int>& out) { driftless::append_key_bytes(out, 1); }
