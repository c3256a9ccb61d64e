// SPDX-License-Identifier: BSL-1.0
// expect: driftless: a map in an order of its own cannot become owned
#include <driftless/codec/map.hpp>

using prices = std::map<driftless::text, int, std::greater<>>;
driftless::owned_t<prices> kept;
