// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_PLAY_MODE_HPP
#define DRIFTLESS_TESTING_PLAY_MODE_HPP

#include <driftless/run/threads.hpp>

#include <cstddef>

namespace driftless::inline v0::testing {

/// How a script is played. What comes out in the end is the same in every mode (law 3).
struct play_mode {
    thread_count threads{};  ///< shards of keyed state; needs run/thread_pool.hpp from 2 on
    bool restoring = false;  ///< after each step all state is saved, and taken up by new stages
    std::size_t chunk = 1;   ///< the source pauses after so many steps: what threads do is waited for then
};
}  // namespace driftless::inline v0::testing
#endif
