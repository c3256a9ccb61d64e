// SPDX-License-Identifier: BSL-1.0
#include "answers.hpp"

#include "../support/table.hpp"

#include <cstdio>
#include <string>

std::string nexmark::date(dl::event_time at) { return support::date(at); }

std::string nexmark::clock(std::int64_t minutes) {
    char out[48];
    std::snprintf(out, sizeof out, "%02lld:%02lld", static_cast<long long>(minutes / 60),
        static_cast<long long>(minutes % 60));
    return out;
}
