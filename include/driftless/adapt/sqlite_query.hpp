// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_SQLITE_QUERY_HPP
#define DRIFTLESS_ADAPT_SQLITE_QUERY_HPP

#include <driftless/adapt/detail/sqlite_columns.hpp>
#include <driftless/adapt/detail/sqlite_database.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sqlite3.h>

namespace driftless::inline v0 {
namespace detail {
inline char const* sqlite_value_name(int type) noexcept {
    switch (type) {
        case SQLITE_INTEGER: return "an integer";
        case SQLITE_FLOAT: return "a real number";
        case SQLITE_TEXT: return "a text";
        case SQLITE_BLOB: return "bytes";
        default: return "NULL";
    }
}
/// SQLite would make a 0 of a text that is no number: what does not fit is refused.
inline bool sqlite_fits(sqlite_column const& wanted, int type) noexcept {
    if (type == SQLITE_NULL) return wanted.nullable;
    if (wanted.type == sqlite_type::integer) return type == SQLITE_INTEGER;
    if (wanted.type == sqlite_type::real) return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    return type == SQLITE_TEXT;
}
/// The first column from `at` on whose integer does not fit its place in a T; -1 if all do. `at` moves behind them.
template <class T>
int sqlite_out_of_range(sqlite_statement const& from, int& at) {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::optional) {
        return sqlite_out_of_range<typename T::value_type>(from, at);
    } else if constexpr (has_parts<T>) {
        int found = -1;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            static_cast<void>(
                ((found = found < 0 ? sqlite_out_of_range<part_t<I, T>>(from, at) : found, found < 0) && ...));
        }(std::make_index_sequence<part_count<T>>{});
        return found;
    } else if constexpr (shape == value_shape::window) {
        at += 2;
    } else if constexpr (shape == value_shape::integer) {
        if (!from.is_null(at) && !std::in_range<T>(from.integer(at))) return at;
        ++at;
    } else if constexpr (shape == value_shape::enumeration) {
        return sqlite_out_of_range<std::underlying_type_t<T>>(from, at);
    } else if constexpr (shape == value_shape::boolean) {
        if (from.integer(at) != 0 && from.integer(at) != 1) return at;
        ++at;
    } else if constexpr (shape != value_shape::empty) {
        ++at;
    }
    return -1;
}
}  // namespace detail

/// Calls f(row) for each row that a query of an SQLite database yields; returns how many there were.
///
///     struct line { text shop; event_time day; std::int64_t cents; };
///     auto const ledger = rows_of<std::string, std::int64_t>([](auto const& row) {
///         query_sqlite<line>("ledger.db", "select shop, day_ns, cents from lines", [&](line const& each) {
///             row(each.shop, time_window{each.day, each.day + 1_d}, each.cents);
///         });
///     });
///
/// Row         A value or a reflected struct of those that sqlite_sink writes. Columns are taken in their order, as
///             many as Row has: a member each, two for a time_window. Text is borrowed for the call.
/// Types       Integers of SQLite for bool, integers, enums, event_time and duration (nanoseconds), and they must fit;
///             numbers for float and double, of which NULL is NaN; texts for text; NULL else for optionals alone.
/// Errors      malformed for another number of columns, and for a value of another type, with row and column; io,
///             in_use, corrupt as SQLite says; what f throws. All with the path. The database is opened to read.
/// Complexity  That of the query.
template <class Row, class F>
std::uint64_t query_sqlite(
    std::string path, std::string const& sql, F&& f, duration busy_timeout = duration{5'000'000'000}) {
    static_assert(detail::is_sqlite_value<Row>,
        "driftless: query_sqlite reads what sqlite_sink can write: adapt the struct with BOOST_HANA_ADAPT_STRUCT, and "
        "let it have integers, floating numbers, texts, times and optionals of these");
    std::vector<detail::sqlite_column> columns;
    detail::add_sqlite_columns<Row>(columns, "value");
    detail::sqlite_database in{std::move(path), false, busy_timeout};
    in.doing("asking \"" + sql + "\"");
    detail::sqlite_statement each{in, sql};
    if (each.columns() != static_cast<int>(columns.size())) {
        in.refuse(error_code::malformed,
            detail::sentence({"the query yields ", std::int64_t{each.columns()}, " columns, and a row has ",
                std::uint64_t{columns.size()}, ": name those in the order of the members"}));
    }
    std::uint64_t rows = 0;
    while (each.step()) {
        ++rows;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            auto const type = each.type(static_cast<int>(i));
            if (detail::sqlite_fits(columns[i], type)) continue;
            in.refuse(error_code::malformed,
                detail::sentence({"row ", rows, " of the query has ", detail::sqlite_value_name(type), " in column '",
                    columns[i].name, "', which is to be ",
                    columns[i].type == detail::sqlite_type::text       ? "a text"
                        : columns[i].type == detail::sqlite_type::real ? "a number"
                                                                       : "an integer"}));
        }
        int at = 0;
        if (auto const bad = detail::sqlite_out_of_range<Row>(each, at); bad >= 0) {
            in.refuse(error_code::malformed,
                detail::sentence({"row ", rows, " of the query has ", each.integer(bad), " in column '",
                    columns[static_cast<std::size_t>(bad)].name, "', which is out of its range"}));
        }
        Row row{};
        at = 0;
        detail::read_sqlite_value(each, at, row);
        f(std::as_const(row));
    }
    return rows;
}
}  // namespace driftless::inline v0
#endif
