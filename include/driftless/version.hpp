// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VERSION_HPP
#define DRIFTLESS_VERSION_HPP

// The build system reads these three numbers and refuses to configure when it was told others.
#define DRIFTLESS_VERSION_MAJOR 0
#define DRIFTLESS_VERSION_MINOR 7
#define DRIFTLESS_VERSION_PATCH 0

namespace driftless::inline v0 {  // changes with whatever changes layout

inline constexpr int version_major = DRIFTLESS_VERSION_MAJOR;
inline constexpr int version_minor = DRIFTLESS_VERSION_MINOR;
inline constexpr int version_patch = DRIFTLESS_VERSION_PATCH;

/// Number of the log's file format. Independent of the version above: old files keep opening.
inline constexpr int log_format_version = 1;

}  // namespace driftless::inline v0
#endif
