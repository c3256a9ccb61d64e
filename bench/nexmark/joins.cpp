// SPDX-License-Identifier: BSL-1.0
#include "../../examples/nexmark/joins.hpp"

#include "answer.hpp"

namespace bench::house {
namespace {
constexpr query all[] = {
    {"q3", [](setting const& how) { return answer(how, nexmark::q3, persons_and_auctions); }},
    {"q8", [](setting const& how) { return answer(how, nexmark::q8, persons_and_auctions); }},
    {"q13", [](setting const& how) { return answer(how, nexmark::q13(10'000), bids_and_side_input); }},
    {"q20", [](setting const& how) { return answer(how, nexmark::q20, bids_and_auctions); }},
    {"q101", [](setting const& how) { return answer(how, nexmark::q101, bids_and_auctions); }},
    {"q102", [](setting const& how) { return answer(how, nexmark::q102, bids_and_auctions); }},
    {"q103", [](setting const& how) { return answer(how, nexmark::q103, bids_and_auctions); }},
    {"q104", [](setting const& how) { return answer(how, nexmark::q104, bids_and_auctions); }},
    {"q105", [](setting const& how) { return answer(how, nexmark::q105, bids_and_auctions); }},
};
}  // namespace

std::span<query const> joins() { return all; }
}  // namespace bench::house
