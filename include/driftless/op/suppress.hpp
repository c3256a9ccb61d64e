// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_SUPPRESS_HPP
#define DRIFTLESS_OP_SUPPRESS_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/one_row_a_key.hpp>
#include <driftless/op/detail/suppress_stage.hpp>
#include <driftless/op/window.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Says how long suppress() holds a row back, by event time, from the first change on that it holds.
struct time_limit {
    duration length{};
};
/// Says how many rows suppress() holds back: of more, the one goes on that has been held for longest.
struct max_records {
    std::uint64_t count = 0;
};
/// What becomes of rows beyond max_records{n}: the oldest is handed on early (default), or the run fails.
struct emit_early {};
struct fail_when_full {};
/// Says that each row of a window goes on once, when nothing can change it any more.
struct final_results {};

namespace detail {
template <class P>
inline constexpr bool suppress_option =
    std::is_same_v<P, time_limit> || std::is_same_v<P, max_records> || std::is_same_v<P, emit_early>
    || std::is_same_v<P, fail_when_full> || std::is_same_v<P, final_results>;

template <class... Parameters>
struct suppress_bounds {
    template <class P>
    static constexpr bool has = (std::same_as<P, Parameters> || ...);
    static constexpr bool fails = has<fail_when_full>;
    [[no_unique_address]] std::tuple<Parameters...> parameters;

    [[nodiscard]] constexpr event_time due(event_time first) const {
        if constexpr (has<time_limit>) return first + std::get<time_limit>(parameters).length;
        else return event_time::max();
    }
    [[nodiscard]] constexpr bool is_due(event_time first, event_time watermark) const {
        return due(first) <= watermark;
    }
    [[nodiscard]] constexpr std::uint64_t most() const {
        if constexpr (has<max_records>) return std::get<max_records>(parameters).count;
        else return ~std::uint64_t{0};
    }
};
}  // namespace detail

/// Holds rows that change back. Made by suppress().
template <class... Parameters>
struct suppress_op : operator_base<suppress_op<Parameters...>> {
    static constexpr std::string_view kind = "suppress";
    using is_stateful = void;
    using bounds = detail::suppress_bounds<Parameters...>;
    template <class P>
    static constexpr bool has = bounds::template has<P>;
    static constexpr bool is_final = has<final_results>;

    [[no_unique_address]] std::tuple<Parameters...> parameters;

    constexpr explicit suppress_op(Parameters... p) : parameters(std::move(p)...) {}

    void validate() const {
        bool fits = true;
        if constexpr (has<time_limit>) fits = std::get<time_limit>(parameters).length >= duration{};
        if (!fits) throw error{error_code::invalid_argument, "suppress(time_limit{d}) needs a duration of 0 or more"};
    }
    constexpr void describe(auto&& parameter) const {
        if constexpr (has<time_limit>) parameter("time_limit", std::get<time_limit>(parameters).length);
        if constexpr (has<max_records>) parameter("max_records", std::get<max_records>(parameters).count);
        if constexpr (has<fail_when_full>) parameter("when_full", std::string_view{"fail"});
        if constexpr (is_final) parameter("results", std::string_view{"final"});
    }

    template <class In>
    static constexpr bool watermark_bounds = has<time_limit> || has<max_records> || is_final;
    static constexpr bool says_one_thing = is_final ? sizeof...(Parameters) == 1
                                                    : has<time_limit> || has<max_records>;
    static constexpr bool policy_fits = !(has<fail_when_full> && has<emit_early>)
        && (has<max_records> || !(has<fail_when_full> || has<emit_early>));
    template <class In>
    static constexpr bool whole_rows = [] {
        if constexpr (In::window::carried) return !In::window::in_parts;
        else return true;
    }();
    template <class In>
    static constexpr bool keeps = encodable<typename In::record> && std::default_initializable<typename In::record>;
    template <class In>
    static constexpr bool ends = !is_final || (In::window::carried && detail::closes_windows<typename In::window>);
    template <class In>
    static constexpr bool accepts =
        changelog<In> && says_one_thing && policy_fits && whole_rows<In> && keeps<In> && ends<In>;
    template <class In>
    using output_t = stream_of<typename In::record, In::timed, typename In::key, typename In::window,
        is_final ? stream_kind::records : stream_kind::changes>;
    template <class In>
    static constexpr void refuse() {
        static_assert(changelog<In>,
            "driftless: suppress holds rows back that change, and those of its input come once: leave it out (the "
            "default trigger shows final results only)");
        static_assert(says_one_thing,
            "driftless: suppress needs a bound: say suppress(time_limit{d}), suppress(max_records{n}) or both, or "
            "suppress(final_results{}) alone");
        static_assert(policy_fits,
            "driftless: suppress takes one of emit_early{} and fail_when_full{}, and max_records{n} with it");
        static_assert(whole_rows<In>,
            "driftless: suppress shows the last of several panes, and with discarding{} each of them is a part: leave "
            "discarding{} out of window(...)");
        static_assert(keeps<In>,
            "driftless: suppress keeps rows, and this one has no codec: write BOOST_HANA_ADAPT_STRUCT(T, members...)");
        static_assert(ends<In>,
            "driftless: suppress(final_results{}) waits for the end of windows: put it behind an aggregate over "
            "window(...) that the watermark closes, or say suppress(time_limit{d})");
    }

    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        static_assert(detail::one_row_a_key<std::remove_cvref_t<decltype(at.upstream)>>(),
            "driftless: suppress keeps the last of the changes of each key, and here several rows may share one: "
            "put it before key_by(...), flat_map(...) or merge(...), or an aggregate behind them");
        if constexpr (is_final) {
            return detail::final_results_stage<In, Next>{
                std::move(next), detail::windowing_of(at.upstream)->kept_behind_end(), at.label};
        } else {
            return detail::suppress_stage<In, bounds, Next>{std::move(next), bounds{parameters}, at.label};
        }
    }
};

/// Holds rows that change back, so that of several changes of a row only the last goes on.
///
/// Shape       changes -> changes, fewer: what goes on is (row as it was last handed on, row as it is). A row that has
///             come and gone again in between is never seen. With final_results{}: changes of windowed rows -> records,
///             one per row that is left, in the order in which windows fire.
/// Time        time_limit{d}: a row goes on once watermark >= the time of the first change that is held + d; further
///             changes do not put that off. max_records{n}: beyond n rows the one with the earliest first change goes
///             on at once (of equal ones the one that came first), or with fail_when_full{} the run fails.
///             final_results{}: once watermark >= window end + allowed lateness (sessions: + gap), which is when
///             changes are refused. What goes on has the greatest time of the changes; the watermark is held back to
///             what is still held.
/// State       The rows that are held, as they were and as they are; part of the snapshot, on one thread.
/// Batch       Same stage; which changes go on may be other ones, the rows in the end are the same. final_results{}:
///             the same records in the same order.
/// Errors      Compile time: an input that does not change, no bound, several rows for a key, discarding panes. When
///             the job starts: a limit < 0. Run time: error_code::overflow with fail_when_full{}.
/// Complexity  O(1) expected per change.
/// Source      SEMANTICS section 7; Apache Kafka, KIP-328: Ability to suppress updates for KTables.
template <class... Parameters>
    requires(detail::suppress_option<Parameters> && ...)
constexpr auto suppress(Parameters... parameters) {
    return suppress_op<Parameters...>{std::move(parameters)...};
}
}  // namespace driftless::inline v0
#endif
