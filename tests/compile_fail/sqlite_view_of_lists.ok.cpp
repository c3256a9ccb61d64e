// SPDX-License-Identifier: BSL-1.0
#include <driftless/adapt/sqlite_view.hpp>
#include <driftless/view/view.hpp>

#include <cstdint>

void keep(driftless::view<std::int64_t, std::int64_t> const& shown) {
    driftless::sqlite_view_writer kept{shown, "shop.db", {.table = "lists"}};
}
