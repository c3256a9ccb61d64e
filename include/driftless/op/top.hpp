// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_TOP_HPP
#define DRIFTLESS_OP_TOP_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/detail/row_groups.hpp>
#include <driftless/op/detail/running_core.hpp>
#include <driftless/op/detail/top_rows.hpp>
#include <driftless/op/detail/top_stage.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/state/bound.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// top(n, with_ties{}): all rows that rank among the first n, also where that are more than n (SQL's RANK() <= n).
struct with_ties {
    using is_top_option = void;
};
/// top(n, with_row_number{}): each row with its rank, as ranked<Row>.
struct with_row_number {
    using is_top_option = void;
};
/// top(n, ascending{}): the least first.
struct ascending {
    using is_top_option = void;
};

namespace detail {
template <class P>
concept top_option = requires { typename P::is_top_option; } || state_bound_option<P>;

/// Rows come out of their windows before these end.
template <class In>
inline constexpr bool rows_come_early = [] {
    if constexpr (In::window::carried && changelog<In>) return In::window::windowing::triggered;
    else return false;
}();
template <class In>
inline constexpr bool shown_in_parts = [] {
    if constexpr (In::window::carried) return In::window::in_parts;
    else return windowing_in<typename In::window>::in_parts;
}();
}  // namespace detail

/// Keeps the best rows of each group. Made by top().
template <class By, class... Options>
struct top_op : operator_base<top_op<By, Options...>> {
    static constexpr std::string_view kind = "top";
    using is_stateful = void;
    template <class Option>
    static constexpr bool has = (std::is_same_v<Options, Option> || ...);
    static constexpr auto best = has<ascending> ? detail::extreme::least : detail::extreme::greatest;
    static constexpr bool numbered = has<with_row_number>;
    static constexpr bool tied = has<with_ties>;  // by name: GCC 12 mixes up has<...> inside alias templates

    std::size_t n;
    [[no_unique_address]] By ranked_by;
    [[no_unique_address]] std::tuple<Options...> parameters;

    constexpr top_op(std::size_t count, By by, Options... options)
        : n(count), ranked_by(std::move(by)), parameters(options...) {}

    void validate() const {
        if (n == 0) throw error{error_code::invalid_argument, "driftless: top(0) keeps nothing: ask for 1 row or more"};
    }
    constexpr void describe(auto&& parameter) const {
        parameter("n", std::uint64_t{n});
        if (has<ascending>) parameter("ascending", true);
        if (tied) parameter("with_ties", true);
        if (numbered) parameter("with_row_number", true);
        if (has<unbounded_state>) parameter("unbounded_state", true);
        if (max_groups() != no_limit) parameter("max_keys", max_groups());
    }

    /// Each change is answered at once: there is no window whose end could be waited for.
    template <class In>
    static constexpr bool running = !In::window::assigned || detail::rows_come_early<In>;
    template <class In>
    using function_t = detail::top_rows_fn<By, best, tied, changelog<In>, numbered>;
    /// The key of the groups, as far as their names show it.
    template <class In>
    using group_key = std::conditional_t<detail::is_row_of<typename In::key, typename In::record>, unkeyed,
        typename In::key>;
    /// The aggregate of which top is made, where there is a window.
    template <class Function, class Bounds>
    struct inner_with;
    template <class Function, class... Bounds>
    struct inner_with<Function, detail::function_list<Bounds...>> {
        using type = aggregate_op<void, Function, Bounds...>;
    };
    using bound_list = std::conditional_t<has<max_keys>, detail::function_list<max_keys>,
        std::conditional_t<has<unbounded_state>, detail::function_list<unbounded_state>, detail::function_list<>>>;
    template <class In>
    using inner_t = typename inner_with<function_t<In>, bound_list>::type;
    template <class In>
    static constexpr bool changes = running<In> || inner_t<In>::template corrects<In>;
    template <class In>
    static constexpr combine_class combines =
        function_t<In>::template combines<typename In::record>;

    template <class In>
    static constexpr bool ranks = [] {
        if constexpr (detail::projects<By, typename In::record>) {
            using ranked_value = detail::projected_t<By, typename In::record>;
            return std::totally_ordered<ranked_value> && detail::can_be_kept<ranked_value>
                && encodable<detail::kept_t<ranked_value>>;
        } else {
            return false;
        }
    }();
    /// n rows per group; over changes, and of groups that never close, more than that.
    template <class In>
    static constexpr bool bounded = detail::closes_windows<typename In::window>
        || (!keyed<In> && !changelog<In>) || has<unbounded_state> || has<max_keys>;
    template <class In>
        requires changelog<In>
    static constexpr bool watermark_bounds = detail::closes_windows<typename In::window>;
    template <class In>
    static constexpr bool has_codec = encodable<typename In::record>;
    /// Rows that go again are named by what is in them.
    template <class In>
    static constexpr bool nameable = numbered || !changes<In> || is_pane<typename In::record>
        || canonical_key<typename In::record>;
    template <class In>
    static constexpr bool whole = !detail::shown_in_parts<In>;

    template <class In>
    static constexpr bool accepts = [] {
        if constexpr (!ranks<In>) return false;
        else if constexpr (!(has_codec<In> && bounded<In> && whole<In>)) return false;
        else if constexpr (!running<In> && !inner_t<In>::template accepts<In>) return false;
        else return nameable<In>;
    }();
    template <class In>
    using output_record = std::conditional_t<numbered, ranked<typename In::record>, typename In::record>;
    template <class In>
    using output_key =
        typename detail::row_name<group_key<In>, typename In::record, numbered, changes<In>>::type;
    template <class In>
    using output_t = stream_of<output_record<In>, In::timed || !running<In>, output_key<In>,
        std::conditional_t<detail::keeps_windows<typename In::window>,
            carried_window<typename detail::windowing_in<typename In::window>::type>, no_window>,
        changes<In> ? stream_kind::changes : stream_kind::records>;

    template <class In>
    static constexpr void refuse() {
        static_assert(ranks<In>,
            "driftless: top needs a measure of the record that has an order: write top<&T::member>(n) or top(n, f), "
            "where T is the record named in [with In = stream_of<T, ...>], or its value where an aggregate made it");
        static_assert(has_codec<In>,
            "driftless: top keeps records, and this one has no codec: write BOOST_HANA_ADAPT_STRUCT(T, members...)");
        static_assert(bounded<In>,
            "driftless: top keeps rows for ever here: put window(...) before it, or say top(n, ..., unbounded_state{}) "
            "or top(n, ..., max_keys{k})");
        static_assert(whole<In>,
            "driftless: top ranks whole rows, and panes that are discarding{} show parts: leave it out of the "
            "window(...) before it");
        if constexpr (ranks<In> && has_codec<In> && bounded<In> && whole<In>) {
            static_assert(nameable<In>,
                "driftless: top over rows that may change names them by what is in them, and this record has no "
                "canonical bytes: say with_row_number{}");
            if constexpr (!running<In>) inner_t<In>::template refuse<In>();
        }
    }

    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using upstream = std::remove_cvref_t<decltype(at.upstream)>;
        constexpr bool rows = detail::is_row_of<typename In::key, typename In::record>;
        constexpr bool anew = detail::keyed_anew<upstream>();
        static_assert(rows || anew || !keyed<In> || !detail::behind_aggregate<upstream>(),
            "driftless: top ranks the rows of an aggregate within their window as they come: put map(...) behind it, "
            "or key_by(...) before it");
        static_assert(!(rows && anew && numbered),
            "driftless: top with_row_number{} cannot tell this key from that of the rows, since both have one type: "
            "give key_by(...) another, such as a std::tuple");
        if constexpr (rows && !anew) {
            using grouped = typename In::template with_key<unkeyed>;
            auto inner = make_stage<grouped, Mode>(list_stage<In>(std::move(next)), at);
            return detail::keyless_stage<decltype(inner)>{std::move(inner)};
        } else {
            return make_stage<In, Mode>(list_stage<In>(std::move(next)), at);
        }
    }

private:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    [[nodiscard]] constexpr std::uint64_t max_groups() const {
        if constexpr (has<max_keys>) return std::get<max_keys>(parameters).count;
        else return no_limit;
    }
    template <class In, class Next>
    constexpr auto list_stage(Next next) const {
        return detail::top_stage<By, best, group_key<In>, output_key<In>, typename In::record, numbered, tied,
            Next>{std::move(next), ranked_by};
    }
    template <class In, class Mode, class Next, class Place>
    constexpr auto make_stage(Next next, Place const& at) const {
        function_t<In> const function{ranked_by, n};
        if constexpr (running<In>) {
            using record = typename In::record;
            using pack = detail::aggregate_pack<record, function_t<In>>;
            using windowing = typename detail::windowing_in<typename In::window>::type;
            duration behind{};
            if constexpr (In::window::assigned) behind = detail::windowing_of(at.upstream)->kept_behind_end();
            using core =
                detail::running_core<pack, function_t<In>, typename In::key, windowing, changelog<In>>;
            return detail::aggregate_stage<core, In, detail::no_shards, detail::nowhere, Next>{std::move(next),
                core{function, behind, max_groups(), at.label}, detail::nowhere{}, at.services(), false};
        } else if constexpr (has<max_keys>) {
            return inner_t<In>{function, std::get<max_keys>(parameters)}.template bind<In, Mode>(std::move(next), at);
        } else if constexpr (has<unbounded_state>) {
            return inner_t<In>{function, unbounded_state{}}.template bind<In, Mode>(std::move(next), at);
        } else {
            return inner_t<In>{function}.template bind<In, Mode>(std::move(next), at);
        }
    }
};

/// The n rows with the greatest measure in each group, best first. A group is a key and window; the rows of an
/// aggregate are ranked within their window, whatever their keys, unless a key_by stands in between.
///
/// Shape       stream of R -> stream of R, or of ranked<R> with with_row_number{}: at most n rows per group, with
///             with_ties{} as many as rank among the first n. The measure is a member or a function of the record or,
///             over the rows of an aggregate, of their value; without one it is the record, or that value, itself.
///             Rows of an aggregate keep their key. Others have that of their group; over rows that may change, they
///             are named by what is in them, and numbered ones always by (key, place), place being 1 to n.
/// Time        As aggregate: the rows of a window come when watermark >= its end, with its last instant for event
///             time, and with allowed lateness, over changes and with triggers are changed afterwards: each input
///             record is answered by the net change of the rows. Without a window, and over rows that come early
///             (triggers), every record is answered at once: the best so far. Descending; ascending{} turns it round.
///             Floats: NaN ranks last either way. Ties: rows of an aggregate by the canonical bytes of their key,
///             records by their order in the log (so, within a partition, by offset). Rows that may be taken back have
///             no place in the log: they tie by their own canonical bytes.
/// State       n rows per group, as long as the window is open. Over changes all rows of the group, since any of them
///             may be taken back: one entry of row and measure each. Without a window a group stays for ever, and says
///             unbounded_state{} or max_keys{n}. Part of the snapshot; sharded by key as an aggregate is, but on one
///             thread where records are answered at once.
/// Batch       The same rows in the same order.
/// Errors      Compile time: a measure without order, records without codec, unbounded state, discarding panes. When
///             the job starts: n = 0. Run time: as aggregate.
/// Complexity  One comparison per record that does not make it, O(n) moves for one that does. Over changes O(log rows)
///             and, where the best are touched, the rows between the places that are left and taken; those from the
///             first on with with_row_number{}; all n within windows that close.
/// Source      SQL:2003 RANK() and ROW_NUMBER() <= n; SEMANTICS section 8; cases D2-05 to D2-15.
/// Example     examples/retail: top10_products_per_day
template <auto Measure, detail::top_option... Options>
constexpr auto top(std::size_t n, Options... options) {
    using by = detail::measure_of<detail::member_projection<Measure>>;
    return top_op<by, Options...>{n, by{}, options...};
}
template <class F, detail::top_option... Options>
    requires(!detail::top_option<F>)
constexpr auto top(std::size_t n, F measure, Options... options) {
    using by = detail::measure_of<decltype(detail::make_projection(measure))>;
    return top_op<by, Options...>{n, by{detail::make_projection(std::move(measure))}, options...};
}
template <detail::top_option... Options>
constexpr auto top(std::size_t n, Options... options) {
    return top_op<detail::measure_itself, Options...>{n, detail::measure_itself{}, options...};
}
}  // namespace driftless::inline v0
#endif
