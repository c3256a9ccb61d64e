// SPDX-License-Identifier: BSL-1.0
// RapidCheck inside a TEST_CASE. Write
//
//     property("batch = stream", [](std::vector<int> const& in) { RC_ASSERT(...); });
//
// A failure prints the shrunk counterexample and the RC_PARAMS that repeat it. RC_PARAMS="seed=... max_success=..."
// in the environment overrides; DRIFTLESS_SLOW there tries ten times as many cases.
#ifndef DRIFTLESS_TESTS_SUPPORT_RAPIDCHECK_HPP
#define DRIFTLESS_TESTS_SUPPORT_RAPIDCHECK_HPP
#include <rapidcheck.h>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <sstream>
#include <string>
#include <utility>

template <class Testable> void property(std::string const& name, Testable&& testable, int cases = 100) {
    if (test::slow()) cases *= 10;
    auto params = rc::detail::configuration().testParams;
    if (params.maxSuccess == rc::detail::TestParams{}.maxSuccess) params.maxSuccess = cases;  // RC_PARAMS says nothing
    rc::detail::TestMetadata metadata;
    metadata.id = metadata.description = name;
    auto const result = rc::detail::checkTestable(std::forward<Testable>(testable), metadata, params);
    std::ostringstream report;
    rc::detail::printResultMessage(result, report);
    INFO(name << ": " << report.str());
    CHECK(result.template is<rc::detail::SuccessResult>());
}

#endif
