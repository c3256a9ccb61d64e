// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/detail/sentence.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using driftless::detail::sentence;

TEST_CASE("a sentence puts words and whole numbers together", "[core][sentence]") {
    std::string const middle = "a bound >= 0, not ";
    CHECK(sentence({"needs ", middle, std::int64_t{-5}, std::string_view{" ns"}}) == "needs a bound >= 0, not -5 ns");
    CHECK(sentence({}).empty());
    CHECK(sentence({"", std::string_view{}}).empty());
}

TEST_CASE("a sentence writes numbers as std::to_string does, to the ends of their range", "[core][sentence]") {
    using signed_limits = std::numeric_limits<std::int64_t>;
    for (auto const number : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{10}, std::int64_t{-10},
             signed_limits::min(), signed_limits::max()}) {
        CHECK(sentence({number}) == std::to_string(number));
    }
    for (auto const number : {std::uint64_t{0}, std::uint64_t{9}, std::numeric_limits<std::uint64_t>::max()}) {
        CHECK(sentence({number}) == std::to_string(number));
    }
}
