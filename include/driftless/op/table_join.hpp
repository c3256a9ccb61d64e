// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_TABLE_JOIN_HPP
#define DRIFTLESS_OP_TABLE_JOIN_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_options.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/op/detail/one_row_a_key.hpp>
#include <driftless/op/detail/table_join_stage.hpp>

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// The inputs of a join of tables: both yield changes.
template <class Left, class Right>
consteval bool both_change() {
    if constexpr (is_ill_formed<Left> || is_ill_formed<Right>) return false;
    else return changelog<output_of<Left>> && changelog<output_of<Right>>;
}
template <class Option>
inline constexpr bool says_who_meets = std::same_as<Option, interval> || requires { typename Option::says_who_meets; };
}  // namespace detail

/// Joins two tables of one key. Made by join().
template <class Left, class Right, class... Options>
struct table_join_root : operator_base<table_join_root<Left, Right, Options...>>, detail::two_inputs<Left, Right> {
    static constexpr std::string_view kind = "join";
    using is_stateful = void;
    using makes_rows = void;                         // one row a key
    static constexpr bool watermark_bounds = true;  // it keeps what its inputs keep, whose bounds count
    using base = detail::two_inputs<Left, Right>;
    using join_kind = typename detail::join_kind_among<Options...>::type;
    using function = typename detail::join_function_among<Options...>::type;
    using left_record = typename base::left_stream::record;
    using right_record = typename base::right_stream::record;
    using output_rows = detail::join_output<join_kind, function, left_record, right_record>;
    using output = stream_of<typename output_rows::type, true, typename base::left_stream::key, no_window,
        stream_kind::changes>;

    [[no_unique_address]] std::tuple<Options...> options;

    constexpr table_join_root(Left left, Right right, Options... given)
        : base{{std::move(left), std::move(right)}}, options(std::move(given)...) {}

    constexpr void describe(auto&& parameter) const {
        parameter("kind", join_kind::kind);
        parameter("of", std::string_view{"tables"});
    }
    template <class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using project = detail::join_projection<join_kind, function, left_record, right_record>;
        return detail::table_join_stage<typename base::left_stream, typename base::right_stream, join_kind, project,
            Next>{std::move(next), project{detail::join_function_among<Options...>::of(options)}, at.label,
            at.services()};
    }
};

/// Joins two tables of one key: a table of what their rows make together.
///
/// Shape       two changelogs of one key, each with one row a key (behind table, an aggregate without window, another
///             join of tables; filter and map in between) -> changes (old, new) of joined<L, R>. left_outer{},
///             right_outer{}, full_outer{}: also rows of one side alone, with std::optional; left_semi{}, left_anti{}:
///             left rows whose key has a right one, or has none. A function given last makes the row:
///             f(L const&, R const&), a pointer where a side may be missing. Each record is answered by its net change;
///             a row is deleted only if it was there. A key with a part that is an empty optional has no row: its
///             changes are counted as unassigned.
/// Time        A row has the greatest time of the changes of its two sides, and never goes back. What the tables take,
///             and in which order, they say themselves: nothing is late here. The watermark is the least of both.
/// State       The row of each side for each key that has one: what the inputs have. Part of the snapshot, on one
///             thread.
/// Batch       Same stage, same changes in the order in which inputs are merged; the same rows in the end.
/// Errors      Compile time: one side of records, windows, other keys, several rows for a key, rows without codec. Run
///             time: a function that throws is subject to on_error, and its row is absent.
/// Complexity  One look-up per change, O(1) expected.
/// Source      SEMANTICS sections 8, 9; Apache Kafka, KTableKTableJoin, KIP-914.
/// Example     examples/orders_with_prices.cpp
template <class Left, class Right, class... Options>
    requires(pipeline<Left> && pipeline<Right> && detail::both_change<Left, Right>()
        && !(detail::says_who_meets<Options> || ...))
constexpr auto join(Left left, Right right, Options... options) {
    using l = output_of<Left>;
    using r = output_of<Right>;
    constexpr bool keys = keyed<l> && std::same_as<typename l::key, typename r::key>;
    constexpr bool no_windows = !l::window::assigned && !r::window::assigned;
    constexpr bool single = detail::one_row_a_key<Left>() && detail::one_row_a_key<Right>();
    constexpr bool codecs =
        detail::record_kept_by_join<typename l::record> && detail::record_kept_by_join<typename r::record>;
    using kinds = detail::join_kind_among<Options...>;
    using functions = detail::join_function_among<Options...>;
    constexpr bool once = kinds::count <= 1 && functions::count <= 1
        && sizeof...(Options) == kinds::count + functions::count;
    static_assert(keys,
        "driftless: join puts rows of two tables together by their key: put key_by(...) with keys of one type before "
        "table(...)");
    static_assert(no_windows,
        "driftless: join of tables knows no windows, and one of them has rows that carry theirs: join before the "
        "aggregate, or make records of its rows and a table of these");
    static_assert(single,
        "driftless: join of tables needs one row for each key, and here several rows may share one: leave key_by(...), "
        "flat_map(...) and merge(...) out behind table(...), or put an aggregate behind them");
    static_assert(codecs,
        "driftless: join keeps the rows of both tables, and one of them has no codec: write "
        "BOOST_HANA_ADAPT_STRUCT(T, members...)");
    static_assert(once,
        "driftless: join of tables takes one kind (inner{}, left_outer{}, ...) and one function, and nothing else");
    if constexpr (keys && no_windows && single && codecs && once) {
        using root = table_join_root<Left, Right, Options...>;
        static_assert(root::output_rows::fits,
            "driftless: join calls its function with f(left, right): L const& and R const&, or pointers L const* and R "
            "const* for a side that may be missing; left_semi{} and left_anti{} take none: put map behind");
        if constexpr (root::output_rows::fits) {
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
