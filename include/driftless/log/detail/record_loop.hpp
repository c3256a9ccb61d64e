// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_RECORD_LOOP_HPP
#define DRIFTLESS_LOG_DETAIL_RECORD_LOOP_HPP

#include <driftless/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace driftless::inline v0::detail {
/// A body says so (static constexpr bool tight) if it comes to a few instructions: its loop is worth unrolling.
template <class Body>
inline constexpr bool is_tight = requires { requires std::remove_cvref_t<Body>::tight; };

/// Calls step(i) for each i of [from, to): the loop under every pipeline, a block of a log at a time.
///
/// Body        who is called in the end
/// Scattered   each step reads a record of several members: SIMD would have to gather them
///
/// What the pragmas are for: neither g++ -O2 nor Clang unrolls a loop of unknown length by itself, which costs a tight
/// one 10 to 15 %. Where Clang makes SIMD code (-mavx2 and up), its own count is the better one, and its gathers from
/// structs outside the cache were 3 times slower than plain loads.
template <class Body, bool Scattered, class Step>
DRIFTLESS_INLINE constexpr void record_loop(std::size_t from, std::size_t to, Step&& step) {
    if constexpr (!is_tight<Body>) {
        for (std::size_t i = from; i < to; ++i) step(i);
    } else {
#if !defined(__clang__) || !defined(__AVX2__)
#pragma GCC unroll 4
        for (std::size_t i = from; i < to; ++i) step(i);
#else
        if constexpr (Scattered) {
#pragma clang loop vectorize(disable) unroll_count(4)
            for (std::size_t i = from; i < to; ++i) step(i);
        } else {
            for (std::size_t i = from; i < to; ++i) step(i);
        }
#endif
    }
}

/// How far ahead memory is asked for: hardware that reads ahead stops at each page of 4 KiB, and starts again only
/// after a few misses. 1 to 3 KiB are equally good.
inline constexpr std::size_t fetch_distance = 2048;

template <class T>
DRIFTLESS_INLINE constexpr void fetch_behind(T const* row, std::size_t bytes) noexcept {
    if (std::is_constant_evaluated()) return;
    // As a number: it may point behind the array.
    auto const there = reinterpret_cast<std::uintptr_t>(row) + bytes;
    __builtin_prefetch(reinterpret_cast<void const*>(there));  // NOLINT(performance-no-int-to-ptr)
}

/// Calls f(i, rows[i]) for each i of [from, to). A tight loop stays one: what is behind it is asked for in between.
template <class F, class T>
DRIFTLESS_INLINE constexpr void each_row(T const* rows, std::size_t from, std::size_t to, F&& f) {
    if constexpr (!is_tight<F>) {
        record_loop<F, std::is_class_v<T>>(from, to, [&](std::size_t i) DRIFTLESS_INLINE_LAMBDA {
            fetch_behind(rows + i, fetch_distance);
            f(i, rows[i]);
        });
    } else {
        constexpr std::size_t line = 64;
        constexpr std::size_t at_once = sizeof(T) < line ? 16 * line / sizeof(T) : 16;
        while (from < to) {
            auto const stop = to - from > at_once ? from + at_once : to;
            for (std::size_t ahead = 0; ahead < at_once * sizeof(T); ahead += line) {
                fetch_behind(rows + from, fetch_distance + ahead);
            }
            record_loop<F, std::is_class_v<T>>(
                from, stop, [&](std::size_t i) DRIFTLESS_INLINE_LAMBDA { f(i, rows[i]); });
            from = stop;
        }
    }
}
}  // namespace driftless::inline v0::detail
#endif
