// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/pack.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>

using namespace driftless;

namespace {
struct sale {
    std::int64_t cents;
    double weight;
    std::int32_t pieces;
};
struct row {
    std::int64_t sales;
    std::int64_t cents;
};
struct row_with_one_too_many {
    std::int64_t sales;
    std::int64_t cents;
    std::int64_t more;
};
struct row_too_narrow {
    std::int32_t sales;
    std::int64_t cents;
};

/// By the public door, and with the least it asks for.
struct longest_name {
    auto lift(std::string const& name) const { return name; }
    void combine(std::string& into, std::string const& later) const {
        if (later.size() > into.size()) into = later;
    }
    auto lower(std::string const& name) const { return name.size(); }
};
/// By the sequential door.
struct last_digit_of_all {
    auto init(type_of<int>) const { return 0; }
    void add(int& into, int record) const { into = (into * 7 + record) % 10; }
    auto lower(int of) const { return of; }
};

using count_and_sum = detail::aggregate_pack<sale, count_fn, decltype(sum<&sale::cents>())>;
using weights = detail::aggregate_pack<sale, count_fn, decltype(sum<&sale::weight>())>;

static_assert(std::is_trivially_copyable_v<count_and_sum::state>);
static_assert(std::is_aggregate_v<count_and_sum::state>);
static_assert(sizeof(weights::state) == 16);
static_assert(count_and_sum::invertible && count_and_sum::combines == combine_class::exact);
static_assert(!weights::invertible && weights::combines == combine_class::sequential);
static_assert(weights::combinable);  // it may be combined, it promises nothing about the bytes
static_assert(count_and_sum::kinds[0] == "count" && count_and_sum::kinds[1] == "sum");
static_assert(std::is_same_v<count_and_sum::result, std::tuple<std::int64_t, std::int64_t>>);
static_assert(std::is_same_v<detail::aggregate_pack<sale, count_fn>::result, std::int64_t>);

static_assert(detail::row_of<row, std::int64_t, std::int64_t>);
static_assert(!detail::row_of<row_with_one_too_many, std::int64_t, std::int64_t>);
static_assert(!detail::row_of<row_too_narrow, std::int64_t, std::int64_t>);
static_assert(!detail::row_of<row, std::int64_t>);
static_assert(!detail::row_of<row, std::int64_t, std::string>);

static_assert(aggregate_function<longest_name, std::string>);
static_assert(!aggregate_function<longest_name, int>);
static_assert(aggregate_function<last_digit_of_all, int> && sequential_function<last_digit_of_all, int>);
static_assert(!aggregate_function<last_digit_of_all, std::string>);

template <class Pack>
concept removes = requires(Pack const& pack, typename Pack::state& state, typename Pack::record_type const& record) {
    pack.remove(state, record);
};
template <class Pack>
concept can_combine = requires(Pack const& pack, typename Pack::state& state) { pack.combine(state, state); };
static_assert(removes<count_and_sum> && !removes<weights>);
static_assert(can_combine<weights> && !can_combine<detail::aggregate_pack<int, count_fn, last_digit_of_all>>);

static_assert(encodable<count_and_sum::state>);
struct unsaved {
    void* pointer = nullptr;
};
struct keeps_unsaved {
    auto init(type_of<int>) const { return unsaved{}; }
    void add(unsaved&, int) const {}
    auto lower(unsaved const&) const { return 0; }
};
static_assert(!encodable<detail::aggregate_pack<int, count_fn, keeps_unsaved>::state>);
}  // namespace

TEST_CASE("a pack adds each record to every aggregate, and removes it from each", "[agg][pack]") {
    count_and_sum const pack{count(), sum<&sale::cents>()};
    auto state = pack.init();
    CHECK(pack.lower(state) == std::tuple{std::int64_t{0}, std::int64_t{0}});
    pack.add(state, {250, 0, 1});
    pack.add(state, {-50, 0, 1});
    CHECK(pack.lower(state) == std::tuple{std::int64_t{2}, std::int64_t{200}});
    pack.remove(state, {250, 0, 1});
    CHECK(pack.lower(state) == std::tuple{std::int64_t{1}, std::int64_t{-50}});
}

TEST_CASE("a pack is a constant expression", "[agg][pack]") {
    constexpr auto result = [] {
        count_and_sum const pack{count(), sum<&sale::cents>()};
        auto state = pack.init();
        auto part = pack.init();
        pack.add(state, {1, 0, 0});
        pack.add(part, {2, 0, 0});
        pack.combine(state, part);
        pack.combine(state, part);
        pack.inverse(state, part);
        return pack.lower(state);
    }();
    STATIC_REQUIRE(result == std::tuple{std::int64_t{2}, std::int64_t{3}});
}

TEST_CASE("a pack fills a struct in the order of its members", "[agg][pack]") {
    detail::aggregate_pack_into<row, sale, count_fn, decltype(sum<&sale::cents>())> const pack{count(),
        sum<&sale::cents>()};
    auto state = pack.init();
    pack.add(state, {250, 0, 1});
    row const r = pack.lower(state);
    CHECK(r.sales == 1);
    CHECK(r.cents == 250);
}

TEST_CASE("an aggregate of lift, combine and lower alone works", "[agg][pack]") {
    detail::aggregate_pack<std::string, longest_name> const pack{longest_name{}};
    CHECK(pack.combines == combine_class::sequential);  // nothing was promised
    CHECK(pack.kinds[0] == "aggregate");
    auto state = pack.init();
    auto other = pack.init();
    pack.add(state, "ab");
    pack.combine(state, other);  // a part without records changes nothing
    CHECK(pack.lower(state) == 2);
    pack.add(other, "abcd");
    pack.combine(state, other);
    CHECK(pack.lower(state) == 4);
    auto fresh = pack.init();
    pack.combine(fresh, state);
    CHECK(pack.lower(fresh) == 4);
}

TEST_CASE("an aggregate of init, add and lower alone takes one record after the other", "[agg][pack]") {
    detail::aggregate_pack<int, last_digit_of_all, count_fn> const pack{last_digit_of_all{}, count()};
    auto state = pack.init();
    pack.add(state, 3);
    pack.add(state, 4);
    CHECK(pack.lower(state) == std::tuple{5, std::int64_t{2}});
}

TEST_CASE("the states of a pack are saved side by side, and an absent one as a flag", "[agg][pack]") {
    detail::aggregate_pack<std::string, count_fn, longest_name> const pack{count(), longest_name{}};
    auto state = pack.init();
    CHECK(encode(state) == std::string(2, '\0'));
    pack.add(state, "abc");
    CHECK(encode(state) ==
        "\x02\x01\x03"
        "abc");
    auto copy = pack.init();
    auto const bytes = encode(state);
    byte_reader reader{bytes};
    pack.load(copy, reader);
    CHECK(reader.at_end());
    CHECK(pack.lower(copy) == std::tuple{std::int64_t{1}, std::size_t{3}});
}
