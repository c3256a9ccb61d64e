// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_TOLERANCE_HPP
#define DRIFTLESS_VIEW_TOLERANCE_HPP

#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// By how much two numbers may differ: |a - b| <= absolute, or |a - b| <= relative * max(|a|, |b|); both bounds belong
/// to what is tolerated. Times, texts and everything else that is no number must be equal.
struct allowed_difference {
    double absolute = 0;
    double relative = 0;
};

/// The same for whole values: for all numbers in them, and others for parts that are named by their path,
/// tolerance{.absolute = 0, .parts = {{"total.cents", {.absolute = 1}}}}. Parts of tuples are counted from 1, those of
/// vectors and arrays from 0; a value without parts has the path "".
struct tolerance {
    double absolute = 0;
    double relative = 0;
    struct part {
        std::string path;
        allowed_difference allowed;
    };
    std::vector<part> parts{};

    [[nodiscard]] allowed_difference of(std::string_view path) const noexcept {
        for (auto const& each : parts) {
            if (each.path == path) return each.allowed;
        }
        return {absolute, relative};
    }
};
}  // namespace driftless::inline v0
#endif
