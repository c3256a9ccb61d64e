// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_UNTYPED_ROW_HPP
#define DRIFTLESS_LOG_DETAIL_UNTYPED_ROW_HPP

#include <driftless/codec/schema_tree.hpp>
#include <driftless/codec/untyped_value.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/row_type.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace driftless::inline v0::detail {

/// Where a value of that type lies in a row; nothing if it cannot lie in one. What find_row_type<T>() says of types,
/// but for classes that look like a row in their schema and are none in memory (a pane, a class with a destructor).
inline std::optional<row_shape> row_shape_of(schema_node const& type) {
    switch (type.kind) {
        case schema_kind::boolean:
        case schema_kind::character: return row_shape{1, 1};
        case schema_kind::integer: return row_shape{type.bits / 8U, type.bits / 8U};
        case schema_kind::enumeration: return row_shape_of(type.children[0]);
        case schema_kind::floating:
            if (type.bits > 64) return std::nullopt;
            return row_shape{type.bits / 8U, type.bits / 8U};
        case schema_kind::time:
        case schema_kind::duration: return row_shape{8, 8};
        case schema_kind::window: return row_shape{16, 8};
        case schema_kind::sealed:
            if (type.length == 0 || type.length > max_block_size) return std::nullopt;
            return row_shape{static_cast<std::size_t>(type.length), 1};
        case schema_kind::array: {
            auto const one = row_shape_of(type.children[0]);
            // C++ has no arrays without elements in a row of one size; more than a block takes no row has.
            if (!one || type.length == 0 || type.length > max_block_size) return std::nullopt;
            auto const size = one->size * static_cast<std::size_t>(type.length);
            if (size > max_block_size) return std::nullopt;
            return row_shape{size, one->alignment};
        }
        case schema_kind::record: {
            row_shape out;
            for (auto const& each : type.children) {
                auto const part = row_shape_of(each);
                if (!part) return std::nullopt;
                out.add(*part);
                if (out.size > max_block_size) return std::nullopt;
            }
            out.finish();
            if (out.size == 0) return std::nullopt;
            return out;
        }
        default: return std::nullopt;
    }
}

/// Visits the value that begins `there`, where a row of that shape lies. False if a byte stands for a bool and is
/// neither 0 nor 1.
inline bool visit_row(schema_node const& type, std::string_view there, value_visitor& to) {
    switch (type.kind) {
        case schema_kind::boolean: {
            auto const byte = static_cast<unsigned char>(there[0]);
            if (byte > 1) return false;
            to.boolean(byte == 1);
            return true;
        }
        case schema_kind::character: to.character(there[0]); return true;
        case schema_kind::enumeration: return visit_row(type.children[0], there, to);
        case schema_kind::integer: {
            if (type.bits == 128) {
                to.wide_integer(get<std::uint64_t>(there, 0), get<std::uint64_t>(there, 8), type.is_signed);
            } else if (type.is_signed) {
                to.signed_integer(type.bits == 8 ? get<std::int8_t>(there, 0)
                        : type.bits == 16        ? get<std::int16_t>(there, 0)
                        : type.bits == 32        ? get<std::int32_t>(there, 0)
                                                 : get<std::int64_t>(there, 0));
            } else {
                to.unsigned_integer(type.bits == 8 ? get<std::uint8_t>(there, 0)
                        : type.bits == 16          ? get<std::uint16_t>(there, 0)
                        : type.bits == 32          ? get<std::uint32_t>(there, 0)
                                                   : get<std::uint64_t>(there, 0));
            }
            return true;
        }
        case schema_kind::floating:
            if (type.bits == 32) to.floating(get<float>(there, 0));
            else to.floating(get<double>(there, 0));
            return true;
        case schema_kind::time: to.time(event_time{get<std::int64_t>(there, 0)}); return true;
        case schema_kind::duration: to.span(duration{get<std::int64_t>(there, 0)}); return true;
        case schema_kind::window:
            to.begin_record();
            to.member("start");
            to.time(event_time{get<std::int64_t>(there, 0)});
            to.member("end");
            to.time(event_time{get<std::int64_t>(there, 8)});
            to.end_record();
            return true;
        case schema_kind::sealed: {
            auto const room = there.substr(0, static_cast<std::size_t>(type.length));
            auto const size = sealed_size_in(room);
            to.text(hex_of(size == no_sealed_size ? room : room.substr(2, size)));
            return true;
        }
        case schema_kind::array: {
            auto const one = row_shape_of(type.children[0])->size;
            to.begin_list();
            for (std::size_t i = 0; i < type.length; ++i) {
                to.element();
                if (!visit_row(type.children[0], there.substr(i * one), to)) return false;
            }
            to.end_list();
            return true;
        }
        case schema_kind::record: {
            row_shape before;
            to.begin_record();
            for (auto const& each : type.children) {
                auto const shape = *row_shape_of(each);
                to.member(each.field);
                if (!visit_row(each, there.substr(before.place(shape)), to)) return false;
                before.add(shape);
            }
            to.end_record();
            return true;
        }
        default: return false;
    }
}
}  // namespace driftless::inline v0::detail
#endif
