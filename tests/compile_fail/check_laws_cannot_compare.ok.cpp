// SPDX-License-Identifier: BSL-1.0
#include <driftless/testing/check_laws.hpp>
struct kept {
    int* n;
    friend bool operator==(kept const&, kept const&) = default;
};
struct last {
    kept lift(int const&) const { return {}; }
    void combine(kept&, kept const&) const {}
    kept lower(kept const& of) const { return of; }
};
auto f(std::vector<int> const& records) { return driftless::testing::check_laws(last{}, records); }
