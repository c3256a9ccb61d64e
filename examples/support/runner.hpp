// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_RUNNER_HPP
#define EXAMPLES_SUPPORT_RUNNER_HPP

#include <driftless/driftless.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

namespace support {
namespace dl = driftless;

/// Runs pipelines over a log in one of the two modes: the only place in these programs that knows which.
template <class Log>
class runner {
    Log const* log_;
    int threads_;
    std::optional<std::stop_token> complete_;  // of a stream: the log will not grow any more
    std::atomic<std::uint64_t>* late_;

public:
    runner(Log const& log, int threads, std::optional<std::stop_token> complete, std::atomic<std::uint64_t>& late)
        : log_(&log), threads_(threads), complete_(std::move(complete)), late_(&late) {}

    /// The results of a pipeline; a stream follows the log until it is complete.
    template <class Pipeline, class... SideOutputs>
    auto operator()(Pipeline const& pipeline, SideOutputs&&... sides) const {
        if (!complete_) {
            return dl::run(dl::batch{.threads = threads_}, pipeline, *log_, std::forward<SideOutputs>(sides)...);
        }
        dl::job job{dl::stream{.threads = threads_}, pipeline, *log_, std::forward<SideOutputs>(sides)...};
        follow(job);
        // Where nobody takes the refused records, they are at least counted.
        if (sizeof...(SideOutputs) == 0) *late_ += job.metrics().refused(dl::reason::late);
        return job.take_results();
    }
    /// Calls f(pane) for every pane, as it comes out.
    template <class Pipeline, class F>
    void each_pane(Pipeline const& pipeline, F f) const {
        auto sink = dl::to(f, [](auto const&, dl::time_window) {});
        if (!complete_) {
            dl::run(dl::batch{.threads = threads_}, pipeline, *log_, sink);
            return;
        }
        dl::job job{dl::stream{.threads = threads_}, pipeline, *log_, sink};
        follow(job);
    }

private:
    void follow(auto& job) const {
        std::stop_callback const on_complete{*complete_, [&job] { job.stop(); }};
        job.run();
        job.drain();
    }
};
}  // namespace support
#endif
