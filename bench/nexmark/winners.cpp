// SPDX-License-Identifier: BSL-1.0
#include "../../examples/nexmark/winners.hpp"

#include "answer.hpp"

namespace bench::house {
namespace {
constexpr query all[] = {
    {"q4", [](setting const& how) { return answer(how, nexmark::q4, bids_and_auctions); }},
    {"q6", [](setting const& how) { return answer(how, nexmark::q6, bids_and_auctions); }},
    {"q9", [](setting const& how) { return answer(how, nexmark::q9, bids_and_auctions); }},
    {"q106", [](setting const& how) { return answer(how, nexmark::q106, bids_and_auctions); }},
};
}  // namespace

std::span<query const> winners() { return all; }
}  // namespace bench::house
