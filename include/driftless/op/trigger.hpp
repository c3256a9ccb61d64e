// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_TRIGGER_HPP
#define DRIFTLESS_OP_TRIGGER_HPP

// What runs window(..., every(100), discarding{}) and the like: a header of its own, so that programs without named
// triggers need not compile it.
#include <driftless/op/detail/triggered_core.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/interval_trigger.hpp>
#include <driftless/time/pane_options.hpp>
#include <driftless/time/trigger.hpp>

#endif
