// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_HPP
#define DRIFTLESS_AGG_HPP

#include <driftless/agg/approx_distinct.hpp>
#include <driftless/agg/arg_extreme.hpp>
#include <driftless/agg/collect.hpp>
#include <driftless/agg/combine.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/distinct.hpp>
#include <driftless/agg/exact_sum.hpp>
#include <driftless/agg/first_last.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/agg/mean.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/pack.hpp>
#include <driftless/agg/quantiles.hpp>
#include <driftless/agg/sample.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/agg/top_k.hpp>
#include <driftless/agg/variance.hpp>

#endif
