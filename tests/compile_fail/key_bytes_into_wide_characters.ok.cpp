// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/key_bytes.hpp>
#include <vector>
void put(std::vector<char>& out) { driftless::append_key_bytes(out, 1); }
