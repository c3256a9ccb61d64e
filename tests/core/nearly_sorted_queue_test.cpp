// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/detail/nearly_sorted_queue.hpp>

#include <driftless/core/detail/binary_heap.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <utility>

using namespace driftless::detail;

namespace {
struct numbered {
    std::int64_t at;
    std::uint64_t nth;

    friend bool operator<(numbered const& a, numbered const& b) noexcept {
        return a.at != b.at ? a.at < b.at : a.nth < b.nth;
    }
    friend bool operator==(numbered const&, numbered const&) = default;
};
struct before {
    bool operator()(numbered const& a, numbered const& b) const noexcept { return a < b; }
};

/// Pushes and pops at random, and compares the top with that of a set; `spread` is how far out of order they come.
template <class Queue>
bool like_a_set(std::uint32_t seed, std::int64_t spread, std::size_t most) {
    std::mt19937 random{seed};
    Queue queue;
    std::set<numbered> model;
    bool right = true;
    std::uint64_t nth = 0;
    for (int i = 0; i < 20'000; ++i) {
        if (model.empty() || (model.size() < most && random() % 5 < 3)) {
            numbered const made{i - static_cast<std::int64_t>(random()) % (spread + 1), nth++};
            queue.push(made);
            model.insert(made);
        } else {
            right = right && queue.top() == *model.begin();
            queue.pop();
            model.erase(model.begin());
        }
        right = right && queue.size() == model.size() && queue.empty() == model.empty();
    }
    for (; !model.empty(); model.erase(model.begin())) {
        right = right && queue.top() == *model.begin();
        queue.pop();
    }
    return right && queue.empty();
}
}  // namespace

TEST_CASE("a nearly sorted queue does what a set does, in order and out of it", "[core][nearly_sorted_queue][oracle]") {
    std::uint32_t seed = 1;
    for (std::int64_t const spread : {0, 1, 10, 1000, 100'000}) {
        for (std::size_t const most : {std::size_t{1}, std::size_t{3}, std::size_t{50}, std::size_t{4000}}) {
            INFO("spread " << spread << ", at most " << most);
            CHECK(like_a_set<nearly_sorted_queue<numbered>>(seed++, spread, most));
        }
    }
}

TEST_CASE("a binary heap does what a set does", "[core][binary_heap][oracle]") {
    std::uint32_t seed = 1;
    for (int const most : {1, 2, 3, 50, 4000}) {
        INFO("at most " << most);
        CHECK(like_a_set<binary_heap<numbered, before>>(seed++, 1000, static_cast<std::size_t>(most)));
    }
}

TEST_CASE("a nearly sorted queue that is cleared is empty", "[core][nearly_sorted_queue]") {
    nearly_sorted_queue<numbered> queue;
    for (std::int64_t const at : {1, 3, 2}) queue.push({at, 0});
    CHECK(queue.size() == 3);
    queue.clear();
    CHECK(queue.empty());
    queue.push({0, 0});
    CHECK(queue.top() == numbered{0, 0});
}
