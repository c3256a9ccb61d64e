// SPDX-License-Identifier: BSL-1.0
// tests/cases/sessions_cases_test.cpp, each case crashed at its steps.
#ifdef DRIFTLESS_SLOW
#define DRIFTLESS_CRASH_CASES
#include <cases/sessions_cases_test.cpp>  // NOLINT(bugprone-suspicious-include)
#endif
