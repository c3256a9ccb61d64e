// SPDX-License-Identifier: BSL-1.0
// Scripts of two inputs in one log: records for the left and the right side, and how far each side has come. A case is
// run as it stands, with a snapshot and restore after every move, on 1, 2 and 3 shards, and as a batch.
#ifndef DRIFTLESS_TESTS_CASES_TWO_SIDES_HPP
#define DRIFTLESS_TESTS_CASES_TWO_SIDES_HPP

#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/script.hpp>
#include <driftless/time/punctuated.hpp>
#include <support/catch.hpp>
#ifdef DRIFTLESS_CRASH_CASES
#include <faults/case_world.hpp>
#endif

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sides {
using namespace driftless;
using namespace driftless::literals;

/// A record of one side, or (`is_mark`) how far that side has come.
struct row {
    std::int32_t side = 0;
    std::int64_t key = 0;
    std::string value;
    event_time at{};
    bool is_mark = false;
};
inline row left(std::int64_t at, std::string value, std::int64_t key = 0) {
    return {0, key, std::move(value), event_time{at}, false};
}
inline row right(std::int64_t at, std::string value, std::int64_t key = 0) {
    return {1, key, std::move(value), event_time{at}, false};
}
/// The watermark of one side, exclusive.
inline row left_wm(std::int64_t at) { return {0, -1, {}, event_time{at}, true}; }
inline row right_wm(std::int64_t at) { return {1, -1, {}, event_time{at}, true}; }

/// The records of one side, with their own watermark. `Declared`: also in batch.
template <std::int32_t Side, class... Declared>
constexpr auto side(Declared... declared) {
    return from<row>("rows"_name) | filter([](row const& r) noexcept { return r.side == Side; })
        | assign_time<&row::at>(
            punctuated([](row const& r) noexcept { return r.is_mark ? r.at : event_time::min(); }), declared...)
        | filter([](row const& r) noexcept { return !r.is_mark; }) | key_by<&row::key>();
}
/// Both sides have the newest time of either as their watermark, behind each record: Kafka's stream time.
template <std::int32_t Side>
constexpr auto streamed() {
    return from<row>("rows"_name) | assign_time<&row::at>(bounded_disorder{}, as_declared)
        | filter([](row const& r) noexcept { return r.side == Side && !r.is_mark; }) | key_by<&row::key>();
}

inline std::string text_of(row const& r) { return r.value; }
template <class T>
std::string text_of(std::optional<T> const& r) {
    return r ? text_of(*r) : "-";
}
inline std::string text_of(std::vector<row> const& all) {
    std::string out;
    for (auto const& each : all) out += each.value;
    return out;
}
template <class L, class R>
std::string text_of(joined<L, R> const& both) {
    return text_of(both.left) + "+" + text_of(both.right);
}
using lines = std::vector<std::string>;
inline lines sorted(lines all) {
    std::sort(all.begin(), all.end());
    return all;
}

/// "3: A+B@5": the fourth move brought this row, with this time.
struct outcome {
    lines rows;
    driftless::report report;
    [[nodiscard]] std::uint64_t late() const { return report.refused(reason::late); }
};
template <class P>
outcome play(P const& pipeline, std::vector<row> const& moves, testing::play_mode mode = {}) {
    testing::script<row> script;
    for (auto const& each : moves) script.add(event<row>{each, each.at});
    auto const out = testing::play_script(mode, pipeline, script);
    CHECK(out.changed_by_restore == 0);
    outcome result{{}, out.report};
    out.each_call([&](std::size_t step, testing::told, auto const& pane) {
        result.rows.push_back(std::to_string(step) + ": " + text_of(pane.value));
    });
    return result;
}
/// Without the number of the move.
inline lines brief(lines all) {
    for (auto& each : all) each.erase(0, each.find(": ") + 2);
    return all;
}

#ifdef DRIFTLESS_CRASH_CASES  // in tests/faults
/// The job says what the script said, wherever it is crashed.
template <class P>
void crash(P const& pipeline, std::vector<row> const& moves, lines const& said) {
    std::vector<faults::case_move<row>> as_moves;
    for (auto const& each : moves) as_moves.push_back({each, {}});
    faults::crash_moves(pipeline, as_moves, false, brief(said), [](auto const& out) { return text_of(out.value); });
}
#endif

/// Plays a case in every way; all must say the same, which is returned. `batch` says that nothing was refused: a batch
/// over the same log yields the same rows.
template <class P>
outcome check(P const& pipeline, std::vector<row> const& moves, bool batch = true) {
    auto once = play(pipeline, moves);
#ifdef DRIFTLESS_CRASH_CASES
    static_cast<void>(batch);
    crash(pipeline, moves, once.rows);
#else
    for (std::size_t threads = 1; threads <= 3; ++threads) {
        for (bool const restoring : {false, true}) {
            auto const other = play(pipeline, moves, {.threads = threads, .restoring = restoring});
            INFO("threads " << threads << (restoring ? ", restoring" : ""));
            CHECK(other.rows == once.rows);
            CHECK(other.late() == once.late());
        }
    }
    if (batch) {
        auto ended = moves;
        for (auto const& far : {left_wm(1'000'000'000), right_wm(1'000'000'000)}) ended.push_back(far);
        lines got;
        for (auto const& pane : run(driftless::batch{}, pipeline, moves)) got.push_back(text_of(pane.value));
        CHECK(once.late() == 0);
        CHECK(sorted(got) == sorted(brief(play(pipeline, ended).rows)));
    }
#endif
    return once;
}
}  // namespace sides
BOOST_HANA_ADAPT_STRUCT(sides::row, side, key, value, at, is_mark);
#endif
