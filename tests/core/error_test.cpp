// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/error.hpp>

#include <support/catch.hpp>

#include <string>

using namespace driftless;

TEST_CASE("an error says what, where and at which offset", "[core][error]") {
    error const bare{error_code::mismatch, "it does not fit"};
    CHECK(std::string{bare.what()} == "driftless: it does not fit");
    CHECK(bare.code() == error_code::mismatch);
    CHECK(bare.path().empty());
    CHECK(bare.offset() == error::no_offset);

    error const full{error_code::malformed, "a bad record", "orders.log", 0};
    CHECK(std::string{full.what()} == "driftless: a bad record [orders.log] at offset 0");
    CHECK(full.path() == "orders.log");
    CHECK(full.offset() == 0);
    CHECK(std::string{error{}.what()}.empty());
}

TEST_CASE("every code has a name of its own", "[core][error]") {
    CHECK(to_string(error_code::none) == "none");
    CHECK(to_string(error_code::io) == "io");
    CHECK(to_string(error_code::overflow) == "overflow");
    CHECK(to_string(error_code::in_use) == "in use");
    CHECK(to_string(error_code::unsupported) == "unsupported");
}
