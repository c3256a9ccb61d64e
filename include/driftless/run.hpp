// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_HPP
#define DRIFTLESS_RUN_HPP

#include <driftless/run/answers.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/call_pool.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/input.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/late_windows.hpp>
#include <driftless/run/plan.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/run/rate_limit.hpp>
#include <driftless/run/report.hpp>
#include <driftless/run/results.hpp>
#include <driftless/run/snapshot_policy.hpp>
#include <driftless/run/stream.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/run/threads.hpp>
#include <driftless/run/trace.hpp>

#endif
