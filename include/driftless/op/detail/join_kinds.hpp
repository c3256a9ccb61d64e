// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_JOIN_KINDS_HPP
#define DRIFTLESS_OP_DETAIL_JOIN_KINDS_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/core/joined.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

namespace driftless::inline v0 {

/// Which rows a join yields: pairs, and rows that met nobody. A parameter of join().
///
/// inner         Pairs (default).
/// left_outer    Pairs, and left rows that met no right one.
/// right_outer   Pairs, and right rows that met no left one.
/// full_outer    Pairs, and both.
/// left_semi     Left rows that met a right one, each once.
/// left_anti     Left rows that met no right one.
struct inner {
    using is_join_kind = void;
    static constexpr std::string_view kind = "inner";
    static constexpr bool pairs = true;
    static constexpr bool alone[2] = {false, false};
};
struct left_outer {
    using is_join_kind = void;
    static constexpr std::string_view kind = "left_outer";
    static constexpr bool pairs = true;
    static constexpr bool alone[2] = {true, false};
};
struct right_outer {
    using is_join_kind = void;
    static constexpr std::string_view kind = "right_outer";
    static constexpr bool pairs = true;
    static constexpr bool alone[2] = {false, true};
};
struct full_outer {
    using is_join_kind = void;
    static constexpr std::string_view kind = "full_outer";
    static constexpr bool pairs = true;
    static constexpr bool alone[2] = {true, true};
};
struct left_semi {
    using is_join_kind = void;
    static constexpr std::string_view kind = "left_semi";
    static constexpr bool pairs = false;
    static constexpr bool alone[2] = {false, false};
};
struct left_anti {
    using is_join_kind = void;
    static constexpr std::string_view kind = "left_anti";
    static constexpr bool pairs = false;
    static constexpr bool alone[2] = {true, false};
};

namespace detail {
/// A key that says nothing, or of which a part says nothing: it meets nobody.
template <class Key>
constexpr bool is_null_key(Key const& key) noexcept {
    if constexpr (shape_of<Key> == value_shape::optional) {
        return !key.has_value();
    } else if constexpr (shape_of<Key> == value_shape::product) {
        bool null = false;
        for_each_part(key, [&](auto const& part) { null = null || is_null_key(part); });
        return null;
    } else {
        return false;
    }
}

template <class T>
concept join_kind = requires { typename T::is_join_kind; };

/// Left rows come out once, whatever they met: semi and anti.
template <class Kind>
inline constexpr bool yields_left = !Kind::pairs;

/// What a join makes of two rows without a function of the user's: the left one where that is all it yields, else
/// joined<>, with std::optional for a side that may be missing.
struct as_joined {};

template <class Kind, class F, class L, class R>
struct join_output;
template <class Kind, class L, class R>
struct join_output<Kind, as_joined, L, R> {
    using left = std::conditional_t<Kind::alone[1], std::optional<L>, L>;
    using right = std::conditional_t<Kind::alone[0], std::optional<R>, R>;
    using type = std::conditional_t<yields_left<Kind>, L, joined<left, right>>;
    static constexpr bool fits = true;
};
/// f(L const&, R const&); a side that may be missing is a pointer.
template <class Kind, class F, class L, class R>
struct join_output {
    using left = std::conditional_t<Kind::alone[1], L const*, L const&>;
    using right = std::conditional_t<Kind::alone[0], R const*, R const&>;
    static constexpr bool fits = !yields_left<Kind> && std::is_invocable_v<F const&, left, right>;
    using type = std::remove_cvref_t<typename decltype([] {
        if constexpr (fits) return std::invoke_result<F const&, left, right>{};
        else return std::type_identity<void>{};
    }())::type>;
};

/// Makes one row out of two, of which one may be missing.
template <class Kind, class F, class L, class R>
struct join_projection {
    using output = join_output<Kind, F, L, R>;
    using type = typename output::type;
    [[no_unique_address]] F function;

    static constexpr bool safe = [] {
        if constexpr (std::same_as<F, as_joined>) {
            return std::is_nothrow_copy_constructible_v<L> && std::is_nothrow_copy_constructible_v<R>;
        } else {
            return std::is_nothrow_invocable_v<F const&, typename output::left, typename output::right>;
        }
    }();

    constexpr type operator()(L const* left, R const* right) const noexcept(safe) {
        if constexpr (!std::same_as<F, as_joined>) {
            return function(side<Kind::alone[1]>(left), side<Kind::alone[0]>(right));
        } else if constexpr (yields_left<Kind>) {
            return *left;
        } else if constexpr (!Kind::alone[0] && !Kind::alone[1]) {
            return type{*left, *right};
        } else {
            type made{};
            if (left != nullptr) made.left = *left;
            if (right != nullptr) made.right = *right;
            return made;
        }
    }

private:
    template <bool MayMiss, class T>
    static constexpr decltype(auto) side(T const* row) noexcept {
        if constexpr (MayMiss) return row;
        else return *row;
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
