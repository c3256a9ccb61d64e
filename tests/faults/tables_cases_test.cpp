// SPDX-License-Identifier: BSL-1.0
// not precompiled
// tests/cases/tables_cases_test.cpp, each case crashed at its steps.
#define DRIFTLESS_CRASH_CASES
#include <cases/tables_cases_test.cpp>  // NOLINT(bugprone-suspicious-include)
