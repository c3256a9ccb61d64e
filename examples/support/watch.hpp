// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_WATCH_HPP
#define EXAMPLES_SUPPORT_WATCH_HPP

#include <driftless/core/time.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/metrics/watcher.hpp>
#include <driftless/run/job_status.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

namespace support {

/// What `--watch` shows: on a terminal a few lines that are drawn anew four times a second; into a file or a pipe one
/// line a second. On standard error: standard output is for results, and may be a pipe while somebody looks on.
class watch {
public:
    struct words {
        std::vector<std::string> lines;  ///< for a terminal
        std::string line;                ///< for a file
    };

    explicit watch(bool on) : on_(on), terminal_(::isatty(STDERR_FILENO) == 1) {}
    watch(watch const&) = delete;
    watch& operator=(watch const&) = delete;
    ~watch() { stop(); }

    /// For a job that runs by itself: a thread asks for its metrics.
    template <class Job>
    void follow(Job const& job) {
        if (!on_) return;
        thread_ = std::make_unique<driftless::watcher>(pause(), [this, &job] { show(words_of(job.metrics())); });
    }
    /// For a program that polls: shows what `now()` says, words or a report, if it is time for that.
    template <class F>
    void tick(F&& now) {
        if (!on_) return;
        auto const at = std::chrono::steady_clock::now();
        if (at < next_) return;
        next_ = at + std::chrono::nanoseconds{pause().ns()};
        show(words_of(now()));
    }
    /// Takes what stands on the terminal away, before something else is written there; the next look draws it anew.
    void clear() {
        if (!on_ || !terminal_) return;
        auto const out = screen_.frame({}, 0);
        std::fwrite(out.data(), 1, out.size(), stderr);
    }
    /// The last word, also of a run that was too short for any. Before the job goes.
    void stop() { thread_.reset(); }

private:
    bool on_;
    bool terminal_;
    driftless::job_status status_;
    driftless::status_screen screen_;
    std::chrono::steady_clock::time_point next_{};
    std::unique_ptr<driftless::watcher> thread_;

    [[nodiscard]] driftless::duration pause() const {
        return driftless::duration{terminal_ ? 250'000'000 : 1'000'000'000};
    }
    static words words_of(words now) { return now; }
    words words_of(driftless::report const& of) {
        auto const now = driftless::detail::system_time();
        if (terminal_) return {status_.lines(of, now), {}};
        return {{}, status_.line(of, now)};
    }
    void show(words const& now) {
        std::string out;
        if (terminal_) {
            ::winsize size{};
            auto const width = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
            out = screen_.frame(now.lines, static_cast<std::size_t>(width) - 1);
        } else {
            out = now.line + '\n';
        }
        std::fwrite(out.data(), 1, out.size(), stderr);
    }
};

/// Takes --watch out of the words of a command line; true if it was there.
inline bool take_watch(int& argc, char** argv) {
    bool found = false;
    int kept = 0;
    for (int i = 0; i < argc; ++i) {
        if (i > 0 && std::string{argv[i]} == "--watch") found = true;
        else argv[kept++] = argv[i];
    }
    argc = kept;
    return found;
}
}  // namespace support
#endif
