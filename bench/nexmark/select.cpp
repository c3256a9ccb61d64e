// SPDX-License-Identifier: BSL-1.0
#include "../../examples/nexmark/select.hpp"

#include "answer.hpp"

#include <tuple>

namespace nexmark {
static auto parts_of(priced_bid const& b) {
    return std::tuple{b.auction, b.bidder, b.price, dl::text{b.time_type}, b.date_time, b.letters_c};
}
}  // namespace nexmark

namespace bench::house {
namespace {
constexpr query all[] = {
    {"q0", [](setting const& how) { return answer(how, nexmark::q0, the_bids); }},
    {"q1", [](setting const& how) { return answer(how, nexmark::q1, the_bids); }},
    {"q2", [](setting const& how) { return answer(how, nexmark::q2, the_bids); }},
    {"q10", [](setting const& how) { return answer(how, nexmark::q10, the_bids); }},
    {"q14", [](setting const& how) { return answer(how, nexmark::q14, the_bids); }},
    {"q21", [](setting const& how) { return answer(how, nexmark::q21, the_bids); }},
    {"q22", [](setting const& how) { return answer(how, nexmark::q22, the_bids); }},
};
}  // namespace

std::span<query const> selections() { return all; }
}  // namespace bench::house
