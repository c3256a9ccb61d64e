// SPDX-License-Identifier: BSL-1.0
// The text of a schema, a zero byte, and bytes that are read as a value of it. What parses is written as the same text;
// values are read without going astray, encoded or as a row.
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/log/detail/untyped_row.hpp>
#include <fuzz/fuzz_target.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {
using namespace driftless;

void look_at_value(schema_node const& schema, std::string_view bytes) {
    try {
        fuzz::require(!encoded_to_json(schema, bytes).empty(), "a value has JSON");
    } catch (error const& why) {
        fuzz::require(why.code() == error_code::malformed || why.code() == error_code::unsupported,
            "a value that cannot be read is malformed, or its class unknown");
    }
    auto const shape = detail::row_shape_of(schema);
    if (!shape || shape->size > bytes.size() || shape->size > 4096) return;
    fuzz::require(shape->alignment != 0 && shape->size % shape->alignment == 0, "a row ends on its alignment");
    std::vector<char> const row(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(shape->size));
    std::string out;
    json_writer writer{out};
    if (detail::visit_row(schema, {row.data(), row.size()}, writer)) fuzz::require(!out.empty(), "a row has JSON");
}
}  // namespace

std::vector<std::pair<std::string, std::string>> fuzz::seeds() {
    using std::string;
    return {{"record", bytes_of("{sku:text,cents:i64,at:time}\0\1a\2\0\0\0\0\0\0\0\0")},
        {"kinds", bytes_of("{a:bool,b:char,c:u8,d:f64,e:duration,f:window,g:[i32],h:[u16;3],i:text?,j:(i8,f32)}\0")},
        {"enums", bytes_of("{a:enum colour(u8),b:enum(i16),c:opaque(8),d:money}\0\0")},
        {"variant", bytes_of("<i32|text>\0\1\1x")}, {"map", bytes_of("[text=>i64]\0\1\1x\2")},
        {"row", bytes_of("{a:u8,b:{c:i64,d:bool}}\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0")},
        {"empties", bytes_of("[();65536]\0")}, {"deep", string(130, '[') + "i8" + string(130, ']')}};
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const all{reinterpret_cast<char const*>(data), size};
    auto const text = all.substr(0, all.find('\0'));
    schema_node schema;
    try {
        schema = parse_schema(text);
    } catch (error const& why) {
        fuzz::require(why.code() == error_code::malformed, "text that does not parse is malformed");
        fuzz::require(why.offset() <= text.size(), "the place of an error is inside");
        return 0;
    }
    fuzz::require(to_text(schema) == text, "what parses is written as the same text");
    fuzz::require(!to_json(schema).empty(), "a schema has JSON");
    if (text.size() < all.size()) look_at_value(schema, all.substr(text.size() + 1));
    return 0;
}
