// SPDX-License-Identifier: BSL-1.0
#include <driftless/version.hpp>

#include <cstdio>

int main() {
    std::printf("driftless %d.%d.%d, log format %d\n", driftless::version_major, driftless::version_minor,
        driftless::version_patch, driftless::log_format_version);
}
