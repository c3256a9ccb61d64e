// SPDX-License-Identifier: BSL-1.0
// not precompiled
// expect: driftless: .threads needs the thread pool
#include <driftless/run/threads.hpp>
driftless::thread_count const two{2};
