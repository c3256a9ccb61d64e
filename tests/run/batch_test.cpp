// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/batch.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/expect.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace batch_test {
struct reading {
    std::int32_t sensor;
    std::int64_t value;
    event_time at;
    event_time stored;
};
}  // namespace batch_test
BOOST_HANA_ADAPT_STRUCT(batch_test::reading, sensor, value, at, stored);
using batch_test::reading;

namespace {
constexpr auto doubled = from<int>() | map([](int n) noexcept { return 2 * n; })
    | aggregate(count(), sum([](int n) noexcept { return n; }));
using totals = std::tuple<std::int64_t, std::int64_t>;

reading nth(std::int64_t i) {
    return {static_cast<std::int32_t>(i % 3), i, event_time{i * 1'000'000'000}, event_time{(5000 - i) * 1'000'000'000}};
}
std::vector<reading> readings(std::int64_t n) {
    std::vector<reading> made;
    for (std::int64_t i = 0; i < n; ++i) made.push_back(nth(i));
    return made;
}
}  // namespace

TEST_CASE("batch reads vectors, spans and arrays; one that is given away is kept", "[run][batch]") {
    std::vector<int> const vector{1, 2, 3};
    std::array<int, 3> const array{1, 2, 3};
    auto const all = [](auto&& rows) {
        REQUIRE(rows.size() == 1);
        CHECK(rows[0].value == totals{3, 12});
        CHECK(rows.report().records == 3);
    };
    all(run(batch{}, doubled, vector));
    all(run(batch{}, doubled, std::span<int const>{vector}));
    all(run(batch{}, doubled, array));
    all(run(batch{}, doubled, std::vector<int>{1, 2, 3}));
}

TEST_CASE("batch over nothing yields nothing", "[run][batch]") {
    auto const none = run(batch{}, doubled, std::vector<int>{});
    CHECK(none.empty());
    CHECK(none.report().records == 0);
    auto const windowed = from<reading>() | assign_time<&reading::at>() | key_by<&reading::sensor>()
        | window(tumbling{10_s}) | aggregate(count());
    memory_log<reading> log{3};
    CHECK(run(batch{.threads = 2}, windowed, log).empty());
    log.append(nth(1), 2);  // the other partitions stay empty
    CHECK(run(batch{.threads = 2}, windowed, log).size() == 1);
}

TEST_CASE("inputs and sinks are found by name in any order, the rest by position", "[run][batch]") {
    auto const p = merge(from<int>("left"_name) | map([](int n) noexcept { return n; }),
                       from<int>("right"_name) | map([](int n) noexcept { return 10 * n; }))
        | expect("positive"_name, [](int n) noexcept { return n > 0; }, divert_to{"bad"_name});
    std::vector<int> const left{1, -2};
    std::vector<int> const right{3, -4};
    std::vector<int> good, bad;
    auto sink = to([&](int n) { good.push_back(n); });
    auto bads = to([&](int n) { bad.push_back(n); });
    auto const check = [&] {
        CHECK(good == std::vector<int>{1, 30});
        CHECK(bad == std::vector<int>{-2, -40});
        good.clear(), bad.clear();
    };
    run(batch{}, p, left, right, sink, bind("bad"_name, bads)), check();
    run(batch{}, p, bind("bad"_name, bads), bind("right"_name, right), sink, bind("left"_name, left)), check();
    run(batch{}, p, bind("left"_name, left), bind("bad"_name, bads), right, sink), check();
    run(batch{}, p, bind("right"_name, right), left, bind("bad"_name, bads), sink), check();
}

namespace {
struct grumble {
    std::int64_t operator()(reading const& r) const {
        if (r.value % 10 == 3) throw std::runtime_error{"three again"};
        return r.value;
    }
};
auto const grumbling = from<reading>() | assign_time<&reading::at>() | key_by<&reading::sensor>()
    | window(tumbling{10_s}) | aggregate(count(), sum(grumble{}));
auto const expecting = from<reading>()
    | expect("small"_name, [](reading const& r) { return r.value < 17; }, fail_on_violation{}) | aggregate(count());
}  // namespace

TEST_CASE("on_error: fail names operator and offset; skip counts; a dead letter says where and why", "[run][batch]") {
    memory_log<reading> log{1};
    log.append(readings(40));
    for (auto const threads : {1, 3}) {
        INFO(threads);
        auto const failed = try_run(batch{.threads = threads}, grumbling, log);
        REQUIRE(!failed);
        CHECK(failed.error().code() == error_code::user_function);
        CHECK(failed.error().offset() == 3);
        CHECK(std::string{failed.error().what()}.find("aggregate failed: three again") != std::string::npos);

        auto const skipped = run(batch{.threads = threads, .on_error = on_error::skip}, grumbling, log);
        CHECK(skipped.report().refused(reason::failed) == 4);
        CHECK(skipped.report().stage("aggregate")->applied == 36);
        CHECK(skipped.report().stage("aggregate")->in() == 40);
        std::int64_t counted = 0;
        std::int64_t sum = 0;
        for (auto const& row : skipped) counted += std::get<0>(row.value), sum += std::get<1>(row.value);
        CHECK(counted == 36);  // what was refused is in no part of the row
        CHECK(sum == 40 * 39 / 2 - (3 + 13 + 23 + 33));

        std::vector<dead_letter> letters;
        auto receive = [&](dead_letter const& letter) { letters.push_back(letter); };
        static_cast<void>(run(batch{.threads = threads, .on_error = on_error::dead_letter(receive)}, grumbling, log));
        REQUIRE(letters.size() == 4);
        for (std::uint64_t i = 0; i < 4; ++i) {
            CHECK(letters[i].offset == 3 + 10 * i);
            CHECK(letters[i].operator_name == "aggregate");
            CHECK(letters[i].why == "three again");
        }
        memory_log<dead_letter> letter_log;
        static_cast<void>(run(batch{.on_error = on_error::dead_letter(letter_log)}, grumbling, log));
        CHECK(letter_log.end_offset() == 4);
    }
    auto const violated = try_run(batch{}, expecting, log);
    REQUIRE(!violated);
    CHECK(violated.error().code() == error_code::expectation);
    CHECK(violated.error().offset() == 17);
}

TEST_CASE("a fold that throws keeps what it had", "[run][batch]") {
    auto const joined = from<int>() | aggregate(fold(std::string{}, [](std::string all, int n) {
        if (n == 3) throw std::runtime_error{"three"};
        return all += std::string(20, static_cast<char>('a' + n));
    }));
    auto const rows = run(batch{.on_error = on_error::skip}, joined, std::array{1, 2, 3, 4});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].value == std::string(20, 'b') + std::string(20, 'c') + std::string(20, 'e'));
    CHECK(rows.report().stage("aggregate")->in() == 4);
}

TEST_CASE("a time that is assigned again decides: the statistics of the first one do not", "[run][batch]") {
    auto const again = from<reading>() | assign_time<&reading::at>()
        | assign_time<&reading::stored>(bounded_disorder{2_h}) | window(tumbling{1000_s}) | aggregate(count());
    memory_log<reading> log;
    log.append(readings(5000));  // two blocks; `stored` goes down while `at` goes up
    auto const all = run(batch{}, again, log);
    CHECK(all.size() == 6);
    std::int64_t counted = 0;
    for (auto const& row : all) counted += row.value;
    CHECK(counted == 5000);
}

TEST_CASE("a time that is made from an event's value decides, not the time of its envelope", "[run][batch]") {
    auto const remade = from<event<reading>>()
        | assign_time([](reading const& r) noexcept { return r.stored; }, bounded_disorder{2_h})
        | window(tumbling{1000_s}) | aggregate(count());
    memory_log<event<reading>> log;
    for (auto const& each : readings(5000)) log.append(event<reading>{each, each.at});
    CHECK(run(batch{}, remade, log).size() == 6);
}

TEST_CASE("a batch that is given no threads says so in its type; the number may come from a variable", "[run][batch]") {
    static_assert(std::is_same_v<decltype(batch{}), batch<one_thread>>);
    static_assert(std::is_same_v<decltype(batch{.on_error = on_error::skip}), batch<one_thread>>);
    std::vector<int> const three{1, 2, 3};
    for (std::size_t threads = 1; threads < 4; ++threads) {
        batch const mode{.threads = threads};
        CHECK(run(mode, doubled, three)[0].value == totals{3, 12});
        CHECK(run(batch{.threads = thread_count{threads}}, doubled, three)[0].value == totals{3, 12});
    }
}

namespace {
template <class Threads, class Leave>
constexpr std::type_identity<Threads> threads_of(batch<Threads, Leave> const&) {
    return {};
}
/// Each mode is given in a template, to a function whose arguments are not known before it is instantiated.
template <class P>
void check_modes(P const& pipeline, int number, error_policy policy) {
    auto const is = []<class Threads>(std::type_identity<Threads>, auto const& mode, P const&) {
        return std::is_same_v<decltype(threads_of(mode)), std::type_identity<Threads>>;
    };
    constexpr std::type_identity<int> many;
    constexpr std::type_identity<one_thread> one;
    CHECK(is(many, batch{.threads = 2}, pipeline));
    CHECK(is(many, batch{.threads = number, .on_error = policy}, pipeline));
    CHECK(is(many, batch{.threads = 2, .on_error = on_error::skip, .leave_state = "state"}, pipeline));
    CHECK(is(many, batch{.threads = 2, .answers = answers_ref{}}, pipeline));
    CHECK(is(std::type_identity<thread_count>{}, batch{.threads = thread_count{2}}, pipeline));
    CHECK(is(one, batch{}, pipeline));
    CHECK(is(one, batch{.on_error = policy}, pipeline));
    CHECK(is(one, batch{.on_error = policy, .leave_state = "state"}, pipeline));
    CHECK(is(one, batch{.on_error = policy, .answers = answers_ref{}}, pipeline));
    batch const mode{.threads = number, .on_error = policy, .leave_state = "state"};
    CHECK(is(many, mode, pipeline));
    CHECK(mode.threads == number);
    CHECK(mode.on_error.policy() == policy.policy());
    CHECK(std::string{mode.leave_state} == "state");
    batch const copy{mode};
    CHECK(copy.threads == number);
}
}  // namespace
TEST_CASE("batch: what is given says the type of the mode, in templates too", "[run][batch]") {
    check_modes(doubled, 3, on_error::skip);
}
