// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_OUTBOX_SINK_HPP
#define DRIFTLESS_IO_OUTBOX_SINK_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/io/detail/effect_rows.hpp>
#include <driftless/io/directory_sink.hpp>

namespace driftless::inline v0 {

/// Records calls to the outside world (mails, charges, alarms) exactly once, each with an id of its own:
/// outbox_sink<charge> sink{"charges"}. An outbox (io/outbox.hpp) on the same folder makes them.
///
/// Shape       As directory_sink: Row is the value that the pipeline yields, a pane or a logged_row.
/// Delivery    Exactly once into the folder: an effect is there when the snapshot that has it is complete, and a job
///             that starts again gives it the id that it had, "JOB.NAME.NUMBER". From there at least once.
/// State       buffer_bytes, and the bytes of one row. Errors, threads and complexity are those of directory_sink.
/// Source      P. Bernstein, E. Newcomer, "Principles of Transaction Processing" (2009), on recoverable queues; the
///             pattern is known as transactional outbox.
/// Example     examples/charges.cpp
template <encodable Row>
using outbox_sink = directory_sink<Row, detail::effect_rows>;
}  // namespace driftless::inline v0
#endif
