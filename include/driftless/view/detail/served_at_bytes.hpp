// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_SERVED_AT_BYTES_HPP
#define DRIFTLESS_VIEW_DETAIL_SERVED_AT_BYTES_HPP

#include <driftless/view/served_at.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

void write_served_at(auto& out, served_at const& at) {
    out.write(at.version).write(at.build).write(at.epoch).write(at.watermark).write(at.progress);
    out.write(at.published).write(static_cast<std::uint64_t>(at.offsets.size()));
    for (std::size_t i = 0; i < at.offsets.size(); ++i) out.write(at.offsets[i]);
}
[[nodiscard]] served_at read_served_at(auto& in) {
    served_at at;
    std::uint64_t count = 0;
    in.read(at.version).read(at.build).read(at.epoch).read(at.watermark).read(at.progress);
    in.read(at.published).read(count);
    if (count > in.remaining()) in.fail("a number of partitions exceeds the bytes that follow");
    std::vector<std::uint64_t> each(static_cast<std::size_t>(count));
    for (auto& offset : each) in.read(offset);
    at.offsets = few_offsets{each.data(), each.size()};
    return at;
}
}  // namespace driftless::inline v0::detail
#endif
