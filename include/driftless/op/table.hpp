// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_TABLE_HPP
#define DRIFTLESS_OP_TABLE_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/op/detail/changing_core.hpp>
#include <driftless/op/detail/table_stage.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/state/bound.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Says how far behind the watermark a table still takes rows, and is read: table(history{5_min}, ...).
struct history {
    duration length{};

    void validate() const {
        if (length < duration{}) {
            throw error{error_code::invalid_argument, "history{d} of a table needs a duration of 0 or more"};
        }
    }
};

/// Says which records delete the row of their key. Made by deleted_if().
template <class F>
struct deleted_if_option {
    [[no_unique_address]] F deletes;
};
/// A record for which `f(record)` is true, or that has its member set, deletes the row of its key.
template <class F>
constexpr auto deleted_if(F f) {
    return deleted_if_option<decltype(detail::make_projection(f))>{detail::make_projection(std::move(f))};
}
template <auto Member>
constexpr auto deleted_if() {
    return deleted_if_option<detail::member_projection<Member>>{};
}

namespace detail {
template <class P>
inline constexpr bool is_deleted_if = false;
template <class F>
inline constexpr bool is_deleted_if<deleted_if_option<F>> = true;
template <class P>
inline constexpr bool table_option = state_bound_option<P> || is_deleted_if<P> || std::is_same_v<P, history>;

template <class... Parameters>
struct deletion_among {
    using type = deletes_nothing;
};
template <class F, class... Rest>
struct deletion_among<deleted_if_option<F>, Rest...> {
    using type = F;
};
template <class First, class... Rest>
struct deletion_among<First, Rest...> : deletion_among<Rest...> {};
}  // namespace detail

/// Makes a table of the records of each key. Made by table().
template <class... Parameters>
struct table_op : operator_base<table_op<Parameters...>> {
    static constexpr std::string_view kind = "table";
    using is_stateful = void;
    using makes_rows = void;  // one row a key
    using is_table = void;    // a join may read it as of a time
    using deletes = typename detail::deletion_among<Parameters...>::type;

    [[no_unique_address]] std::tuple<Parameters...> parameters;

    constexpr explicit table_op(Parameters... p) : parameters(std::move(p)...) {}

    /// By how much rows may be behind the watermark; 0 without history{}.
    [[nodiscard]] constexpr duration history_length() const {
        if constexpr ((std::same_as<Parameters, history> || ...)) return std::get<history>(parameters).length;
        else return {};
    }
    void validate() const {
        if constexpr ((std::same_as<Parameters, history> || ...)) std::get<history>(parameters).validate();
    }
    constexpr void describe(auto&& parameter) const {
        if constexpr ((std::same_as<Parameters, history> || ...)) parameter("history", history_length());
        if constexpr ((detail::is_deleted_if<Parameters> || ...)) parameter("deleted_if", std::string_view{"function"});
        if constexpr (detail::says_max_keys<std::tuple<Parameters...>>) {
            parameter("max_keys", std::get<max_keys>(parameters).count);
        }
    }

    template <class In>
    static constexpr bool keeps = encodable<typename In::record> && std::default_initializable<typename In::record>;
    static constexpr bool bounded = (detail::state_bound_option<Parameters> || ...);
    template <class In>
    static constexpr bool tells_deletes =
        std::is_invocable_r_v<bool, deletes const&, typename In::record const&>;
    template <class In>
    static constexpr bool accepts = timestamped<In> && keyed<In> && !changelog<In> && !In::window::assigned && bounded
        && keeps<In> && tells_deletes<In>;
    template <class In>
    using output_t = stream_of<typename In::record, true, typename In::key, no_window, stream_kind::changes>;
    template <class In>
    static constexpr void refuse() {
        static_assert(timestamped<In> && keyed<In>,
            "driftless: table needs records with an event time and a key: put assign_time<&T::at>(...) and "
            "key_by<&T::member>() before it");
        static_assert(!changelog<In>,
            "driftless: table makes rows of records, and its input yields changes: that is a table already");
        static_assert(!In::window::assigned,
            "driftless: table knows no windows: leave window(...) out, or turn the rows of an aggregate into records "
            "that know no window by map(...) and key_by(...)");
        static_assert(bounded,
            "driftless: table keeps a row per key for ever: say table(unbounded_state{}) or table(max_keys{n})");
        static_assert(keeps<In>,
            "driftless: table keeps records, and this one has no codec: write BOOST_HANA_ADAPT_STRUCT(T, members...)");
        static_assert(tells_deletes<In>,
            "driftless: table asks deleted_if(f) of each record: give it a function bool f(T const&), or a bool "
            "member, where T is the record named in [with In = stream_of<T, ...>]");
    }

    /// What keeps the rows, for the stage and for joins that read them as of a time.
    template <class In, bool Exact>
    [[nodiscard]] auto rows_for(operator_label label) const {
        return detail::table_rows<In, deletes, Exact>{deletion(), history_length(), key_limit(), label};
    }
    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        auto rows = rows_for<In, Mode::exact>(at.label);
        auto late = detail::late_output<In>(at);
        return detail::table_stage<In, decltype(rows), Mode::exact, decltype(late), Next>{
            std::move(next), std::move(rows), std::move(late), at.services()};
    }

private:
    [[nodiscard]] constexpr std::uint64_t key_limit() const {
        if constexpr (detail::says_max_keys<std::tuple<Parameters...>>) return std::get<max_keys>(parameters).count;
        else return ~std::uint64_t{0};
    }
    [[nodiscard]] constexpr deletes deletion() const {
        if constexpr ((detail::is_deleted_if<Parameters> || ...)) {
            return std::get<deleted_if_option<deletes>>(parameters).deletes;
        } else {
            return {};
        }
    }
};

/// Makes a table of a keyed stream: each record is the row of its key from its event time on.
///
/// Shape       keyed record stream -> changes (old row, new row) of the same record and key. A record for which
///             deleted_if(f) holds deletes the row; a deletion is handed on only for a row that was there.
/// Time        The row of a key is the record with the greatest event time; of two at one time the later one in log
///             order. A record that is older than the row of its key changes nothing that is handed on. One with
///             at < watermark - history is refused as late; the watermark goes on less the history.
/// State       Per key the row, and those that were valid within the history (a joining operator reads them); the time
///             of a deletion until the watermark less the history has passed it. Part of the snapshot, on one thread.
/// Batch       Same stage, same changes in the same order; nothing is late.
/// Errors      Compile time: no event time, key or codec; state that nobody has bounded. When the job starts: a
///             history < 0. Run time: refusals `late` (to late_to), `capacity`, and `failed` where f throws.
/// Complexity  O(1) expected per record in time order; linear in the newer versions of its key for one out of order.
/// Source      SEMANTICS section 9; Apache Kafka, KIP-889 and KIP-914: versioned tables.
/// Example     examples/orders_with_prices.cpp
template <class... Parameters>
    requires(detail::table_option<Parameters> && ...)
constexpr auto table(Parameters... parameters) {
    return table_op<Parameters...>{std::move(parameters)...};
}
}  // namespace driftless::inline v0
#endif
