// SPDX-License-Identifier: BSL-1.0
#include <driftless/file/zeroed_pages.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

#include <sys/mman.h>

namespace {
using namespace driftless::detail;
using way = page_walk::way;

constexpr std::size_t page = 4096;
constexpr std::size_t size = (std::size_t{10} << 20) + 100;  // two steps and a half, and a part of a page

struct pages {
    char* at;
    explicit pages(page_arrival when) : at(static_cast<char*>(take_zeroed_pages(size, when))) {}
    pages(pages const&) = delete;
    pages& operator=(pages const&) = delete;
    ~pages() { give_back_pages(at, size); }
    /// How many of the first `bytes` are in memory.
    [[nodiscard]] std::size_t present(std::size_t bytes) const {
        std::vector<unsigned char> there((bytes + page - 1) / page);
        REQUIRE(::mincore(at, bytes, there.data()) == 0);
        auto const counted = std::ranges::count_if(there, [](unsigned char each) { return (each & 1U) != 0; });
        return static_cast<std::size_t>(counted);
    }
    [[nodiscard]] bool all_zero() const {
        return std::all_of(at, at + size, [](char each) { return each == 0; });
    }
};
constexpr std::size_t all = (size + page - 1) / page;
}  // namespace

TEST_CASE("pages come at once or when somebody reaches them, and hold zeros", "[file][zeroed_pages]") {
    pages const now{page_arrival::at_once};
    CHECK(now.present(size) == all);
    CHECK(now.all_zero());

    pages const later{page_arrival::when_reached};
    CHECK(later.present(size) == 0);
    CHECK(later.all_zero());
}

TEST_CASE("who walks through pages has those of the next step", "[file][zeroed_pages]") {
    pages const some{page_arrival::when_reached};
    page_walk walk{some.at, size, way::bring_ahead};
    CHECK(some.present(size) == 0);
    walk.reach(some.at);
    auto const step = some.present(size);
    if (step == 0) {
        WARN("skipped: this kernel does not bring pages in when it is asked to");
        return;
    }
    CHECK(step < all);
    CHECK(some.present(step * page) == step);  // the first ones
    walk.reach(some.at + step * page - 1);
    CHECK(some.present(size) == step);
    walk.reach(some.at + step * page);
    CHECK(some.present(size) == 2 * step);
    walk.finish();
    CHECK(some.present(size) == all);
}

TEST_CASE("who walks through pages leaves none behind", "[file][zeroed_pages]") {
    pages const some{page_arrival::at_once};
    std::fill_n(some.at, size, 'x');
    page_walk walk{some.at, size, way::drop_behind};
    std::size_t most = 0;
    for (std::size_t i = 0; i < size; i += 24) {
        walk.reach(some.at + i);
        REQUIRE(some.at[i] == 'x');
        if (i % (24 * 4096) == 0) most = std::max(most, some.present(i));
    }
    CHECK(most * page <= std::size_t{5} << 20);
    CHECK(some.at[0] == 0);  // it can be used again
    some.at[0] = 'y';
    CHECK(some.at[0] == 'y');
    CHECK(some.at[size - 1] == 'x');
}

TEST_CASE("a walk through no pages does nothing", "[file][zeroed_pages]") {
    char here = 'x';
    for (auto const to : {way::bring_ahead, way::drop_behind}) {
        page_walk walk{&here, 0, to};
        walk.reach(&here);
        walk.reach(&here + 1);
        walk.finish();
    }
    CHECK(here == 'x');
}
