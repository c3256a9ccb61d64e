// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_DRIFTLESS_HPP
#define DRIFTLESS_DRIFTLESS_HPP

// Pipelines, jobs and logs: what most programs need. Not here, since it costs compile time: what serves (view.hpp),
// what watches (metrics.hpp), sinks but callbacks (io/...), what tends logs (log/...), some operators
// (op/count_window.hpp, dedup_newest.hpp, flag.hpp, sliding_per_record.hpp, timestamps.hpp), agg/where.hpp,
// state/map_state.hpp, time/chrono.hpp; testing/ and adapt/.

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg.hpp>
#include <driftless/codec.hpp>
#include <driftless/core.hpp>
#include <driftless/file.hpp>
#include <driftless/io.hpp>
#include <driftless/log.hpp>
#include <driftless/op.hpp>
#include <driftless/op/align.hpp>
#include <driftless/op/as_inserts.hpp>
#include <driftless/op/as_of_join.hpp>
#include <driftless/op/at_most_ahead.hpp>
#include <driftless/op/cogroup.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/distinct.hpp>
#include <driftless/op/enrich.hpp>
#include <driftless/op/fail_on_late.hpp>
#include <driftless/op/foreign_key_join.hpp>
#include <driftless/op/fork.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/process.hpp>
#include <driftless/op/release_on_close.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/sorted_by_time.hpp>
#include <driftless/op/suppress.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/table_join.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/triggered_session.hpp>
#include <driftless/run.hpp>
#include <driftless/state.hpp>
#include <driftless/time.hpp>
#include <driftless/version.hpp>

#endif
