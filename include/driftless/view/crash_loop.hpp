// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_CRASH_LOOP_HPP
#define DRIFTLESS_VIEW_CRASH_LOOP_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/system_time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How starts are counted, and how long to wait before the next.
struct crash_loop_options {
    duration window{600'000'000'000};    ///< starts so long ago, or longer, are forgotten; above 0
    std::uint64_t most = 5;              ///< so many starts in the window are good
    duration first_pause{1'000'000'000}; ///< before the second start in the window; doubles with each
    duration longest_pause{60'000'000'000};
    file_system* files = nullptr;        ///< where the folder is; null: on the disk
    event_time (*clock)() = nullptr;     ///< null: the system's
};

/// Counts how often a program was started, in a file that survives it: many starts in a short time are a crash loop.
///
///     start_count starts{"views/revenue"};
///     starts.note_start();
///     if (starts.looping()) ...;             // roll back, or stop
///     sleep(starts.pause());                 // exponential backoff; the caller sleeps
///     ...
///     starts.note_good();                    // it works: the count begins anew
///
/// Shape       A file `starts` in a folder that is there, replaced as a whole with each start.
/// Time        A start counts while clock - start < window. A clock that was set back counts starts of the future as
///             starts of now. pause() is first_pause * 2^(n - 2) before the n-th start, at most longest_pause; none
///             before the first.
/// Errors      io. A damaged file counts as one without a start: no crash loop is made up.
/// Threads     One, of one process.
/// Source      R. Metcalfe, D. Boggs, "Ethernet" (1976), on binary exponential backoff.
class start_count {
    std::string folder_;
    crash_loop_options options_;
    file_system* files_;
    std::vector<std::int64_t> starts_;  // ascending, ns

    static constexpr char const* file_name = "starts";

public:
    explicit start_count(std::string folder, crash_loop_options options = {})
        : folder_(std::move(folder)),
          options_(options),
          files_(options.files != nullptr ? options.files : &real_files()) {
        if (options_.window <= duration{} || options_.first_pause < duration{} || options_.longest_pause < duration{}) {
            throw error{error_code::invalid_argument,
                "crash_loop_options needs a window above 0, and pauses that are not negative", folder_};
        }
        if (options_.clock == nullptr) options_.clock = &detail::system_time;
        load();
    }

    /// This program has started.
    void note_start() {
        auto const now = options_.clock().ns();
        forget(now);
        for (auto& each : starts_) each = std::min(each, now);
        starts_.push_back(now);
        // More than these change nothing.
        auto const kept = static_cast<std::size_t>(std::min<std::uint64_t>(options_.most, 1000)) + 64;
        if (starts_.size() > kept) starts_.erase(starts_.begin(), starts_.end() - static_cast<std::ptrdiff_t>(kept));
        save();
    }
    /// It works: what came before is no crash loop.
    void note_good() {
        if (starts_.empty()) return;
        starts_.clear();
        save();
    }
    /// Starts in the window, this one included.
    [[nodiscard]] std::uint64_t count() {
        forget(options_.clock().ns());
        return starts_.size();
    }
    [[nodiscard]] bool looping() { return count() > options_.most; }
    /// How long to wait, from the start on, before work begins.
    [[nodiscard]] duration pause() {
        auto const n = count();
        if (n < 2) return {};
        auto out = options_.first_pause;
        for (std::uint64_t i = 2; i < n && out < options_.longest_pause; ++i) out = out + out;
        return std::min(out, options_.longest_pause);
    }

private:
    void forget(std::int64_t now) {
        std::erase_if(starts_, [&](std::int64_t start) {
            return event_time{now} - event_time{start} >= options_.window;
        });
    }
    void save() const {
        std::string text;
        for (auto const each : starts_) text += std::to_string(each) + '\n';
        auto const sum = xxh3_64(text.data(), text.size());
        write_whole_file(folder_, file_name, std::to_string(sum) + '\n' + text, *files_);
    }
    void load() {
        auto const bytes = read_whole_file(folder_ + '/' + file_name, *files_);
        if (!bytes) return;
        auto const end = bytes->find('\n');
        if (end == std::string::npos) return;
        auto const text = std::string_view{*bytes}.substr(end + 1);
        if (bytes->substr(0, end) != std::to_string(xxh3_64(text.data(), text.size()))) return;
        std::int64_t value = 0;
        bool negative = false;
        for (char const c : text) {
            if (c == '-') negative = true;
            else if (c != '\n') value = value * 10 + (c - '0');
            else {
                starts_.push_back(negative ? -value : value);
                value = 0;
                negative = false;
            }
        }
    }
};
}  // namespace driftless::inline v0
#endif
