// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_REPEATED_HPP
#define DRIFTLESS_BENCH_SUPPORT_REPEATED_HPP

#include <driftless/run/input.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace bench {

/// A log of one partition that plays another one `times` times: a long run over data that fits the cache.
/// A log is referred to, a span of records is kept.
template <class Log>
class repeated {
    std::conditional_t<std::is_copy_constructible_v<Log>, Log, Log const&> log_;
    std::uint64_t size_;
    std::uint64_t times_;

public:
    using value_type = typename Log::value_type;
    repeated(Log const& log, std::uint64_t times) : log_(log), size_(log.end_offset(0)), times_(times) {}

    [[nodiscard]] std::uint32_t partitions() const noexcept { return 1; }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t) const noexcept { return 0; }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t) const noexcept { return size_ * times_; }
    [[nodiscard]] auto read(std::uint32_t partition, std::uint64_t from) const {
        return log_.read(partition, from % size_);
    }
};

/// Records in contiguous memory as a log of one block: what run() makes of a std::vector.
using driftless::detail::span_log;
}  // namespace bench
#endif
