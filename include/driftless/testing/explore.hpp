// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_EXPLORE_HPP
#define DRIFTLESS_TESTING_EXPLORE_HPP

#include <driftless/core/pane.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/as_code.hpp>
#include <driftless/testing/detail/explorer.hpp>
#include <driftless/testing/detail/planner.hpp>
#include <driftless/testing/detail/seeded.hpp>
#include <driftless/testing/drift.hpp>
#include <driftless/testing/play_mode.hpp>
#include <driftless/testing/steps.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing {

/// How far explore() looks.
struct explore_bounds {
    std::size_t scripts = 300;      ///< so many scripts are tried
    std::size_t records = 24;       ///< each of at most so many of the records
    duration disorder{};            ///< records come at most so late; 0: as late as the records' times allow
    std::size_t threads = 3;        ///< at most
    std::uint32_t partitions = 2;   ///< at most
    std::uint64_t seed = 1;
};

/// What explore() found: `ok`, or the smallest script it could make of the one that drifts.
template <class T>
struct exploration {
    bool ok = true;
    std::string sentence{};      ///< what drifts, and how to play it again, as code for a test
    drift kind = drift::none;
    testing::script<T> script{};  ///< the smallest one found
    std::size_t threads = 1;     ///< under which it drifts
    std::size_t chunk = 1;       ///< the same, of play_mode
    std::uint64_t seed = 0;      ///< of the script: explore(..., {.scripts = 1, .seed = seed}) finds it again
    std::size_t scripts = 0;     ///< so many were tried
    std::size_t compared = 0;    ///< of them, also with the batch: nothing was refused, or without what was

    explicit operator bool() const noexcept { return ok; }
};

namespace detail {
/// The records as events: their own time, or the one that assign_time finds.
template <class P, class Records>
auto events_of(P const& pipeline, Records const& records) {
    using element = typename source_element<P>::type;
    if constexpr (is_event<element>) {
        return std::vector<element>(std::begin(records), std::end(records));
    } else {
        std::vector<event<element>> out;
        auto const* const op = driftless::detail::nearest<is_assign_time>(pipeline);
        for (element const& each : records) out.push_back({each, op->time_of(each)});
        return out;
    }
}
template <class P>
inline constexpr bool knows_times = [] {
    if constexpr (is_event<typename source_element<P>::type>) return std::is_void_v<time_op_of<P>>;
    else return driftless::detail::assigns_time<time_op_of<P>>;
}();
/// What every plan keeps to.
template <class P, class T>
plan_bounds bounds_of(P const& pipeline, std::vector<event<T>> const& given, explore_bounds const& asked) {
    // Where the declared watermark is part of the meaning, the batch makes it too: of the one partition that it reads.
    constexpr bool one = driftless::detail::any_operator<driftless::detail::declares_watermark, P>();
    plan_bounds out{asked.records, asked.disorder, {}, one ? 1 : std::max<std::uint32_t>(asked.partitions, 1),
        !declares_time<P>, !is_replayable<P>};
    if (out.disorder <= duration{} && !given.empty()) {
        auto const [first, last] = std::minmax_element(
            given.begin(), given.end(), [](auto const& a, auto const& b) { return a.at < b.at; });
        out.disorder = last->at - first->at;
    }
    out.tame_disorder = out.disorder;
    if constexpr (declares_time<P>) {
        auto const* const op = driftless::detail::nearest<is_assign_time>(pipeline);
        auto const tame = [&](duration bound) { return std::min(out.disorder, bound); };
        if constexpr (requires { op->disorder.bound; }) out.tame_disorder = tame(op->disorder.bound);
        else if constexpr (requires { op->strategy.bound; }) out.tame_disorder = tame(op->strategy.bound);
        else out.tame_disorder = {};
    }
    return out;
}
inline std::string indented(std::string const& code) { return code.empty() ? code : ",\n" + code; }
inline std::string mode_in_code(std::size_t threads, std::size_t chunk) {
    if (threads == 1 && chunk == 1) return {};
    std::string out = "play_mode{";
    if (threads != 1) out += ".threads = " + std::to_string(threads);
    if (chunk != 1) out += (threads != 1 ? ", .chunk = " : ".chunk = ") + std::to_string(chunk);
    return out + "}, ";
}

/// What went apart, in words and as code.
template <class P, class T, class Check>
std::string drift_in_words(
    exploration<T> const& found, typename Check::finding const& parts, plan<T> const& steps, other_manner other) {
    using element = typename source_element<P>::type;
    std::string out = "driftless: explore found a drift: ";
    (out += to_string(found.kind)) += ".\n";
    bool const batch = found.kind == drift::from_batch;
    out += (batch ? "  the stream  " : "  once        ") + parts.first + "\n";
    out += (batch ? "  the batch   " : "  then        ") + parts.second + "\n";
    out += "Seed " + std::to_string(found.seed) + ". As code, with driftless, its testing and its literals:\n\n";
    auto const play = [&](char const* name, std::string const& mode, script<T> const& what) {
        out += std::string{"auto const "} + name + " = play(" + mode + "pipeline" + indented(as_code(what)) + ");\n";
    };
    play("once", {}, *script_of(steps, false));
    if (found.kind == drift::between_two_runs) play("then", {}, *script_of(steps, false));
    if (found.kind == drift::between_manners) play("then", mode_in_code(other.threads, other.chunk), found.script);
    if (batch) {
        out += "std::vector<" + name_in_code<element>() + "> const log{";
        std::string comma;
        for (auto const& each : Check::batch_order(steps)) {
            out += std::exchange(comma, ",") + "\n    ";
            if constexpr (is_event<element>) out += as_code(*each.what.record);
            else out += as_code(each.what.record->value);
        }
        out += "};\nauto const batched = run(batch{}, pipeline, log);\n";
    }
    return out;
}
}  // namespace detail

/// Searches for a drift: plays a pipeline over its records in many orders, with other watermarks, chunks, threads and
/// restarts, and compares the answers with each other and with the batch. What drifts is shrunk to a small script.
///
/// pipeline    begins with from<event<T>>(): the scripts say watermarks; or reads the time of its input by assign_time
///             (`&T::member` or a function): it makes its own. Of one input
/// records     a range of what the input holds, or a function that makes one of a seed
/// outputs     what is bound to its side outputs, as in run()
///
/// Twice       The same script, played twice, gives the same (a function that keeps state between calls does not).
/// Law 3       So it does, call by call, with other chunks and threads, and restored from snapshots in between.
/// Law 2       Without the records that it refuses, its rows in the end are those of the batch, to the byte of their
///             encoding. Where the type says that nobody sees the order of records (is_order_free), the batch reads
///             them in the order given, not in that of the script.
///
/// Passing is evidence, not proof: `compared` says how many scripts law 2 was tried on. The records decide what can be
/// found: keys that repeat, times that lie close to and across the ends of windows.
/// The same seed finds the same, on every machine; a function with state of its own may find something else each time.
///
/// Errors      What the pipeline throws passes through. Compile time: a pipeline whose times are not to be had, rows
///             without a codec.
/// Complexity  A few plays and a batch for each script; some hundred for a drift that is shrunk.
template <class P, class Records, class... Outputs>
    requires pipeline<P>
auto explore(P const& pipeline, Records const& records, explore_bounds bounds = {}, Outputs&&... outputs) {
    using value = typename detail::event_value<typename detail::source_element<P>::type>::type;
    exploration<value> result;
    static_assert(detail::knows_times<P>,
        "driftless: explore has to know the event time of each record: begin with from<event<T>>(), or put "
        "assign_time<&T::at>(...) before what changes the record");
    if constexpr (detail::knows_times<P>) {
        using check_t = detail::drift_check<P, value, std::remove_reference_t<Outputs>...>;
        auto const threads = std::max<std::size_t>(bounds.threads, 1);
        check_t check{pipeline, threads, outputs...};
        std::vector<event<value>> given;
        constexpr bool generates = std::invocable<Records const&, std::uint64_t>;
        if constexpr (!generates) given = detail::events_of(pipeline, records);
        for (std::size_t i = 0; i < bounds.scripts && result.ok; ++i) {
            auto const seed = bounds.seed + i;
            if constexpr (generates) given = detail::events_of(pipeline, records(seed));
            auto const plan_bounds = detail::bounds_of(pipeline, given, bounds);
            detail::seeded random{seed * 2 + 1};
            auto steps = detail::planner<value>{given, plan_bounds, seed}.make();
            detail::other_manner other{1 + random(threads), random.one_in(2) ? 1 : 1 + random(5)};
            auto found = check(steps, other);
            if (!found) {
                if (auto taken = check.without_refused(steps)) found = check(steps = *taken, other);
            }
            ++result.scripts;
            result.compared = check.compared;
            if (!found) continue;
            auto const kind = found->kind;
            detail::shrink(steps, other, [&](auto const& smaller, detail::other_manner how) {
                auto const still = check(smaller, how);
                if (!still || still->kind != kind) return false;
                found = still;
                return true;
            });
            result.ok = false;
            result.kind = kind;
            result.script = *detail::script_of(steps, kind == drift::between_manners);
            result.threads = other.threads;
            result.chunk = other.chunk;
            result.seed = seed;
            result.sentence = detail::drift_in_words<P, value, check_t>(result, *found, steps, other);
        }
    }
    return result;
}
}  // namespace driftless::inline v0::testing
#endif
