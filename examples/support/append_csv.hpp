// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_APPEND_CSV_HPP
#define EXAMPLES_SUPPORT_APPEND_CSV_HPP

#include "options.hpp"

#include <driftless/io/csv.hpp>
#include <driftless/io/progress.hpp>

#include <iostream>
#include <optional>
#include <utility>

namespace support {
namespace dl = driftless;

/// Appends the rows of the CSV file that was asked for to a log. Malformed lines are reported on standard error.
template <class T, class Log>
void append_csv(options const& asked, dl::csv_options<T> how, Log& log) {
    std::optional<dl::progress<>> bar;
    how.strict = asked.strict;
    how.on_problem = [&](dl::csv_problem const& problem) {
        if (bar) bar->erase();
        std::cerr << problem.sentence() << '\n';
    };
    auto from = asked.input == "-" ? dl::csv_input::standard_input() : dl::csv_input{asked.input};
    dl::csv_reader<T> lines{std::move(from), std::move(how)};
    bar.emplace("reading " + asked.input, lines.bytes_total());
    for (T line; lines.next(line);) {
        log.append(line);
        bar->update(lines.bytes_read());
    }
    bar.reset();
    if (lines.problems() > 0) {
        std::cerr << asked.program << ": " << lines.problems() << " malformed lines were left out\n";
    }
}
}  // namespace support
#endif
