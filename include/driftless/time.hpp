// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_HPP
#define DRIFTLESS_TIME_HPP

#include <driftless/time/watermark.hpp>
#include <driftless/time/window.hpp>

#endif
