// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_AS_OF_JOIN_HPP
#define DRIFTLESS_OP_AS_OF_JOIN_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/as_of_stage.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_options.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/op/table.hpp>
#include <driftless/time/window.hpp>

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Says that a join reads its right input, a table, as it was at the time of each left record.
struct as_of {
    using is_table_option = void;
    using says_who_meets = void;
};
/// Says that a left record of join(..., as_of{}, after_grace{d}) does not wait for the table: it is joined once the
/// watermark of its own input is `length` past its time, or at once, with the row that the table knows of by then.
struct after_grace {
    using is_table_option = void;
    duration length{};
};

namespace detail {
template <class P>
inline constexpr bool ends_in_table = false;
template <class Prev, class Op>
    requires requires { typename Op::is_table; }
inline constexpr bool ends_in_table<link<Prev, Op>> = true;
}  // namespace detail

/// Joins records with a table as of their time. Made by join().
///
/// Rows    the records that the table is made of; the table itself is a part of the join
template <class Left, class Rows, class Table, class... Options>
struct as_of_join_root : operator_base<as_of_join_root<Left, Rows, Table, Options...>>,
                         detail::two_inputs<Left, Rows> {
    static constexpr std::string_view kind = "join";
    using is_stateful = void;
    static constexpr bool watermark_bounds = false;
    using base = detail::two_inputs<Left, Rows>;
    using join_kind = typename detail::join_kind_among<Options...>::type;
    using function = typename detail::join_function_among<Options...>::type;
    using left_record = typename base::left_stream::record;
    using row_record = typename base::right_stream::record;
    using output_rows = detail::join_output<join_kind, function, left_record, row_record>;
    using output = stream_of<typename output_rows::type, true, typename base::left_stream::key>;
    static constexpr bool waits = !(std::same_as<Options, after_grace> || ...);

    Table table;
    decltype(Table::parameters) parameters;  // what bounds the state is said by the table
    [[no_unique_address]] std::tuple<Options...> options;

    constexpr as_of_join_root(Left left, Rows right, Table of, Options... given)
        : base{{std::move(left), std::move(right)}},
          table(std::move(of)),
          parameters(table.parameters),
          options(std::move(given)...) {}

    [[nodiscard]] constexpr allowed_lateness lateness() const {
        return detail::option_or<allowed_lateness>(options, allowed_lateness{});
    }
    [[nodiscard]] constexpr after_grace grace() const {
        return detail::option_or<after_grace>(options, after_grace{});
    }
    void validate() const {
        table.validate();
        lateness().validate();
        if (grace().length < duration{}) {
            throw error{error_code::invalid_argument, "join needs an after_grace{d} of 0 or more"};
        }
        if (table.history_length() < grace().length) {
            throw error{error_code::invalid_argument,
                "join with after_grace{d} reads its table as it was d ago, and the table keeps less: give it a "
                "history{d} that is as long"};
        }
    }
    constexpr void describe(auto&& parameter) const {
        parameter("kind", join_kind::kind);
        if constexpr (waits) parameter("reads", std::string_view{"as_of"});
        else parameter("after_grace", grace().length);
        if (lateness().bound != duration{}) lateness().describe(parameter);
        table.describe(parameter);
    }
    template <class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using project = detail::join_projection<join_kind, function, left_record, row_record>;
        constexpr bool exact = Mode::exact && waits;  // after_grace reads what the history keeps
        auto rows = table.template rows_for<typename base::right_stream, exact>(at.label);
        auto late_left = this->template late_output_of<0>(at);
        auto late_right = this->template late_output_of<1>(at);
        return detail::as_of_stage<typename base::left_stream, decltype(rows), join_kind, project, waits, Mode::exact,
            decltype(late_left), decltype(late_right), Next>{std::move(next), std::move(rows),
            project{detail::join_function_among<Options...>::of(options)},
            waits ? lateness().bound : grace().length, at.label, std::move(late_left), std::move(late_right),
            at.services()};
    }
};

/// Joins each record with the row that a table had at its time.
///
/// Shape       keyed records, and a table (a pipeline that ends in table(...)) of the same key -> keyed records: a
///             joined<L, R> for each left record whose key had a row. left_outer{}: also the others, with a
///             std::optional; left_semi{}, left_anti{}: left records whose key had a row, or had none. A function given
///             last makes the row: f(L const&, R const&), with left_outer{} f(L const&, R const*). Rows of the table
///             that change yield nothing. A key with a part that is an empty optional meets no row.
/// Time        The row at t is the one with the greatest time <= t. A record waits until the watermark of its own input
///             and that of the table, less its history, are past its time: so the answer does not depend on the pace.
///             Records come out by time, of equal ones in log order. A left record is refused as late iff the
///             watermark of its input > at + allowed_lateness (0 unless given), a row of the table iff that of the
///             table > at + history. after_grace{d} waits for the left input only, until its watermark >= at + d; what
///             comes later is joined at once, nothing is refused, and the history of the table has to be d or more.
/// State       The records that wait; of the table, the rows that are valid at the watermark or later. Part of the
///             snapshot, on one thread.
/// Batch       Same stage and same rows in the same order; nothing is late. after_grace{d} is outside law 2: a row that
///             comes later than that is seen by the batch, which knows more of its watermarks, and not by the stream.
/// Errors      Compile time: a right input that is no table, other keys, a kind that yields rows of the table alone,
///             records without codec. When the job starts: lengths < 0, a history shorter than the grace. Run time:
///             refusals `late`, to the late_to of their own input; those of the table; a function that throws is
///             subject to on_error.
/// Complexity  One look-up per record, linear in the versions of its key that are newer; O(log waiting) out of order.
/// Source      SEMANTICS section 8; Apache Flink, TemporalRowTimeJoinOperator; Apache Kafka, KStreamKTableJoin and
///             KIP-923.
/// Example     examples/orders_with_prices.cpp
template <class Left, class Right, class... Options>
    requires(pipeline<Left> && pipeline<Right> && (std::same_as<Options, as_of> || ...))
constexpr auto join(Left left, Right right, Options... options) {
    if constexpr (is_ill_formed<Left> || is_ill_formed<Right>) {
        return ill_formed{};
    } else {
        using l = output_of<Left>;
        using r = output_of<Right>;
        constexpr bool reads_table = detail::ends_in_table<Right>;
        constexpr bool plain = !changelog<l> && timestamped<l> && !l::window::assigned;
        constexpr bool keys = keyed<l> && std::same_as<typename l::key, typename r::key>;
        constexpr bool codec = detail::record_kept_by_join<typename l::record>;
        using kinds = detail::join_kind_among<Options...>;
        using functions = detail::join_function_among<Options...>;
        constexpr bool once = detail::times_among<as_of, Options...> == 1
            && detail::times_among<allowed_lateness, Options...> + detail::times_among<after_grace, Options...> <= 1
            && kinds::count <= 1 && functions::count <= 1;
        constexpr bool kind = !kinds::type::alone[1];
        static_assert(reads_table,
            "driftless: join(..., as_of{}) reads a table: end its right input with table(unbounded_state{}) or "
            "table(max_keys{n}), without filter, map or share behind it");
        static_assert(plain,
            "driftless: join(..., as_of{}) needs plain records with an event time on the left: put assign_time<&T::at>"
            "(...) there, and join before windows and aggregates");
        static_assert(keys,
            "driftless: join(..., as_of{}) looks records up by their key: put key_by(...) with keys of one type into "
            "both inputs");
        static_assert(codec,
            "driftless: join(..., as_of{}) keeps records until the table can tell, and these have no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
        static_assert(kind,
            "driftless: join(..., as_of{}) yields a row per left record, never one of the table alone: say inner{}, "
            "left_outer{}, left_semi{} or left_anti{}");
        static_assert(once,
            "driftless: join takes one as_of{}, one kind, one allowed_lateness{d} or after_grace{d} and one function, "
            "and nothing else");
        if constexpr (reads_table && plain && keys && codec && kind && once) {
            using root = as_of_join_root<Left, typename Right::prev_type, typename Right::op_type, Options...>;
            static_assert(root::output_rows::fits,
                "driftless: join calls its function with f(left, row): L const& and R const&, or R const* with "
                "left_outer{}; left_semi{} and left_anti{} take none: put map behind");
            if constexpr (root::output_rows::fits) {
                return root_link<root>{
                    root{std::move(left), std::move(right.prev), std::move(right.op), std::move(options)...}};
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
