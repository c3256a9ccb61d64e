// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_LOG_TOOL_COMMANDS_HPP
#define EXAMPLES_LOG_TOOL_COMMANDS_HPP

#include <string>
#include <vector>

namespace log_tool {
// Each takes the words behind its name and returns the exit status. Errors are thrown: usage_error, driftless::error.
int inspect(std::vector<std::string> const& words);
int verify(std::vector<std::string> const& words);
int repair(std::vector<std::string> const& words);
int index(std::vector<std::string> const& words);
int dump(std::vector<std::string> const& words);
int tail(std::vector<std::string> const& words);
int copy(std::vector<std::string> const& words);
}  // namespace log_tool
#endif
