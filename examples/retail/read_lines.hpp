// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_RETAIL_READ_LINES_HPP
#define EXAMPLES_RETAIL_READ_LINES_HPP

#include "retail.hpp"

#include <driftless/io/csv.hpp>

#include <string>

namespace retail {

/// What a file may leave out: most tables do without.
inline dl::csv_defaults<line> const often_missing{dl::csv_default{&line::customer_id, 0},
    dl::csv_default{&line::seq, 0}, dl::csv_default{&line::stock_code, ""}, dl::csv_default{&line::description, ""}};

/// Appends the lines of a CSV file to a log.
template <class Log>
void read_lines(std::string const& path, Log& into) {
    dl::csv_reader<line> lines{dl::csv_input{path}, {.defaults = often_missing}};
    for (line one; lines.next(one);) into.append(one);
}
}  // namespace retail
#endif
