// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_OUTPUT_HPP
#define EXAMPLES_SUPPORT_OUTPUT_HPP

#include <driftless/core/error.hpp>

#include <cstdio>
#include <string>

namespace support {
/// Writes to standard output, all of it or an error.
inline void print(std::string const& out) {
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
        throw driftless::error{driftless::error_code::io, "cannot write to standard output"};
    }
}
}  // namespace support
#endif
