// SPDX-License-Identifier: BSL-1.0
#include <boost/hana/adapt_struct.hpp>

#include <driftless/view/view.hpp>

struct totals {
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(totals, cents);
int main() { driftless::view<std::int64_t, totals> out; }
