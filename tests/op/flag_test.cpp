// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/flag.hpp>
#include <support/catch.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/flag_values.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/memory_files.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using Catch::Matchers::Contains;

namespace flag_test {
struct sale {
    std::int32_t shop;
    std::int64_t cents;
    dl::event_time at;
};
}  // namespace flag_test
BOOST_HANA_ADAPT_STRUCT(flag_test::sale, shop, cents, at);

namespace {
using flag_test::sale;
using changes_t = dl::memory_log<dl::flag_change<std::int64_t>>;

sale nth(std::uint64_t i) {
    auto const n = static_cast<std::int64_t>(i);
    return {static_cast<std::int32_t>(n % 7), n, dl::event_time{} + n * 1_s};
}
/// What each record was seen with.
auto seen(auto const& rate) {
    return dl::from<sale>()
        | dl::flag<"rate"_name>(rate, [](sale const& s, std::int64_t now) { return std::pair{s.cents, now}; });
}
/// Sums by shop and minute of cents * flag.
auto totals(auto const& rate) {
    return dl::from<sale>() | dl::flag<"rate"_name>(rate, [](sale s, std::int64_t now) {
        s.cents *= now;
        return s;
    }) | dl::assign_time<&sale::at>(dl::bounded_disorder{0_s})
        | dl::key_by<&sale::shop>() | dl::window(dl::tumbling{1_min}) | dl::aggregate(dl::sum<&sale::cents>());
}
std::vector<std::pair<std::int64_t, std::int64_t>> rows(auto const& out) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (auto const& row : out) all.push_back(row.value);
    return all;
}
struct panes {
    std::vector<std::string> all{};
    void write(dl::pane<std::int32_t, std::int64_t> const& row) {
        auto const window = std::to_string(row.window.end.ns());
        all.push_back(window + " " + std::to_string(row.key) + " " + std::to_string(row.value));
    }
    void remove(std::int32_t, dl::time_window) {}
};
std::vector<std::string> in_batch(auto const& p, auto const& log) {
    panes out;
    dl::run(dl::batch{}, p, log, out);
    return out.all;
}
constexpr auto two = [](sale const& s, std::int64_t) { return s; };
constexpr auto one = [](sale const& s) { return s; };
template <class F>
using op_of = dl::flag_op<dl::name<"rate">, dl::flag_values<std::int64_t, changes_t>, F>;
static_assert(dl::operator_on<op_of<decltype(two)>, sale>);
static_assert(!dl::operator_on<op_of<decltype(one)>, sale>);
}  // namespace

TEST_CASE("a flag has the value that was in force at the offset of each record", "[op][flag][oracle]") {
    dl::memory_log<sale> log;
    changes_t changes;
    dl::flag_values rate{changes, std::int64_t{1}};
    CHECK(rows(dl::run(dl::batch{}, seen(rate), log)).empty());
    std::vector<std::pair<std::int64_t, std::int64_t>> want;
    std::int64_t now = 1;
    std::mt19937 random{5};
    for (std::uint64_t i = 0; i < 5000; ++i) {
        if (random() % 500 == 0) {
            now = static_cast<std::int64_t>(random() % 100);
            auto const change = rate.set(now, log);
            CHECK(change.from == std::vector<std::uint64_t>{i});
            CHECK(change.value == now);
        }
        log.append(nth(i));
        want.emplace_back(static_cast<std::int64_t>(i), now);
    }
    REQUIRE(rate.history().size() > 3);
    CHECK(rows(dl::run(dl::batch{}, seen(rate), log)) == want);
    for (std::uint64_t i = 0; i < 5000; i += 7) CHECK(rate.value_at(i) == want[i].second);
    // As another program would find it.
    dl::flag_values again{changes, std::int64_t{1}};
    CHECK(rows(dl::run(dl::batch{}, seen(again), log)) == want);
    // Of two at one offset the later one counts.
    rate.set(3, log);
    rate.set(4, log);
    log.append(nth(0));
    CHECK(rows(dl::run(dl::batch{}, seen(rate), log)).back() == std::pair<std::int64_t, std::int64_t>{0, 4});
}

TEST_CASE("a flag that is set while a job reads has the same values in a replay", "[op][flag][equivalence]") {
    for (unsigned seed = 0; seed < 30; ++seed) {
        std::mt19937 random{seed};
        auto const partitions = static_cast<std::uint32_t>(1 + random() % 3);
        dl::memory_log<sale> log{partitions};
        changes_t changes;
        dl::flag_values rate{changes, std::int64_t{1}};
        auto const p = totals(rate);
        panes out;
        auto job = std::make_unique<dl::job<dl::stream, decltype(totals(rate)), dl::memory_log<sale>&, panes&>>(
            dl::stream{.threads = static_cast<int>(1 + seed % 3)}, p, log, out);
        std::uint64_t n = 0;
        for (int step = 0; step < 60; ++step) {
            switch (random() % 4) {
                case 0: rate.set(static_cast<std::int64_t>(random() % 10), log); break;
                case 1:
                    for (auto left = random() % 3000; left > 0; --left, ++n)
                        log.append(nth(n), static_cast<std::uint32_t>(n % partitions));
                    break;
                case 2: job->poll(1 + random() % 2000); break;
                default: {
                    auto const state = job->snapshot();
                    job = std::make_unique<dl::job<dl::stream, decltype(totals(rate)), dl::memory_log<sale>&, panes&>>(
                        dl::stream{.threads = static_cast<int>(1 + random() % 2)}, p, log, out);
                    job->restore(state);
                }
            }
        }
        job->drain();
        INFO("seed " << seed);
        CHECK(out.all == in_batch(p, log));
        dl::flag_values again{changes, std::int64_t{1}};
        CHECK(out.all == in_batch(totals(again), log));
        panes replayed;
        dl::run(dl::stream{.until = dl::drained}, totals(again), log, replayed);
        CHECK(out.all == replayed.all);
    }
}

TEST_CASE("a change takes no offset that somebody may be reading with the value before", "[op][flag]") {
    dl::memory_log<sale> log;
    for (std::uint64_t i = 0; i < 10; ++i) log.append(nth(i));
    {
        changes_t changes;
        dl::flag_values rate{changes, std::int64_t{1}};
        auto const reader = rate.join();
        auto const span = rate.at(*reader, 0, 5);  // it may read on up to `to` and not ask again
        CHECK(span.value == 1);
        CHECK(span.to > 10);
        CHECK(rate.set(2, log).from == std::vector<std::uint64_t>{span.to});
        CHECK(rate.at(*reader, 0, span.to).value == 2);
    }
    changes_t changes;
    dl::flag_values rate{changes, std::int64_t{1}};
    {
        auto const reader = rate.join();
        static_cast<void>(rate.at(*reader, 0, 5));
        reader->read[0] = 6;
        rate.pause(*reader);
        CHECK(rate.set(2, log).from == std::vector<std::uint64_t>{10});
        CHECK(rate.at(*reader, 0, 6).to == 10);
        CHECK(rate.set(3, log).from == std::vector<std::uint64_t>{10});
        static_cast<void>(rate.at(*reader, 0, 20));
    }
    CHECK(rate.set(4, log).from == std::vector<std::uint64_t>{10});  // that reader is gone
    CHECK(rate.set(5, log, 7).from == std::vector<std::uint64_t>{17});
    CHECK(rate.set(6, log).from == std::vector<std::uint64_t>{17});  // changes keep their order
    CHECK(rate.set(7, log, ~std::uint64_t{0}).from == std::vector<std::uint64_t>{~std::uint64_t{0}});
}

TEST_CASE("threads that set a flag, append and read agree with a replay", "[op][flag]") {
    for (int round = 0; round < 5; ++round) {
        dl::memory_log<sale> log;
        changes_t changes;
        dl::flag_values rate{changes, std::int64_t{0}};
        auto const p = seen(rate);
        std::vector<std::pair<std::int64_t, std::int64_t>> live;
        std::atomic<bool> done{false};
        std::thread appends{[&] {
            for (std::uint64_t i = 0; i < 60'000; ++i) log.append(nth(i));
            done = true;
        }};
        std::thread sets{[&] {
            for (std::int64_t i = 1; !done; ++i) rate.set(i, log), std::this_thread::yield();
        }};
        {
            auto sink = dl::to([&](auto const& row) { live.push_back(row); });
            dl::job job{dl::stream{}, p, log, sink};
            while (!done) job.poll(777);
            appends.join();
            sets.join();
            job.poll();
        }
        REQUIRE(live.size() == 60'000);
        auto const replayed = rows(dl::run(dl::batch{}, p, log));
        CHECK(live == replayed);
        for (std::size_t i = 1; i < live.size(); ++i) REQUIRE(live[i - 1].second <= live[i].second);
    }
}

TEST_CASE("flag.filter keeps what its predicate says, and lets records be", "[op][flag]") {
    dl::memory_log<sale> log;
    changes_t changes;
    dl::flag_values least{changes, std::int64_t{0}};
    for (std::uint64_t i = 0; i < 100; ++i) log.append(nth(i));
    least.set(150, log);
    for (std::uint64_t i = 100; i < 200; ++i) log.append(nth(i));
    auto const p = dl::from<sale>()
        | dl::flag<"least"_name>.filter(least, [](sale const& s, std::int64_t n) { return s.cents >= n; })
        | dl::assign_time<&sale::at>(dl::bounded_disorder{0_s}) | dl::window(dl::tumbling{1_d})
        | dl::aggregate(dl::count());
    auto const out = dl::run(dl::batch{}, p, log);
    REQUIRE(out.size() == 1);
    CHECK(out[0].value == 150);
    CHECK(dl::run(dl::stream{.until = dl::drained}, p, log)[0].value == 150);
    CHECK_THAT(dl::explain(p), Contains("flag_filter \"least\""));
    static_assert(dl::is_replayable<decltype(p)>);
    CHECK(dl::fingerprint(p) != dl::fingerprint(totals(least)));
}

TEST_CASE("a flag in files is the same after a restart, and for who follows it", "[op][flag]") {
    dl::testing::memory_files files;
    dl::file_log_options options{.durable = dl::every_batch, .background = false};
    options.files = &files;
    dl::memory_log<sale> log;
    using changes_file = dl::file_log<dl::flag_change<std::string>>;
    auto const seen_by = [](auto const& flag) {
        return dl::from<sale>()
            | dl::flag<"name"_name>(flag, [](sale const&, std::string const& now) { return now; });
    };
    std::vector<std::string> want;
    {
        changes_file changes{"flag", options};
        dl::flag_values name{changes, std::string{"none"}};
        for (std::uint64_t i = 0; i < 30; ++i) {
            if (i % 10 == 5) name.set("from " + std::to_string(i), log);
            log.append(nth(i));
            want.push_back(i < 5 ? "none" : "from " + std::to_string((i - 5) / 10 * 10 + 5));
        }
    }
    files.lose_power(0);
    auto const values = [&](auto const& out) {
        std::vector<std::string> all;
        for (auto const& row : out) all.push_back(row.value);
        return all;
    };
    changes_file changes{"flag", options};
    dl::flag_values name{changes, std::string{"none"}};
    CHECK(values(dl::run(dl::batch{}, seen_by(name), log)) == want);
    auto reading = options;
    reading.access = dl::log_access::read;
    changes_file const followed{"flag", reading};
    dl::flag_values const follower{followed, std::string{"none"}};
    static_assert(decltype(follower)::follows);
    CHECK(values(dl::run(dl::batch{}, seen_by(follower), log)) == want);
    // A change that lies ahead is seen in time.
    std::vector<std::string> live;
    auto const p = seen_by(follower);
    auto sink = dl::to([&](std::string const& now) { live.push_back(now); });
    dl::job job{dl::stream{}, p, log, sink};
    job.poll();
    CHECK(live == want);
    name.set("later", log, 2);
    for (std::uint64_t i = 30; i < 34; ++i) log.append(nth(i));
    job.poll();
    CHECK(live.at(31) == "from 25");
    CHECK(live.at(32) == "later");
    CHECK(live == values(dl::run(dl::batch{}, seen_by(name), log)));
    // One that was set over what the job has read by then is not.
    auto const end = log.end_offset();
    for (std::uint64_t i = 34; i < 40; ++i) log.append(nth(i));
    job.poll();
    dl::flag_change<std::string> late;
    late.from = {end + 3};
    late.value = "too late";
    changes.append(late);
    changes.sync();
    log.append(nth(40));
    CHECK_THROWS_WITH(job.poll(), Contains("has read up to 40 with the value before"));
}

TEST_CASE("a flag refuses what has no offset in one log, and says what to do", "[op][flag]") {
    dl::memory_log<sale> a;
    dl::memory_log<sale> b;
    a.append(nth(1));
    b.append(nth(2));
    changes_t changes;
    dl::flag_values rate{changes, std::int64_t{0}};
    auto const merged =
        dl::merge(dl::from<sale>("a"_name), dl::from<sale>("b"_name)) | dl::flag<"rate"_name>(rate, two);
    CHECK_THROWS_WITH(dl::run(dl::batch{}, merged, dl::bind("a"_name, a), dl::bind("b"_name, b)),
        Contains("put it before the inputs"));
    // Another log than it was set for.
    rate.set(1, a);
    dl::memory_log<sale> wide{2};
    wide.append(nth(0), 1);
    CHECK_THROWS_WITH(dl::run(dl::batch{}, seen(rate), wide), Contains("it is another log"));
    // A function that throws.
    auto const throws = dl::from<sale>() | dl::flag<"rate"_name>(rate, [](sale const&, std::int64_t) -> std::int64_t {
        throw std::runtime_error{"no"};
    });
    CHECK_THROWS_WITH(dl::run(dl::batch{}, throws, a), Contains("flag failed: no"));
    CHECK(dl::run(dl::batch{.on_error = dl::on_error::skip}, throws, a).report().failures == 1);
}
