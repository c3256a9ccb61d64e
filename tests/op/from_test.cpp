// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/from.hpp>

#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <type_traits>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at;

static_assert(std::is_same_v<output_of<decltype(from<int>())>, stream_of<int>>);
static_assert(std::is_same_v<output_of<decltype(from<event<int>>())>, stream_of<int, true>>);
static_assert(timestamped<output_of<decltype(from<event<int>>())>> && !timestamped<output_of<decltype(from<int>())>>);
// The name is part of the type, and of nothing else.
static_assert(!std::is_same_v<decltype(from<int>("a"_name)), decltype(from<int>("b"_name))>);
static_assert(std::is_same_v<decltype(from<int>("a"_name)), decltype(from<int>("a"_name))>);
static_assert(std::is_same_v<output_of<decltype(from<int>("a"_name))>, output_of<decltype(from<int>())>>);

TEST_CASE("from hands on every record once, in order", "[op][from]") {
    constexpr auto pipe = from<event<int>>();
    auto const some =
        testing::play(pipe, event{1, at(10_s)}, event{2, at(5_s)}, event{2, at(5_s)}, testing::end_of_input{});
    CHECK(some.records == std::vector{1, 2, 2});
    CHECK(some.removed.empty());
    CHECK(testing::play(pipe, testing::end_of_input{}).records.empty());
}
