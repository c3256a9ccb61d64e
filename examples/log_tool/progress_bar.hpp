// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_LOG_TOOL_PROGRESS_BAR_HPP
#define EXAMPLES_LOG_TOOL_PROGRESS_BAR_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace log_tool {

/// Shows on standard error how far something is, if that is a terminal; gone at the end.
class progress_bar {
    bool shown_ = ::isatty(STDERR_FILENO) == 1;
    std::uint64_t percent_ = ~std::uint64_t{0};

    static constexpr std::size_t width = 40;

public:
    progress_bar() = default;
    progress_bar(progress_bar const&) = delete;
    progress_bar& operator=(progress_bar const&) = delete;
    ~progress_bar() { clear(); }

    void show(std::uint64_t done, std::uint64_t total) {
        if (!shown_ || total == 0) return;
        auto const percent = std::min<std::uint64_t>(100, done / (total / 100 + 1));
        if (percent == percent_) return;
        percent_ = percent;
        auto const filled = static_cast<std::size_t>(percent) * width / 100;
        auto const bar = std::string(filled, '#') + std::string(width - filled, ' ');
        std::fprintf(stderr, "\r[%s] %3u %%", bar.c_str(), static_cast<unsigned>(percent));
    }
    /// The line is empty again, so that something else can be printed.
    void clear() {
        if (!shown_ || percent_ == ~std::uint64_t{0}) return;
        std::fprintf(stderr, "\r%*s\r", static_cast<int>(width + 8), "");
        percent_ = ~std::uint64_t{0};
    }
};
}  // namespace log_tool
#endif
