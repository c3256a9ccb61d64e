// SPDX-License-Identifier: BSL-1.0
#include <driftless/adapt/sqlite_view.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>

struct customer {
    std::string name;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(customer, name, cents);

void read() { driftless::sqlite_view_reader<std::int64_t, customer> in{"shop.db", {.table = "customers"}}; }
