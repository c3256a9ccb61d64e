// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_JOB_STATUS_HPP
#define DRIFTLESS_RUN_JOB_STATUS_HPP

#include <driftless/core/detail/utf8.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/report.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// 1234567 as 1,234,567.
inline std::string counted_text(std::uint64_t n) {
    auto out = std::to_string(n);
    for (auto i = out.size(); i > 3; i -= 3) out.insert(i - 3, 1, ',');
    return out;
}
/// `whole` units of so many, with one digit behind the point below ten.
inline std::string about_text(std::uint64_t value, std::uint64_t unit, std::string_view name) {
    auto out = std::to_string(value / unit);
    if (value / unit < 10 && unit > 1) (out += '.') += std::to_string(value % unit * 10 / unit);
    return (out += ' ') += name;
}
inline std::string bytes_text(std::uint64_t bytes) {
    constexpr std::uint64_t kib = 1024;
    if (bytes < kib) return about_text(bytes, 1, "B");
    if (bytes < kib * kib) return about_text(bytes, kib, "KiB");
    if (bytes < kib * kib * kib) return about_text(bytes, kib * kib, "MiB");
    return about_text(bytes, kib * kib * kib, "GiB");
}
inline std::string span_text(duration d) {
    if (d < duration{}) return "-" + span_text(d == duration::min() ? duration::max() : duration{-d.ns()});
    auto const ns = static_cast<std::uint64_t>(d.ns());
    constexpr std::uint64_t ms = 1'000'000;
    if (ns < ms) return about_text(ns, 1'000, "us");
    if (ns < 1'000 * ms) return about_text(ns, ms, "ms");
    if (ns < 120'000 * ms) return about_text(ns, 1'000 * ms, "s");
    if (ns < 7'200'000 * ms) return about_text(ns, 60'000 * ms, "min");
    if (ns < 172'800'000 * ms) return about_text(ns, 3'600'000 * ms, "h");
    return about_text(ns, 86'400'000 * ms, "d");
}
}  // namespace detail

/// How a job does, for people: a few lines that a terminal shows, or one for a file.
///
///     job_status status;
///     for (auto const& line : status.lines(job.metrics(), now)) std::puts(line.c_str());
///
/// State       What the look before said, for rates.
/// Time        `now` is the clock of whoever asks.
/// Threads     One.
class job_status {
    report before_;
    event_time before_at_ = event_time::min();
    std::uint64_t rate_ = 0;

    void look(report const& of, event_time now) {
        if (before_at_ != event_time::min() && now > before_at_ && of.records >= before_.records) {
            auto const seconds = static_cast<double>((now - before_at_).ns()) / 1e9;
            // NOLINTNEXTLINE(bugprone-incorrect-roundings): it is not negative
            rate_ = static_cast<std::uint64_t>(static_cast<double>(of.records - before_.records) / seconds + 0.5);
        }
        if (now > before_at_) {
            before_ = of;
            before_at_ = now;
        }
    }
    [[nodiscard]] static std::string totals(report const& of, std::uint64_t rate) {
        auto out = detail::counted_text(of.records) + " records, " + detail::counted_text(rate) + "/s";
        std::uint64_t lag = 0;
        duration behind{};
        for (auto const& each : of.partitions) {
            lag += each.lag_records();
            if (behind < each.lag) behind = each.lag;
        }
        out += ", lag " + detail::counted_text(lag);
        if (behind > duration{}) out += " (" + detail::span_text(behind) + ")";
        for (std::size_t i = 0; i < reason_count; ++i) {
            auto const why = static_cast<reason>(i);
            if (auto const n = of.refused(why); n != 0)
                ((out += ", ") += to_string(why)) += " " + detail::counted_text(n);
        }
        if (of.state_bytes != 0) out += ", state " + detail::bytes_text(of.state_bytes);
        return out;
    }
    [[nodiscard]] static std::string snapshot(report const& of, event_time now) {
        if (!of.keeps_snapshots) return {};
        auto const& made = of.snapshots;
        auto out = made.number == 0 ? std::string{"no snapshot yet"} : "snapshot " + std::to_string(made.number);
        if (made.number != 0) out += ", " + detail::span_text(now - made.at) + " old";
        if (made.taken != 0) out += ", took " + detail::span_text(made.took) + ", " + detail::bytes_text(made.bytes);
        if (made.failed != 0) out += ", " + detail::counted_text(made.failed) + " FAILED";
        return out;
    }

public:
    /// Totals, inputs with their watermarks, operators, snapshots and warnings.
    [[nodiscard]] std::vector<std::string> lines(report const& of, event_time now) {
        look(of, now);
        std::vector<std::string> out{totals(of, rate_)};
        for (auto const& each : of.partitions) {
            auto line = "  input " + (each.input.empty() ? "" : std::string{each.input} + " ") + "partition "
                + std::to_string(each.partition) + ": offset " + detail::counted_text(each.next) + " of "
                + detail::counted_text(each.end);
            if (!each.progress.is_infinite()) line += ", at " + detail::plan_text(each.progress);
            if (each.idle) line += ", idle";
            else if (each.holds_merge) line += ", holds the others";
            else if (each.holds && of.partitions.size() > 1) line += ", holds the watermark";
            out.push_back(std::move(line));
        }
        for (std::size_t i = 0; i < of.stages.size(); ++i) {
            auto const& each = of.stages[i];
            auto line = "  " + each.label.str() + ":";
            if (each.keeps_books) line += " in " + detail::counted_text(each.in());
            line += " out " + detail::counted_text(each.rows_out);
            if (each.refusals() != 0) line += ", refused " + detail::counted_text(each.refusals());
            if (each.state_bytes != 0) line += ", state " + detail::bytes_text(each.state_bytes);
            if (each.timers != 0) line += ", timers " + detail::counted_text(each.timers);
            out.push_back(std::move(line));
        }
        if (auto line = snapshot(of, now); !line.empty()) out.push_back("  " + line);
        for (auto const& each : of.warnings) out.push_back("  warning: " + each);
        if (of.has_failed) out.emplace_back("  FAILED: an error has ended the job");
        return out;
    }
    /// All that matters on one line.
    [[nodiscard]] std::string line(report const& of, event_time now) {
        look(of, now);
        auto out = totals(of, rate_);
        if (auto const more = snapshot(of, now); !more.empty()) out += ", " + more;
        if (!of.warnings.empty()) out += ", " + std::to_string(of.warnings.size()) + " warnings";
        if (of.has_failed) out += ", FAILED";
        return out;
    }
};

/// What a terminal has to be sent so that some lines stand where others stood before.
///
/// Shape       frame(lines) -> bytes: moves up over the last frame, clears it, and writes the lines, each cut to the
///             width. Control characters in them become a space.
/// State       How many lines the last frame had.
/// Source      ECMA-48, "Control Functions for Coded Character Sets" (1991): CUU, ED.
class status_screen {
    std::size_t shown_ = 0;

public:
    [[nodiscard]] std::string frame(std::vector<std::string> const& lines, std::size_t width) {
        std::string out;
        if (shown_ != 0) out = "\x1b[" + std::to_string(shown_) + "A\r\x1b[J";
        for (auto const& each : lines) (out += cut(each, width)) += '\n';
        shown_ = lines.size();
        return out;
    }
    /// What is written next stays: the last frame is left as it is.
    void leave() noexcept { shown_ = 0; }

private:
    static std::string cut(std::string_view line, std::size_t width) {
        std::string out;
        for (std::size_t n = 0; n < width && !line.empty(); ++n) {
            auto const length = detail::utf8_length(line);
            auto const c = static_cast<unsigned char>(line[0]);
            if (length == 0 || c < 0x20 || c == 0x7f) out += ' ';
            else out += line.substr(0, length);
            line.remove_prefix(length == 0 ? 1 : length);
        }
        return out;
    }
};
}  // namespace driftless::inline v0
#endif
