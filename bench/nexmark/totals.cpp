// SPDX-License-Identifier: BSL-1.0
#include "../../examples/nexmark/totals.hpp"

#include "answer.hpp"

namespace bench::house {
namespace {
constexpr query all[] = {
    {"q11", [](setting const& how) { return answer(how, nexmark::q11, the_bids); }},
    {"q12", [](setting const& how) { return answer(how, nexmark::q12, the_bids); }},
    {"q15", [](setting const& how) { return answer(how, nexmark::q15, the_bids); }},
    {"q16", [](setting const& how) { return answer(how, nexmark::q16, the_bids); }},
    {"q17", [](setting const& how) { return answer(how, nexmark::q17, the_bids); }},
};
}  // namespace

std::span<query const> totals() { return all; }
}  // namespace bench::house
