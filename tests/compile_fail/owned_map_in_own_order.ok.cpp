// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/map.hpp>

using prices = std::map<driftless::text, int>;
driftless::owned_t<prices> kept;
