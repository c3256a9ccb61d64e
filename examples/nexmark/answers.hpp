// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_ANSWERS_HPP
#define EXAMPLES_NEXMARK_ANSWERS_HPP

#include "../support/answer.hpp"
#include "nexmark.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nexmark {
using support::answer;
using support::average;
using support::decimal;
using support::quotient;

/// What has happened at the auction house.
struct history {
    dl::memory_log<person> persons;
    dl::memory_log<auction> auctions;
    dl::memory_log<bid> bids;
    dl::memory_log<side_row> side_input;
};

using support::mode;

/// Runs a query over it.
class runner : public support::query_runner {
    history const* of_;

public:
    runner(history const& of, mode how, int threads)
        : query_runner(how, threads, of.bids.end_offset(0) + of.auctions.end_offset(0) + of.persons.end_offset(0)),
          of_(&of) {}

    auto bids() const { return dl::bind("bid"_name, of_->bids); }
    auto auctions() const { return dl::bind("auction"_name, of_->auctions); }
    auto persons() const { return dl::bind("person"_name, of_->persons); }
    auto side_input() const { return dl::bind("side_input"_name, of_->side_input); }
    std::int64_t side_rows() const { return static_cast<std::int64_t>(of_->side_input.end_offset(0)); }
};

struct query {
    std::string_view name;
    answer (*run)(runner const&);
};
std::span<query const> selections();  // select.cpp, and so on
std::span<query const> totals();
std::span<query const> bests();
std::span<query const> joins();
std::span<query const> winners();

/// 2015-07-15.
std::string date(dl::event_time at);
/// 14:05, of the minutes since midnight.
std::string clock(std::int64_t minutes);
}  // namespace nexmark
#endif
