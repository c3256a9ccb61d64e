// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_METRICS_HPP
#define DRIFTLESS_METRICS_HPP

#include <driftless/metrics/alerts.hpp>
#include <driftless/metrics/heavy_hitters.hpp>
#include <driftless/metrics/metric.hpp>
#include <driftless/metrics/rates.hpp>
#include <driftless/metrics/registry.hpp>
#include <driftless/metrics/text.hpp>
#include <driftless/metrics/watcher.hpp>

#endif
