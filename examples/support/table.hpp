// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_TABLE_HPP
#define EXAMPLES_SUPPORT_TABLE_HPP

#include <driftless/core/time.hpp>
#include <driftless/io/csv_writer.hpp>
#include <driftless/time/chrono.hpp>

#include <boost/hana/keys.hpp>
#include <boost/hana/members.hpp>
#include <boost/hana/unpack.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace support {

/// Named columns, and rows that can be compared and sorted.
template <class... Fields>
struct table {
    std::array<std::string_view, sizeof...(Fields)> columns;
    std::vector<std::tuple<Fields...>> rows{};
};

/// The names of a reflected struct's members, behind others: the columns of a table.
template <class Struct, class... Names>
constexpr auto columns_of(Names... before) {
    return boost::hana::unpack(boost::hana::keys(Struct{}), [&](auto... names) {
        return std::array<std::string_view, sizeof...(Names) + sizeof...(names)>{before..., names.c_str()...};
    });
}
/// Its members behind other fields: a row.
template <class Struct, class... Fields>
auto row_of(Struct const& values, Fields... before) {
    return boost::hana::unpack(boost::hana::members(values),
        [&](auto const&... each) { return std::tuple{std::move(before)..., each...}; });
}

/// The day of a time, in UTC: 2010-12-01.
inline std::string date(driftless::event_time at) {
    std::chrono::year_month_day const day{std::chrono::floor<std::chrono::days>(driftless::to_chrono(at))};
    char out[32];
    std::snprintf(out, sizeof out, "%04d-%02u-%02u", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
        static_cast<unsigned>(day.day()));
    return out;
}

template <class... Fields>
void write_csv(table<Fields...> const& from, std::FILE* to) {
    driftless::csv_writer out{to};
    auto const write = [&](auto const&... fields) { out.write_row(fields...); };
    std::apply(write, from.columns);
    for (auto const& row : from.rows) std::apply(write, row);
    out.flush();
}

/// A row as one line of CSV.
template <class... Fields>
std::string line_of(std::tuple<Fields...> const& row) {
    std::string out;
    std::apply([&](auto const&... fields) { driftless::csv_writer{out}.write_row(fields...); }, row);
    return out;
}

template <class Field>
inline constexpr bool is_numeric = std::is_arithmetic_v<Field>;
template <class Number>
inline constexpr bool is_numeric<std::optional<Number>> = is_numeric<Number>;

/// The table for people: columns of one width, numbers to the right; the first 60 rows of a long one.
template <class... Fields>
std::string aligned(table<Fields...> const& from) {
    using cells = std::array<std::string, sizeof...(Fields)>;
    constexpr bool numeric[] = {is_numeric<Fields>...};
    auto const shown = []<class Field>(Field const& field) {
        if constexpr (std::is_arithmetic_v<Field>) return std::to_string(field);
        else if constexpr (is_numeric<Field>)
            return field ? std::to_string(*field) : std::string{};
        else return std::string{field};
    };
    auto const cells_of = [&](auto const&... fields) { return cells{shown(fields)...}; };
    std::vector<cells> lines{std::apply(cells_of, from.columns)};
    constexpr std::size_t most = 60;
    for (auto const& row : from.rows) {
        if (lines.size() <= most) lines.push_back(std::apply(cells_of, row));
    }

    std::array<std::size_t, sizeof...(Fields)> width{};
    for (auto const& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) width[i] = std::max(width[i], line[i].size());
    }
    std::string out;
    for (auto const& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            std::string const space(width[i] - line[i].size(), ' ');
            out += "  " + (numeric[i] ? space + line[i] : line[i] + (i + 1 < line.size() ? space : ""));
        }
        out += '\n';
    }
    if (from.rows.size() > most) out += "  ... and " + std::to_string(from.rows.size() - most) + " more rows\n";
    return out;
}
}  // namespace support
#endif
