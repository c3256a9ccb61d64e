// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_LOG_TOOL_HELP_HPP
#define EXAMPLES_LOG_TOOL_HELP_HPP

#include <string_view>

namespace log_tool {
/// The manual of the program for "", of a subcommand for its name; empty for anything else.
std::string_view help(std::string_view of);
}  // namespace log_tool
#endif
