// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_REPLAY_PLAN_HPP
#define DRIFTLESS_VIEW_REPLAY_PLAN_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/result.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/run/answers.hpp>
#include <driftless/run/detail/bindings.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/journal.hpp>
#include <driftless/run/logic_version.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/run/rate_limit.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/detail/plan_inputs.hpp>
#include <driftless/view/detail/plan_steps.hpp>
#include <driftless/view/replay_plan_result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What a replay is planned for.
struct replay_plan_options {
    replay_from from{};
    rate_limit limits{};                  ///< the throttle
    std::string_view logic_version{};     ///< of the functions in the pipeline; empty: the build id of the program
    std::vector<std::string> snapshots{}; ///< folders of jobs: where a compatible snapshot is looked for
    duration snapshot_every{1'000'000'000};  ///< how often the replay will take one; 0: never
    std::uint64_t row_bytes = 0;          ///< of the rows of the view, if known: they are written with each snapshot
    double records_per_second = 0;        ///< of an earlier replay without a throttle; 0: not known
    journal_ref journal{};                ///< of the job whose decisions the replay repeats, where it needs them
    answers_ref answers{};                ///< and of the answers it was given
    file_system* files = nullptr;         ///< where the snapshots are; null: on the disk
    event_time (*clock)() = nullptr;      ///< null: the system's
};

namespace detail {
template <class Op>
    struct waits_for_answers : std::bool_constant < requires {
    typename Op::asks_outside;
}>{};

template <class P>
void plan_pipeline(replay_plan& out, P const& p, replay_plan_options const& options) {
    out.fingerprint = driftless::fingerprint(p);
    out.logic_version = options.logic_version.empty() ? build_id() : std::string{options.logic_version};
    out.state = state_bound<P>;
    if constexpr (!is_replayable<P>) {
        constexpr bool clock = told_the_clock<P>;
        constexpr bool outside = any_operator<waits_for_answers, P>();
        if (clock && (options.journal.log == nullptr || options.journal.size(options.journal.log) == 0)) {
            out.refusals.push_back(
                "the pipeline asks the clock, so that its log alone does not decide its answers, and there is no "
                "journal of what was decided: give replay_plan_options::journal, or take the clock out");
        }
        if (outside && (options.answers.log == nullptr || options.answers.size(options.answers.log) == 0)) {
            out.refusals.push_back(
                "the pipeline asks the outside, and the answers it was given are not there: give "
                "replay_plan_options::answers, or take that operator out");
        }
        if (clock) out.notes.push_back("what was decided by the clock is repeated from the journal, as far as it goes");
        if (outside) out.notes.push_back("answers are read where they were written down, and asked for beyond that");
    }
}
}  // namespace detail

/// What a replay of a pipeline over its logs would take, and whether it can be: a dry run. Nothing is written.
///
///     auto const planned = plan_replay(revenue_2, {.limits = {.records = 50'000}}, orders);
///     std::cout << planned.str();
///     if (!planned) return 1;
///
/// inputs      The logs, in the order of the pipeline's from<T>s or by bind(), as for run().
/// Shape       All reasons against it are found, not the first alone: retention has removed a part of the range, or an
///             offset lies outside; a segment in the range cannot be read as the records of this program; the pipeline
///             asks the clock or the outside, and nobody wrote down what they said; no snapshot fits.
/// Time        How long it takes is known where there is a throttle, or a speed measured before.
/// Errors      io; what would refuse the replay is no error, it is in the plan. replay_plan::require() throws it.
/// Complexity  Reads the header of each block of a file log, and looks at up to 4096 records of other logs.
/// Example     examples/kappa_replay
template <pipeline P, class... Inputs>
[[nodiscard]] replay_plan plan_replay(P const& p, replay_plan_options const& options, Inputs const&... inputs) {
    using sources = typename detail::sources_of<detail::type_list<>, P>::type;
    static_assert(sizeof...(Inputs) == sources::size,
        "driftless: plan_replay needs the log of each from<T>(...) in the pipeline, in their order or by "
        "bind(\"...\"_name, log), and nothing else");
    replay_plan out;
    detail::plan_pipeline(out, p, options);
    auto& files = options.files != nullptr ? *options.files : real_files();
    auto const now = options.clock != nullptr ? options.clock() : detail::system_time();
    if constexpr (sizeof...(Inputs) == sources::size) {
        [&]<class... Sources>(detail::type_list<Sources...>) {
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                auto const all = std::tie(inputs...);
                (detail::plan_input(out, std::string{Sources::name_type::value},
                     detail::target_of(
                         std::get<detail::input_position<I, Inputs...>(detail::type_list<Sources...>{})>(all)),
                     options.from, now),
                    ...);
            }(std::make_index_sequence<sizeof...(Sources)>{});
        }(sources{});
    }
    detail::find_snapshot(out, options.from.adopts(), options.snapshots, files);
    detail::place_replay(out, options.from);
    detail::estimate_replay(out, options.limits, options.snapshot_every, options.row_bytes, options.records_per_second);
    return out;
}
}  // namespace driftless::inline v0
#endif
