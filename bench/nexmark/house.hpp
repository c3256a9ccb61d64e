// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_NEXMARK_HOUSE_HPP
#define DRIFTLESS_BENCH_NEXMARK_HOUSE_HPP

#include "../../examples/nexmark/nexmark.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bench::house {
namespace dl = driftless;

/// What has happened at the auction house, in logs in columns: a query does not touch the members that it leaves out.
struct memory {
    dl::memory_log<nexmark::person, dl::columns> persons;
    dl::memory_log<nexmark::auction, dl::columns> auctions;
    dl::memory_log<nexmark::bid, dl::columns> bids;
    dl::memory_log<nexmark::side_row, dl::columns> side_input;
};
struct files {
    dl::file_log<nexmark::person, dl::columns> persons;
    dl::file_log<nexmark::auction, dl::columns> auctions;
    dl::file_log<nexmark::bid, dl::columns> bids;
    dl::file_log<nexmark::side_row, dl::columns> side_input;

    files(std::string const& prefix, dl::file_log_options const& options)
        : persons(prefix + "person", options),
          auctions(prefix + "auction", options),
          bids(prefix + "bid", options),
          side_input(prefix + "side_input", options) {}
};
struct both {
    memory const& in_memory;
    files const& in_files;
};

enum class mode : std::uint8_t {
    batch,
    stream
};
enum class place : std::uint8_t {
    memory,
    files
};
constexpr std::string_view to_string(mode of) { return of == mode::batch ? "batch" : "stream"; }
constexpr std::string_view to_string(place of) { return of == place::memory ? "memory" : "files"; }

/// How a query is run, and over what.
struct setting {
    both const* logs;
    mode how;
    place where;
    bool keep_rows;  ///< for what they come to; else they are counted, and gone
};
/// What a run was: records read, calls of its sink; of a run that keeps rows, what these are.
struct outcome {
    std::uint64_t records = 0, written = 0, removed = 0;
    std::uint64_t rows = 0, digest = 0;
};

struct query {
    std::string_view name;
    outcome (*run)(setting const&);
};
std::span<query const> selections();  // select.cpp, and so on
std::span<query const> totals();
std::span<query const> bests();
std::span<query const> joins();
std::span<query const> winners();
}  // namespace bench::house
#endif
