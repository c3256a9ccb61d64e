// SPDX-License-Identifier: BSL-1.0
// Catch2 2.x or 3.x, whichever is installed, under the names of both.
#ifndef DRIFTLESS_TESTS_SUPPORT_CATCH_HPP
#define DRIFTLESS_TESTS_SUPPORT_CATCH_HPP

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // 2.x has it in the global namespace
#else
#include <catch2/catch.hpp>
#endif

#endif
