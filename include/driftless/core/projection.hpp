// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_PROJECTION_HPP
#define DRIFTLESS_CORE_PROJECTION_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/reflect.hpp>

#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Reads the member that is named in the type: the form that keeps a record in registers.
template <auto Member>
struct member_projection {
    template <class T>
    DRIFTLESS_INLINE constexpr auto operator()(T const& record) const noexcept -> decltype((record.*Member)) {
        return record.*Member;
    }
    friend constexpr bool operator==(member_projection, member_projection) = default;
};

/// Reads a member that is known at run time only (the record must then be in memory: up to 2x slower).
template <class Object, class M>
struct pointer_projection {
    M Object::* pointer;
    DRIFTLESS_INLINE constexpr M const& operator()(Object const& record) const noexcept { return record.*pointer; }
};

/// A function of the record.
template <class F>
struct function_projection {
    [[no_unique_address]] F function;
    template <class T>
        requires std::is_invocable_v<F const&, T const&>
    DRIFTLESS_INLINE constexpr auto operator()(T const& record) const
        noexcept(std::is_nothrow_invocable_v<F const&, T const&>) -> std::invoke_result_t<F const&, T const&> {
        return function(record);
    }
};

template <class F>
constexpr auto make_projection(F f) {
    if constexpr (std::is_member_object_pointer_v<F>) {
        return pointer_projection<typename member_pointer<F>::object, typename member_pointer<F>::type>{f};
    } else {
        return function_projection<F>{std::move(f)};
    }
}

template <class P, class T>
concept projects = std::is_invocable_v<P const&, T const&>;

/// The type a projection yields from T, without reference and const.
template <class P, class T>
using projected_t = std::remove_cvref_t<std::invoke_result_t<P const&, T const&>>;

/// The member a projection reads, if it is named in the type.
template <class P>
inline constexpr bool names_member = false;
template <auto Member>
inline constexpr bool names_member<member_projection<Member>> = true;
}  // namespace driftless::inline v0::detail
#endif
