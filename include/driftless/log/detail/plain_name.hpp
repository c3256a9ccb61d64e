// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_PLAIN_NAME_HPP
#define DRIFTLESS_LOG_DETAIL_PLAIN_NAME_HPP

#include <driftless/core/error.hpp>

#include <string>
#include <string_view>

namespace driftless::inline v0::detail {

/// Letters, digits, '_', '-' and '.', not at the start: what is a file name everywhere, and no path.
///
/// Errors      invalid_argument.
inline void require_plain_name(std::string_view name, std::string const& path) {
    bool good = !name.empty() && name.size() <= 100 && name[0] != '.';
    for (char const c : name) {
        good = good
            && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'
                || c == '.');
    }
    if (good) return;
    throw error{error_code::invalid_argument,
        "`" + std::string{name}
            + "` cannot be a name here: take 1 to 100 letters, digits, '_', '-' and '.', not '.' first",
        path};
}
}  // namespace driftless::inline v0::detail
#endif
