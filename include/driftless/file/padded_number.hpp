// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_PADDED_NUMBER_HPP
#define DRIFTLESS_FILE_PADDED_NUMBER_HPP

#include <cstdint>
#include <string>

namespace driftless::inline v0::detail {
/// At least twelve digits, so that the order of the names of files is that of their numbers.
inline std::string padded_number(std::uint64_t number) {
    auto digits = std::to_string(number);
    return digits.size() < 12 ? std::string(12 - digits.size(), '0') + digits : digits;
}
}  // namespace driftless::inline v0::detail
#endif
