// SPDX-License-Identifier: BSL-1.0
// A life of a log, cut short at every operation of its files.
#ifndef DRIFTLESS_TESTS_LOG_EVERY_FAULT_HPP
#define DRIFTLESS_TESTS_LOG_EVERY_FAULT_HPP

#include <driftless/core/error.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <cstdint>
#include <vector>

namespace every_fault {
using namespace driftless;
using testing::fault;
using testing::memory_files;

// All of it runs on one thread, where the thread sanitizer has nothing to find and takes minutes.
#ifdef __SANITIZE_THREAD__
inline constexpr std::uint64_t stride = 16;
#else
inline constexpr std::uint64_t stride = 1;
#endif

/// How many operations live(files, promises) takes.
template <class Promises, class Live>
std::uint64_t operations_of(Live const& live) {
    memory_files files;
    std::vector<char const*> all;
    files.note_operations(&all);
    Promises told;
    live(files, told);
    return all.size();
}
/// Fails the nth operation, or ends the process there, for every n.
template <class Promises, class Live, class CheckAfter>
void killed_anywhere(Live const& live, CheckAfter const& check_after) {
    auto const count = operations_of<Promises>(live);
    REQUIRE(count > 150);
    for (auto const what : {fault::fail, fault::cut, fault::after}) {
        for (std::uint64_t nth = 1; nth <= count; nth += stride) {
            INFO("operation " << nth << ", fault " << static_cast<int>(what));
            memory_files files;
            files.inject(nth, what);
            Promises told;
            try {
                live(files, told);
            } catch (error const& why) {
                CHECK(why.code() != error_code::corrupt);
            }
            files.restart();
            check_after(files, told);
        }
    }
}
/// Takes the power away there; several ways to lose what was not synced.
template <class Promises, class Live, class CheckAfter>
void without_power_anywhere(Live const& live, CheckAfter const& check_after) {
    auto const count = operations_of<Promises>(live);
    for (std::uint64_t const seed : {0U, 1U, 77U}) {
        for (std::uint64_t nth = 1; nth <= count; nth += stride * (seed == 0 || test::slow() ? 1 : 3)) {
            INFO("operation " << nth << ", seed " << seed);
            memory_files files;
            files.inject(nth, fault::cut);
            Promises told;
            try {
                live(files, told);
            } catch (error const&) {  // NOLINT(bugprone-empty-catch): the power is off
            }
            files.lose_power(seed == 0 ? 0 : seed * 1'000 + nth);
            check_after(files, told);
        }
    }
}
}  // namespace every_fault
#endif
