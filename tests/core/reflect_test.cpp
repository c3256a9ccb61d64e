// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/reflect.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <support/catch.hpp>

#include <string>
#include <type_traits>

namespace {
struct order {
    int sku = 1;
    std::string note = "n";
    double weight = 2.5;
};
struct plain {
    int x;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(order, sku, note);  // weight is left out

using namespace driftless;

static_assert(reflected<order> && !reflected<plain> && !reflected<int>);
static_assert(driftless::detail::member_count<order> == 2);
static_assert(std::is_same_v<driftless::detail::member_t<1, order>, std::string>);
static_assert(driftless::detail::member_name<1, order>() == "note");

TEST_CASE("members are visited in order, by reference", "[core][reflect]") {
    order one;
    driftless::detail::member<0>(one) = 9;
    CHECK(one.sku == 9);
    std::string names;
    driftless::detail::for_each_member_index<order>([&]<std::size_t I>() {
        names += std::string{driftless::detail::member_name<I, order>()} + " ";
    });
    CHECK(names == "sku note ");
    CHECK(driftless::detail::apply_members(one, [](int sku, std::string const& note) {
        return note + std::to_string(sku);
    }) == "n9");
}

TEST_CASE("a member pointer is found among the members, or not", "[core][reflect]") {
    CHECK(driftless::detail::index_of_member<&order::sku>() == 0);
    CHECK(driftless::detail::index_of_member<&order::note>() == 1);
    CHECK(driftless::detail::index_of_member<&order::weight>() == 2);  // not a reflected one
}
