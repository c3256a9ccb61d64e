// SPDX-License-Identifier: BSL-1.0
// expect: sqlite_view_reader gives values that outlive the row in the database
#include <driftless/adapt/sqlite_view.hpp>
#include <driftless/core/text.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>

struct customer {
    driftless::text name;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(customer, name, cents);

void read() { driftless::sqlite_view_reader<std::int64_t, customer> in{"shop.db", {.table = "customers"}}; }
