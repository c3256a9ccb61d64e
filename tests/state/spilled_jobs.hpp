// SPDX-License-Identifier: BSL-1.0
// Pipelines whose state is in memory, and the same with state that spills into a cold_store: the same tests for each
// store.
#ifndef DRIFTLESS_TESTS_STATE_SPILLED_JOBS_HPP
#define DRIFTLESS_TESTS_STATE_SPILLED_JOBS_HPP

#include <driftless/agg/collect.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/process.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/state/map_state.hpp>
#include <driftless/state/spill.hpp>
#include <state/spill_conformance.hpp>
#include <support/rapidcheck.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace spilled_jobs {
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
/// Says in its rows what it has seen, and sometimes throws.
struct trail {
    std::int64_t operator()(std::int64_t before, click const& one) const {
        if (one.cents == 15) throw error{error_code::user_function, "fifteen"};
        return (before * 31 + one.cents) % 1'000'000'007;
    }
};
}  // namespace spilled_jobs
BOOST_HANA_ADAPT_STRUCT(spilled_jobs::click, who, page, cents);
BOOST_HANA_ADAPT_STRUCT(spilled_jobs::visitor::state, sum, last, by_page);

namespace spilled_jobs {
inline constexpr auto visits = [](auto... storage) {
    return from<click>() | key_by<&click::who>() | process<std::int64_t>(visitor{}, unbounded_state{}, storage...);
};
inline constexpr auto totals = [](auto... storage) {
    return from<click>() | key_by<&click::who>()
        | aggregate(count(), sum<&click::cents>(), max<&click::page>(), collect<&click::page>(),
            fold(std::int64_t{0}, trail{}), unbounded_state{}, storage...);
};
inline constexpr auto few_totals = [](auto... storage) {
    return from<click>() | key_by<&click::cents>()
        | aggregate(fold(std::int64_t{0}, trail{}), max_keys{9}, storage...);
};

struct step {
    std::uint32_t who;
    std::int64_t cents;
};
template <class Log>
void append(Log& log, std::vector<step> const& steps) {
    std::int64_t page = 0;
    for (auto const& each : steps) {
        auto const who = "visitor" + std::string(each.who % 7, '.') + std::to_string(each.who);
        log.append(click{who, ++page % 40, each.cents});
    }
}
inline std::vector<step> some_steps(std::uint32_t keys) {
    auto const count = *rc::gen::inRange<std::size_t>(0, 400);
    return *rc::gen::container<std::vector<step>>(count,
        rc::gen::apply([](std::uint32_t who, std::int64_t cents) { return step{who, cents}; },
            rc::gen::inRange<std::uint32_t>(0, keys), rc::gen::inRange<std::int64_t>(0, 17)));
}
struct said {
    std::vector<std::string> rows;
    auto sink() {
        return to([this](auto const& row) {
            auto& bytes = rows.emplace_back();
            byte_writer{bytes}.write(row.key).write(row.value);
        });
    }
};

/// Pipe, called without anything or with a spill_to, makes a pipeline. The store is empty before and after.
template <class Pipe>
void same_rows_and_snapshots(cold_store& store, Pipe const& pipe) {
    property("the same", [&] {
        auto const steps = some_steps(*rc::gen::inRange<std::uint32_t>(1, 60));
        auto const most = *rc::gen::inRange<std::size_t>(1, 12);
        auto const chunk = *rc::gen::inRange<std::size_t>(1, 30);
        memory_log<click> log;
        append(log, steps);
        said plain;
        said spilled;
        {
            job one{stream{.on_error = on_error::skip}, pipe(), log, plain.sink()};
            job two{stream{.on_error = on_error::skip}, pipe(spill_to{store, most}), log, spilled.sink()};
            while (one.poll(chunk) != 0) {
                two.poll(chunk);
                RC_ASSERT(one.snapshot() == two.snapshot());
            }
            one.drain();
            two.drain();
            RC_ASSERT(plain.rows == spilled.rows);
            RC_ASSERT(one.metrics().failures == two.metrics().failures);
        }
        RC_ASSERT(spill_conformance::all_in(store).empty());
        said batched;
        static_cast<void>(run(batch{.threads = *rc::gen::inRange(1, 4), .on_error = on_error::skip},
            pipe(spill_to{store, most}), log, batched.sink()));
        RC_ASSERT(batched.rows == plain.rows);
    });
}
/// A job is stopped and goes on from its snapshot: in memory, with a store, with another limit, in memory again.
template <class Pipe>
void snapshots_go_over(cold_store& store, Pipe const& pipe) {
    property("the same", [&] {
        auto const steps = some_steps(*rc::gen::inRange<std::uint32_t>(1, 60));
        memory_log<click> log;
        append(log, steps);
        said whole;
        static_cast<void>(run(stream{.on_error = on_error::skip, .until = drained}, pipe(), log, whole.sink()));

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
        go_on(pipe(), cut, false);
        go_on(pipe(spill_to{store, *rc::gen::inRange<std::size_t>(1, 9)}), (steps.size() - cut) / 2, false);
        go_on(pipe(spill_to{store, *rc::gen::inRange<std::size_t>(1, 9)}), 1, false);
        go_on(pipe(), 0, true);
        RC_ASSERT(parts.rows == whole.rows);
    });
}
}  // namespace spilled_jobs
#endif
