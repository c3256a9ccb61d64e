// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_HPP
#define DRIFTLESS_TIME_HPP

#include <driftless/time/clock_driven.hpp>
#include <driftless/time/count_window.hpp>
#include <driftless/time/frames.hpp>
#include <driftless/time/interval.hpp>
#include <driftless/time/interval_trigger.hpp>
#include <driftless/time/pane_options.hpp>
#include <driftless/time/presets.hpp>
#include <driftless/time/punctuated.hpp>
#include <driftless/time/quantile_disorder.hpp>
#include <driftless/time/session.hpp>
#include <driftless/time/sliding_per_record.hpp>
#include <driftless/time/trigger.hpp>
#include <driftless/time/trigger_base.hpp>
#include <driftless/time/watermark.hpp>
#include <driftless/time/watermark_valve.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#endif
