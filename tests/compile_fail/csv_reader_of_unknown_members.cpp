// SPDX-License-Identifier: BSL-1.0
// expect: driftless: csv_reader<T> needs the members of T
#include <driftless/io/csv.hpp>
struct order {
    int sku;
};
template class driftless::csv_reader<order>;
