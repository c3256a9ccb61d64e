// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_ROW_PLAN_HPP
#define DRIFTLESS_LOG_DETAIL_ROW_PLAN_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/log/detail/row_type.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// Where the values of a schema lie in a row, by the rules of row_shape.
struct row_plan {
    schema_kind kind = schema_kind::empty;
    bool is_signed = false;
    std::size_t place = 0;   // in what it is a part of
    row_shape shape;
    std::uint64_t length = 0;
    std::vector<row_plan> children;

    static constexpr std::size_t most = std::size_t{1} << 28;  // bytes of a row

    /// Nothing if no record of that schema is kept in rows.
    static std::optional<row_plan> of(schema_node const& node) {
        row_plan out;
        if (!out.take(node) || out.shape.size == 0) return std::nullopt;
        return out;
    }

    /// Writes the row at `at` as the codec does.
    ///
    /// Errors      malformed, if a bool is neither 0 nor 1.
    void encode(char const* at, byte_writer& to) const {
        auto const bytes = [&] { to.put_bytes({at, shape.size}); };
        switch (kind) {
            case schema_kind::boolean:
                if (static_cast<unsigned char>(*at) > 1) {
                    throw error{error_code::malformed, "a byte that is neither 0 nor 1 stands for a bool"};
                }
                return bytes();
            case schema_kind::integer:
                if (shape.size == 1 || shape.size == 16) return bytes();
                return is_signed ? to.put_zigzag(as_signed(at)) : to.put_varint(as_unsigned(at));
            case schema_kind::duration: return to.put_zigzag(as_signed(at));
            case schema_kind::array:
                for (std::uint64_t i = 0; i < length; ++i) {
                    children[0].encode(at + static_cast<std::size_t>(i) * children[0].shape.size, to);
                }
                return;
            case schema_kind::enumeration: return children[0].encode(at, to);
            case schema_kind::record:
                for (auto const& each : children) each.encode(at + each.place, to);
                return;
            default: return bytes();
        }
    }

private:
    bool take(schema_node const& node) {
        kind = node.kind;
        is_signed = node.is_signed;
        switch (node.kind) {
            case schema_kind::boolean:
            case schema_kind::character: shape = {1, 1}; return true;
            case schema_kind::time:
            case schema_kind::duration: shape = {8, 8}; return true;
            case schema_kind::window: shape = {16, 8}; return true;
            case schema_kind::sealed:
                if (node.length > most) return false;
                shape = {static_cast<std::size_t>(node.length), 1};
                return node.length != 0;
            case schema_kind::integer: shape = {node.bits / 8U, node.bits / 8U}; return true;
            case schema_kind::floating: shape = {node.bits / 8U, node.bits / 8U}; return node.bits <= 64;
            case schema_kind::enumeration:
                children.resize(1);
                if (!children[0].take(node.children[0])) return false;
                shape = children[0].shape;
                return true;
            case schema_kind::array: {
                children.resize(1);
                if (!children[0].take(node.children[0])) return false;
                auto const one = children[0].shape;
                if (one.size != 0 && node.length > most / one.size) return false;
                length = one.size == 0 ? 0 : node.length;
                shape = {one.size * static_cast<std::size_t>(length), one.alignment};
                return true;
            }
            case schema_kind::record:
                for (auto const& each : node.children) {
                    auto& next = children.emplace_back();
                    if (!next.take(each)) return false;
                    next.place = shape.place(next.shape);
                    shape.add(next.shape);
                    if (shape.size > most) return false;
                }
                shape.finish();
                return true;
            default: return false;
        }
    }
    [[nodiscard]] std::uint64_t as_unsigned(char const* at) const noexcept {
        std::uint64_t bits = 0;
        std::memcpy(&bits, at, shape.size);  // little-endian
        return bits;
    }
    [[nodiscard]] std::int64_t as_signed(char const* at) const noexcept {
        auto const unused = 64 - 8 * shape.size;
        return static_cast<std::int64_t>(as_unsigned(at) << unused) >> unused;
    }
};
}  // namespace driftless::inline v0::detail
#endif
