// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_SESSION_HPP
#define DRIFTLESS_OP_SESSION_HPP

// What runs window(session{...}): a header of its own, so that programs without sessions need not compile it.
#include <driftless/op/detail/session_core.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/session.hpp>

#endif
