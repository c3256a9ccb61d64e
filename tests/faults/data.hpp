// SPDX-License-Identifier: BSL-1.0
// The first records of a data set, in a log in memory.
#ifndef DRIFTLESS_TESTS_FAULTS_DATA_HPP
#define DRIFTLESS_TESTS_FAULTS_DATA_HPP

#include <driftless/io/csv.hpp>
#include <driftless/log/memory_log.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

namespace faults {
/// Null where the data is not there; that is said.
template <class T>
std::unique_ptr<driftless::memory_log<T>> first_records(
    std::string const& file, std::size_t most, driftless::csv_options<T> how = {}) {
    char const* const data = std::getenv("DRIFTLESS_DATA_DIR");
    auto const path = (data != nullptr ? std::string{data} : std::string{}) + "/" + file;
    if (data == nullptr || !std::ifstream{path}) {
        WARN("skipped: DRIFTLESS_DATA_DIR is not set, or holds no " + file);
        return {};
    }
    auto log = std::make_unique<driftless::memory_log<T>>();
    driftless::csv_reader<T> lines{driftless::csv_input{path}, std::move(how)};
    T row;
    while (log->end_offset() < most && lines.next(row)) log->append(row);
    REQUIRE(log->end_offset() > 1000);
    return log;
}
}  // namespace faults
#endif
