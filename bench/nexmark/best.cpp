// SPDX-License-Identifier: BSL-1.0
#include "../../examples/nexmark/best.hpp"

#include "answer.hpp"

namespace bench::house {
namespace {
constexpr query all[] = {
    {"q5", [](setting const& how) { return answer(how, nexmark::q5, the_bids); }},
    {"q7", [](setting const& how) { return answer(how, nexmark::q7, the_bids); }},
    {"q18", [](setting const& how) { return answer(how, nexmark::q18, the_bids); }},
    {"q19", [](setting const& how) { return answer(how, nexmark::q19, the_bids); }},
};
}  // namespace

std::span<query const> bests() { return all; }
}  // namespace bench::house
