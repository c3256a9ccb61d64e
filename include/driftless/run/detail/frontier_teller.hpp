// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_FRONTIER_TELLER_HPP
#define DRIFTLESS_RUN_DETAIL_FRONTIER_TELLER_HPP

#include <driftless/core/frontier.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/watermark_valve.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

namespace driftless::inline v0::detail {

/// How far a job has come, for the sinks that follow that. Its watermark is the one behind the last operator where
/// inputs flow together; its progress that of the input where it is least.
class frontier_teller {
    std::vector<std::uint64_t> offsets_;
    frontier now_;

    struct watermark_visitor {
        event_time watermark = event_time::min();  // the last one on the way to the sink
        event_time progress = event_time::min();
        bool any = false;
        bool serves = false;  // the stages of this input lead on to a sink that follows, and not into those of another

        template <class Sink>
        void on_sink(Sink&) noexcept {
            serves = serves || follows_frontier<Sink>;
        }
        template <class T>
        void operator()(std::string_view name, T& member) {
            if constexpr (std::is_same_v<T, event_time>) {
                if (name == "watermark") set(member);
            } else if constexpr (requires { member.least_newest(); }) {
                progress = member.least_newest();
            } else if constexpr (std::is_same_v<T, watermark_valve>) {
                set(member.output());
            }
        }
        void set(event_time to) noexcept {
            watermark = to;
            any = true;
        }
    };

public:
    template <class Engine>
    frontier_teller(Engine& engine, bool ended) {
        now_.epoch = engine.records();
        offsets_.reserve(engine.lanes().size());
        for (auto const* const each : engine.lanes()) offsets_.push_back(each->next);
        now_.offsets = offsets_.data();
        now_.partitions = offsets_.size();
        watermark_visitor least;
        engine.each_chain([&](auto& chain) {
            watermark_visitor found;
            chain.visit_state(found);
            if (!found.any) return;
            if (!least.any || found.progress < least.progress) least.progress = found.progress;
            // An input that is idle holds nobody's watermark but its own.
            bool const nearer = found.serves && !least.serves;
            if (!least.any || nearer || (found.serves == least.serves && found.watermark < least.watermark))
                least.watermark = found.watermark;
            least.serves = least.serves || found.serves;
            least.any = true;
        });
        now_.watermark = least.watermark;
        now_.progress = least.progress;
        if (ended) now_.watermark = event_time::max();
    }
    template <class Sink>
    void tell(Sink& sink) const {
        if constexpr (follows_frontier<Sink>) sink.on_frontier(now_);
    }
};
}  // namespace driftless::inline v0::detail
#endif
