// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_WITHIN_HPP
#define DRIFTLESS_VIEW_DETAIL_WITHIN_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/view/tolerance.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Compares two values part by part; remembers the first part that is too far off, and the greatest difference.
class value_comparison {
    tolerance const& all_;
    std::string path_;

public:
    std::string first_bad;  ///< the path of a part; "value" for a value without parts
    bool same = true;       ///< no part differs at all
    bool within = true;     ///< none differs by more than is tolerated
    double greatest = 0;    ///< difference of two numbers

    explicit value_comparison(tolerance const& all) : all_(all) {}

    template <class T>
    void compare(T const& a, T const& b) {
        constexpr auto shape = shape_of<T>;
        if constexpr (shape == value_shape::integer || shape == value_shape::floating) {
            numbers(a, b);
        } else if constexpr (has_parts<T>) {
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                (inside(part_name<I, T>(), [&] { compare(part<I>(a), part<I>(b)); }), ...);
            }(std::make_index_sequence<part_count<T>>{});
        } else if constexpr (shape == value_shape::optional) {
            if (a.has_value() != b.has_value()) differ();
            else if (a.has_value()) compare(*a, *b);
        } else if constexpr (shape == value_shape::sequence || shape == value_shape::array) {
            if (a.size() != b.size()) return differ();
            for (std::size_t i = 0; i < a.size(); ++i) {
                inside(std::to_string(i), [&] { compare<typename T::value_type>(a[i], b[i]); });
            }
        } else if (encode(a) != encode(b)) {
            differ();
        }
    }

private:
    template <std::size_t I, class T>
    static std::string part_name() {
        auto const name = field_name<I, T>();
        return name.empty() ? std::to_string(I + 1) : std::string{name};
    }
    template <class F>
    void inside(std::string const& name, F&& f) {
        auto const before = path_.size();
        if (before != 0) path_ += '.';
        path_ += name;
        f();
        path_.resize(before);
    }
    void differ() {
        same = false;
        if (within) first_bad = path_.empty() ? "value" : path_;
        within = false;
    }
    template <class N>
    void numbers(N a, N b) {
        if constexpr (shape_of<N> == value_shape::floating) {
            if (same_number(a, b)) return;
        } else if (a == b) {
            return;
        }
        auto const x = static_cast<long double>(a);
        auto const y = static_cast<long double>(b);
        auto const apart = std::fabs(x - y);
        if (!(apart <= static_cast<long double>(greatest))) greatest = static_cast<double>(apart);
        auto const& allowed = all_.of(path_);
        auto const most = std::fmax(static_cast<long double>(allowed.absolute),
            static_cast<long double>(allowed.relative) * std::fmax(std::fabs(x), std::fabs(y)));
        // NaN, and infinities of two signs, are never near. 0 says equal, also where two integers are one long double.
        if (most > 0 && apart <= most && std::isfinite(apart)) same = false;
        else differ();
    }
    template <class F>
    static bool same_number(F a, F b) {
        return a == b || (std::isnan(a) && std::isnan(b));
    }
};
}  // namespace driftless::inline v0::detail
#endif
