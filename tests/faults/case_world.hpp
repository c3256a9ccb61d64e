// SPDX-License-Identifier: BSL-1.0
// The cases of SEMANTICS section 15 as jobs that can be crashed: the moves of a script are records of a log, which say
// the watermark themselves (punctuated), and moves of a fake clock. Included by cases/timeline.hpp.
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

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace faults {
/// A record of a script, or a watermark.
struct scripted {
    std::int64_t key = 0;
    std::int64_t value = 0;
    event_time at{};
    event_time says = event_time::min();
    bool is_record = true;
};
}  // namespace faults
BOOST_HANA_ADAPT_STRUCT(faults::scripted, key, value, at, says, is_record);

namespace faults {
template <class Hit>
constexpr auto from_script() {
    return from<scripted>() | assign_time<&scripted::at>(punctuated<&scripted::says>())
        | filter([](scripted const& each) { return each.is_record; })
        | map([](scripted const& each) { return Hit{each.key, each.value}; });
}
/// The pipeline behind its from<event<Hit>>(), behind from_script.
template <class Hit, class P>
constexpr auto over_script(P const& of) {
    if constexpr (requires { of.prev; }) return over_script<Hit>(of.prev) | of.op;
    else return from_script<Hit>();
}
/// A script without partitions and idleness can be a log.
template <class Move>
bool is_log(std::vector<Move> const& script) {
    using what = typename Move::what;
    for (auto const& each : script) {
        bool const known = each.kind == what::record || each.kind == what::watermark || each.kind == what::clock
            || each.kind == what::end;
        if (!known || (each.partition != 0 && each.partition != each.all)) return false;
    }
    return true;
}

/// The script is the world: what it has appended and what time it is outlives the job.
template <class P, class Move, class Shown>
struct case_world : job_world<P, memory_log<scripted>> {
    using base = job_world<P, memory_log<scripted>>;
    using what = typename Move::what;

    memory_log<scripted> appended{};
    std::vector<Move> const& script;
    Shown row_text;
    std::size_t done = 0;
    event_time now{};
    std::size_t every;  // moves between two snapshots

    case_world(P const& of, std::vector<Move> const& moves, Shown shown_as, std::size_t moves_per_snapshot)
        : base(of, appended, 0), script(moves), row_text(std::move(shown_as)), every(moves_per_snapshot) {}

    void live(lifeline& line) {
        fake_now = now;
        auto out = open_log<row_of<P>>(this->files, "out");
        log_sink sink{out};
        job running{this->mode(), this->pipeline, appended, sink};
        line.pushed(running.poll(line.room(1000)));
        while (done < script.size()) {
            move(script[done++]);
            line.pushed(running.poll(line.room(1000)));
            if (done % every == 0) running.save_snapshot();
        }
        if (!script.empty() && script.back().kind == what::end) running.drain();
        else running.save_snapshot();
    }
    std::vector<std::string> shown() {
        std::vector<std::string> rows;
        each_shown<row_of<P>>(this->files, "out", [&](auto const& row) { rows.push_back("out " + row_text(row)); });
        return rows;
    }

private:
    void move(Move const& next) {
        switch (next.kind) {
            case what::record:
                appended.append(scripted{next.record->value.key, next.record->value.value, next.record->at});
                break;
            case what::watermark: appended.append(scripted{0, 0, next.to, next.to, false}); break;
            case what::clock: fake_now = now = next.to; break;
            default: break;
        }
    }
};

/// Crashes a case; its lines are what it said when it was played: "3: 1 [0,10) = 7 on time 0,0 first".
template <class Hit, class P, class Move, class Shown>
void crash_case(P const& case_pipeline, std::vector<Move> const& script, std::vector<std::string> const& lines,
    Shown shown_as) {
    if (!is_log(script)) return;
    using what = typename Move::what;
    bool timed = false;
    for (auto const& each : script) timed = timed || each.kind == what::clock;
    auto const pipeline = over_script<Hit>(case_pipeline);
    using world = case_world<std::remove_const_t<decltype(pipeline)>, Move, Shown>;
    // What the clock decided since the last snapshot may be decided later by a job that has lost its journal: here it
    // never has, and is asked again at the same record.
    auto how = every_step("case", 120, is_replayable<std::remove_const_t<decltype(pipeline)>> && !timed);
    simulation crashes{how, [&] { return std::make_unique<world>(pipeline, script, shown_as, timed ? 1 : 3); }};
    crashes.run();
    // The job says what the script said.
    std::vector<std::string> said;
    for (auto const& each : lines) {
        auto const number = each.find(": ");
        auto const not_any_more = each.starts_with("not ") ? std::string{"not "} : std::string{};
        said.push_back("out " + not_any_more + each.substr(number + 2));
    }
    CHECK(crashes.expected() == said);
}
}  // namespace faults
#endif
