// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/spill.hpp>

#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/process.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/state/map_state.hpp>
#include <driftless/testing/memory_cold_store.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace process_spill {
using namespace driftless;

struct click {
    text who;
    std::int64_t page;
    std::int64_t cents;
};
/// A sum, the last pages, visits by page; leaves when somebody says so, and tells of everybody at the end.
struct visitor {
    struct state {
        value_state<std::int64_t> sum;
        list_state<std::int64_t> last;
        map_state<std::int64_t, std::int32_t> by_page;
    };
    void on_record(state& own, click const& one, auto& context) const {
        if (one.cents == 13) return context.clear();
        if (one.cents == 14) {
            own.sum.reset();
            own.last.reset();
            own.by_page.reset();
            return;
        }
        if (one.cents == 15) throw error{error_code::user_function, "fifteen"};
        own.sum = own.sum.value_or(0) + one.cents;
        own.last.push_back(one.page);
        own.last.erase_if([&](std::int64_t page) { return page < one.page - 4; });
        own.by_page[one.page % 3] += 1;
        context.emit(*own.sum * 1000 + static_cast<std::int64_t>(own.last.size()));
    }
    void on_close(state& own, auto& context) const { context.emit(-*std::as_const(own.sum)); }
};
}  // namespace process_spill
BOOST_HANA_ADAPT_STRUCT(process_spill::click, who, page, cents);
BOOST_HANA_ADAPT_STRUCT(process_spill::visitor::state, sum, last, by_page);
using namespace process_spill;

namespace {
struct step {
    std::uint32_t who;
    std::int64_t cents;
};
void append(memory_log<click>& log, std::vector<step> const& steps) {
    std::int64_t page = 0;
    for (auto const& each : steps) {
        auto const who = "visitor" + std::string(each.who % 7, '.') + std::to_string(each.who);
        log.append(click{who, ++page, each.cents});
    }
}
template <class... Storage>
auto visits(Storage... storage) {
    return from<click>() | key_by<&click::who>()
        | process<std::int64_t>(visitor{}, unbounded_state{}, storage...);
}
struct said {
    std::vector<std::string> rows;
    auto sink() {
        return to([this](pane<text, std::int64_t> const& row) {
            rows.push_back(row.key.str() + ' ' + std::to_string(row.value));
        });
    }
};
std::vector<step> some_steps(std::uint32_t keys) {
    auto const count = *rc::gen::inRange<std::size_t>(0, 400);
    return *rc::gen::container<std::vector<step>>(count,
        rc::gen::apply([](std::uint32_t who, std::int64_t cents) { return step{who, cents}; },
            rc::gen::inRange<std::uint32_t>(0, keys), rc::gen::inRange<std::int64_t>(0, 17)));
}
}  // namespace

TEST_CASE("state that spills gives the rows and snapshots of state in memory", "[op][process][spill]") {
    property("the same", [] {
        auto const steps = some_steps(*rc::gen::inRange<std::uint32_t>(1, 60));
        auto const most = *rc::gen::inRange<std::size_t>(1, 12);
        auto const chunk = *rc::gen::inRange<std::size_t>(1, 30);
        memory_log<click> log;
        append(log, steps);
        testing::memory_cold_store store;
        said plain;
        said spilled;
        {
            job one{stream{.on_error = on_error::skip}, visits(), log, plain.sink()};
            job two{stream{.on_error = on_error::skip}, visits(spill_to{store, most}), log, spilled.sink()};
            while (one.poll(chunk) != 0) {
                two.poll(chunk);
                RC_ASSERT(one.snapshot() == two.snapshot());
            }
            one.drain();
            two.drain();
            RC_ASSERT(plain.rows == spilled.rows);
            RC_ASSERT(one.metrics().failures == two.metrics().failures);
        }
        RC_ASSERT(store.size() == 0U);
        said batched;
        static_cast<void>(run(batch{.threads = *rc::gen::inRange(1, 4), .on_error = on_error::skip},
            visits(spill_to{store, most}), log, batched.sink()));
        RC_ASSERT(batched.rows == plain.rows);
    });
}

TEST_CASE("a snapshot goes from memory to a store and back", "[op][process][spill]") {
    property("the same", [] {
        auto const steps = some_steps(*rc::gen::inRange<std::uint32_t>(1, 60));
        memory_log<click> log;
        append(log, steps);
        testing::memory_cold_store store;
        said whole;
        static_cast<void>(run(stream{.on_error = on_error::skip, .until = drained}, visits(), log, whole.sink()));

        said parts;
        std::string state;
        auto const cut = *rc::gen::inRange<std::size_t>(0, steps.size() + 1);
        auto const go_on = [&](auto pipeline, std::size_t records, bool last) {
            job running{stream{.on_error = on_error::skip}, pipeline, log, parts.sink()};
            if (!state.empty()) running.restore(state);
            if (records != 0) running.poll(records);
            state = running.snapshot();
            if (last) running.drain();
        };
        go_on(visits(), cut, false);
        go_on(visits(spill_to{store, *rc::gen::inRange<std::size_t>(1, 9)}), (steps.size() - cut) / 2, false);
        go_on(visits(spill_to{store, *rc::gen::inRange<std::size_t>(1, 9)}), 1, false);
        go_on(visits(), 0, true);
        RC_ASSERT(parts.rows == whole.rows);
    });
}

TEST_CASE("a store that fails fails the job", "[op][process][spill]") {
    memory_log<click> log;
    std::vector<step> steps;
    for (std::uint32_t i = 0; i < 100; ++i) steps.push_back({i % 20, 1});
    append(log, steps);
    testing::memory_cold_store store;
    said rows;
    job running{stream{.on_error = on_error::skip}, visits(spill_to{store, 5}), log, rows.sink()};
    store.fail_from(10);
    CHECK_THROWS_AS(running.poll(), error);
    CHECK_THROWS_AS(running.poll(), error);
    CHECK(running.metrics().failures == 0);
}

TEST_CASE("where state is kept is no part of a pipeline's fingerprint", "[op][process][spill]") {
    testing::memory_cold_store store;
    CHECK(fingerprint(visits()) == fingerprint(visits(spill_to{store, 3})));
}
