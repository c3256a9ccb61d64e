// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_HPP
#define DRIFTLESS_AGG_HPP

#include <driftless/agg/combine.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/distinct.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/agg/mean.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/pack.hpp>
#include <driftless/agg/sum.hpp>

#endif
