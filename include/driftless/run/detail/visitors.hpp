// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_VISITORS_HPP
#define DRIFTLESS_RUN_DETAIL_VISITORS_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/report.hpp>
#include <driftless/time/watermark.hpp>
#include <driftless/time/watermark_valve.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

// What is done with the state of the stages: visit_state(visitor) shows it every (name, member).

namespace driftless::inline v0::detail {
/// Collects the books of all stages, and the watermarks, input by input.
struct report_visitor {
    report& into;
    std::size_t& stages;  // how many of into.stages are those of now: the others are used again
    std::string_view input{};              // whose chain it is
    partition_report* partitions = nullptr;  // of that input
    std::size_t partition_count = 0;
    event_time watermark = event_time::min();

    template <class T>
    void operator()(std::string_view name, T& member) {
        if constexpr (std::is_same_v<T, account>) {
            add(member);
        } else if constexpr (std::is_same_v<T, event_time>) {
            if (name == "watermark") watermark = member;
        } else if constexpr (std::is_same_v<T, partition_clock>) {
            of_input(member);
        } else if constexpr (std::is_same_v<T, watermark_valve>) {
            into.watermarks.push_back({"merge", member.output(), member.output()});
        } else if constexpr (requires { member.books(); }) {
            auto& made = add(member.books());
            made.state_bytes = member.state_bytes();
            if constexpr (requires { member.pending_timers(); }) made.timers = member.pending_timers();
            if constexpr (requires { member.call_counts(); }) {
                auto const calls = member.call_counts();
                made.retries = calls.retries;
                made.timeouts = calls.timeouts;
            }
            into.state_bytes += made.state_bytes;
        }
    }
    /// Of a stage that counts what an operator hands on: run/detail/counted_stage.hpp.
    void rows_out(operator_label label, std::uint64_t rows) {
        for (auto i = stages; i-- > 0;) {
            if (into.stages[i].label != label) continue;
            into.stages[i].rows_out = rows;
            return;
        }
        auto& made = add(account{.label = label});
        made.rows_out = rows;
        made.keeps_books = false;
    }

private:
    stage_report& add(account const& books) {
        if (stages == into.stages.size()) into.stages.emplace_back();
        auto& made = into.stages[stages++];
        static_cast<account&>(made) = books;
        made.rows_out = made.state_bytes = made.timers = made.retries = made.timeouts = 0;
        made.keeps_books = true;
        return made;
    }
    void of_input(partition_clock& clock) {
        auto const progress = clock.least_newest();
        auto const& all = clock.partitions();
        into.watermarks.push_back({input, watermark, progress});
        for (std::size_t i = 0; i < partition_count; ++i) {
            auto& of = partitions[i];
            of.progress = partition_count == 1 ? progress : event_time::min();
            if (of.partition >= all.inputs()) continue;
            if (partition_count != 1) of.progress = all.watermark_of(of.partition);
            of.idle = all.is_idle(of.partition);
            of.holds = all.counts(of.partition) && of.progress <= progress && progress != event_time::max();
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
