// SPDX-License-Identifier: BSL-1.0
// expect: driftless: check_laws compares states
#include <driftless/testing/check_laws.hpp>
struct kept {
    int* n;
};
struct last {
    kept lift(int const&) const { return {}; }
    void combine(kept&, kept const&) const {}
    kept lower(kept const& of) const { return of; }
};
auto f(std::vector<int> const& records) { return driftless::testing::check_laws(last{}, records); }
