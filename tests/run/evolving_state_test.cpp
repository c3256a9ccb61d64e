// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/evolution.hpp>
#include <driftless/run/job.hpp>

#include <driftless/codec/map.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/process.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/table_join.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/state/map_state.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace evolving_state_test {
using namespace driftless;
using namespace driftless::literals;

// The first program.
struct payment_v1 {
    static constexpr auto schema_evolution = evolving;
    std::int64_t id = 0;
    std::string payer;
    std::int32_t cents = 0;
    event_time at{};
};
// The second: cents are an amount, wider, and there is a currency.
struct payment {
    static constexpr auto schema_evolution = evolving;
    static constexpr std::array schema_aliases{schema_alias{"cents", "amount"}};
    event_time at{};
    std::int64_t id = 0;
    std::string currency = "EUR";
    std::string payer;
    std::int64_t amount = 0;
};
struct balance_v1 {
    static constexpr auto schema_evolution = evolving;
    std::int32_t cents = 0;
    std::vector<std::string> payers;
};
// No rule makes euros of cents.
struct balance {
    static constexpr auto schema_evolution = evolving;
    double euros = 0;
    std::vector<std::string> payers;
};
/// The same in both.
struct remark {
    static constexpr auto schema_evolution = evolving;
    std::string about;
};
/// Not evolving.
struct rigid {
    std::int64_t id = 0;
    std::int32_t cents = 0;
    event_time at{};
};
struct rigid_v2 {
    std::int64_t id = 0;
    std::int64_t cents = 0;
    event_time at{};
};
/// Too far away from payment_v1.
struct payment_in_words {
    static constexpr auto schema_evolution = evolving;
    event_time at{};
    std::string id;
};
}  // namespace evolving_state_test
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::payment_v1, id, payer, cents, at);
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::payment, at, id, currency, payer, amount);
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::balance_v1, cents, payers);
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::balance, euros, payers);
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::remark, about);
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::rigid, id, cents, at);
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::rigid_v2, id, cents, at);
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::payment_in_words, at, id);
template <>
inline constexpr auto driftless::schema_history<evolving_state_test::balance> =
    driftless::upcasters<evolving_state_test::balance_v1, evolving_state_test::balance>(
        [](evolving_state_test::balance_v1 const& old) {
            return evolving_state_test::balance{old.cents / 100.0, old.payers};
        });

namespace evolving_state_test {
template <class Balance>
struct account_of {
    struct state {
        value_state<Balance> total;
        map_state<std::string, Balance> by_payer;
        value_state<remark> last;
    };
    template <class T>
    void on_record(state& own, T const& record, auto& context) const {
        auto const add = [&](Balance& to) {
            if constexpr (requires { to.cents; }) to.cents += record.cents;
            else to.euros += static_cast<double>(record.amount) / 100;
            to.payers.push_back(record.payer);
        };
        auto now = own.total.value_or({});
        add(now);
        own.total = now;
        add(own.by_payer[record.payer]);
        std::string said = std::to_string(own.by_payer.size()) + own.last.value_or({" nobody"}).about;
        own.last = remark{" after " + record.payer};
        for (auto const& each : now.payers) said += " " + each;
        if constexpr (requires { now.cents; }) said += " " + std::to_string(now.cents);
        else said += " " + std::to_string(std::llround(now.euros * 100));
        context.emit(said);
    }
};
}  // namespace evolving_state_test
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::account_of<evolving_state_test::balance_v1>::state, total, by_payer, last);
BOOST_HANA_ADAPT_STRUCT(evolving_state_test::account_of<evolving_state_test::balance>::state, total, by_payer, last);

namespace evolving_state_test {
payment_v1 nth_v1(std::int64_t i) {
    return {i % 3, i % 2 == 0 ? "Ada" : "a payer with a long name", static_cast<std::int32_t>(100 * i),
        event_time{i * 1'000'000'000}};
}
payment nth(std::int64_t i) {
    auto const old = nth_v1(i);
    return {old.at, old.id, "EUR", old.payer, old.cents};
}
std::int64_t amount_of(payment_v1 const& p) { return p.cents; }
std::int64_t amount_of(payment const& p) { return p.amount; }
template <class T>
T make(std::int64_t i) {
    if constexpr (std::is_same_v<T, payment>) return nth(i);
    else return nth_v1(i);
}

stream in(testing::memory_files& files, if_changed changed = if_changed::adopt) {
    stream out{.snapshots = "state", .until = end_of_log};
    out.snapshot_options = {.every = {}, .logic_version = "1", .if_changed = changed, .files = &files};
    return out;
}
/// Rows are text, or panes of it.
auto rows_of(auto mode, auto const& pipeline, auto&... logs) {
    std::vector<std::string> out;
    auto sink = to(
        [&](auto const& row) {
            if constexpr (requires { row.value; }) out.push_back(std::to_string(row.key) + " " + row.value);
            else out.push_back(row);
        },
        [&](auto const& key, time_window) { out.push_back(std::to_string(key) + " is gone"); });
    run(mode, pipeline, logs..., sink);
    return out;
}
auto message_of(auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        return std::string{problem.what()};
    }
    return std::string{"nothing"};
}
bool has(std::string_view all, std::string_view part) { return all.find(part) != std::string_view::npos; }

/// What a job over payments says of the second half, when one over First has left its state after the first.
template <class First, int Inputs>
std::vector<std::string> second_half(auto const& pipeline) {
    constexpr int half = 20;
    testing::memory_files files;
    auto const with = [&]<class T>(int records) {
        memory_log<T> one;
        memory_log<T> other;
        for (int i = 0; i < records; ++i) {
            one.append(make<T>(i));
            other.append(make<T>(i + 1));
        }
        if constexpr (Inputs == 1) return rows_of(in(files), pipeline.template operator()<T>(), one);
        else return rows_of(in(files), pipeline.template operator()<T>(), one, other);
    };
    with.template operator()<First>(half);
    return with.template operator()<payment>(2 * half);
}
template <int Inputs>
void check_goes_on(auto const& pipeline) {
    auto const expected = second_half<payment, Inputs>(pipeline);
    CHECK(expected.size() > 10);
    CHECK(second_half<payment_v1, Inputs>(pipeline) == expected);
}
template <class T, class Name = unnamed>
auto payments(Name name = {}) {
    return from<T>(name) | assign_time<&T::at>(bounded_disorder{2_s}) | key_by<&T::id>();
}
auto const in_words = [](auto const& left, auto const& right) {
    return left.payer + " " + std::to_string(amount_of(left)) + ", " + right.payer + " "
        + std::to_string(amount_of(right));
};
}  // namespace evolving_state_test

using namespace evolving_state_test;

TEST_CASE("keyed state of a type that evolves is read by its upcasters", "[run][snapshots][evolution]") {
    constexpr int half = 20;
    testing::memory_files files;
    memory_log<payment_v1> before;
    memory_log<payment> after;
    for (int i = 0; i < half; ++i) before.append(nth_v1(i));
    for (int i = 0; i < 2 * half; ++i) after.append(nth(i));
    auto const pipeline = []<class T, class Balance>() {
        return payments<T>() | process<std::string>(account_of<Balance>{}, unbounded_state{});
    };
    auto const threads = GENERATE(1U, 3U);
    auto rows = rows_of(in(files), pipeline.operator()<payment_v1, balance_v1>(), before);
    auto mode = in(files);
    mode.threads = thread_count{threads};
    for (auto& each : rows_of(mode, pipeline.operator()<payment, balance>(), after)) rows.push_back(each);
    CHECK(rows == rows_of(batch{}, pipeline.operator()<payment, balance>(), after));
}

TEST_CASE("records that joins and tables keep are read by the rules of their schemas", "[run][snapshots][evolution]") {
    SECTION("an interval join") {
        check_goes_on<2>([]<class T>() {
            return join(payments<T>("left"_name), payments<T>("right"_name), interval{-6_s, 6_s}, in_words);
        });
    }
    SECTION("a join of windows") {
        check_goes_on<2>([]<class T>() {
            return join(payments<T>("left"_name) | window(tumbling{30_s}),
                payments<T>("right"_name) | window(tumbling{30_s}), in_words);
        });
    }
    SECTION("a join of tables") {
        check_goes_on<2>([]<class T>() {
            return join(payments<T>("left"_name) | table(unbounded_state{}),
                payments<T>("right"_name) | table(unbounded_state{}), in_words);
        });
    }
}

TEST_CASE("state that no rule reads is an error that says why", "[run][snapshots][evolution]") {
    testing::memory_files files;
    memory_log<payment_v1> before;
    memory_log<payment_in_words> after;
    for (int i = 0; i < 20; ++i) {
        before.append(nth_v1(i));
        after.append({event_time{i}, "7"});
    }
    auto const kept = [](auto const& left, auto const&) { return left.at; };
    auto const pipeline = [&]<class T>() {
        auto const all = [](auto name) {
            return from<T>(name) | assign_time<&T::at>(bounded_disorder{2_s}) | key_by([](T const&) { return 1; });
        };
        return join(all("left"_name), all("right"_name), interval{-60_s, 60_s}, kept);
    };
    memory_log<payment_v1> before_too;
    memory_log<payment_in_words> after_too;
    for (int i = 0; i < 20; ++i) before_too.append(nth_v1(i)), after_too.append({event_time{i}, "7"});
    run(in(files), pipeline.operator()<payment_v1>(), before, before_too);
    auto const why = message_of([&] { run(in(files), pipeline.operator()<payment_in_words>(), after, after_too); });
    CHECK(has(why, "payment_v1"));
    CHECK(has(why, "id: text was i64"));
}

TEST_CASE(
    "the state of records that do not evolve begins empty when they have changed", "[run][snapshots][evolution]") {
    testing::memory_files files;
    memory_log<rigid> before;
    memory_log<rigid_v2> after;
    for (std::int64_t i = 0; i < 20; ++i) {
        before.append({1, 5, event_time{i * 1'000'000'000}});
        after.append({1, 5, event_time{i * 1'000'000'000}});
    }
    auto const pipeline = []<class T>() {
        return from<T>() | assign_time<&T::at>(bounded_disorder{2_s}) | key_by<&T::id>() | table(unbounded_state{});
    };
    auto nowhere = to([](auto const&) {}, [](auto const&, time_window) {});
    run(in(files), pipeline.operator()<rigid>(), before, nowhere);
    job<stream, decltype(pipeline.operator()<rigid_v2>()), memory_log<rigid_v2>&, decltype(nowhere)&> second{
        in(files), pipeline.operator()<rigid_v2>(), after, nowhere};
    REQUIRE(second.metrics().warnings.size() == 1);
    CHECK(has(second.metrics().warnings[0], "begins empty: it is another one now"));
}
