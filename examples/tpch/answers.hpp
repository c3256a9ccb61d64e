// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_TPCH_ANSWERS_HPP
#define EXAMPLES_TPCH_ANSWERS_HPP

#include "../support/answer.hpp"
#include "database.hpp"

#include <span>
#include <string_view>

namespace tpch {
using support::answer;

/// Runs a query over tables.
class runner : public support::query_runner {
    history const* of_;

public:
    runner(history const& of, support::mode how, int threads)
        : query_runner(how, threads,
              of.regions.end_offset(0) + of.nations.end_offset(0) + of.suppliers.end_offset(0)
                  + of.customers.end_offset(0) + of.parts.end_offset(0) + of.orders.end_offset(0)
                  + of.lineitems.end_offset(0)),
          of_(&of) {}

    auto regions() const { return dl::bind("region"_name, of_->regions); }
    auto nations() const { return dl::bind("nation"_name, of_->nations); }
    auto suppliers() const { return dl::bind("supplier"_name, of_->suppliers); }
    auto customers() const { return dl::bind("customer"_name, of_->customers); }
    auto parts() const { return dl::bind("part"_name, of_->parts); }
    auto orders() const { return dl::bind("orders"_name, of_->orders); }
    auto lineitems() const { return dl::bind("lineitem"_name, of_->lineitems); }
};

struct query {
    std::string_view name;
    answer (*run)(runner const&);
    answer (*by_loops)(database const&);  // what it should be
};
std::span<query const> totals();  // totals.cpp, and so on
std::span<query const> joins();

/// The same answers by plain loops over the rows (loops.cpp).
namespace loops {
answer q1(database const& of);
answer q3(database const& of);
answer q4(database const& of);
answer q5(database const& of);
answer q6(database const& of);
answer q10(database const& of);
answer q12(database const& of);
answer q13(database const& of);
answer q14(database const& of);
}  // namespace loops
}  // namespace tpch
#endif
