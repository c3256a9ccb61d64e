// SPDX-License-Identifier: BSL-1.0
// Disks that are full or cannot be read, and two instances of one job.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <faults/job_world.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using namespace faults;

namespace disk_test {
struct sale {
    text shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace disk_test
BOOST_HANA_ADAPT_STRUCT(disk_test::sale, shop, cents, at);

namespace {
using disk_test::sale;
constexpr auto per_shop = from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | key_by<&sale::shop>()
    | window(tumbling{10_s}) | aggregate(count(), sum<&sale::cents>());
using world = job_world<std::remove_cv_t<decltype(per_shop)>, memory_log<sale>>;
constexpr std::int64_t records = 400;

memory_log<sale> const& sales() {
    static memory_log<sale> const* const all = [] {
        static char const* const shops[] = {"north", "south", "east", "a shop with a longer name"};
        auto* const out = new memory_log<sale>;  // NOLINT(cppcoreguidelines-owning-memory)
        for (std::int64_t i = 0; i < records; ++i) {
            out->append(sale{text{shops[i * 7 % 4]}, i, event_time{i * 1'000'000'000 - i * 3 % 2 * 1'500'000'000}});
        }
        return out;
    }();
    return *all;
}
world new_world() { return {per_shop, sales(), 37}; }
std::vector<std::string> in_one_run() {
    auto whole = new_world();
    lifeline alive;
    whole.live(alive);
    return whole.shown();
}
/// Lives; what it threw.
struct ending {
    error_code code = error_code::none;
    std::string said{};
};
ending life(world& in, std::uint64_t dies_at = 0) {
    try {
        lifeline until{dies_at};
        in.live(until);
    } catch (died) {
        return {error_code::none, "died"};
    } catch (error const& why) {
        return {why.code(), why.what()};
    }
    return {};
}
}  // namespace

TEST_CASE("a disk that is full, at whatever size, ends the job with an error, and loses nothing", "[faults][disk]") {
    auto const expected = in_one_run();
    REQUIRE(expected.size() > 100);
    std::size_t failures = 0;
    std::size_t bytes = 0;
    for (;; bytes += thinned() ? 997 : 61) {
        auto in = new_world();
        in.files.limit(bytes);
        auto const end = life(in);
        in.files.limit(~std::size_t{0});
        in.files.restart();
        auto const between = in.shown();
        INFO("room for " << bytes << " bytes: " << end.said);
        REQUIRE(between.size() <= expected.size());
        CHECK(std::equal(between.begin(), between.end(), expected.begin()));
        if (end.code == error_code::none) {
            CHECK(between == expected);
            break;
        }
        CHECK(end.code == error_code::io);
        CHECK(end.said.find("No space left on device") != std::string::npos);
        CHECK(life(in).said.empty());
        in.files.restart();
        CHECK(in.shown() == expected);
        ++failures;
    }
    CHECK(failures > 10);
    CHECK(bytes > 10'000);
}

TEST_CASE("snapshots that fail and are tolerated lose nothing, and show nothing twice", "[faults][disk]") {
    auto const expected = in_one_run();
    std::size_t went_on = 0;
    for (std::uint64_t nth = 1;; nth += thinned() ? 7 : 1) {
        auto in = new_world();
        in.options.tolerated_failures = 1000;
        in.files.inject(nth, fault::fail);
        auto const before = in.files.operations();
        auto const end = life(in);
        bool const reached = in.files.operations() - before >= nth;
        in.files.restart();
        INFO("operation " << nth << ": " << end.said);
        if (end.code == error_code::none) {
            ++went_on;
        } else {
            CHECK((end.code == error_code::io || end.code == error_code::stopped));  // the log wants to be opened anew
            CHECK(life(in).said.empty());
            in.files.restart();
        }
        CHECK(in.shown() == expected);
        if (!reached) break;
    }
    CHECK(went_on > 10);
}

TEST_CASE("what cannot be read is no reason to begin anew", "[faults][disk]") {
    auto const expected = in_one_run();
    // The job dies behind some snapshots. Started again, it cannot read something, once.
    std::size_t failures = 0;
    for (std::uint64_t nth = 1;; ++nth) {
        auto in = new_world();
        CHECK(life(in, 211).said == "died");
        in.files.restart();
        in.files.inject_read(nth);
        auto const end = life(in);
        in.files.restart();
        INFO("read " << nth << ": " << end.said);
        if (end.code != error_code::none) {
            ++failures;
            CHECK(end.code == error_code::io);
            CHECK(end.said.find("cannot read a file") != std::string::npos);
            CHECK(life(in).said.empty());
            in.files.restart();
        }
        CHECK(in.shown() == expected);
        if (end.code == error_code::none) break;
    }
    CHECK(failures > 10);
}

TEST_CASE("of two instances of a job with a log as its sink the older is fenced at its next commit",
    "[faults][fencing]") {
    auto const expected = in_one_run();
    for (auto const ahead : std::vector<std::size_t>{0, 1, 36, 37, 60}) {
        for (bool const younger_first : {false, true}) {
            auto in = new_world();
            {
                auto out = open_log<row_of<decltype(per_shop)>>(in.files, "out");
                log_sink of_older{out};
                log_sink of_younger{out};
                job older{in.mode(), per_shop, sales(), of_older};
                older.poll(100);
                job younger{in.mode(), per_shop, sales(), of_younger};
                if (younger_first) {
                    younger.poll(90);
                    younger.save_snapshot();
                }
                auto const commits = [&](auto& running) {
                    running.poll(ahead);
                    running.save_snapshot();
                };
                try {
                    commits(older);
                    FAIL("it was not fenced");
                } catch (error const& why) {
                    CHECK(why.code() == error_code::fenced);
                    CHECK(std::string{why.what()}.find("another instance of this job") != std::string::npos);
                }
                CHECK_THROWS_AS(older.poll(), error);
                commits(younger);
                younger.drain();
            }
            in.files.restart();
            CHECK(in.shown() == expected);
            // Whoever starts next clears away what the older one had prepared.
            CHECK(life(in).said.empty());
            auto const out = open_log<row_of<decltype(per_shop)>>(in.files, "out");
            CHECK(out.prepared().empty());
        }
    }
}
