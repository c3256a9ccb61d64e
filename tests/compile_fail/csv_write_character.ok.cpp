// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/csv_writer.hpp>
#include <string>
void f(std::string& out) { driftless::csv_writer{out}.write_row("a"); }
