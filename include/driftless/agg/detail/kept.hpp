// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DETAIL_KEPT_HPP
#define DRIFTLESS_AGG_DETAIL_KEPT_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// A value of a record as a state keeps it: text becomes std::string.
template <class V>
using kept_t = owned_t<V>;

/// False for a reflected struct with text: owned_t leaves it borrowed, and a state has no arena.
template <class V>
inline constexpr bool can_be_kept = !has_text<kept_t<V>>;

/// A kept value as the record had it: text again, pointing into what is kept.
template <class V>
DRIFTLESS_INLINE constexpr decltype(auto) seen(kept_t<V> const& kept) {
    if constexpr (std::is_same_v<V, kept_t<V>>) return (kept);
    else return V(kept);
}

/// Assigns without giving up what is allocated already.
template <class V>
DRIFTLESS_INLINE constexpr void keep(kept_t<V>& into, V const& value) {
    if constexpr (std::is_same_v<V, kept_t<V>>) into = value;
    else if constexpr (is_borrowed_text<V>) into.assign(value.empty() ? "" : value.data(), value.size());
    else into = to_owned(value);
}

/// At most one kept value: the state of min, max and the like.
template <class V>
struct held {
    std::optional<kept_t<V>> value{};

    DRIFTLESS_INLINE constexpr void set(V const& to) {
        if (value.has_value()) keep<V>(*value, to);
        else value.emplace(to_owned(to));
    }
    /// The value as the record had it; text points into this state.
    [[nodiscard]] DRIFTLESS_INLINE constexpr V get() const {
        DRIFTLESS_ASSERT(value.has_value(), "driftless: an aggregate has no result over no records");
        return V(seen<V>(*value));
    }
    constexpr void save(auto& out) const
        requires encodable<std::optional<kept_t<V>>>
    {
        out.write(value);
    }
    constexpr void load(auto& in)
        requires encodable<std::optional<kept_t<V>>>
    {
        in.read(value);
    }
};
}  // namespace driftless::inline v0::detail
#endif
