// SPDX-License-Identifier: BSL-1.0
// What most tests include, parsed once for all of them where Clang compiles; GCC compiles each test as it is written,
// which finds an include that is missing.
#ifndef DRIFTLESS_TESTS_SUPPORT_PRECOMPILED_HPP
#define DRIFTLESS_TESTS_SUPPORT_PRECOMPILED_HPP

#include <support/catch.hpp>

#include <driftless/driftless.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/testing/script.hpp>

#endif
