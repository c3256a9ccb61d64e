// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/csv_writer.hpp>
#include <string>
struct money {
    int cents;
};
void f(std::string& out, money m) { driftless::csv_writer{out}.write_row(m.cents); }
