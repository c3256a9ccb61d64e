// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/view.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/view_file.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace view_crash_test {
using namespace driftless;
struct sale {
    std::int64_t shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace view_crash_test
BOOST_HANA_ADAPT_STRUCT(view_crash_test::sale, shop, cents, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using testing::fault;
using testing::memory_files;
using view_crash_test::sale;
using totals = std::tuple<std::int64_t, std::int64_t>;
using shown_rows = std::map<std::pair<std::int64_t, time_window>, totals>;
using served = view<std::int64_t, totals>;

/// Sessions merge, and late records correct what was shown.
inline constexpr auto sessions = from<sale>()
    | assign_time<&sale::at>(bounded_disorder{5_min})
    | key_by<&sale::shop>()
    | window(session{20_min}, allowed_lateness{1_h})
    | aggregate(count(), sum<&sale::cents>());

void fill(memory_log<sale>& out, std::size_t n) {
    std::mt19937_64 random{9};
    for (std::size_t i = 0; i < n; ++i) {
        auto const minute = static_cast<std::int64_t>(i * 3) - static_cast<std::int64_t>(random() % 40);
        out.append({static_cast<std::int64_t>(random() % 4), static_cast<std::int64_t>(random() % 100),
            event_time{} + minute * 1_min});
    }
}
template <class Rows>
shown_rows content(Rows const& from_rows) {
    shown_rows out;
    for (auto const& each : from_rows) out[{each.key, each.window}] = each.value;
    return out;
}
/// What an uninterrupted job shows after each prefix of the log.
std::vector<shown_rows> states_of(memory_log<sale> const& log, std::size_t n) {
    std::vector<shown_rows> out;
    served shown;
    job running{stream{}, sessions, log, shown};
    out.emplace_back();
    for (std::size_t i = 0; i < n; ++i) {
        running.poll(1);
        out.push_back(content(shown.snapshot().rows()));
    }
    return out;
}
}  // namespace

TEST_CASE("a job that dies at any operation on its files shows the same rows again", "[view][snapshot][crash]") {
    constexpr std::size_t records = 60;
    memory_log<sale> log;
    fill(log, records);
    auto const states = states_of(log, records);
    for (auto const how : {fault::cut, fault::after}) {
        for (bool const power : {false, true}) {
            bool done = false;
            for (std::uint64_t n = 1; !done; ++n) {
                memory_files files;
                files.make_folder("out");
                files.sync_folder("");
                files.inject(n, how);
                std::uint64_t published = 0;
                // A process works until it dies, and is started again.
                for (int start = 0; start < 3; ++start) {
                    try {
                        served shown;
                        stream mode{.snapshots = "state"};
                        mode.snapshot_options = {.every = {}, .records = 7, .logic_version = "1", .files = &files};
                        job running{mode, sessions, log, shown};
                        REQUIRE(content(shown.snapshot().rows()) == states[shown.at().epoch]);
                        REQUIRE(shown.at().epoch % 7 == 0);
                        while (running.poll(5) != 0) {
                            auto const now = shown.snapshot();
                            REQUIRE(content(now.rows()) == states[now.at().epoch]);
                            publish_file(now, "out", "sessions", files);
                            view_reader<std::int64_t, totals> const other{"out", "sessions", files};
                            REQUIRE(other.at().epoch >= published);
                            published = other.at().epoch;
                        }
                        REQUIRE(shown.at().epoch == records);
                        done = start == 0;
                        break;
                    } catch (error const& problem) {
                        REQUIRE(problem.code() == error_code::io);
                    }
                    if (power) files.lose_power(n);
                    else files.restart();
                    if (files.exists("out/sessions.view")) {
                        view_reader<std::int64_t, totals> const other{"out", "sessions", files};
                        shown_rows found;
                        other.for_each([&](auto const& each) { found[{each.key, each.window}] = each.value; });
                        REQUIRE(found == states[other.at().epoch]);
                        REQUIRE(other.at().epoch >= published);
                    } else {
                        REQUIRE(published == 0);
                    }
                }
                REQUIRE(published == records);
            }
        }
    }
}
