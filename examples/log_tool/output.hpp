// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_LOG_TOOL_OUTPUT_HPP
#define EXAMPLES_LOG_TOOL_OUTPUT_HPP

#include <driftless/core/error.hpp>

#include <cstdio>
#include <string_view>

namespace log_tool {
/// Writes to standard output.
inline void print(std::string_view out) {
    if (std::fwrite(out.data(), 1, out.size(), stdout) == out.size()) return;
    throw driftless::error{driftless::error_code::io, "cannot write to standard output"};
}
/// What was printed is out of this process.
inline void finish_output() {
    if (std::fflush(stdout) == 0) return;
    throw driftless::error{driftless::error_code::io, "cannot write to standard output"};
}
}  // namespace log_tool
#endif
