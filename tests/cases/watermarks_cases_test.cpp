// SPDX-License-Identifier: BSL-1.0
// Cases about the watermark of one input, as batch makes it as_declared and as a stream makes it.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/align.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/merge.hpp>
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

TEST_CASE("S-27 a source pauses iff its watermark is ahead of what is allowed", "[cases][watermarks]") {
    // Flink is told what is allowed; here it is the slowest watermark + max_drift: 999, then 1001, as the other source
    // says 0 and 2. A source that is told to wait has read the record that brought it there, as in Flink.
    auto const source = [](auto name) {
        return from<item>(name)
            | assign_time([](item const& i) { return i.at; }, bounded_disorder{0_ns}, align(999_ns));
    };
    memory_log<item> log;
    memory_log<item> other;
    for (int const at : {1000, 2000, 3000}) log.append(item{event_time{at}});
    other.append(item{event_time{0}});
    std::string read;
    auto sink = to([&](item const& i) { read += std::to_string(i.at.ns()) + ' '; });
    job running{stream{}, merge(source("source"_name), source("other"_name)), bind("source"_name, log),
        bind("other"_name, other), sink};
    running.poll(10);
    CHECK(read == "1000 0 ");
    running.poll(10);
    CHECK(read == "1000 0 ");
    other.append(item{event_time{2}});
    other.append(item{event_time{3}});
    running.poll(10);
    CHECK(read == "1000 0 2 2000 3 ");
    running.poll(10);
    CHECK(read == "1000 0 2 2000 3 ");
    // Without alignment the same records come out.
    running.drain();
    CHECK(read == "1000 0 2 2000 3 3000 ");
}
