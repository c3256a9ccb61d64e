// SPDX-License-Identifier: BSL-1.0
// expect: driftless: codec needs a type it knows, down to every member
#include <driftless/codec/codec.hpp>
struct order {
    int sku;
};
void put(driftless::byte_writer& out) { driftless::codec<order>::write(out, order{1}); }
