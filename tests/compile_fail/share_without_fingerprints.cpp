// SPDX-License-Identifier: BSL-1.0
// not precompiled
// expect: driftless: a share that is used twice needs fingerprints: #include <driftless/run/fingerprint.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
int main() {
    auto const once = from<int>("n"_name) | share("once"_name);
    std::vector<int> const in{1};
    run(batch{}, merge(once, once), bind("n"_name, in));
}
