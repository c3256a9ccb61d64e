// SPDX-License-Identifier: BSL-1.0
// Scripts of records, watermarks and clock moves, and the lines that come out, each with the number of the move that
// brought it. Every case is run as it stands, with a snapshot and restore after every move, and on 1, 2 and 3 shards.
#ifndef DRIFTLESS_TESTS_CASES_TIMELINE_HPP
#define DRIFTLESS_TESTS_CASES_TIMELINE_HPP

#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>
#ifdef DRIFTLESS_CRASH_CASES
#include <faults/case_world.hpp>
#endif

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace cases {
using namespace driftless;

struct hit {
    std::int64_t key;
    std::int64_t value;
};

/// Times are plain numbers, in the unit of the case.
using move = testing::detail::step<hit>;
inline move hit_at(std::int64_t time, std::int64_t value = 1, std::int64_t key = 1) {
    return event<hit>{{key, value}, event_time{time}};
}
inline move wm(std::int64_t time) { return testing::watermark{event_time{time}}; }
inline move pt(std::int64_t time) { return testing::clock_at{event_time{time}}; }
inline move end() { return testing::end_of_input{}; }
/// Records, and the newest time as the watermark behind each: Kafka's stream time.
inline std::vector<move> in_stream_time(std::vector<move> const& records) {
    std::vector<move> out;
    event_time newest{};
    for (auto const& each : records) {
        out.push_back(each);
        newest = std::max(newest, each.record->at);
        out.push_back(testing::watermark{newest});
    }
    return out;
}

inline std::string text_of(event_time t) { return t.is_infinite() ? "inf" : std::to_string(t.ns()); }
inline std::string text_of(time_window w) {
    return "[" + (w.start.is_infinite() ? std::string{"-inf"} : text_of(w.start)) + "," + text_of(w.end) + ")";
}
inline std::string text_of(pane_info const& info) {
    return std::string{to_string(info.timing)} + " " + std::to_string(info.index) + ","
        + std::to_string(info.non_speculative_index) + (info.first ? " first" : "") + (info.last ? " last" : "");
}
/// "3: 1 [0,10) = 7 on time 0,0 first": the fourth move brought 7 for key 1 in [0,10).
template <class Played>
std::vector<std::string> lines_of(Played const& out) {
    using testing::told;
    std::vector<std::string> lines;
    out.each_call([&](std::size_t step, told what, auto const& row) {
        auto line = std::to_string(step) + ": " + std::to_string(row.key) + " " + text_of(row.window);
        if (what == told::remove) line += " removed";
        else line += " = " + std::to_string(row.value) + " " + text_of(row.info);
        lines.push_back(what == told::retract ? "not " + line : line);
    });
    return lines;
}

struct outcome {
    std::vector<std::string> lines;
    driftless::report report;
    [[nodiscard]] std::uint64_t refused(reason why) const { return report.refused(why); }
    [[nodiscard]] std::uint64_t refused() const {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < reason_count; ++i) sum += refused(static_cast<reason>(i));
        return sum;
    }
};

template <class P>
outcome play(P const& pipeline, std::vector<move> const& moves, bool restoring, std::size_t threads) {
    testing::script<hit> script;
    for (auto const& each : moves) script.add(each);
    testing::play_mode const mode{.threads = threads, .restoring = restoring};
    auto const out = testing::play_script(mode, pipeline, script);
    CHECK(out.changed_by_restore == 0);
    return {lines_of(out), out.report};
}

#ifdef DRIFTLESS_CRASH_CASES  // in tests/faults
/// The job says what the script said, wherever it is crashed.
template <class P>
void crash(P const& pipeline, std::vector<move> const& script, std::vector<std::string> const& lines) {
    std::vector<std::string> said;
    for (auto const& each : lines) {
        auto const not_any_more = each.starts_with("not ") ? std::string{"not "} : std::string{};
        said.push_back(not_any_more + each.substr(each.find(": ") + 2));
    }
    faults::crash_case<hit>(pipeline, script, said, [](auto const& row) {
        auto const line = std::to_string(row.key) + " " + text_of(row.window);
        if (row.kind == row_kind::removed) return line + " removed";
        return (row.kind == row_kind::retracted ? "not " : "") + line + " = " + std::to_string(row.value) + " "
            + text_of(row.info);
    });
}
#endif

/// Plays a case in every way; all must say `lines`. Returns the outcome for the books.
template <class P>
outcome check(P const& pipeline, std::vector<move> const& script, std::vector<std::string> const& lines) {
    auto const once = play(pipeline, script, false, 1);
    CHECK(once.lines == lines);
#ifdef DRIFTLESS_CRASH_CASES
    crash(pipeline, script, lines);
#else
    for (std::size_t threads = 1; threads <= 3; ++threads) {
        for (bool const restoring : {false, true}) {
            auto const other = play(pipeline, script, restoring, threads);
            INFO("threads " << threads << (restoring ? ", restoring" : ""));
            CHECK(other.lines == once.lines);
            CHECK(other.refused() == once.refused());
        }
    }
#endif
    return once;
}

/// Records with their event time, grouped by key; window and aggregate follow.
constexpr auto keyed_hits = from<event<hit>>() | key_by<&hit::key>();
}  // namespace cases
BOOST_HANA_ADAPT_STRUCT(cases::hit, key, value);
#endif
