// SPDX-License-Identifier: BSL-1.0
// Cases about the watermark of one input, as batch makes it as_declared and as a stream makes it.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/run/job.hpp>
#include <driftless/time/frames.hpp>
#include <op/said.hpp>
#include <support/catch.hpp>

#include <string>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct item {
    event_time at;
};
constexpr auto nowhere = [](auto const&) {};
}  // namespace

TEST_CASE("J-05 the watermark moves in frames", "[cases][watermarks]") {
    // Jet puts a watermark before the item that causes it, driftless behind it: items 10 and 11 are judged the same, as
    // neither watermark is beyond its item. The watermarks are the same: 6, 8, 10.
    constexpr std::string_view expected = "10 wm 6 11 wm 8 12 13 wm 10";
    in_frames const frames{bounded_disorder{3_ns}, 2_ns};
    memory_log<item> log;
    for (int const at : {10, 11, 12, 13}) log.append(item{event_time{at}});

    std::string batched;
    run(batch{}, from<item>() | assign_time<&item::at>(frames, as_declared) | said::listener{batched}, log,
        to(nowhere));
    CHECK(batched == std::string{expected} + " wm inf");
    std::string streamed;
    run(stream{.until = end_of_log}, from<item>() | assign_time<&item::at>(frames) | said::listener{streamed}, log,
        to(nowhere));
    CHECK(streamed == expected);
}
