// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_DETAIL_KEPT_AS_HPP
#define DRIFTLESS_CODEC_DETAIL_KEPT_AS_HPP

#include <driftless/codec/owned.hpp>

#include <concepts>

namespace driftless::inline v0::detail {

/// A place for From: its own type, or the one that owns.
template <class To, class From>
concept keeps = std::same_as<To, From> || std::same_as<To, owned_t<From>>;

template <class To, class From>
constexpr decltype(auto) kept_as(From const& from) {
    static_assert(keeps<To, From>,
        "driftless: the target of this sink keeps another key or value than the pipeline yields: name the types that "
        "it yields (text may be std::string)");
    if constexpr (std::same_as<To, From>) return (from);
    else if constexpr (keeps<To, From>) return to_owned(from);
    else return To{};
}
}  // namespace driftless::inline v0::detail
#endif
