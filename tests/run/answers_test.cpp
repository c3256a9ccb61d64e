// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/answers.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/enrich.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/snapshot_store.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/testing/seeded_calls.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::fault;
using testing::memory_files;
using testing::seeded_calls;

namespace answers_test {
struct order {
    std::int64_t id;
    event_time at;
};
struct priced {
    std::int64_t id;
    std::int64_t price;
    event_time at;
};
}  // namespace answers_test
BOOST_HANA_ADAPT_STRUCT(answers_test::order, id, at);
BOOST_HANA_ADAPT_STRUCT(answers_test::priced, id, price, at);
using answers_test::order;
using answers_test::priced;

namespace {
/// Says something else each time.
struct moody {
    std::int64_t* calls;
    std::int64_t operator()(order const& o) const { return o.id * 1000 + (*calls)++; }
};
constexpr auto with_price = [](order const& o, std::int64_t price) { return priced{o.id, price, o.at}; };
stream in(memory_files& files, std::uint64_t every, std::size_t keep = 2, bool anew = false) {
    snapshot_options options{.every = {}, .records = every, .keep = keep, .begin_anew = anew};
    options.files = &files;
    return stream{.snapshots = "state", .until = end_of_log, .snapshot_options = options};
}
std::uint64_t size_of_answers(memory_files& files) {
    std::uint64_t sum = 0;
    for (auto const& each : files.list("state")) {
        if (each.name.starts_with("answers-")) sum += files.open("state/" + each.name, open_mode::read)->size();
    }
    return sum;
}
}  // namespace

TEST_CASE("what was answered before a job was killed is not asked again, though nobody named a log",
    "[run][answers][crash]") {
    for (auto const kind : {fault::cut, fault::after, fault::fail}) {
        for (bool const power : {false, true}) {
            for (std::uint64_t bad = 1;; ++bad) {
                memory_files files;
                files.inject(bad, kind);
                std::int64_t calls = 0;
                memory_log<order> log;
                for (std::int64_t i = 0; i < 40; ++i) log.append({i, event_time{} + 1_s * i});
                std::vector<std::int64_t> got(40, -1);
                bool changed = false;
                auto sink = to([&](priced const& p) {
                    auto& place = got[static_cast<std::size_t>(p.id)];
                    changed = changed || (place != -1 && place != p.price);
                    place = p.price;
                });
                bool failed = false;
                for (int starts = 0; starts < 3; ++starts) {
                    try {
                        seeded_calls outside{bad};
                        auto const p =
                            from<order>() | enrich(moody{&calls}, concurrency{4}, calls_on(outside), with_price);
                        job running{in(files, 7, 1 + bad % 2), p, log, sink};
                        running.run();
                        break;
                    } catch (error const&) {
                        failed = true;
                        if (power) files.lose_power(bad);
                        else files.restart();
                    }
                }
                for (auto const price : got) CHECK(price >= 0);
                // A loss of power may take the answer with the record's offset: it is another run then.
                if (!power) CHECK(!changed);
                if (!failed) {
                    CHECK(bad > 50);
                    break;
                }
            }
        }
    }
}

TEST_CASE("a job that goes back to an older snapshot has the answers since then", "[run][answers]") {
    memory_files files;
    std::int64_t calls = 0;
    memory_log<order> log;
    seeded_calls outside{3};
    auto const p = from<order>() | enrich(moody{&calls}, concurrency{4}, calls_on(outside), with_price);
    std::map<std::int64_t, std::int64_t> got;
    bool changed = false;
    auto sink = to([&](priced const& each) {
        auto const [place, is_new] = got.try_emplace(each.id, each.price);
        changed = changed || place->second != each.price;
    });
    for (std::int64_t turn = 0; turn < 20; ++turn) {
        for (std::int64_t i = 0; i < 50; ++i) log.append({turn * 50 + i, event_time{} + 1_s * i});
        {
            job running{in(files, 10), p, log, sink};
            running.run();
        }
        snapshot_store const store{"state", files};
        for (auto const& each : files.list("state")) {
            if (each.name.find(std::to_string(store.numbers().back()) + ".manifest") == std::string::npos) continue;
            files.open("state/" + each.name, open_mode::write)->write_at(20, "damaged");
        }
        job running{in(files, 10), p, log, sink};
        CHECK(running.metrics().warnings.size() == 1);
        running.run();
    }
    CHECK(got.size() == 1000);
    CHECK(!changed);
    CHECK(calls == 1000);
}

TEST_CASE("answers are kept as long as a snapshot that is kept may need them", "[run][answers]") {
    memory_files files;
    std::int64_t calls = 0;
    memory_log<order> log;
    std::uint64_t most = 0;
    seeded_calls outside{3};
    auto const p = from<order>() | enrich(moody{&calls}, concurrency{4}, calls_on(outside), with_price);
    auto sink = to([](priced const&) {});
    for (int turn = 0; turn < 50; ++turn) {
        for (std::int64_t i = 0; i < 100; ++i) log.append({i, event_time{} + 1_s * i});
        job running{in(files, 10), p, log, sink};
        running.run();
        if (size_of_answers(files) > most) most = size_of_answers(files);
    }
    CHECK(calls == 5000);
    CHECK(most < 200 * 60);  // not 5000
    // Begun anew, everything is asked about again.
    job running{in(files, 10, 2, true), p, log, sink};
    running.run();
    CHECK(calls == 10'000);
}

TEST_CASE("on a way that meets another one, a single input has its answers journaled beside the snapshots",
    "[run][answers]") {
    for (std::uint64_t seed = 1; seed < 60; ++seed) {
        memory_files files;
        std::int64_t calls = 0;
        memory_log<order> log;
        seeded_calls outside{seed, 1_ms, 5_ms};
        auto const orders = from<order>() | assign_time<&order::at>(monotone{}) | share("orders"_name);
        auto const none = [](order const& o) { return priced{o.id, 0, o.at}; };
        auto const p = merge(
            orders | enrich(moody{&calls}, concurrency{5}, calls_on(outside), with_price), orders | map(none));
        std::vector<std::int64_t> lived;
        std::vector<std::int64_t> again;
        auto first = to([&](priced const& each) { lived.push_back(each.id + each.price); });
        auto second = to([&](priced const& each) { again.push_back(each.id + each.price); });
        auto state = in(files, 0);
        std::size_t before = 0;
        {
            job running{state, p, log, first};
            for (std::int64_t i = 0; i < 60; ++i) {
                log.append({i, event_time{} + 1_s * i});
                if (i % 3 == 0) running.poll();
                if (i % 7 == 0) outside.advance(2_ms);
                if (i == 20) {
                    running.save_snapshot();
                    before = lived.size();
                }
            }
            running.poll();
        }
        auto const asked = calls;
        auto const there = lived.size() - before;
        job running{state, p, log, second};
        running.run();
        REQUIRE(again.size() >= there);
        again.resize(there);
        CHECK(again == std::vector<std::int64_t>(lived.begin() + static_cast<std::ptrdiff_t>(before), lived.end()));
        CHECK(calls <= asked + 5);
    }
}
