// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DETAIL_KEPT_VALUE_HPP
#define DRIFTLESS_AGG_DETAIL_KEPT_VALUE_HPP

#include <driftless/agg/detail/kept.hpp>
#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>

#include <optional>
#include <string>
#include <type_traits>

namespace driftless::inline v0::detail {

/// A value that owned_t turns into one that a V can be made from again, without a copy of what it points to.
template <class V>
inline constexpr bool kept_as_it_is = can_be_kept<V> && std::is_constructible_v<V, kept_t<V> const&>;

/// A value of any type that states may keep: as it is, or, where text in it would be left borrowed, as its encoding,
/// which text then points into.
template <class V>
inline constexpr bool keepable = kept_as_it_is<V> || encodable<V>;

/// At most one value, of whatever type; equal values have equal encodings.
template <class V>
class kept_value {
    struct encoded {
        std::string bytes{};
        bool there = false;
    };
    std::conditional_t<kept_as_it_is<V>, held<V>, encoded> value_{};

public:
    [[nodiscard]] bool has_value() const noexcept {
        if constexpr (kept_as_it_is<V>) return value_.value.has_value();
        else return value_.there;
    }
    void set(V const& to) {
        if constexpr (kept_as_it_is<V>) {
            value_.set(to);
        } else {
            std::string fresh = static_cast<std::string&&>(value_.bytes);  // its memory, once more
            fresh.clear();
            value_.there = false;
            byte_writer{fresh}.write(to);
            value_.bytes = static_cast<std::string&&>(fresh);
            value_.there = true;
        }
    }
    /// The value as the record had it; text points into this object, until it is moved or set.
    [[nodiscard]] V get() const {
        if constexpr (kept_as_it_is<V>) {
            return value_.get();
        } else {
            DRIFTLESS_ASSERT(value_.there, "driftless: an aggregate has no result over no records");
            byte_reader in{value_.bytes};
            return in.template read<V>();
        }
    }
    void save(auto& out) const
        requires encodable<V>
    {
        if constexpr (kept_as_it_is<V>) {
            value_.save(out);
        } else {
            out.write(value_.there);
            if (value_.there) out.write(value_.bytes);
        }
    }
    void load(auto& in)
        requires encodable<V>
    {
        if constexpr (kept_as_it_is<V>) {
            value_.load(in);
        } else {
            in.read(value_.there);
            value_.bytes.clear();
            if (value_.there) in.read(value_.bytes);
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
