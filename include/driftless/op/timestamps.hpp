// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_TIMESTAMPS_HPP
#define DRIFTLESS_OP_TIMESTAMPS_HPP

// What runs window(..., earliest_timestamp{}) and latest_timestamp{}: a header of its own, so that programs without it
// need not compile it.
#include <driftless/op/detail/stamping_core.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/pane_options.hpp>

#endif
