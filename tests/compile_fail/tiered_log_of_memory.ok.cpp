// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/tiered_log.hpp>
driftless::tiered_log<driftless::file_log<int>>* open() {
    return new driftless::tiered_log<driftless::file_log<int>>("hot", driftless::cold_folder{"cold"});
}
