// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_RESULT_HPP
#define DRIFTLESS_CORE_RESULT_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>

#include <optional>
#include <utility>

namespace driftless::inline v0 {

/// A value or the error that stands in its place: what the `try_` twins return.
///
/// Errors      value() on an error throws that error; operator* and -> on an error break a contract.
template <class T>
class [[nodiscard]] result {
    std::optional<T> value_;
    driftless::error error_;

public:
    result(T value) : value_(std::move(value)) {}                      // NOLINT(google-explicit-constructor)
    result(driftless::error problem) : error_(std::move(problem)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    T& value() & { return has_value() ? *value_ : throw error_; }
    T&& value() && { return has_value() ? std::move(*value_) : throw error_; }
    T& operator*() {
        DRIFTLESS_ASSERT(has_value(), "a result without a value was dereferenced");
        return *value_;
    }
    T* operator->() { return &**this; }
    [[nodiscard]] driftless::error const& error() const noexcept { return error_; }
};

namespace detail {
/// Runs f and turns a thrown driftless::error into a result.
template <class F>
auto capture(F&& f) -> result<decltype(f())> {
    try {
        return result<decltype(f())>{std::forward<F>(f)()};
    } catch (driftless::error const& problem) {
        return problem;
    }
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
