// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_AGGREGATE_HPP
#define DRIFTLESS_OP_AGGREGATE_HPP

#include <driftless/agg/pack.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/aggregate_stage.hpp>
#include <driftless/op/detail/unwindowed_core.hpp>
#include <driftless/op/detail/windowed_core.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/window.hpp>
#include <driftless/state/bound.hpp>
#include <driftless/state/storage.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
// In headers of their own: op/session.hpp, op/sliding.hpp, op/trigger.hpp, op/triggered_session.hpp,
// op/count_window.hpp, op/sliding_per_record.hpp, op/timestamps.hpp; and with what makes rows that know no window,
// op/table.hpp and op/as_inserts.hpp.
template <class Pack, class Key>
class changing_core;
template <class Pack, class Key, class Windowing, bool Exact>
class session_core;
template <class Pack, class Key, class Windowing, bool Exact>
class triggered_core;
template <class Pack, class Key, class Windowing, bool Exact>
class triggered_session_core;
template <class Pack, class Key, class Windowing, bool Exact>
class sliced_core;
template <class Pack, class Key, class Windowing>
class count_core;
template <class Pack, class Key, class Windowing, bool Exact>
class record_window_core;
template <class Core, class Key, class Windowing>
class stamping_core;
/// One record may change several rows before this place: it has left one group for another, or came on two ways.
template <class P>
consteval bool splits_rows() {
    using op = typename P::op_type;
    if constexpr (is_root<P>) return requires { typename op::is_fan_in; };
    else if constexpr (requires { typename op::is_stateful; } && changelog<output_of<typename P::prev_type>>)
        return true;
    else return splits_rows<typename P::prev_type>();
}
template <class Core>
concept included = requires { sizeof(Core); };

template <class... A>
struct function_list {};

template <class P>
inline constexpr bool aggregate_option = state_bound_option<P> || storage_option<P>;
/// Splits the parameters of aggregate(...) into functions and options.
template <class Functions, class... Rest>
struct split_functions {
    using type = Functions;
};
template <class... F, class First, class... Rest>
struct split_functions<function_list<F...>, First, Rest...>
    : split_functions<std::conditional_t<aggregate_option<First>, function_list<F...>, function_list<F..., First>>,
          Rest...> {};

template <class Row, class T, class Functions>
struct pack_for;
template <class T, class... F>
struct pack_for<void, T, function_list<F...>> {
    using type = aggregate_pack<T, F...>;
};
template <class Row, class T, class... F>
struct pack_for<Row, T, function_list<F...>> {
    using type = aggregate_pack_into<Row, T, F...>;
};

/// The functions over changes: some keep more there, so that a row can be taken back.
template <class F, class In>
struct function_over {
    using type = F;
};
template <class F, class In>
    requires changelog<In> && requires { typename F::template over_changes<typename In::record>; }
struct function_over<F, In> {
    using type = typename F::template over_changes<typename In::record>;
};
template <class In, class Functions>
struct functions_over;
template <class In, class... F>
struct functions_over<In, function_list<F...>> {
    using type = function_list<typename function_over<F, In>::type...>;
};

template <class T, class Functions>
inline constexpr bool functions_of = false;
template <class T, class... F>
inline constexpr bool functions_of<T, function_list<F...>> = (aggregate_function<F, T> && ...);

template <class Window>
struct windowing_in {
    using type = void;
    static constexpr bool corrects = false;
    static constexpr bool triggered = false;
    static constexpr bool in_parts = false;
    static constexpr bool merging = false;
    static constexpr bool counting = false;
    static constexpr bool per_record = false;
    static constexpr bool stamps = false;
    static constexpr bool reopens = false;
};
template <class Window>
    requires Window::assigned
struct windowing_in<Window> {
    using type = typename Window::windowing;
    static constexpr bool corrects =
        type::has_lateness || type::triggered || merging_windows<typename type::assigner_type>;
    /// Rows that carry their window are regrouped in it: they come when they come.
    static constexpr bool triggered = type::triggered && !Window::carried;
    /// Who regroups rows has no parts: its panes accumulate.
    static constexpr bool in_parts = triggered && type::discards;
    static constexpr bool merging = merging_windows<typename type::assigner_type> && !Window::carried;
    static constexpr bool counting = counting_windows<typename type::assigner_type>;
    static constexpr bool per_record = record_windows<typename type::assigner_type> && !Window::carried;
    static constexpr bool stamps = type::stamps && !Window::carried;
    /// Rows may change behind the end of their window even where nothing is late: sessions that touch.
    static constexpr bool reopens = [] {
        if constexpr (merging_windows<typename type::assigner_type>) {
            return Window::carried && type::assigner_type::merges_touching;
        } else {
            return false;
        }
    }();
};
/// Rows say of what time they are; the places of a count_window do not.
template <class Window>
inline constexpr bool keeps_windows = Window::assigned && !windowing_in<Window>::counting;
}  // namespace detail

/// Aggregates each key and window. Made by aggregate().
template <class Row, class... Parameters>
struct aggregate_op : operator_base<aggregate_op<Row, Parameters...>> {
    static constexpr std::string_view kind = "aggregate";
    using is_stateful = void;
    using makes_rows = void;  // one row a key and window
    using functions = typename detail::split_functions<detail::function_list<>, Parameters...>::type;

    [[no_unique_address]] std::tuple<Parameters...> parameters;

    constexpr explicit aggregate_op(Parameters... p) : parameters(std::move(p)...) {}

    using storage = detail::storage_among<detail::in_tables, Parameters...>;

    template <class In>
    using pack_t = typename detail::pack_for<Row, typename In::record,
        typename detail::functions_over<In, functions>::type>::type;
    template <class In>
    using windowing_t = typename detail::windowing_in<typename In::window>::type;

    /// Rows of this aggregate may be corrected after they were emitted.
    template <class In>
    static constexpr bool corrects = changelog<In> || detail::windowing_in<typename In::window>::corrects;
    /// Without a window the state of a keyed stream grows with its keys.
    template <class In>
    static constexpr bool bounded =
        detail::closes_windows<typename In::window> || !keyed<In> || (detail::state_bound_option<Parameters> || ...);
    template <class In>
    static constexpr bool invertible = [] {
        if constexpr (!changelog<In>) return true;
        else return pack_t<In>::invertible;
    }();
    /// What comes and goes with windows, or is corrected, stays in memory.
    template <class In>
    static constexpr bool spills_well = !storage::spills || (keyed<In> && !In::window::assigned && !changelog<In>);
    /// The records say what a session needs to know of them.
    template <class In>
    static constexpr bool gap_fits = [] {
        if constexpr (!detail::windowing_in<typename In::window>::merging) return true;
        else return windowing_t<In>::assigner_type::template fits<typename In::record>;
    }();
    /// Windows that are made by records: what is in one is known late, and comes in turns.
    template <class In>
    static constexpr bool made_by_records =
        detail::windowing_in<typename In::window>::merging || detail::windowing_in<typename In::window>::per_record;
    /// A function that wants the records of such a window in log order keeps them.
    template <class In>
    static constexpr bool merges_well = [] {
        if constexpr (!made_by_records<In>) return true;
        else if constexpr (pack_t<In>::combines == combine_class::exact) return true;  // nothing is asked of the record
        else return encodable<typename In::record>;
    }();
    template <class In>
    static constexpr bool records_as_they_come =
        !made_by_records<In>
        || (!changelog<In>
            && !(detail::windowing_in<typename In::window>::triggered
                && detail::windowing_in<typename In::window>::per_record));
    template <class In>
    static constexpr bool counts_records = !detail::windowing_in<typename In::window>::counting || !changelog<In>;
    template <class In>
    static constexpr bool stamps_records = !detail::windowing_in<typename In::window>::stamps || !changelog<In>;
    template <class In>
    static constexpr bool triggers_changes = changelog<In> && detail::windowing_in<typename In::window>::triggered;
    /// Sliding windows are cut into slices where that changes nothing: the parts may be put together in any way, no row
    /// is corrected, and nobody counts the entries.
    template <class In>
    static constexpr bool sliced = [] {
        if constexpr (!In::window::assigned || In::window::carried || changelog<In> || corrects<In>) return false;
        else
            return std::same_as<typename windowing_t<In>::assigner_type, sliding>
                && !windowing_t<In>::template has<element_level> && !detail::windowing_in<typename In::window>::stamps
                && !(std::same_as<Parameters, max_keys> || ...) && pack_t<In>::combines == combine_class::exact
                && pack_t<In>::combinable && std::is_trivially_copyable_v<typename pack_t<In>::state>;
    }();
    template <class In>
    static constexpr bool accepts = [] {
        if constexpr (!detail::functions_of<typename In::record, functions>) return false;
        else
            return bounded<In> && spills_well<In> && invertible<In> && !triggers_changes<In> && gap_fits<In>
                && merges_well<In> && records_as_they_come<In> && counts_records<In> && stamps_records<In>;
    }();
    template <class In>
    using output_t =
        stream_of<pane<typename In::key, typename pack_t<In>::result>, true, typename In::key,
            std::conditional_t<detail::keeps_windows<typename In::window>,
                carried_window<windowing_t<In>, detail::windowing_in<typename In::window>::in_parts>, no_window>,
            corrects<In> ? stream_kind::changes : stream_kind::records>;

    template <class In>
    static constexpr void refuse() {
        using record = typename In::record;
        static_assert(detail::functions_of<record, functions>,
            "driftless: aggregate needs aggregate functions of the record: write count(), sum<&T::member>(), "
            "fold(init, f)..., where T is the record named in [with In = stream_of<T, ...>]");
        if constexpr (detail::functions_of<record, functions>) {
            static_assert(bounded<In>,
                "driftless: aggregate keeps one state per key for ever here: put window(...) before it, or say "
                "aggregate(..., max_keys{n}) or aggregate(..., unbounded_state{})");
            static_assert(spills_well<In>,
                "driftless: aggregate keeps windows, totals without a key and rows that are corrected in memory: leave "
                "spill_to(...) out here, or write key_by<&T::member>() before it and no window");
            static_assert(invertible<In>,
                "driftless: aggregate over changes takes old rows back, and one of its functions has no "
                "inverse: use count, min, max, sum or mean of integers, distinct, or give your function an inverse");
            static_assert(merges_well<In>,
                "driftless: aggregate over session or sliding_per_record keeps the records of a function that takes "
                "them in log order (fold, sums of floats), and this record has no codec: write "
                "BOOST_HANA_ADAPT_STRUCT(T, members...)");
            static_assert(gap_fits<In>,
                "driftless: aggregate asks session(gap, longest) for the gap of each record, and it does not fit: "
                "give it a member or a function of the record that yields a duration");
            static_assert(records_as_they_come<In>,
                "driftless: aggregate over session or sliding_per_record takes plain records, and over the latter it "
                "fires by the watermark: put it before other aggregates, and leave triggers and pane options out of "
                "window(sliding_per_record{...})");
            static_assert(stamps_records<In>,
                "driftless: aggregate over changes has its rows at the end of their window: leave earliest_timestamp{} "
                "and latest_timestamp{} out of the window(...) before it");
            static_assert(counts_records<In>,
                "driftless: aggregate over window(count_window{n}) counts records, and its input yields changes: put "
                "it before the other aggregate");
            static_assert(!triggers_changes<In>,
                "driftless: aggregate over changes has no trigger of its own: it answers each change at once; leave "
                "the trigger out of the window(...) before it");
        }
    }

    constexpr void describe(auto&& parameter) const {
        std::apply([&](Parameters const&... each) { (describe_one(parameter, each), ...); }, parameters);
    }

    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using pack = pack_t<In>;
        using key = typename In::key;
        constexpr bool from_changes = changelog<In>;
        constexpr bool stamps = detail::windowing_in<typename In::window>::stamps;
        auto late = detail::late_output<In>(at);
        static_assert(detail::keeps_windows<typename In::window> || std::same_as<decltype(late), detail::nowhere>,
            "driftless: late_to stands before an aggregate that refuses nothing: put window(...) before it");
        auto const stage_around = [&]<class Core>(Core core) {
            constexpr bool may_shard =
                Mode::threads && keyed<In> && !from_changes && !stamps && !storage::spills;
            constexpr bool first = detail::record_by_record<std::remove_cvref_t<decltype(at.upstream)>>();
            using shards = typename std::conditional_t<
                may_shard, std::type_identity<detail::shards_of<Core, In, typename pack::result, corrects<In>>>,
                std::type_identity<detail::no_shards>>::type;
            return detail::aggregate_stage<Core, In, shards, decltype(late), Next>{
                std::move(next), std::move(core), std::move(late), at.services(),
                max_entries() == no_limit && !(first && at.services()->partials)};
        };
        auto const stage_of = [&]<class Core>(Core core) {
            if constexpr (stamps) {
                using outer = detail::stamping_core<Core, key, windowing_t<In>>;
                static_assert(detail::included<outer>,
                    "driftless: earliest_timestamp{} and latest_timestamp{} need their header: #include "
                    "<driftless/op/timestamps.hpp>");
                return stage_around(outer{std::move(core), detail::windowing_of(at.upstream)});
            } else {
                return stage_around(std::move(core));
            }
        };
        if constexpr (!In::window::assigned && from_changes) {
            return stage_of(detail::changing_core<pack, key>{make_pack<pack>(), max_entries(), at.label});
        } else if constexpr (!In::window::assigned && keyed<In>) {
            return stage_of(detail::unwindowed_core<pack, key, typename storage::type>{
                make_pack<pack>(), max_entries(), at.label, storage::of(parameters)});
        } else if constexpr (!In::window::assigned) {
            return stage_of(detail::total_core<pack>{make_pack<pack>(), max_entries(), at.label});
        } else if constexpr (detail::windowing_in<typename In::window>::merging
            && detail::windowing_in<typename In::window>::triggered) {
            using core = detail::triggered_session_core<pack, key, windowing_t<In>, Mode::exact>;
            static_assert(detail::included<core>,
                "driftless: sessions with a trigger or pane options need their header: #include "
                "<driftless/op/triggered_session.hpp> (or <driftless/driftless.hpp>)");
            return stage_of(core{make_pack<pack>(), detail::windowing_of(at.upstream), max_entries(), at.label});
        } else if constexpr (detail::windowing_in<typename In::window>::merging) {
            using core = detail::session_core<pack, key, windowing_t<In>, Mode::exact>;
            static_assert(detail::included<core>,
                "driftless: sessions need their header: #include <driftless/op/session.hpp> (or "
                "<driftless/driftless.hpp>)");
            return stage_of(core{make_pack<pack>(), detail::windowing_of(at.upstream), max_entries(), at.label});
        } else if constexpr (detail::windowing_in<typename In::window>::per_record) {
            using core = detail::record_window_core<pack, key, windowing_t<In>, Mode::exact>;
            static_assert(detail::included<core>,
                "driftless: sliding_per_record needs its header: #include <driftless/op/sliding_per_record.hpp>");
            return stage_of(core{make_pack<pack>(), detail::windowing_of(at.upstream), max_entries(), at.label});
        } else if constexpr (detail::windowing_in<typename In::window>::counting) {
            using core = detail::count_core<pack, key, windowing_t<In>>;
            static_assert(detail::included<core>,
                "driftless: count_window needs its header: #include <driftless/op/count_window.hpp>");
            return stage_of(core{make_pack<pack>(), detail::windowing_of(at.upstream), max_entries(), at.label});
        } else if constexpr (detail::windowing_in<typename In::window>::triggered) {
            using core = detail::triggered_core<pack, key, windowing_t<In>, Mode::exact>;
            static_assert(detail::included<core>,
                "driftless: triggers and pane options need their header: #include <driftless/op/trigger.hpp> (or "
                "<driftless/driftless.hpp>)");
            return stage_of(core{make_pack<pack>(), detail::windowing_of(at.upstream), max_entries(), at.label});
        } else if constexpr (sliced<In>) {
            using core = detail::sliced_core<pack, key, windowing_t<In>, Mode::exact>;
            static_assert(detail::included<core>,
                "driftless: sliding windows need their header: #include <driftless/op/sliding.hpp> (or "
                "<driftless/driftless.hpp>)");
            return stage_of(core{make_pack<pack>(), detail::windowing_of(at.upstream), max_entries(), at.label});
        } else {
            constexpr bool exact = Mode::exact && !detail::windowing_in<typename In::window>::reopens;
            using core = detail::windowed_core<pack, key, windowing_t<In>, In::window::carried, from_changes,
                corrects<In>, exact, detail::splits_rows<std::remove_cvref_t<decltype(at.upstream)>>()>;
            return stage_of(
                core{make_pack<pack>(), detail::windowing_of(at.upstream), max_entries(), at.label});
        }
    }

private:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    [[nodiscard]] constexpr std::uint64_t max_entries() const {
        std::uint64_t least = no_limit;
        auto const look = [&](auto const& each) {
            if constexpr (std::same_as<std::remove_cvref_t<decltype(each)>, max_keys>) {
                if (each.count < least) least = each.count;
            }
        };
        std::apply([&](Parameters const&... each) { (look(each), ...); }, parameters);
        return least;
    }
    template <class Pack>
    [[nodiscard]] constexpr Pack make_pack() const {
        return std::apply([](auto const&... f) { return Pack{f...}; },
            std::apply([](Parameters const&... each) { return std::tuple_cat(function_or_none(each)...); },
                parameters));
    }
    template <class P>
    static constexpr auto function_or_none(P const& parameter) {
        if constexpr (detail::aggregate_option<P>) return std::tuple<>{};
        else return std::tuple<P>{parameter};
    }
    template <class P>
    static constexpr void describe_one(auto&& out, P const& parameter) {
        if constexpr (std::same_as<P, max_keys>) out("max_keys", parameter.count);
        else if constexpr (!detail::aggregate_option<P>) out("function", P::kind);
    }
};

/// Aggregates each key and window: one row per (key, window), a pane<Key, Result>.
///
/// Shape       keyed or unkeyed stream -> stream of pane<Key, Result>, keyed alike, each row with its window.
///             One function yields its result, several a std::tuple, `aggregate<S>(...)` an S with one
///             member per function. Without allowed lateness every row is emitted once, as a record;
///             with it, and over changes, rows are changes (old, new).
/// Time        A window fires when watermark >= its end; its rows have event time end - 1 ns. A record is
///             refused for a window iff watermark >= end + allowed lateness; one that comes in between
///             changes the row at once (a late pane). Without a window it fires when the input ends; over the
///             changes of a table each record is answered by its net change, at the greatest time of what is in it.
/// State       One entry per key and open window, collected at end + allowed lateness; part of the snapshot.
///             A keyed aggregate without a window says unbounded_state{} or max_keys{n}, and may say spill_to{store,
///             n} (state/spill.hpp): then n keys are in memory, the others in the store. A session is kept until
///             watermark >= end + gap + allowed lateness; where a function takes its records in log order (fold,
///             floating sums), with its records, which are taken again when two sessions merge.
/// Batch       Same stage and same rows; with the exact watermark nothing is late and lateness is left out.
/// Errors      Compile time: functions that do not fit the record, unbounded state, changes without
///             inverse. Run time: refusals `late`, `capacity`, `failed`; a result that does not fit goes
///             to on_error.
/// Complexity  O(1) expected per record: one hash, one look-up, one update per function. Firing is linear
///             in the keys of the window, in order of the canonical hash. Sliding windows share slices, of which a
///             record goes into one; where rows may be corrected, or a function is not exact or keeps more than plain
///             bytes, it goes into each of its windows.
/// Source      SEMANTICS sections 1, 3, 4; T. Akidau et al., "The Dataflow Model" (VLDB 2015).
/// Example     examples/count_events.cpp
template <class... Parameters>
    requires(sizeof...(Parameters) > 0)
constexpr auto aggregate(Parameters... functions) {
    return aggregate_op<void, Parameters...>{std::move(functions)...};
}
template <class Row, class... Parameters>
    requires(sizeof...(Parameters) > 0 && std::is_class_v<Row> && !requires { Row::kind; })
constexpr auto aggregate(Parameters... functions) {
    return aggregate_op<Row, Parameters...>{std::move(functions)...};
}
}  // namespace driftless::inline v0
#endif
