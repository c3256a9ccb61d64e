// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_HPP
#define DRIFTLESS_STATE_HPP

#include <driftless/state/bound.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/record_pool.hpp>
#include <driftless/state/value_pool.hpp>
#include <driftless/state/versioned_table.hpp>
#include <driftless/state/window_tables.hpp>

#endif
