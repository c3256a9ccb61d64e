// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_SLIDING_PER_RECORD_HPP
#define DRIFTLESS_OP_SLIDING_PER_RECORD_HPP

// What runs window(sliding_per_record{...}): a header of its own, so that programs without it need not compile it.
#include <driftless/op/detail/record_window_core.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/sliding_per_record.hpp>

#endif
