// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/name.hpp>

#include <support/catch.hpp>

#include <type_traits>

using namespace driftless;
using namespace driftless::literals;

static_assert(std::is_same_v<decltype("a"_name), name<"a">>);
static_assert(!std::is_same_v<name<"a">, name<"b">> && !std::is_same_v<name<"a">, name<"a ">>);
static_assert(name<"a">::named && !unnamed::named && unnamed::value.empty());

TEST_CASE("a name knows its characters", "[core][name]") {
    CHECK(name<"orders">::value == "orders");
    CHECK(name<"">::value.empty());
}
