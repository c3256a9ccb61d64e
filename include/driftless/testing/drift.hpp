// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_DRIFT_HPP
#define DRIFTLESS_TESTING_DRIFT_HPP

#include <cstdint>
#include <string_view>

namespace driftless::inline v0::testing {

/// Between which two answers explore() found a difference.
enum class drift : std::uint8_t {
    none,
    between_two_runs,  ///< the same script, played twice in the same way
    between_manners,   ///< the same script with other chunks, threads or restarts (law 3)
    from_batch,        ///< a stream that refused nothing, and the batch over its records (law 2)
};
constexpr std::string_view to_string(drift found) noexcept {
    constexpr std::string_view names[] = {"none", "the same script, played twice, gives two answers",
        "chunks, threads or restarts change what the script gives (law 3)",
        "stream and batch give two answers, though nothing was refused (law 2)"};
    return names[static_cast<std::uint8_t>(found)];
}
}  // namespace driftless::inline v0::testing
#endif
