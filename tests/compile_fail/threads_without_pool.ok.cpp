// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/thread_pool.hpp>
#include <driftless/run/threads.hpp>
driftless::thread_count const two{2};
