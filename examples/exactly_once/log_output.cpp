// SPDX-License-Identifier: BSL-1.0
#include "outputs.hpp"
#include "run_job.hpp"

#include <driftless/io/log_sink.hpp>

namespace payments {
namespace {
using totals_log = dl::file_log<total_row>;
using late_log = dl::file_log<payment>;

bool run(payment_log& log, std::string const& snapshots, feeder& feed, std::atomic<bool>& stop,
    std::string const& out) {
    totals_log of_totals{out + "/totals"};
    late_log of_late{out + "/late"};
    dl::log_sink totals{of_totals};
    dl::log_sink late{of_late};
    return run_job(log, snapshots, feed, stop, totals, late);
}
template <class Log, class F>
void each_record(std::string const& path, F&& f) {
    Log const log{path, {.access = dl::log_access::read}};
    for (auto at = log.begin_offset(), end = log.end_offset(); at < end;) {
        auto const block = log.read(0, at);
        for (std::size_t i = 0; i < block.size(); ++i) f(block[i]);
        at += block.size();
    }
}
result read(std::string const& out) {
    result all;
    each_record<totals_log>(out + "/totals", [&](total_row const& row) { all.add_total(row); });
    each_record<late_log>(out + "/late", [&](payment const& of) { all.add_late(of); });
    return all;
}
}  // namespace
output const as_logs{run, read};
}  // namespace payments
