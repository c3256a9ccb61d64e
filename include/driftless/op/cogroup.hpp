// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_COGROUP_HPP
#define DRIFTLESS_OP_COGROUP_HPP

#include <driftless/core/joined.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/group_rules.hpp>
#include <driftless/op/detail/join_options.hpp>
#include <driftless/op/detail/windowed_inputs.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Puts the records of two streams side by side. Made by cogroup().
template <class Left, class Right, class F>
struct cogroup_root : operator_base<cogroup_root<Left, Right, F>>, detail::windowed_inputs<Left, Right> {
    static constexpr std::string_view kind = "cogroup";
    using base = detail::windowed_inputs<Left, Right>;
    using rule = detail::group_rule<F, typename base::left_stream::record, typename base::right_stream::record>;
    using output = stream_of<typename rule::output_type, true, typename base::left_stream::key,
        carried_window<typename base::windowing>>;

    [[no_unique_address]] F function;

    constexpr cogroup_root(Left left, Right right, F f)
        : base{std::move(left), std::move(right)}, function(std::move(f)) {}

    constexpr void describe(auto&&) const {}
    template <class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        return this->template bind_group<Mode>(std::move(next), rule{function}, at);
    }
};

/// Gathers what two streams have in each key and window: one row with all left and all right records.
///
/// Shape       two keyed streams of records, each behind the same window(...) -> stream of rows that keep their window:
///             joined<std::vector<L>, std::vector<R>> for each (key, window) that either side has records in; or what
///             f(std::span<L const>, std::span<R const>) makes of them. Records stand in the order in which they came.
/// Time        As of join() over windows: a window comes out once both watermarks >= its end + allowed lateness.
/// State       The records of the windows that are open, with a copy of their text; part of the snapshot.
/// Batch       Same stage and same rows; with the exact watermark nothing is late and lateness is left out.
/// Errors      Compile time: inputs without the same windows or key, windows that move or that only the end closes, a
///             function that takes something else. Run time: refusals `late`, sent to the late_to of their own input;
///             a function that throws is subject to on_error.
/// Complexity  O(1) expected per record.
/// Source      T. Akidau et al., "The Dataflow Model" (VLDB 2015); Apache Beam, CoGroupByKey.
template <pipeline Left, pipeline Right, class F = detail::as_joined>
constexpr auto cogroup(Left left, Right right, F function = {}) {
    if constexpr (is_ill_formed<Left> || is_ill_formed<Right>) {
        return ill_formed{};
    } else {
        using l = output_of<Left>;
        using r = output_of<Right>;
        using can = detail::window_joinable<l, r>;
        using rule = detail::group_rule<F, typename l::record, typename r::record>;
        static_assert(can::records,
            "driftless: cogroup gathers records, and one input yields changes (it may correct its rows): put it before "
            "the aggregate, or leave lateness and triggers out of its window");
        static_assert(can::same_windows && l::window::assigned,
            "driftless: cogroup gathers the records of one window: put the same window(...) into both inputs");
        static_assert(!l::window::assigned || can::still,
            "driftless: cogroup takes windows that stand still and that the watermark closes: tumbling or sliding "
            "ones, without triggers");
        static_assert(can::keys,
            "driftless: cogroup gathers records of one key: put key_by(...) with keys of one type into both inputs");
        static_assert(can::codecs,
            "driftless: cogroup keeps records, and one of the two has no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
        static_assert(rule::fits,
            "driftless: cogroup calls its function with f(std::span<L const>, std::span<R const>)");
        if constexpr (can::all && rule::fits) {
            using root = cogroup_root<Left, Right, F>;
            return root_link<root>{root{std::move(left), std::move(right), std::move(function)}};
        } else {
            return ill_formed{};
        }
    }
}
}  // namespace driftless::inline v0
#endif
