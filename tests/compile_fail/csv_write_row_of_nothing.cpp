// SPDX-License-Identifier: BSL-1.0
// expect: driftless: write_row needs at least one field
#include <driftless/io/csv_writer.hpp>
#include <string>
void f(std::string& out) { driftless::csv_writer{out}.write_row(); }
