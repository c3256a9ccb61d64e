// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/input_sampler.hpp>
#include <support/catch.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/metrics/heavy_hitters.hpp>
#include <driftless/metrics/text.hpp>
#include <driftless/op.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/job_metrics.hpp>

#include <support/prometheus_reader.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using support::prometheus_reader;

namespace input_sampler_test {
struct order {
    std::int64_t user;
    std::optional<std::int32_t> coupon;
    double weight;
    dl::text note;
    dl::event_time at;
};
}  // namespace input_sampler_test
BOOST_HANA_ADAPT_STRUCT(input_sampler_test::order, user, coupon, weight, note, at);

namespace {
using input_sampler_test::order;
dl::event_time at(std::int64_t ms) { return dl::event_time{} + ms * 1_ms; }

/// User 3 makes a third of all orders.
std::vector<order> orders(std::uint32_t seed, std::int64_t n) {
    std::mt19937 random{seed};
    std::vector<order> out;
    for (std::int64_t i = 0; i < n; ++i) {
        order made{};
        made.user = random() % 3 == 0 ? 3 : static_cast<std::int64_t>(random() % 10'000);
        if (random() % 4 != 0) made.coupon = 1;
        made.weight = random() % 10 == 0 ? std::nan("") : 1.5;
        made.note = random() % 2 == 0 ? dl::text{"n"} : dl::text{};
        made.at = at(i * 10 - static_cast<std::int64_t>(random() % 5 == 0 ? random() % 20'000 : 0));
        out.push_back(made);
    }
    return out;
}
constexpr auto per_user = dl::from<order>()
    | dl::assign_time<&order::at>(dl::bounded_disorder{5_s})
    | dl::filter([](order const& o) { return o.user % 2 == 1; })
    | dl::key_by<&order::user>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::count());
}  // namespace

TEST_CASE("heavy hitters keep every key that is met often enough, and know how wrong they are", "[run][sampler]") {
    std::mt19937 random{4};
    dl::heavy_hitters few{20};
    std::map<std::uint64_t, std::uint64_t> truth;
    for (int i = 0; i < 20'000; ++i) {
        std::uint64_t const key = random() % 4 == 0 ? random() % 4 : 100 + random() % 5'000;
        ++truth[key];
        few.add(key, [&] { return std::to_string(key); });
    }
    CHECK(few.total() == 20'000);
    auto const all = few.top(100);
    CHECK(all.size() == 20);
    for (auto const& [key, count] : truth) {
        if (count <= 1'000) continue;  // total / capacity
        CHECK(std::any_of(all.begin(), all.end(), [wanted = key](auto const& each) { return each.hash == wanted; }));
    }
    for (auto const& each : all) {
        CHECK(each.count >= truth[each.hash]);
        CHECK(each.count - each.error <= truth[each.hash]);
        CHECK(each.error <= 1'000);
    }
    CHECK(std::is_sorted(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.count > b.count; }));
}

TEST_CASE("a sampler that looks at all records says what plain loops say", "[run][sampler]") {
    auto const in = orders(1, 20'000);
    dl::memory_log<order> log{2};
    dl::input_sampler eyes{per_user, log, dl::sampler_options{.records = 100'000, .keys = 10'000, .shards = 4}};
    std::map<std::int64_t, std::uint64_t> truth;
    std::vector<dl::time_histogram> disorder(2);
    std::vector<dl::event_time> newest(2, dl::event_time::min());
    std::vector<std::uint64_t> shards(4);
    std::uint64_t kept = 0;
    std::uint64_t nulls[5] = {};
    for (std::size_t i = 0; i < in.size(); ++i) {
        auto const p = static_cast<std::uint32_t>(i % 3 == 0);
        log.append(in[i], p);
        nulls[1] += !in[i].coupon;
        nulls[2] += std::isnan(in[i].weight);
        nulls[3] += in[i].note.view().empty();
        if (i % 1'000 == 0) eyes.look();
        if (in[i].user % 2 == 0) continue;
        ++kept;
        ++truth[in[i].user];
        ++shards[dl::detail::shard_of(dl::canonical_hash(in[i].user), 4)];
        disorder[p].add(newest[p] > in[i].at ? newest[p] - in[i].at : dl::duration{});
        newest[p] = std::max(newest[p], in[i].at);
    }
    eyes.look();
    CHECK(eyes.records() == 20'000);
    CHECK(eyes.disorder(0) == disorder[0]);
    CHECK(eyes.disorder(1) == disorder[1]);
    auto const fields = eyes.fields();
    REQUIRE(fields.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(fields[i].records == 20'000);
        CHECK(fields[i].nulls == nulls[i]);
    }
    CHECK(fields[1].field == "coupon");
    auto const hot = eyes.hot_keys(3);
    REQUIRE(hot.size() == 3);
    CHECK(hot[0].name == "3");
    CHECK(hot[0].count == truth[3]);
    CHECK(hot[0].error == 0);
    CHECK(eyes.imbalance()
        == Approx(4.0 * static_cast<double>(*std::max_element(shards.begin(), shards.end()))
            / static_cast<double>(kept)));
    CHECK(eyes.imbalance() > 1.5);

    dl::metric_set all;
    eyes.collect(all, "orders");
    prometheus_reader const read{dl::prometheus_text(all)};
    CHECK(read.value("driftless_hot_key_ratio", {{"key", "3"}, {"input", "orders"}})
        == Approx(static_cast<double>(truth[3]) / static_cast<double>(kept)));
    CHECK(read.value("driftless_field_null_ratio", {{"field", "coupon"}})
        == Approx(static_cast<double>(nulls[1]) / 20'000));
    CHECK(read.value("driftless_disorder_seconds_count", {{"partition", "1"}})
        == static_cast<double>(disorder[1].count()));
    CHECK(read.value("driftless_sampled_records_total") == 20'000);
}

TEST_CASE("a sample of a part of the records finds the hot key and the shares of fields", "[run][sampler]") {
    auto const in = orders(2, 200'000);
    dl::memory_log<order> log;
    dl::input_sampler eyes{per_user, log, dl::sampler_options{.records = 4'096, .keys = 32}};
    log.append(in);
    eyes.look();
    CHECK(eyes.records() == 4'096);
    eyes.look();  // nothing new
    CHECK(eyes.records() == 4'096);
    auto const hot = eyes.hot_keys(1);
    CHECK(hot[0].name == "3");
    auto const share = static_cast<double>(hot[0].count - hot[0].error) / (4'096 * 2.0 / 3);
    CHECK(share > 0.4);  // a half of what is kept
    CHECK(share < 0.6);
    auto const coupons = eyes.fields()[1];
    CHECK(static_cast<double>(coupons.nulls) / static_cast<double>(coupons.records) == Approx(0.25).margin(0.05));
    auto const late = eyes.disorder();
    CHECK(late.count() > 2'000);
    CHECK(late.counts[0] > late.count() / 2);
    CHECK(late.counts[5] > 0);  // up to ten seconds
}

TEST_CASE("a sampler follows what a job has read, and leaves out what was trimmed", "[run][sampler]") {
    auto const in = orders(3, 30'000);
    dl::memory_log<order> log;
    dl::input_sampler eyes{per_user, log, dl::sampler_options{.records = 100'000}};
    log.append(in);
    dl::job job{dl::stream{}, per_user, log, dl::to([](auto const&) {})};
    job.poll(1'000);
    eyes.look(job.metrics());
    CHECK(eyes.records() == 1'000);
    job.poll();
    log.trim(0, 29'900);
    auto const left = log.end_offset() - log.begin_offset();
    REQUIRE(left < 29'000);
    eyes.look(job.metrics());
    CHECK(eyes.records() == 1'000 + left);
    eyes.look_from(log.begin_offset());
    eyes.look();
    CHECK(eyes.records() == 1'000 + 2 * left);
}

TEST_CASE("a sampler leaves out records whose functions throw, and calls keys what they are", "[run][sampler]") {
    auto const p = dl::from<dl::event<std::string>>() | dl::assign_time(dl::bounded_disorder{1_s})
        | dl::key_by([](std::string const& s) {
              if (s == "bad") throw std::runtime_error{"bad"};
              return s;
          })
        | dl::window(dl::tumbling{1_s}) | dl::aggregate(dl::count());
    dl::memory_log<dl::event<std::string>> log;
    dl::input_sampler eyes{p, log, dl::sampler_options{.records = 100}};
    log.append({std::string{"a \"b\""}, at(5)});
    log.append({std::string{"bad"}, at(6)});
    log.append({std::string{"a \"b\""}, at(2)});
    eyes.look();
    CHECK(eyes.records() == 3);
    REQUIRE(eyes.hot_keys().size() == 1);
    CHECK(eyes.hot_keys()[0].name == "a \"b\"");
    CHECK(eyes.disorder().counts[2] == 1);  // 3 ms
    auto const two = dl::from<order>() | dl::key_by(&order::user, &order::coupon) | dl::map([](order const& o) {
        return o;
    });
    dl::memory_log<order> others;
    dl::input_sampler pairs{two, others};
    order one{};
    one.user = 7;
    others.append(one);
    pairs.look();
    CHECK(pairs.hot_keys()[0].name == "[7,null]");
    CHECK_THROWS_AS((dl::input_sampler{two, others, dl::sampler_options{.keys = 0}}), dl::error);
}

TEST_CASE("a sampler looks on a thread of its own while a job runs and records come", "[run][sampler]") {
    auto const in = orders(5, 20'000);
    dl::memory_log<order> log{2};
    dl::input_sampler eyes{per_user, log};
    dl::job job{dl::stream{}, per_user, log, dl::to([](auto const&) {})};
    std::thread producer{[&] {
        for (std::size_t i = 0; i < in.size(); ++i) log.append(in[i], static_cast<std::uint32_t>(i % 2));
    }};
    std::thread watching{[&] {
        for (int i = 0; i < 50; ++i) {
            eyes.look(job.metrics());
            dl::metric_set all;
            eyes.collect(all);
        }
    }};
    while (job.metrics().records < 10'000) job.poll(500);
    producer.join();
    watching.join();
    job.drain();
    eyes.look(job.metrics());
    CHECK(eyes.records() > 0);
}
