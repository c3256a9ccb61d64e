// SPDX-License-Identifier: BSL-1.0
#include "outputs.hpp"
#include "run_job.hpp"

#include <driftless/io/csv.hpp>
#include <driftless/io/directory_sink.hpp>

namespace payments {
namespace {
/// A line of a file of totals.
struct total_line {
    dl::text account;
    dl::event_time window_start;
    dl::event_time window_end;
    std::int64_t payments = 0;
    std::int64_t amount = 0;
};
}  // namespace
}  // namespace payments
BOOST_HANA_ADAPT_STRUCT(payments::total_line, account, window_start, window_end, payments, amount);

namespace payments {
namespace {
bool run(payment_log& log, std::string const& snapshots, feeder& feed, std::atomic<bool>& stop,
    std::string const& out) {
    dl::directory_sink<total_row> totals{out, {.name = "totals"}, {.key_columns = {"account"}}};
    dl::directory_sink<payment> late{out, {.name = "late"}};
    return run_job(log, snapshots, feed, stop, totals, late);
}
template <class Line, class F>
void each_line(std::string const& path, F&& f) {
    dl::csv_reader<Line> lines{dl::csv_input{path}, {.strict = true}};
    for (Line line; lines.next(line);) f(line);
}
result read(std::string const& out) {
    result all;
    for (auto const& part : dl::directory_parts(out)) {
        if (part.sink == "totals") {
            each_line<total_line>(part.path, [&](total_line const& line) {
                all.add_total(
                    {line.account, {line.window_start, line.window_end}, {line.payments, line.amount}, {}});
            });
        } else {
            each_line<payment>(part.path, [&](payment const& line) { all.add_late(line); });
        }
    }
    return all;
}
}  // namespace
output const as_csv_files{run, read};
}  // namespace payments
