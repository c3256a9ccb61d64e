// SPDX-License-Identifier: BSL-1.0
// tests/cases/functions_cases_test.cpp, each case crashed at its steps.
#define DRIFTLESS_CRASH_CASES
#include <cases/functions_cases_test.cpp>  // NOLINT(bugprone-suspicious-include)
