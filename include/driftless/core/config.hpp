// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_CONFIG_HPP
#define DRIFTLESS_CORE_CONFIG_HPP

/// DRIFTLESS_INLINE marks the per-record functions that must melt into the source loop: without it
/// GCC and Clang stop inlining after a few stages and the accumulator goes back to memory.
#if defined(__GNUC__) || defined(__clang__)
#define DRIFTLESS_INLINE [[gnu::always_inline]] inline
#define DRIFTLESS_NOINLINE [[gnu::noinline]]
#define DRIFTLESS_INLINE_LAMBDA __attribute__((always_inline))
/// DRIFTLESS_FUSED is the same for the calls that a chain of stages hands on; not in a build without optimization,
/// which would compile the end of the chain anew for every stage before it.
#if defined(__OPTIMIZE__)
#define DRIFTLESS_FUSED DRIFTLESS_INLINE
#else
#define DRIFTLESS_FUSED inline
#endif
#else
#define DRIFTLESS_INLINE inline
#define DRIFTLESS_FUSED inline
#define DRIFTLESS_NOINLINE
#define DRIFTLESS_INLINE_LAMBDA
#endif

/// DRIFTLESS_ASSERT(condition, "sentence") states a contract of the caller; it aborts unless NDEBUG.
#if defined(NDEBUG)
#define DRIFTLESS_ASSERT(condition, sentence) static_cast<void>(0)
#else
#include <cassert>
#define DRIFTLESS_ASSERT(condition, sentence) assert((condition) && (sentence))
#endif

#endif
