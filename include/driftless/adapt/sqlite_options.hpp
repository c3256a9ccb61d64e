// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_SQLITE_OPTIONS_HPP
#define DRIFTLESS_ADAPT_SQLITE_OPTIONS_HPP

#include <driftless/adapt/detail/sqlite_columns.hpp>
#include <driftless/adapt/detail/sqlite_database.hpp>
#include <driftless/adapt/detail/sqlite_table.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// One row per key and window: written again it is replaced, taken away it is deleted.
struct sqlite_upsert {};
/// One row per pane or record, each with an event id (epoch, index); a row that is taken away is told by one more.
struct sqlite_append {};

/// Where and how a sqlite_sink writes; `table` has to be said.
struct sqlite_options {
    std::string table{};
    std::string sink{};                       ///< the name of the sink in its job; the table's by default
    std::string view{};                       ///< whose rows they are; the job's name by default
    std::uint64_t build = 0;                  ///< rows of a greater build replace those of a lesser one, and stay
    std::vector<std::string> key_columns{};   ///< names for all columns of the key; else its members' names
    std::vector<std::string> value_columns{};
    std::string window_columns = "window";    ///< window_start and window_end; empty: none, for what has no windows
    duration busy_timeout{5'000'000'000};     ///< how long to wait for other connections
    std::size_t buffer_bytes = std::size_t{1} << 20U;  ///< rows that wait in memory before they are staged
};

/// The event id of a row that was appended, and of an upserted one its version.
struct sqlite_row_id {
    std::uint64_t epoch = 0;  ///< the number of the snapshot with which it was committed
    std::uint64_t index = 0;  ///< of the row in that
    bool removed = false;     ///< the row of this key and window was taken away
};

namespace detail {
template <class Row>
struct sqlite_row_parts {
    using key = unkeyed;
    using value = Row;
    static constexpr bool windows = false;
};
template <class Key, class Value>
struct sqlite_row_parts<pane<Key, Value>> {
    using key = Key;
    using value = Value;
    static constexpr bool windows = true;
};
template <class Key>
consteval bool find_sqlite_key() {
    constexpr auto shape = shape_of<Key>;
    if constexpr (shape == value_shape::optional) return false;
    else if constexpr (has_parts<Key>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (find_sqlite_key<part_t<I, Key>>() && ...);
        }(std::make_index_sequence<part_count<Key>>{});
    else return true;
}

/// The columns of a part of the row, called as the options say.
template <class T>
std::vector<sqlite_column> sqlite_columns_of(
    sqlite_database const& in, char const* what, std::vector<std::string> const& names) {
    std::vector<sqlite_column> out;
    add_sqlite_columns<T>(out, what);
    if (names.empty()) return out;
    if (names.size() != out.size()) {
        in.refuse(error_code::invalid_argument,
            "sqlite_sink: ." + std::string{what} + "_columns names " + std::to_string(names.size())
                + " columns, and the " + what + " has " + std::to_string(out.size()));
    }
    for (std::size_t i = 0; i < out.size(); ++i) out[i].name = names[i];
    return out;
}
template <class Row, class Mode>
sqlite_table sqlite_table_of(sqlite_database const& in, sqlite_options const& how) {
    using parts = sqlite_row_parts<Row>;
    constexpr bool append = std::is_same_v<Mode, sqlite_append>;
    auto keys = sqlite_columns_of<typename parts::key>(in, "key", how.key_columns);
    for (auto& each : keys) each.nullable = append && each.nullable;  // a NaN is refused by NOT NULL
    if (parts::windows && !how.window_columns.empty()) add_sqlite_columns<time_window>(keys, how.window_columns);
    return {in, how.table, append, parts::windows, std::move(keys),
        sqlite_columns_of<typename parts::value>(in, "value", how.value_columns)};
}
/// The fields that tell a row apart.
template <class Key>
void put_sqlite_key(sqlite_fields& to, sqlite_database const& in, sqlite_options const& how, Key const& key,
    time_window const& window) {
    to.put_value(key);
    if (!how.window_columns.empty()) return to.put_value(window);
    if (window.start.is_infinite() && window.end.is_infinite()) return;
    in.refuse(error_code::invalid_argument,
        "sqlite_sink: rows of windows need their columns: write sqlite_sink<pane<Key, Value>> and leave "
        ".window_columns as it is");
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
