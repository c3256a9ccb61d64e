// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_HPP
#define DRIFTLESS_IO_HPP

#include <driftless/io/csv.hpp>
#include <driftless/io/csv_input.hpp>
#include <driftless/io/csv_writer.hpp>
#include <driftless/io/into.hpp>
#include <driftless/io/progress.hpp>

#endif
