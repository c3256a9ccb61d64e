// SPDX-License-Identifier: BSL-1.0
#include <driftless/adapt/range_v3.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <range/v3/view/filter.hpp>
#include <range/v3/view/generate_n.hpp>
#include <range/v3/view/transform.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <ranges>
#include <vector>

using namespace driftless;

namespace range_v3_test {  // GCC 12 warns of reflected types without a name for the linker
struct bought {
    int shop;
    std::int64_t cents;
};
}  // namespace range_v3_test
BOOST_HANA_ADAPT_STRUCT(range_v3_test::bought, shop, cents);
using range_v3_test::bought;

namespace {
constexpr auto by_shop =
    from<bought>() | key_by<&bought::shop>() | aggregate(sum<&bought::cents>(), max_keys{100});
/// What each shop has taken.
auto totals(auto const& results) {
    std::map<int, std::int64_t> out;
    for (auto const& row : results) out[row.key] = row.value;
    return out;
}
}  // namespace

TEST_CASE("a view is read once, when it is given: each of its functions is called once per element",
    "[adapt][range_v3]") {
    int calls = 0;
    std::vector<std::int64_t> const cents{5, -1, 7, 8};
    auto view = cents | ranges::views::filter([](std::int64_t n) { return n > 0; })
        | ranges::views::transform([&](std::int64_t n) {
              ++calls;
              return bought{static_cast<int>(n % 2), n};
          });
    auto const records = from_range(view);
    CHECK(calls == 3);
    CHECK(totals(run(batch{}, by_shop, records)) == std::map<int, std::int64_t>{{0, 8}, {1, 12}});
    CHECK(totals(run(stream{.until = drained}, by_shop, records)) == std::map<int, std::int64_t>{{0, 8}, {1, 12}});
    CHECK(calls == 3);
}

TEST_CASE("ranges that can be read only once, lists and standard views are inputs", "[adapt][range_v3]") {
    std::int64_t next = 0;
    auto once = ranges::views::generate_n([&] { return bought{1, ++next}; }, 4);
    CHECK(totals(run(batch{}, by_shop, from_range(once))) == std::map<int, std::int64_t>{{1, 10}});
    std::list<bought> const linked{{3, 4}, {3, 5}};
    CHECK(totals(run(batch{}, by_shop, from_range(linked))) == std::map<int, std::int64_t>{{3, 9}});
    auto numbers = std::views::iota(0, 5) | std::views::transform([](int n) { return bought{n % 2, n}; });
    CHECK(totals(run(batch{}, by_shop, from_range(numbers))) == std::map<int, std::int64_t>{{0, 6}, {1, 4}});
    CHECK(from_range(std::vector<bought>{}).empty());
}
