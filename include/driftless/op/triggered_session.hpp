// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_TRIGGERED_SESSION_HPP
#define DRIFTLESS_OP_TRIGGERED_SESSION_HPP

// What runs window(session{...}, trigger, pane options...): a header of its own, so that others need not compile it.
#include <driftless/op/detail/triggered_session_core.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/trigger.hpp>

#endif
