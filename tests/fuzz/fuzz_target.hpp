// SPDX-License-Identifier: BSL-1.0
// What every fuzz target defines, and how it says that a property does not hold.
#ifndef DRIFTLESS_TESTS_FUZZ_FUZZ_TARGET_HPP
#define DRIFTLESS_TESTS_FUZZ_FUZZ_TARGET_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

/// Looks at one input; ends the process where a property does not hold.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace fuzz {
/// Inputs to begin with, by name: what the corpus is made of.
std::vector<std::pair<std::string, std::string>> seeds();

/// A literal with its zero bytes.
template <std::size_t Size>
std::string bytes_of(char const (&literal)[Size]) {
    return {literal, Size - 1};
}

inline void require(bool holds, char const* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}
}  // namespace fuzz
#endif
