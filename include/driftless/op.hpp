// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_HPP
#define DRIFTLESS_OP_HPP

#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/expect.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/flat_map.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/tap.hpp>
#include <driftless/op/window.hpp>

#endif
