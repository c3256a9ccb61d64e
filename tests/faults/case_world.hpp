// SPDX-License-Identifier: BSL-1.0
// The cases of SEMANTICS section 15 as jobs that can be crashed: the moves of a script are records of a log, which say
// the watermark themselves (punctuated), and moves of a fake clock. Included by cases/timeline.hpp and its like.
#ifndef DRIFTLESS_TESTS_FAULTS_CASE_WORLD_HPP
#define DRIFTLESS_TESTS_FAULTS_CASE_WORLD_HPP

#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/steps.hpp>
#include <driftless/time/punctuated.hpp>
#include <faults/job_world.hpp>

#include <boost/hana/define_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace faults {
/// A record of a script, or a watermark.
template <class T>
struct scripted {
    BOOST_HANA_DEFINE_STRUCT(scripted, (T, value), (driftless::event_time, at), (driftless::event_time, says),
        (bool, is_record));
};
template <class T>
constexpr auto from_script() {
    return from<scripted<T>>() | assign_time<&scripted<T>::at>(punctuated<&scripted<T>::says>())
        | filter([](scripted<T> const& each) { return each.is_record; })
        | map([](scripted<T> const& each) { return each.value; });
}
/// The pipeline is a chain, from its source to its end.
template <class P>
constexpr bool is_chain() {
    if constexpr (requires(P const& of) { of.op, of.prev; }) return is_chain<std::remove_cvref_t<decltype(P::prev)>>();
    else return requires(P const& of) { of.op; };
}
/// The pipeline behind its from<event<T>>(), behind from_script.
template <class T, class P>
constexpr auto over_script(P const& of) {
    if constexpr (requires { of.prev; }) return over_script<T>(of.prev) | of.op;
    else return from_script<T>();
}

/// What one move of a script does to the world.
template <class Record>
struct case_move {
    std::optional<Record> record{};
    std::optional<event_time> clock{};
};

/// The script is the world: what it has appended and what time it is outlives the job.
template <class P, class Record, class Shown>
struct case_world : job_world<P, memory_log<Record>> {
    using base = job_world<P, memory_log<Record>>;

    memory_log<Record> appended{};
    std::vector<case_move<Record>> const& script;
    Shown row_text;
    bool drains;        // behind the last move
    std::size_t done = 0;
    event_time now{};
    std::size_t every;  // moves between two snapshots

    case_world(P const& of, std::vector<case_move<Record>> const& moves, Shown shown_as, bool ends,
        std::size_t moves_per_snapshot)
        : base(of, appended, 0),
          script(moves),
          row_text(std::move(shown_as)),
          drains(ends),
          every(moves_per_snapshot) {}

    void live(lifeline& line) {
        fake_now = now;
        auto out = open_log<row_of<P>>(this->files, "out");
        log_sink sink{out};
        job running{this->mode(), this->pipeline, appended, sink};
        line.pushed(running.poll(line.room(1000)));
        // What was appended before the crash is read at the time at which it was: before the clock moves again.
        if (every == 1 && done != 0) running.save_snapshot();
        while (done < script.size()) {
            auto const& next = script[done++];
            if (next.record) appended.append(*next.record);
            if (next.clock) fake_now = now = *next.clock;
            line.pushed(running.poll(line.room(1000)));
            if (done % every == 0) running.save_snapshot();
        }
        if (drains) running.drain();
        else running.save_snapshot();
    }
    std::vector<std::string> shown() {
        std::vector<std::string> rows;
        each_shown<row_of<P>>(this->files, "out", [&](auto const& row) { rows.push_back("out " + row_text(row)); });
        return rows;
    }
};

/// Crashes a job over a script and compares what it commits with what the case said when it was played.
template <class P, class Record, class Shown>
void crash_moves(P const& pipeline, std::vector<case_move<Record>> const& moves, bool drains,
    std::vector<std::string> const& said, Shown shown_as) {
    bool timed = false;
    for (auto const& each : moves) timed = timed || each.clock;
    // What the clock decided since the last snapshot may be decided later by a job that has lost its journal: here it
    // never has, and is asked again at the same record.
    auto how = every_step("case", 120, is_replayable<P> && !timed);
    std::size_t const per_snapshot = timed ? 1 : 3;
    auto const make = [&] {
        return std::make_unique<case_world<P, Record, Shown>>(pipeline, moves, shown_as, drains, per_snapshot);
    };
    simulation crashes{how, make};
    crashes.run();
    std::vector<std::string> expected;
    for (auto const& each : said) expected.push_back("out " + each);
    CHECK(crashes.expected() == expected);
}

/// Crashes a case of testing moves over from<event<T>>(); one with partitions or idleness is no log, and left out.
template <class T, class P, class Move, class Shown>
void crash_case(P const& case_pipeline, std::vector<Move> const& script, std::vector<std::string> const& said,
    Shown shown_as) {
    using what = typename Move::what;
    std::vector<case_move<scripted<T>>> moves;
    bool drains = false;
    for (auto const& each : script) {
        if (each.partition != 0 && each.partition != each.all) return;
        case_move<scripted<T>> next;
        switch (each.kind) {
            case what::record:
                next.record = scripted<T>{each.record->value, each.record->at, event_time::min(), true};
                break;
            case what::watermark: next.record = scripted<T>{T{}, each.to, each.to, false}; break;
            case what::clock: next.clock = each.to; break;
            case what::end: drains = true; break;
            default: return;
        }
        moves.push_back(std::move(next));
    }
    crash_moves(over_script<T>(case_pipeline), moves, drains, said, std::move(shown_as));
}
}  // namespace faults
#endif
