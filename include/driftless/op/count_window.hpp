// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_COUNT_WINDOW_HPP
#define DRIFTLESS_OP_COUNT_WINDOW_HPP

// What runs window(count_window{...}): a header of its own, so that programs without it need not compile it.
#include <driftless/op/detail/count_core.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/count_window.hpp>

#endif
