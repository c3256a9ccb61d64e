// SPDX-License-Identifier: BSL-1.0
#ifdef DRIFTLESS_WITH_SQLITE
#include "outputs.hpp"
#include "run_job.hpp"

#include <driftless/adapt/sqlite.hpp>

namespace payments {
namespace {
using totals_table = dl::sqlite_sink<total_row>;
using late_table = dl::sqlite_sink<late_row, dl::sqlite_append>;
dl::sqlite_options const in_totals{.table = "totals", .key_columns = {"account"}};
dl::sqlite_options const in_late{.table = "late", .key_columns = {"of_account"}};

bool run(payment_log& log, std::string const& snapshots, feeder& feed, std::atomic<bool>& stop,
    std::string const& out) {
    totals_table totals{out, in_totals};
    late_table late{out, in_late};
    return run_job(log, snapshots, feed, stop, totals, late);
}
result read(std::string const& out) {
    result all;
    dl::read_sqlite<total_row>(out, in_totals, [&](total_row const& row) { all.add_total(row); });
    dl::read_sqlite<late_row, dl::sqlite_append>(out, in_late, [&](late_row const& row) { all.add_late(row.value); });
    return all;
}
}  // namespace
output const as_sqlite_tables{run, read};
}  // namespace payments
#endif
