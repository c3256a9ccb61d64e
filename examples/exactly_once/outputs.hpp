// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_EXACTLY_ONCE_OUTPUTS_HPP
#define EXAMPLES_EXACTLY_ONCE_OUTPUTS_HPP

#include "feeder.hpp"
#include "payments.hpp"

#include <atomic>
#include <string>

namespace payments {

/// A place for the output: a job that writes there, and what readers of it see.
struct output {
    bool (*run)(payment_log& log, std::string const& snapshots, feeder& feed, std::atomic<bool>& stop,
        std::string const& out);
    result (*read)(std::string const& out);
};

extern output const as_csv_files;
#ifdef DRIFTLESS_WITH_SQLITE
extern output const as_sqlite_tables;
#endif
}  // namespace payments
#endif
