// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/fold.hpp>

#include <driftless/agg/pack.hpp>
#include <driftless/testing/check_laws.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace driftless;

namespace {
template <class T, class A>
auto run(A function, std::vector<T> const& records) {
    detail::aggregate_pack<T, A> const pack{function};
    auto state = pack.init();
    for (auto const& record : records) pack.add(state, record);
    return pack.lower(state);
}
auto digits = [](std::int64_t so_far, int digit) { return so_far * 10 + digit; };
auto append = [](std::string& into, text piece) { into.append(piece.data(), piece.size()); };
struct changes_a_copy {
    void operator()(int so_far, int digit) const;
};

using digits_fold = decltype(fold(std::int64_t{0}, digits));
static_assert(aggregate_function<digits_fold, int> && !combinable_function<digits_fold, int>);
static_assert(detail::applied_function<digits_fold, int>::combines == combine_class::sequential);
static_assert(!detail::applied_function<digits_fold, int>::invertible);
static_assert(!aggregate_function<digits_fold, std::string>);
static_assert(!aggregate_function<fold_fn<int, changes_a_copy>, int>);  // the change would be lost

struct counts_copies {
    int copies = 0;
    counts_copies() = default;
    counts_copies(counts_copies const& other) : copies(other.copies + 1) {}
    counts_copies(counts_copies&& other) noexcept : copies(other.copies) {}
    counts_copies& operator=(counts_copies const& other) { return copies = other.copies + 1, *this; }
    counts_copies& operator=(counts_copies&& other) noexcept { return copies = other.copies, *this; }
};
}  // namespace

TEST_CASE("fold takes the records in order, from the initial state", "[agg][fold]") {
    CHECK(run(fold(std::int64_t{0}, digits), std::vector{1, 2, 3}) == 123);
    CHECK(run(fold(std::int64_t{9}, digits), std::vector<int>{}) == 9);
}

TEST_CASE("fold changes its state in place, if the function asks for it by reference", "[agg][fold]") {
    CHECK(run(fold(std::string{"<"}, append), std::vector<text>{"ab", "", "c"}) == "<abc");
    auto const generic = [](auto& into, auto const& record) { into += record; };
    CHECK(run(fold(1, generic), std::vector{2, 3}) == 6);
}

TEST_CASE("fold moves the state into a function that cannot throw", "[agg][fold]") {
    auto const pass_on = [](counts_copies state, int) noexcept { return state; };
    detail::aggregate_pack<int, decltype(fold(counts_copies{}, pass_on))> const pack{fold(counts_copies{}, pass_on)};
    auto state = pack.init();
    int const before = detail::leaf<0>(state).copies;
    for (int i = 0; i < 10; ++i) pack.add(state, i);
    CHECK(detail::leaf<0>(state).copies == before);
}

TEST_CASE("fold keeps its state when the function throws", "[agg][fold]") {
    auto const refuse_seven = [](std::string state, int n) {
        if (n == 7) throw std::runtime_error("seven");
        return state + std::to_string(n);
    };
    detail::aggregate_pack<int, decltype(fold(std::string{}, refuse_seven))> const pack{
        fold(std::string{}, refuse_seven)};
    auto state = pack.init();
    pack.add(state, 1);
    CHECK_THROWS_AS(pack.add(state, 7), std::runtime_error);
    pack.add(state, 2);
    CHECK(detail::leaf<0>(state) == "12");
}

TEST_CASE("fold owns its strings: the source may die after the push", "[agg][fold]") {
    detail::aggregate_pack<text, decltype(fold(std::string{}, append))> const pack{fold(std::string{}, append)};
    auto state = pack.init();
    {
        std::string const dies = "long enough to be on the heap, surely";
        pack.add(state, dies);
    }
    CHECK(pack.lower(state) == "long enough to be on the heap, surely");
    CHECK(encode(state) ==
        "\x25"
        "long enough to be on the heap, surely");
}

TEST_CASE("fold is checked for what it promises, which is little", "[agg][fold]") {
    CHECK(testing::check_laws(fold(std::int64_t{0}, digits), std::vector{1, 2, 3}).sentence.empty());
    int calls = 0;
    auto const impure = [&calls](int so_far, int) { return so_far + ++calls; };
    auto const report = testing::check_laws(fold(0, impure), std::vector{1, 2, 3});
    CHECK_FALSE(report.ok);
    CHECK(report.sentence == "driftless: fold: the same records give another state the second time: add must be pure");
}
