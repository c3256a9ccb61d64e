// SPDX-License-Identifier: BSL-1.0
#include <codec/seeds.hpp>
#include <support/rapidcheck.hpp>

#include <set>
#include <string>

namespace codec_test {
void for_seeds(char const* name, void (*check)(std::uint64_t seed), int cases) {
    // RapidCheck's integers start small and would repeat; a full word does not.
    property(
        name,
        [check] {
            check(*rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())));
        },
        cases);
}
void fail_property(char const* what) { RC_FAIL(std::string{what}); }
}  // namespace codec_test

TEST_CASE("properties over seeds see many different seeds", "[codec][support]") {
    static std::set<std::uint64_t> seen;
    codec_test::for_seeds("collect", [](std::uint64_t seed) { seen.insert(seed); });
    CHECK(seen.size() > 90);
}
