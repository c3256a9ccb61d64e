// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_SLIDING_HPP
#define DRIFTLESS_OP_SLIDING_HPP

// What runs window(sliding{...}): a header of its own, so that programs without sliding windows need not compile it.
#include <driftless/op/detail/sliced_core.hpp>
#include <driftless/op/window.hpp>

#endif
