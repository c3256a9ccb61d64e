// SPDX-License-Identifier: BSL-1.0
// expect: a view in SQLite has rows of bool, integers of up to 64 bits, enums
// expect: map the other members first
#include <driftless/adapt/sqlite_view.hpp>
#include <driftless/view/view.hpp>

#include <cstdint>
#include <vector>

void keep(driftless::view<std::int64_t, std::vector<std::int64_t>> const& shown) {
    driftless::sqlite_view_writer kept{shown, "shop.db", {.table = "lists"}};
}
