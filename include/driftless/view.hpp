// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_ROOM_HPP
#define DRIFTLESS_VIEW_ROOM_HPP

#include <driftless/view/answer.hpp>
#include <driftless/view/indexed_by.hpp>
#include <driftless/view/read_together.hpp>
#include <driftless/view/reported.hpp>
#include <driftless/view/served_at.hpp>
#include <driftless/view/view.hpp>
#include <driftless/view/view_file.hpp>
#include <driftless/view/view_options.hpp>
#include <driftless/view/view_rows.hpp>
#include <driftless/view/view_snapshot.hpp>
#include <driftless/view/view_subscription.hpp>

#endif
