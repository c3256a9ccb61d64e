// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_LAST_STAGE_HPP
#define DRIFTLESS_RUN_DETAIL_LAST_STAGE_HPP

#include <driftless/core/pipeline.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/run/detail/bindings.hpp>
#include <driftless/run/detail/graph.hpp>
#include <driftless/run/results.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace driftless::inline v0::detail {
/// The end of the pipeline: the sink among the arguments, or the results that the run collects.
template <class P, class... Args>
struct last_stage {
    using in = output_of<P>;
    static constexpr std::size_t position = sink_position<Args...>(typename sources_of<type_list<>, P>::type{});
    static constexpr bool has_sink = position != absent;
    using type = sink_stage<results_of<in>, in>;
    static type make(std::tuple<Args...>&, results_of<in>* rows) { return type{rows}; }
};
template <class P, class... Args>
    requires(sink_position<Args...>(typename sources_of<type_list<>, P>::type{}) != absent)
struct last_stage<P, Args...> {
    using in = output_of<P>;
    static constexpr std::size_t position = sink_position<Args...>(typename sources_of<type_list<>, P>::type{});
    static constexpr bool has_sink = true;
    using sink = std::remove_cvref_t<std::tuple_element_t<position, std::tuple<Args...>>>;
    using type = sink_stage<sink, in>;
    static type make(std::tuple<Args...>& args, results_of<in>*) {
        static_assert(!std::is_const_v<std::remove_reference_t<std::tuple_element_t<position, std::tuple<Args...>>>>,
            "driftless: a sink is written to: pass one that is not const");
        return type{&std::get<position>(args)};
    }
};
}  // namespace driftless::inline v0::detail
#endif
