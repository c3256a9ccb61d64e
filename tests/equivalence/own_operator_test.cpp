// SPDX-License-Identifier: BSL-1.0
// Operators of a user's between a log of several partitions and an exact aggregate: what one does not say of itself, no
// run relies on.
#include <driftless/driftless.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace own_operator_test {  // GCC 12 warns of reflected types without a name for the linker
struct reading {
    int sensor;
    int value;
    event_time at;
};
}  // namespace own_operator_test
BOOST_HANA_ADAPT_STRUCT(own_operator_test::reading, sensor, value, at);
using own_operator_test::reading;

namespace {
template <class Next>
class news_stage : public forwarding<Next> {
    int last_ = -1;

public:
    using forwarding<Next>::forwarding;
    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        if (std::exchange(last_, record.value) != record.value) this->next_.on_record(ctx, record);
    }
    void visit_state(auto&& visit) {
        visit("last", last_);
        forwarding<Next>::visit_state(visit);
    }
};
/// Hands on a record whose value is not that of the one before: it remembers, and does not say so.
struct news : operator_base<news> {
    static constexpr std::string_view kind = "news";
    template <class In>
    static constexpr bool accepts = true;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {}
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const&) const {
        return news_stage<Next>{std::move(next)};
    }
};
/// The same, promised to look at nothing but the record. (It does not keep that promise; nobody runs it.)
struct promised : news {
    static constexpr bool remembers = false;
};

constexpr auto readings = from<reading>() | assign_time<&reading::at>(bounded_disorder{5_s});
template <class P>
constexpr auto counted(P const& behind) {
    return behind | window(tumbling{1_h}) | aggregate(count());
}
using of_news = decltype(counted(readings | news{}));
using of_promised = decltype(counted(readings | promised{}));
static_assert(is_order_free<decltype(counted(readings))> && lambda_additive<decltype(counted(readings))>);
static_assert(!is_order_free<of_news> && !lambda_additive<of_news>);
static_assert(is_order_free<of_promised> && lambda_additive<of_promised>);
static_assert(!is_order_free<decltype(counted(readings | news{}.id("news"_name)))>);
static_assert(is_order_free<decltype(counted(readings | tap([](reading const&) {})))>);
}  // namespace

TEST_CASE("an operator that says nothing of itself gets the records of all partitions in one order, in both modes",
    "[equivalence][threads]") {
    memory_log<reading> log{2};
    for (int i = 0; i < 1'000; ++i) log.append({1, i % 2, event_time{} + i * 1_s}, static_cast<std::uint32_t>(i % 2));
    constexpr auto pipe = counted(readings | news{});
    auto const rows = [](auto const& results) {
        std::vector<std::int64_t> out;
        for (auto const& row : results) out.push_back(row.value);
        return out;
    };
    // The partitions take turns, and so do the values.
    CHECK(rows(run(batch{}, pipe, log)) == std::vector<std::int64_t>{1'000});
    CHECK(rows(run(batch{.threads = 2}, pipe, log)) == std::vector<std::int64_t>{1'000});
    CHECK(rows(run(stream{.until = drained}, pipe, log)) == std::vector<std::int64_t>{1'000});
}
