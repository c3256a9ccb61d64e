// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_ENDS_HPP
#define DRIFTLESS_LOG_DETAIL_ENDS_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace driftless::inline v0::detail {

/// Numbers as the bytes they are.
template <class T>
std::string_view as_bytes(T const* numbers, std::size_t count) noexcept {
    return {reinterpret_cast<char const*>(numbers), count * sizeof(T)};
}

/// True if `table` says where each of `count` pieces ends that together are `size` bytes.
inline bool are_ends(std::string_view table, std::size_t count, std::size_t size) noexcept {
    if (table.size() != count * sizeof(std::uint32_t)) return false;
    std::uint32_t before = 0;
    bool ascending = true;
    for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t end = 0;
        std::memcpy(&end, table.data() + i * sizeof end, sizeof end);
        ascending &= before <= end;
        before = end;
    }
    return ascending && before == size;
}
}  // namespace driftless::inline v0::detail
#endif
