// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_PROGRESS_HPP
#define DRIFTLESS_IO_PROGRESS_HPP

#include <driftless/core/time.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime is POSIX
#include <unistd.h>

namespace driftless::inline v0 {

/// Where a progress bar is drawn: standard error, if a terminal that can erase a line is there.
///
/// Tests put a type of their own in its place, with the same three members.
struct stderr_terminal {
    [[nodiscard]] static bool shown() noexcept {
        char const* const kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
        return ::isatty(2) == 1 && kind != nullptr && std::string_view{kind} != "dumb";
    }
    /// Time since some fixed instant; never goes back.
    [[nodiscard]] static duration now() noexcept {
        timespec at{};
        ::clock_gettime(CLOCK_MONOTONIC, &at);
        return duration{std::int64_t{at.tv_sec} * 1'000'000'000 + std::int64_t{at.tv_nsec}};
    }
    static void write(std::string_view bytes) noexcept {
        while (!bytes.empty()) {
            auto const written = ::write(2, bytes.data(), bytes.size());
            if (written <= 0) return;  // a bar is not worth an error
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
    }
};

namespace detail {
/// A count in three digits or a little more: 999, 1.5 k, 12.3 M.
inline std::string scaled_count(std::uint64_t count) {
    constexpr std::string_view prefixes = " kMGTPE";
    std::size_t power = 0;
    std::uint64_t tenths = count < 1000 ? 0 : count % 1000 / 100;
    for (; count >= 1000; count /= 1000, ++power) tenths = count % 1000 / 100;
    std::string shown = std::to_string(count);
    if (power > 0) (shown += '.') += std::to_string(tenths);
    shown += ' ';
    if (power > 0) shown += prefixes[power];
    return shown;
}
}  // namespace detail

/// A progress bar for long input, on standard error: label, bar, percent, rate; gone when it ends.
///
///     progress bar{"reading lines.csv", lines.bytes_total()};
///     while (lines.next(row)) { ...; bar.update(lines.bytes_read()); }
///
/// Shape       update(done) takes the amount done so far, in whatever unit; `total` in the same unit,
///             nullopt or 0 if unknown (then amount and rate, no bar). More than the total is 100 %.
/// Time        Drawn at most once per `every` (an update exactly `every` after the last drawing draws),
///             and not before `every` has passed since construction: short work shows nothing. The rate is
///             the mean since construction, by the terminal's monotonic clock.
/// State       Silent for good if the terminal is not shown() at construction. One thread at a time.
/// Errors      None: what cannot be written is not drawn.
/// Complexity  update() is one branch when silent, one clock read (about 25 ns) when shown.
/// Example     examples/retail/main.cpp
template <class Terminal = stderr_terminal>
class progress {
    Terminal terminal_;
    std::string label_;
    std::string unit_;
    std::uint64_t total_;
    duration every_;
    bool shown_;
    bool drawn_ = false;
    duration started_{};
    duration last_{};

    void draw(std::uint64_t done, duration now) {
        constexpr std::uint64_t width = 20;
        std::string line = "\r" + label_ + "  ";
        if (total_ > 0) {
            // long double: done * 100 might not fit 64 bits
            auto const part = done < total_ ? static_cast<long double>(done) / static_cast<long double>(total_) : 1.0L;
            auto const filled = static_cast<std::size_t>(part * width);
            std::string const percent = std::to_string(static_cast<int>(part * 100));
            line += '[' + std::string(filled, '#') + std::string(width - filled, '.') + "] ";
            line += std::string(3 - percent.size(), ' ') + percent + " %";
        } else {
            line += detail::scaled_count(done) + unit_;
        }
        if (duration const spent = now - started_; spent > duration{}) {
            auto const rate = static_cast<double>(done) * 1e9 / static_cast<double>(spent.ns());
            line += "  " + detail::scaled_count(rate < 1e18 ? static_cast<std::uint64_t>(rate) : 0) + unit_ + "/s";
        }
        terminal_.write(line + "\x1b[K");
        drawn_ = true;
    }

public:
    explicit progress(std::string label, std::optional<std::uint64_t> total, std::string unit = "B",
        duration every = duration{100'000'000}, Terminal terminal = {})
        : terminal_(std::move(terminal)),
          label_(std::move(label)),
          unit_(std::move(unit)),
          total_(total.value_or(0)),
          every_(every),
          shown_(terminal_.shown()) {
        constexpr std::size_t longest = 30;  // the whole line then fits 80 columns
        if (label_.size() > longest) {
            std::size_t from = label_.size() - longest + 3;
            while (from < label_.size() && (static_cast<unsigned char>(label_[from]) & 0xC0U) == 0x80U) ++from;
            label_ = "..." + label_.substr(from);
        }
        if (shown_) started_ = last_ = terminal_.now();
    }
    progress(progress const&) = delete;
    progress& operator=(progress const&) = delete;
    ~progress() { finish(); }

    /// Says how much is done; draws if it is time.
    void update(std::uint64_t done) {
        if (!shown_) return;
        duration const now = terminal_.now();
        if (now - last_ < every_) return;
        last_ = now;
        draw(done, now);
    }
    /// Takes the bar off the screen, so that something else can be printed; the next drawing brings it back.
    void erase() {
        if (drawn_) terminal_.write("\r\x1b[K");
        drawn_ = false;
    }
    /// The end: erases the bar and stays silent.
    void finish() {
        erase();
        shown_ = false;
    }
};
}  // namespace driftless::inline v0
#endif
