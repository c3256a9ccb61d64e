// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_INPUT_HPP
#define DRIFTLESS_RUN_INPUT_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/record_loop.hpp>
#include <driftless/log/readable.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace driftless::inline v0 {

namespace detail {
template <class R>
concept contiguous_records = requires(R const& range) {
    range.data();
    { range.size() } -> std::convertible_to<std::size_t>;
    requires !std::is_void_v<std::remove_pointer_t<decltype(range.data())>>;
};

/// Records in contiguous memory as a log of one partition, without statistics.
template <class T>
class span_log {
    T const* data_;
    std::size_t size_;

public:
    using value_type = T;

    class block {
        T const* data_;
        std::size_t size_;

    public:
        constexpr block(T const* data, std::size_t size) : data_(data), size_(size) {}
        [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
        constexpr T const& operator[](std::size_t i) const noexcept { return data_[i]; }
        template <class F>
        DRIFTLESS_INLINE constexpr void each(std::size_t from, std::size_t to, F&& f) const {
            each_row(data_, from, to, f);
        }
        [[nodiscard]] constexpr time_bounds bounds(std::size_t) const noexcept { return {}; }
        [[nodiscard]] constexpr event_time append_time() const noexcept { return event_time::min(); }
    };

    constexpr span_log(T const* data, std::size_t size) : data_(data), size_(size) {}
    [[nodiscard]] constexpr std::uint32_t partitions() const noexcept { return 1; }
    [[nodiscard]] constexpr std::uint64_t begin_offset(std::uint32_t) const noexcept { return 0; }
    [[nodiscard]] constexpr std::uint64_t end_offset(std::uint32_t) const noexcept { return size_; }
    [[nodiscard]] constexpr block read(std::uint32_t, std::uint64_t from) const noexcept {
        return {data_ + from, size_ - static_cast<std::size_t>(from)};
    }
};

/// What the job holds of an input: a pointer to a log, or a view of a contiguous range.
template <class X>
struct input_of {
    static constexpr bool readable = false;
};
template <readable_log X>
struct input_of<X> {
    static constexpr bool readable = true;
    using value_type = typename X::value_type;
    X const* log;
    explicit constexpr input_of(X const& x) : log(&x) {}
    constexpr X const& operator*() const noexcept { return *log; }
    constexpr X const* operator->() const noexcept { return log; }
};
template <contiguous_records X>
    requires(!readable_log<X>)
struct input_of<X> {
    static constexpr bool readable = true;
    using value_type = std::remove_cvref_t<decltype(*std::declval<X const&>().data())>;
    span_log<value_type> log;
    explicit constexpr input_of(X const& x) : log(x.data(), x.size()) {}
    constexpr span_log<value_type> const& operator*() const noexcept { return log; }
    constexpr span_log<value_type> const* operator->() const noexcept { return &log; }
};

/// X can be read as records of type T.
template <class X, class T>
concept input_for = input_of<std::remove_cvref_t<X>>::readable
    && std::same_as<typename input_of<std::remove_cvref_t<X>>::value_type, T>;
}  // namespace detail
}  // namespace driftless::inline v0
#endif
