// SPDX-License-Identifier: BSL-1.0
#include "pipelines.hpp"

#include <support/catch.hpp>

odr_test::seen odr_test::look_from_here() { return look(); }

TEST_CASE("a pipeline in a header is one object of one type in every translation unit", "[odr]") {
    auto const here = odr_test::look_from_here();
    auto const there = odr_test::look_from_there();
    CHECK(here.revenue == there.revenue);
    CHECK(here.total == there.total);
    CHECK(*here.revenue_type == *there.revenue_type);
    CHECK(*here.total_type == *there.total_type);
    CHECK(here.fingerprint == there.fingerprint);
    CHECK(here.answer == 12);
    CHECK(there.answer == 12);
}
