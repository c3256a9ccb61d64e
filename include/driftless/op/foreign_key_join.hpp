// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_FOREIGN_KEY_JOIN_HPP
#define DRIFTLESS_OP_FOREIGN_KEY_JOIN_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/op/detail/foreign_key_stage.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_options.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/op/detail/one_row_a_key.hpp>
#include <driftless/op/table_join.hpp>

#include <concepts>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Says what a row of the left table refers to: the key of a row of the right one. Made by foreign_key().
template <class F>
struct foreign_key_option {
    using is_table_option = void;
    using says_who_meets = void;
    using is_foreign_key = void;
    [[no_unique_address]] F of;
};
/// The member, or the function f(L const&), that yields the key of the right row; as a std::optional where a row may
/// refer to nothing.
template <auto Member>
constexpr auto foreign_key() {
    return foreign_key_option<detail::member_projection<Member>>{};
}
template <class F>
constexpr auto foreign_key(F f) {
    return foreign_key_option<decltype(detail::make_projection(f))>{detail::make_projection(std::move(f))};
}

namespace detail {
template <class Option>
concept foreign_key_given = requires { typename Option::is_foreign_key; };

template <class... Options>
struct foreign_key_among {
    using type = void;
};
template <class First, class... Rest>
struct foreign_key_among<First, Rest...> {
    using type = typename std::conditional_t<foreign_key_given<First>, std::type_identity<First>,
        foreign_key_among<Rest...>>::type;
};

/// Option yields Key, or an optional of it, of each T.
template <class Option, class T, class Key>
consteval bool refers_to() {
    using projection = decltype(Option::of);
    if constexpr (!std::is_invocable_v<projection const&, T const&>) return false;
    else
        return std::same_as<projected_t<projection, T>, Key>
            || std::same_as<projected_t<projection, T>, std::optional<Key>>;
}
}  // namespace detail

/// Joins the rows of a table with the rows of another one that they refer to. Made by join().
template <class Left, class Right, class... Options>
struct foreign_key_join_root : operator_base<foreign_key_join_root<Left, Right, Options...>>,
                               detail::two_inputs<Left, Right> {
    static constexpr std::string_view kind = "join";
    using is_stateful = void;
    using makes_rows = void;                        // one row a left key
    static constexpr bool watermark_bounds = true;  // it keeps what its inputs keep, whose bounds count
    using base = detail::two_inputs<Left, Right>;
    using join_kind = typename detail::join_kind_among<Options...>::type;
    using function = typename detail::join_function_among<Options...>::type;
    using reference = typename detail::foreign_key_among<Options...>::type;
    using left_record = typename base::left_stream::record;
    using right_record = typename base::right_stream::record;
    using output_rows = detail::join_output<join_kind, function, left_record, right_record>;
    using output = stream_of<typename output_rows::type, true, typename base::left_stream::key, no_window,
        stream_kind::changes>;

    [[no_unique_address]] std::tuple<Options...> options;

    constexpr foreign_key_join_root(Left left, Right right, Options... given)
        : base{{std::move(left), std::move(right)}}, options(std::move(given)...) {}

    constexpr void describe(auto&& parameter) const {
        parameter("kind", join_kind::kind);
        parameter("of", std::string_view{"tables"});
        parameter("by", std::string_view{"foreign_key"});
    }
    template <class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using project = detail::join_projection<join_kind, function, left_record, right_record>;
        return detail::foreign_key_stage<typename base::left_stream, typename base::right_stream,
            decltype(reference::of), join_kind, project, Next>{std::move(next), std::get<reference>(options).of,
            project{detail::join_function_among<Options...>::of(options)}, at.label, at.services()};
    }
};

/// Joins each row of a table with the row of another one that it refers to: a table with the keys of the left one.
///
/// Shape       two changelogs with one row a key each (as a join of tables), and foreign_key<&L::member>() or
///             foreign_key(f), which yields the right key of a left row -> changes (old, new) of joined<L, R>, keyed as
///             the left table. left_outer{}: also left rows that refer to no row (std::optional); left_semi{},
///             left_anti{}: left rows that refer to one, or to none. A function given last makes the row. A right row
///             that changes changes every row that refers to it, in the order in which they came to do so.
/// Time        A row has the greatest time of what has changed it; it never goes back. Nothing is late here. The
///             watermark is the least of both.
/// State       The rows of both tables, and who refers to whom. Part of the snapshot, on one thread.
/// Batch       Same stage, same changes in the order in which inputs are merged; the same rows in the end.
/// Errors      Compile time: one side of records, windows, a foreign key that is no key of the right table, several
///             rows for a key, rows without codec, a kind that yields right rows alone. Run time: a function that
///             throws is subject to on_error, and its row is absent.
/// Complexity  O(1) expected per left change; a right one is linear in the rows that refer to it.
/// Source      SEMANTICS sections 8, 9; Apache Kafka, KIP-213: Support non-key joining in KTable.
template <class Left, class Right, class... Options>
    requires(pipeline<Left> && pipeline<Right> && (detail::foreign_key_given<Options> || ...))
constexpr auto join(Left left, Right right, Options... options) {
    if constexpr (is_ill_formed<Left> || is_ill_formed<Right>) {
        return ill_formed{};
    } else {
        using l = output_of<Left>;
        using r = output_of<Right>;
        constexpr bool tables = changelog<l> && changelog<r> && keyed<l> && keyed<r>;
        constexpr bool no_windows = !l::window::assigned && !r::window::assigned;
        constexpr bool single = detail::one_row_a_key<Left>() && detail::one_row_a_key<Right>();
        constexpr bool codecs =
            detail::record_kept_by_join<typename l::record> && detail::record_kept_by_join<typename r::record>;
        using kinds = detail::join_kind_among<Options...>;
        using functions = detail::join_function_among<Options...>;
        using reference = typename detail::foreign_key_among<Options...>::type;
        constexpr bool refers = detail::refers_to<reference, typename l::record, typename r::key>();
        constexpr bool once =
            kinds::count <= 1 && functions::count <= 1 && sizeof...(Options) == 1 + kinds::count + functions::count;
        constexpr bool kind = !kinds::type::alone[1];
        static_assert(tables,
            "driftless: join with foreign_key is one of tables: end both inputs with table(unbounded_state{}) or "
            "table(max_keys{n})");
        static_assert(no_windows,
            "driftless: join of tables knows no windows, and one of them has rows that carry theirs: join before the "
            "aggregate, or make records of its rows and a table of these");
        static_assert(single,
            "driftless: join of tables needs one row for each key, and here several rows may share one: leave "
            "key_by(...), flat_map(...) and merge(...) out behind table(...), or put an aggregate behind them");
        static_assert(codecs,
            "driftless: join keeps the rows of both tables, and one of them has no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
        static_assert(refers,
            "driftless: join asks foreign_key of each left row, and it yields no key of the right table: give it a "
            "member or a function of L const& of that very type, or of a std::optional of it");
        static_assert(kind,
            "driftless: join with foreign_key yields a row per left row, never one of the right table alone: say "
            "inner{}, left_outer{}, left_semi{} or left_anti{}");
        static_assert(once,
            "driftless: join of tables takes one foreign_key, one kind (inner{}, left_outer{}, ...) and one function, "
            "and nothing else");
        if constexpr (tables && no_windows && single && codecs && refers && kind && once) {
            using root = foreign_key_join_root<Left, Right, Options...>;
            static_assert(root::output_rows::fits,
                "driftless: join calls its function with f(left, right): L const& and R const&, or R const* with "
                "left_outer{}; left_semi{} and left_anti{} take none: put map behind");
            if constexpr (root::output_rows::fits) {
                return root_link<root>{root{std::move(left), std::move(right), std::move(options)...}};
            } else {
                return ill_formed{};
            }
        } else {
            return ill_formed{};
        }
    }
}
}  // namespace driftless::inline v0
#endif
