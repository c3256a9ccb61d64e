// SPDX-License-Identifier: BSL-1.0
// Properties over seeds: RapidCheck is compiled once for this room, in seeds_test.cpp, instead of once per type and
// file.
#ifndef DRIFTLESS_TESTS_CODEC_SEEDS_HPP
#define DRIFTLESS_TESTS_CODEC_SEEDS_HPP
#include <support/catch.hpp>

#include <cstdint>

namespace codec_test {
/// Checks a property for many random seeds, as `property` of support/rapidcheck.hpp does.
void for_seeds(char const* name, void (*check)(std::uint64_t seed), int cases = 100);
[[noreturn]] void fail_property(char const* what);

#define CODEC_TEST_TEXT(line) #line
#define CODEC_TEST_LINE(line) CODEC_TEST_TEXT(line)
/// RC_ASSERT without its templates.
#define REQUIRE_PROPERTY(...)                                                                 \
    do {                                                                                      \
        if (!(__VA_ARGS__))                                                                   \
            ::codec_test::fail_property("line " CODEC_TEST_LINE(__LINE__) ": " #__VA_ARGS__); \
    } while (false)
}  // namespace codec_test
#endif
