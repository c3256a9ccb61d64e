// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_JOIN_HPP
#define DRIFTLESS_OP_JOIN_HPP

#include <driftless/core/joined.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/group_rules.hpp>
#include <driftless/op/detail/interval_core.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_options.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/op/detail/record_join_stage.hpp>
#include <driftless/op/detail/windowed_inputs.hpp>
#include <driftless/time/interval.hpp>

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
/// Pairs the records of two streams whose times are close. Made by join().
template <class Left, class Right, class... Options>
struct interval_join_root : operator_base<interval_join_root<Left, Right, Options...>>,
                            detail::two_inputs<Left, Right> {
    static constexpr std::string_view kind = "join";
    using is_stateful = void;
    static constexpr bool watermark_bounds = true;
    using base = detail::two_inputs<Left, Right>;
    using join_kind = typename detail::join_kind_among<Options...>::type;
    using function = typename detail::join_function_among<Options...>::type;
    using rows = detail::join_output<join_kind, function, typename base::left_stream::record,
        typename base::right_stream::record>;
    using output = stream_of<typename rows::type, true, typename base::left_stream::key>;

    [[no_unique_address]] std::tuple<Options...> options;

    constexpr interval_join_root(Left left, Right right, Options... given)
        : base{{std::move(left), std::move(right)}}, options(std::move(given)...) {}

    [[nodiscard]] constexpr interval within() const { return std::get<interval>(options); }
    [[nodiscard]] constexpr allowed_lateness lateness() const {
        return detail::option_or<allowed_lateness>(options, allowed_lateness{});
    }
    void validate() const {
        within().validate();
        lateness().validate();
    }
    constexpr void describe(auto&& parameter) const {
        parameter("kind", join_kind::kind);
        within().describe(parameter);
        if (lateness().bound != duration{}) lateness().describe(parameter);
    }
    template <class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using core = detail::interval_core<typename base::left_stream, typename base::right_stream, join_kind, function,
            Mode::exact>;
        auto late_left = this->template late_output_of<0>(at);
        auto late_right = this->template late_output_of<1>(at);
        return detail::make_record_join<Mode, typename base::left_stream, typename base::right_stream>(std::move(next),
            core{detail::join_function_among<Options...>::of(options), within(), lateness().bound, at.label},
            std::move(late_left), std::move(late_right), at.services());
    }
};

/// Pairs the records of two streams that lie in one window. Made by join().
template <class Left, class Right, class... Options>
struct window_join_root : operator_base<window_join_root<Left, Right, Options...>>,
                          detail::windowed_inputs<Left, Right> {
    static constexpr std::string_view kind = "join";
    using base = detail::windowed_inputs<Left, Right>;
    using join_kind = typename detail::join_kind_among<Options...>::type;
    using function = typename detail::join_function_among<Options...>::type;
    using left_record = typename base::left_stream::record;
    using right_record = typename base::right_stream::record;
    using rows = detail::join_output<join_kind, function, left_record, right_record>;
    using output = stream_of<typename rows::type, true, typename base::left_stream::key,
        carried_window<typename base::windowing>>;

    [[no_unique_address]] std::tuple<Options...> options;

    constexpr window_join_root(Left left, Right right, Options... given)
        : base{std::move(left), std::move(right)}, options(std::move(given)...) {}

    constexpr void describe(auto&& parameter) const { parameter("kind", join_kind::kind); }
    template <class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using rule = detail::pair_rule<join_kind, function, left_record, right_record>;
        return this->template bind_group<Mode>(
            std::move(next), rule{detail::join_function_among<Options...>::of(options)}, at);
    }
};

/// Joins two streams of records of one key.
///
/// With interval{lo, hi} a left and a right record of one key are a pair iff right.at - left.at lies in the interval.
///
/// Shape       two keyed streams of records -> keyed stream: a joined<L, R> per pair, in the order in which the later
///             record of each pair comes, its partners by time. left_outer{}, right_outer{}, full_outer{}: also rows
///             that met nobody (std::optional for the side that may be missing); left_semi{}, left_anti{}: left rows
///             alone. A function given last makes the row: f(L const&, R const&), a pointer for a side that may be
///             missing.
/// Time        A pair has the later of its two times, a row without partner its own. A record is refused as late iff
///             the watermark of its own input > at + allowed_lateness (0 unless given); it is never half joined. A left
///             row that met nobody comes out once the watermark of the right input > at + max(hi, 0) +
///             allowed_lateness, a right one once that of the left input > at + max(-lo, 0) + allowed_lateness; rows
///             that come out together go by time, left ones first. The watermark goes on less what rows may wait.
/// State       The records of either input that may still meet one of the other (up to the same watermarks), with a
///             copy of their text; part of the snapshot. A key with a part that is an empty optional meets nobody.
/// Batch       Same stage and same rows; with the exact watermark nothing is late and lateness is left out.
/// Errors      Compile time: inputs without event time, with other keys, with changes, or records without codec. When
///             the job starts: an interval that is empty or infinite, a lateness < 0. Run time: refusals `late`, sent
///             to the late_to of their own input; a function that throws is subject to on_error, per pair.
/// Threads     Shards by key hash, in the order of one thread; a row that has no codec keeps the join on that one.
/// Complexity  One look-up per record, O(1) per pair and O(log n) to find the first, for n records of the key at hand.
/// Source      SEMANTICS section 8; Apache Flink, IntervalJoinOperator; Apache Kafka, KStreamKStreamJoin.
/// Example     examples/surge_pricing.cpp
template <pipeline Left, pipeline Right, class... Options>
    requires(std::same_as<Options, interval> || ...)
constexpr auto join(Left left, Right right, Options... options) {
    if constexpr (is_ill_formed<Left> || is_ill_formed<Right>) {
        return ill_formed{};
    } else {
        using l = output_of<Left>;
        using r = output_of<Right>;
        using can = detail::joinable<l, r>;
        static_assert(can::records,
            "driftless: join over an interval pairs records, and one input yields changes (it may correct its rows): "
            "join before the aggregate, or leave lateness and triggers out of its window");
        static_assert(can::timed,
            "driftless: join needs two inputs with an event time: put assign_time<&T::at>(...) into both");
        static_assert(can::keys,
            "driftless: join pairs records of one key: put key_by(...) with keys of one type at the end of both "
            "inputs");
        static_assert(can::codecs,
            "driftless: join keeps records, and one of the two has no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
        constexpr bool once = detail::times_among<interval, Options...> == 1
            && detail::times_among<allowed_lateness, Options...> <= 1
            && detail::join_kind_among<Options...>::count <= 1 && detail::join_function_among<Options...>::count <= 1;
        static_assert(once,
            "driftless: join takes one interval{lo, hi}, one kind (inner{}, left_outer{}, ...), one "
            "allowed_lateness{d} and one function, and nothing else");
        if constexpr (can::all && once) {
            using root = interval_join_root<Left, Right, Options...>;
            static_assert(root::rows::fits,
                "driftless: join calls its function with f(left, right): L const& and R const&, or pointers L const* "
                "and R const* for a side that may be missing; left_semi{} and left_anti{} take none: put map behind");
            if constexpr (root::rows::fits) {
                return root_link<root>{root{std::move(left), std::move(right), std::move(options)...}};
            } else {
                return ill_formed{};
            }
        } else {
            return ill_formed{};
        }
    }
}

/// Joins two streams of records of one key that lie in the same windows: window(...) in both inputs.
///
/// Shape       two keyed streams of records, each behind the same window(...) -> stream of rows that keep their window:
///             in each (key, window) every left record with every right one. Kinds and a function as over an interval.
/// Time        A window comes out, and is forgotten, once both watermarks >= its end + allowed lateness: each pair
///             once, never corrected. A record is refused for a window iff the watermark of its own input has come so
///             far. Rows have the last instant of their window; windows go by (end, start), keys in canonical order,
///             pairs by left record and then right record, as they came. The watermark goes on less the allowed
///             lateness.
/// State       The records of the windows that are open, with a copy of their text; part of the snapshot.
/// Batch       Same stage and same rows; with the exact watermark nothing is late and lateness is left out.
/// Errors      Compile time: inputs without the same windows, windows that move (session, sliding_per_record), that
///             only the end closes, or with triggers. When the job starts: other sizes or lateness. Run time: refusals
///             `late`, per (record, window), sent to the late_to of their own input.
/// Complexity  O(1) expected per record and per pair.
/// Source      SEMANTICS sections 1 and 8; Apache Flink, window join.
template <pipeline Left, pipeline Right, class... Options>
    requires(!(std::same_as<Options, interval> || ...)
        && !((requires { typename Options::is_table_option; }) || ...) && detail::windows_join<Left, Right>)
constexpr auto join(Left left, Right right, Options... options) {
    using can = detail::window_joinable<output_of<Left>, output_of<Right>>;
    static_assert(can::same_windows,
        "driftless: join without an interval pairs the records of one window: put the same window(...) into both "
        "inputs");
    static_assert(can::still,
        "driftless: join takes windows that stand still and that the watermark closes: tumbling or sliding ones, "
        "without triggers; join the records of sessions over an interval{lo, hi}");
    static_assert(can::keys,
        "driftless: join pairs records of one key: put key_by(...) with keys of one type at the end of both inputs");
    static_assert(can::codecs,
        "driftless: join keeps records, and one of the two has no codec: write BOOST_HANA_ADAPT_STRUCT(T, members...)");
    constexpr bool once = detail::times_among<allowed_lateness, Options...> == 0
        && detail::join_kind_among<Options...>::count <= 1 && detail::join_function_among<Options...>::count <= 1;
    static_assert(once,
        "driftless: join over windows takes one kind (inner{}, left_outer{}, ...) and one function; how late records "
        "may be is said in window(..., allowed_lateness{d})");
    if constexpr (can::all && once) {
        using root = window_join_root<Left, Right, Options...>;
        static_assert(root::rows::fits,
            "driftless: join calls its function with f(left, right): L const& and R const&, or pointers L const* "
            "and R const* for a side that may be missing; left_semi{} and left_anti{} take none: put map behind");
        if constexpr (root::rows::fits) {
            return root_link<root>{root{std::move(left), std::move(right), std::move(options)...}};
        } else {
            return ill_formed{};
        }
    } else {
        return ill_formed{};
    }
}
}  // namespace driftless::inline v0
#endif
