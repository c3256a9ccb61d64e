// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/result.hpp>

#include <support/catch.hpp>

#include <memory>
#include <stdexcept>

using namespace driftless;

TEST_CASE("a result is its value or the error that stands in its place", "[core][result]") {
    result<int> good{5};
    CHECK(good.has_value());
    CHECK(good.value() == 5);
    CHECK(*good == 5);
    CHECK(good.error().code() == error_code::none);

    result<int> bad{error{error_code::io, "no disk"}};
    CHECK_FALSE(static_cast<bool>(bad));
    CHECK(bad.error().code() == error_code::io);
    CHECK_THROWS_AS(bad.value(), error);
}

TEST_CASE("a result hands over what cannot be copied", "[core][result]") {
    result<std::unique_ptr<int>> owner{std::make_unique<int>(7)};
    auto const taken = std::move(owner).value();
    CHECK(*taken == 7);
}

TEST_CASE("capture turns errors of driftless into results, and lets others through", "[core][result]") {
    CHECK(driftless::detail::capture([] { return 3; }).value() == 3);
    CHECK(driftless::detail::capture([]() -> int { throw error{error_code::stopped, "enough"}; }).error().code()
        == error_code::stopped);
    CHECK_THROWS_AS(driftless::detail::capture([]() -> int { throw std::logic_error("mine"); }), std::logic_error);
}
