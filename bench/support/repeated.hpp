// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_REPEATED_HPP
#define DRIFTLESS_BENCH_SUPPORT_REPEATED_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/readable.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
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
    [[nodiscard]] auto read(std::uint32_t partition, std::uint64_t from) const { return log_.read(partition, from % size_); }
};

/// Records in contiguous memory as a log: one block.
template <class T>
class span_log {
    std::span<T const> records_;

public:
    using value_type = T;
    class block {
        T const* data_;
        std::size_t size_;

    public:
        block(T const* data, std::size_t size) : data_(data), size_(size) {}
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        T const& operator[](std::size_t i) const noexcept { return data_[i]; }
        template <class F>
        DRIFTLESS_INLINE void each(std::size_t from, std::size_t to, F&& f) const {
            for (std::size_t i = from; i < to; ++i) f(i, data_[i]);
        }
        [[nodiscard]] driftless::time_bounds bounds(std::size_t) const noexcept { return {}; }
        [[nodiscard]] driftless::event_time append_time() const noexcept { return driftless::event_time::min(); }
    };

    explicit span_log(std::span<T const> records) : records_(records) {}
    [[nodiscard]] std::uint32_t partitions() const noexcept { return 1; }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t) const noexcept { return 0; }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t) const noexcept { return records_.size(); }
    [[nodiscard]] block read(std::uint32_t, std::uint64_t from) const {
        return {records_.data() + from, records_.size() - static_cast<std::size_t>(from)};
    }
};
template <class T>
span_log(std::span<T>) -> span_log<std::remove_const_t<T>>;
}  // namespace bench
#endif
