// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DISTINCT_HPP
#define DRIFTLESS_OP_DISTINCT_HPP

#include <driftless/agg/distinct.hpp>
#include <driftless/core/ill_formed.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/detail/distinct_stage.hpp>
#include <driftless/op/detail/row_groups.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/state/bound.hpp>

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Hands on each distinct record once. Made by distinct().
template <class Of, class... Options>
struct distinct_op : operator_base<distinct_op<Of, Options...>> {
    static constexpr std::string_view kind = "distinct";
    using is_stateful = void;
    static constexpr bool of_whole = std::is_same_v<Of, detail::itself>;
    static constexpr bool unbounded = (std::is_same_v<Options, unbounded_state> || ...);

    [[no_unique_address]] Of of;
    [[no_unique_address]] std::tuple<Options...> parameters{};

    constexpr explicit distinct_op(Of what, Options...) : of(std::move(what)) {}

    constexpr void describe(auto&& parameter) const {
        if (unbounded) parameter("unbounded_state", true);
    }

    template <class In>
    using windowing = detail::windowing_in<typename In::window>;
    template <class In>
    static constexpr bool has_value = [] {
        if constexpr (detail::projects<Of, typename In::record>) {
            return canonical_key<detail::projected_t<Of, typename In::record>>;
        } else {
            return false;
        }
    }();
    template <class In>
    static constexpr bool watermark_bounds = detail::closes_windows<typename In::window>;
    template <class In>
    static constexpr bool bounded = detail::closes_windows<typename In::window> || unbounded;
    /// Windows that are there before their records; what they say of panes is not said of records.
    template <class In>
    static constexpr bool plain_windows = !windowing<In>::merging && !windowing<In>::counting
        && !windowing<In>::per_record && !windowing<In>::triggered && !windowing<In>::stamps;
    /// A row that goes away says which one it was, not which other would stand for the same member.
    template <class In>
    static constexpr bool tells_rows = !changelog<In> || of_whole;
    template <class In>
    static constexpr bool accepts = [] {
        if constexpr (!has_value<In>) return false;
        else return bounded<In> && plain_windows<In> && tells_rows<In>;
    }();
    template <class In>
    using output_key = typename detail::row_name<typename In::key, typename In::record, false, true>::type;
    template <class In>
    using output_t = stream_of<typename In::record, In::timed,
        std::conditional_t<changelog<In>, output_key<In>, typename In::key>,
        std::conditional_t<In::window::assigned, carried_window<typename windowing<In>::type>, no_window>, In::kind>;

    template <class In>
    static constexpr void refuse() {
        static_assert(has_value<In>,
            "driftless: distinct needs a record, a member or a function of it with canonical bytes: an integer, a "
            "text, a tuple of such, or a struct adapted with BOOST_HANA_ADAPT_STRUCT");
        static_assert(bounded<In>,
            "driftless: distinct remembers every value for ever here: put window(...) before it, or say "
            "distinct(unbounded_state{})");
        static_assert(plain_windows<In>,
            "driftless: distinct hands records on as they come, in tumbling, sliding or global windows: leave triggers "
            "and pane options out of the window(...) before it, and count distinct values of other windows with "
            "aggregate(distinct())");
        static_assert(tells_rows<In>,
            "driftless: distinct over changes is about whole rows: put map(...) to the member before it, or take "
            "top(1, ...) of the rows of each member");
    }
    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using upstream = std::remove_cvref_t<decltype(at.upstream)>;
        if constexpr (keyed<In> && detail::behind_aggregate<upstream>() && !detail::keyed_anew<upstream>()) {
            using grouped = typename In::template with_key<unkeyed>;
            static_assert(changelog<In> || std::same_as<typename In::key, unkeyed>,
                "driftless: distinct behind an aggregate finds every row distinct, since each has a key of its own: "
                "say which rows belong together with key_by(...) before it");
            auto inner = make_stage<grouped, In, Mode>(std::move(next), at);
            return detail::keyless_stage<decltype(inner)>{std::move(inner)};
        } else {
            return make_stage<In, In, Mode>(std::move(next), at);
        }
    }

private:
    template <class Grouped, class In, class Mode, class Next, class Place>
    constexpr auto make_stage(Next next, Place const& at) const {
        auto late = [&] {
            if constexpr (changelog<In> || In::window::carried || !In::timed) return detail::nowhere{};
            else return detail::late_output<In>(at);
        }();
        constexpr bool exact = Mode::exact && !windowing<In>::reopens;
        duration behind{};
        if constexpr (In::window::carried) behind = detail::windowing_of(at.upstream)->kept_behind_end();
        else if constexpr (In::window::assigned) behind = detail::windowing_of(at.upstream)->lateness();
        return detail::distinct_stage<Grouped, Of, typename windowing<In>::type, output_key<In>, exact,
            decltype(late), Next>{
            std::move(next), of, detail::windowing_of(at.upstream), behind, std::move(late), at.label, at.services()};
    }
};

/// Hands on each distinct record of a key and window once, the first one, as soon as it comes. Written like the
/// aggregate: `| distinct()`, or by a member `| distinct<&T::m>()`, or by a function `| distinct(f)`.
///
/// Shape       stream of T -> the same stream, less the records whose value was there before. Values are the same if
///             their canonical bytes are. Rows that have passed a window keep it: what follows groups inside it. Behind
///             an aggregate over changes the rows of a window are compared, whatever their keys.
///             On changes (of whole rows) a value is counted: it comes with its first row, and goes with its last; the
///             rows are then named by what is in them.
/// Time        A record is refused for a window iff watermark >= end + allowed lateness; its own event time stays.
/// State       Per value of a key and open window 16 or 24 bytes and its key bytes, until watermark >= end + allowed
///             lateness. Without a window it says distinct(unbounded_state{}). Part of the snapshot; on one thread.
/// Batch       The same records: the first one in the log is the first one in both modes.
/// Errors      Compile time: values without canonical bytes, unbounded state, sessions and the like, members of
///             changes. Run time: refusals `late`, `failed`.
/// Complexity  Expected O(1), O(bytes of the value), per record and window.
/// Source      SQL SELECT DISTINCT; agg/distinct.hpp; cases D2-15, D2-16.
template <class Prev, class Of>
    requires pipeline<Prev> && (!is_ill_formed<Prev>)
constexpr auto operator|(Prev prev, distinct_fn<Of> what) {
    return std::move(prev) | distinct_op<Of>{std::move(what.of)};
}
template <class Of>
constexpr ill_formed operator|(ill_formed, distinct_fn<Of> const&) {
    return {};
}
/// The same without a window: every value is remembered.
constexpr auto distinct(unbounded_state bound) {
    return distinct_op<detail::itself, unbounded_state>{detail::itself{}, bound};
}
template <auto Member>
constexpr auto distinct(unbounded_state bound) {
    using of = detail::member_projection<Member>;
    return distinct_op<of, unbounded_state>{of{}, bound};
}
template <class F>
constexpr auto distinct(F function, unbounded_state bound) {
    using of = decltype(detail::make_projection(function));
    return distinct_op<of, unbounded_state>{detail::make_projection(std::move(function)), bound};
}
}  // namespace driftless::inline v0
#endif
