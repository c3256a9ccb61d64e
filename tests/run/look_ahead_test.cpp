// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/detail/lane.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// Tables larger than the cache have the state of records to come prefetched: same answers, no function called twice.

using namespace driftless;
using namespace driftless::literals;

namespace look_ahead_test {
struct sale {
    std::int64_t user;
    std::int64_t cents;
    event_time at;
};
struct visit {
    text user;
    std::int64_t cents;
    event_time at;
};
}  // namespace look_ahead_test
BOOST_HANA_ADAPT_STRUCT(look_ahead_test::sale, user, cents, at);
BOOST_HANA_ADAPT_STRUCT(look_ahead_test::visit, user, cents, at);
using look_ahead_test::sale;
using look_ahead_test::visit;

namespace {
std::uint64_t calls = 0;
constexpr auto counted = [](auto const& record) {
    ++calls;
    return record.cents % 7 != 0;
};
template <class Record>
constexpr auto totals = from<Record>()
    | assign_time<&Record::at>(bounded_disorder{5_s})
    | filter(counted)
    | driftless::template key_by<&Record::user>()
    | window(tumbling{10_s})
    | aggregate(count(), driftless::template sum<&Record::cents>());

constexpr std::size_t users = 150'000;
constexpr std::size_t records = 320'000;

template <class Key>
struct by_key {
    std::map<std::pair<Key, std::int64_t>, std::tuple<std::int64_t, std::int64_t>> all;
    void write(auto const& pane) { all[{Key{pane.key}, pane.window.start.ns()}] = pane.value; }
};
}  // namespace

TEMPLATE_TEST_CASE("large tables give the oracle's rows in both modes, each function called once per record",
    "[run][look_ahead][oracle]", (std::pair<sale, rows>), (std::pair<sale, columns>), (std::pair<visit, rows>)) {
    using record = typename TestType::first_type;
    using key = std::conditional_t<std::is_same_v<record, visit>, std::string, std::int64_t>;
    std::mt19937_64 random{7};
    memory_log<record, typename TestType::second_type> log;
    by_key<key> want;
    for (std::size_t i = 0; i < records; ++i) {
        auto const user = static_cast<std::int64_t>(random() % users);
        auto const cents = static_cast<std::int64_t>(random() % 1000);
        auto const behind = duration{static_cast<std::int64_t>(random() % 4'000'000'000)};
        auto const at = event_time{static_cast<std::int64_t>(i) * 60'000} - behind;
        auto const name = "user number " + std::to_string(user);
        if constexpr (std::is_same_v<record, visit>) log.append(visit{name, cents, at});
        else log.append(sale{user, cents, at});
        if (cents % 7 == 0) continue;
        auto const start = (at.ns() >= 0 ? at.ns() / 10'000'000'000 : -1) * 10'000'000'000;
        key who;
        if constexpr (std::is_same_v<record, visit>) who = name;
        else who = user;
        auto& [n, sum] = want.all[{who, start}];
        n += 1;
        sum += cents;
    }

    by_key<key> got;
    calls = 0;
    run(batch{}, totals<record>, log, got);
    CHECK(calls == records);
    CHECK((got.all == want.all));

    by_key<key> streamed;
    calls = 0;
    job following{stream{}, totals<record>, log, streamed};
    bool looked = false;
    for (std::size_t read = 0; read < records;) {
        read += following.poll(1 + random() % 30'000);  // blocks are entered and left anywhere
        looked = looked || following.metrics().state_bytes > std::size_t{8} * 1024 * 1024;
    }
    following.drain();
    CHECK(looked);  // the tables were large enough for this test to mean something
    CHECK(calls == records);
    CHECK((streamed.all == want.all));
}
