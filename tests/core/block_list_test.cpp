// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/detail/block_list.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

using driftless::detail::block_list;

TEST_CASE("a list of blocks is read in the order in which it was filled, once", "[core][block_list]") {
    struct wide {
        std::unique_ptr<std::size_t> n;
        char rest[1000] = {};
    };
    block_list<wide> list;
    for (std::size_t const count :
        {std::size_t{0}, std::size_t{1}, std::size_t{32}, std::size_t{33}, std::size_t{1000}}) {
        CHECK(list.front() == nullptr);
        for (std::size_t i = 0; i < count; ++i) list.push_back({std::make_unique<std::size_t>(i)});
        std::size_t seen = 0;
        bool right = true;
        for (auto* next = list.front(); next != nullptr; next = list.front()) {
            right = right && *next->n == seen++;
            list.pop_front();
        }
        CHECK(right);
        CHECK(seen == count);
        list.clear();
    }
}

TEST_CASE("a list of blocks can be cleared before it was read to its end, and elements stay where they are",
    "[core][block_list]") {
    block_list<std::string> list;
    auto const* const first = &list.push_back("first");
    for (int i = 0; i < 10'000; ++i) list.push_back(std::to_string(i));
    CHECK(list.front() == first);
    list.pop_front();
    CHECK(*list.front() == "0");
    list.clear();
    CHECK(list.front() == nullptr);
    list.push_back("again");
    CHECK(*list.front() == "again");
}
