// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_HPP
#define DRIFTLESS_LOG_HPP

#include <driftless/log/layout.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/log/wakeup.hpp>

#endif
