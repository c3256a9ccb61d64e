// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTS_SUPPORT_SLOW_HPP
#define DRIFTLESS_TESTS_SUPPORT_SLOW_HPP

#include <cstdlib>

namespace test {
/// The long suites run: ./dev test --slow sets it. The same programs run both.
inline bool slow() {
    static bool const on = std::getenv("DRIFTLESS_SLOW") != nullptr;
    return on;
}
}  // namespace test
#endif
