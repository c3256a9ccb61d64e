// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_SCHEMA_TREE_HPP
#define DRIFTLESS_CODEC_SCHEMA_TREE_HPP

#include <driftless/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What a node of a schema says about its values. The children of a node are in its braces.
enum class schema_kind : std::uint8_t {
    boolean,
    character,    ///< char, a byte
    integer,      ///< of `bits`, signed or not
    enumeration,  ///< {the integer that stands for it}; it may have a name
    floating,     ///< of `bits`
    time,
    duration,
    window,
    text,
    sequence,  ///< {element}
    array,     ///< {element}, `length` of them
    optional,  ///< {value}
    tuple,     ///< {part...}, one or more without names
    record,    ///< {member...}, each with its `field`
    variant,   ///< {alternative...}, one or more
    map,       ///< {key, value}
    sealed,    ///< {value}, encrypted; `length` is its room in bytes, 0: of any size
    empty,     ///< a type without state
    named,     ///< a class that publishes no more than its name
    opaque,    ///< a class that publishes nothing, of `length` bytes in memory
};

/// The name of a kind, as to_json writes it.
constexpr std::string_view to_string(schema_kind kind) noexcept {
    constexpr std::string_view names[] = {"bool", "char", "integer", "enum", "float", "time", "duration", "window",
        "text", "sequence", "array", "optional", "tuple", "record", "variant", "map", "encrypted", "empty",
        "named", "opaque"};
    return names[static_cast<std::size_t>(kind)];
}

/// A type as its schema describes it.
struct schema_node {
    schema_kind kind = schema_kind::empty;
    bool is_signed = false;             ///< of an integer
    std::uint16_t bits = 0;             ///< of an integer (8 to 128) or a floating number (32, 64, 80, 128)
    std::uint64_t length = 0;           ///< of an array, in elements; of an opaque class, or a room, in bytes
    std::string name;                   ///< published name of an enum or class
    std::string field;                  ///< its name in the record that it is a member of; else empty
    std::vector<schema_node> children;  ///< see schema_kind

    friend bool operator==(schema_node const& a, schema_node const& b) {
        return a.kind == b.kind && a.is_signed == b.is_signed && a.bits == b.bits && a.length == b.length
            && a.name == b.name && a.field == b.field && a.children == b.children;
    }
    /// The member of a record with that name; null if it has none.
    [[nodiscard]] schema_node const* member(std::string_view of) const noexcept {
        if (kind != schema_kind::record) return nullptr;
        for (auto const& each : children) {
            if (each.field == of) return &each;
        }
        return nullptr;
    }
};

/// How deep types may lie in one another in a schema that is parsed.
inline constexpr std::size_t max_schema_depth = 128;
/// How many types a schema that is parsed may mention.
inline constexpr std::size_t max_schema_nodes = std::size_t{1} << 14;

namespace detail {
class schema_parser {
    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t nodes_ = 0;

public:
    explicit schema_parser(std::string_view text) : text_(text) {}

    schema_node all() {
        auto out = type(0);
        if (at_ != text_.size()) fail("a schema ends before its text does: take away what is behind it");
        return out;
    }

private:
    [[noreturn]] void fail(std::string const& sentence) const {
        throw error{error_code::malformed, "schema: " + sentence, {}, at_};
    }
    [[nodiscard]] bool sees(std::string_view what) const noexcept { return text_.substr(at_, what.size()) == what; }
    bool take(std::string_view what) noexcept {
        if (!sees(what)) return false;
        at_ += what.size();
        return true;
    }
    void expect(std::string_view what, char const* in) {
        if (!take(what)) fail("a `" + std::string{what} + "` is missing in " + in);
    }
    /// What goes up to a character that means something in a schema.
    std::string_view word() noexcept {
        auto const from = at_;
        at_ = text_.find_first_of(",:;?()[]{}<>|=", at_);
        if (at_ == std::string_view::npos) at_ = text_.size();
        return text_.substr(from, at_ - from);
    }
    std::uint64_t number() {
        auto const from = at_;
        std::uint64_t out = 0;
        for (; at_ != text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            auto const digit = static_cast<std::uint64_t>(text_[at_] - '0');
            if (out > (~std::uint64_t{0} - digit) / 10) fail("a number is larger than 64 bits can say");
            out = out * 10 + digit;
        }
        if (at_ == from) fail("a number is missing");
        if (text_[from] == '0' && at_ - from > 1) fail("a number begins with 0");
        return out;
    }
    void count(std::size_t depth) {
        if (depth >= max_schema_depth)
            fail("types lie more than " + std::to_string(max_schema_depth) + " deep in one another");
        if (++nodes_ > max_schema_nodes) fail("there are more than " + std::to_string(max_schema_nodes) + " types");
    }

    schema_node type(std::size_t depth) {
        count(depth);
        auto out = without_suffix(depth);
        // Each `?` lies around what came before.
        for (std::size_t around = 1; take("?"); ++around) {
            count(depth + around);
            schema_node optional;
            optional.kind = schema_kind::optional;
            optional.children.push_back(std::move(out));
            out = std::move(optional);
        }
        return out;
    }
    schema_node without_suffix(std::size_t depth) {
        if (take("{")) return record(depth);
        if (take("(")) return list(depth, schema_kind::tuple, ",", ")");
        if (take("<")) return list(depth, schema_kind::variant, "|", ">");
        if (take("[")) return brackets(depth);
        return of_word(depth);
    }
    schema_node record(std::size_t depth) {
        schema_node out;
        out.kind = schema_kind::record;
        if (take("}")) return out;
        do {
            auto const before = at_;
            auto const name = word();
            if (name.empty()) fail("the name of a member is missing");
            if (out.member(name) != nullptr) {
                at_ = before;
                fail("a record has two members called " + std::string{name});
            }
            expect(":", "a record");
            out.children.push_back(type(depth + 1));
            out.children.back().field = name;
        } while (take(","));
        expect("}", "a record");
        return out;
    }
    schema_node list(std::size_t depth, schema_kind kind, char const* between, char const* end) {
        schema_node out;
        if (kind == schema_kind::tuple && take(end)) return out;
        out.kind = kind;
        do out.children.push_back(type(depth + 1));
        while (take(between));
        expect(end, kind == schema_kind::tuple ? "a tuple" : "a variant");
        return out;
    }
    schema_node brackets(std::size_t depth) {
        schema_node out;
        out.kind = schema_kind::sequence;
        out.children.push_back(type(depth + 1));
        if (take(";")) {
            out.kind = schema_kind::array;
            out.length = number();
        } else if (take("=>")) {
            out.kind = schema_kind::map;
            out.children.push_back(type(depth + 1));
        }
        expect("]", "a sequence, array or map");
        return out;
    }
    schema_node of_word(std::size_t depth) {
        struct simple {
            std::string_view word;
            schema_kind kind;
            bool is_signed = false;
            std::uint16_t bits = 0;
        };
        static constexpr simple simple_types[] = {{"bool", schema_kind::boolean}, {"char", schema_kind::character},
            {"i8", schema_kind::integer, true, 8}, {"i16", schema_kind::integer, true, 16},
            {"i32", schema_kind::integer, true, 32}, {"i64", schema_kind::integer, true, 64},
            {"i128", schema_kind::integer, true, 128}, {"u8", schema_kind::integer, false, 8},
            {"u16", schema_kind::integer, false, 16}, {"u32", schema_kind::integer, false, 32},
            {"u64", schema_kind::integer, false, 64}, {"u128", schema_kind::integer, false, 128},
            {"f32", schema_kind::floating, true, 32}, {"f64", schema_kind::floating, true, 64},
            {"f80", schema_kind::floating, true, 80}, {"f128", schema_kind::floating, true, 128},
            {"text", schema_kind::text}, {"time", schema_kind::time}, {"duration", schema_kind::duration},
            {"window", schema_kind::window}};
        auto const before = at_;
        auto const found = word();
        schema_node out;
        if (found == "opaque" && take("(")) {
            out.kind = schema_kind::opaque;
            out.length = number();
            expect(")", "an opaque class");
            return out;
        }
        if (found == "encrypted" && take("(")) {
            out.kind = schema_kind::sealed;
            out.children.push_back(type(depth + 1));
            if (take(";")) {
                out.length = number();
                if (out.length == 0) fail("an encrypted value has a room of 0 bytes");
            }
            expect(")", "an encrypted value");
            return out;
        }
        if ((found == "enum" || found.starts_with("enum ")) && take("(")) {
            out.kind = schema_kind::enumeration;
            if (found.size() == 5) fail("the name of an enum is missing");
            if (found.size() > 5) out.name = found.substr(5);
            auto const inside = at_;
            out.children.push_back(type(depth + 1));
            auto const& number = out.children.front();
            if (number.kind != schema_kind::integer && number.kind != schema_kind::boolean
                && number.kind != schema_kind::character) {
                at_ = inside;
                fail("only an integer stands for an enum");
            }
            expect(")", "an enum");
            return out;
        }
        if (found.empty()) fail("a type is missing");
        for (auto const& each : simple_types) {
            if (each.word != found) continue;
            out.kind = each.kind;
            out.is_signed = each.is_signed;
            out.bits = each.bits;
            return out;
        }
        if (sees("(")) {
            at_ = before;
            fail("only enum, opaque and encrypted have something in parentheses");
        }
        out.kind = schema_kind::named;
        out.name = found;
        return out;
    }
};

inline void append_schema_list(std::string& out, schema_node const& of, char between);

inline void append_schema_text(std::string& out, schema_node const& of) {
    switch (of.kind) {
        case schema_kind::integer:
        case schema_kind::floating:
            out += of.kind == schema_kind::floating ? 'f' : of.is_signed ? 'i'
                                                                         : 'u';
            out += std::to_string(of.bits);
            return;
        case schema_kind::enumeration:
            out += "enum";
            if (!of.name.empty()) (out += ' ') += of.name;
            out += '(';
            append_schema_list(out, of, ',');
            out += ')';
            return;
        case schema_kind::sealed:
            append_schema_text(out += "encrypted(", of.children[0]);
            if (of.length != 0) (out += ';') += std::to_string(of.length);
            out += ')';
            return;
        case schema_kind::sequence:
        case schema_kind::array:
        case schema_kind::map:
            out += '[';
            append_schema_text(out, of.children[0]);
            if (of.kind == schema_kind::array) (out += ';') += std::to_string(of.length);
            if (of.kind == schema_kind::map) append_schema_text(out += "=>", of.children[1]);
            out += ']';
            return;
        case schema_kind::optional:
            append_schema_text(out, of.children[0]);
            out += '?';
            return;
        case schema_kind::tuple:
        case schema_kind::record:
        case schema_kind::variant: {
            bool const is_record = of.kind == schema_kind::record;
            bool const is_variant = of.kind == schema_kind::variant;
            out += is_record ? '{' : is_variant ? '<'
                                                : '(';
            append_schema_list(out, of, is_variant ? '|' : ',');
            out += is_record ? '}' : is_variant ? '>'
                                                : ')';
            return;
        }
        case schema_kind::empty: out += "()"; return;
        case schema_kind::named: out += of.name; return;
        case schema_kind::opaque: ((out += "opaque(") += std::to_string(of.length)) += ')'; return;
        default: out += to_string(of.kind); return;
    }
}
inline void append_schema_list(std::string& out, schema_node const& of, char between) {
    bool first = true;
    for (auto const& each : of.children) {
        if (!first) out += between;
        first = false;
        if (of.kind == schema_kind::record) (out += each.field) += ':';
        append_schema_text(out, each);
    }
}

inline void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (byte >= 0x20) out += c;
        else ((out += "\\u00") += "0123456789abcdef"[byte >> 4]) += "0123456789abcdef"[byte & 15];
    }
    out += '"';
}
inline void append_schema_json(std::string& out, schema_node const& of) {
    auto const open = [&] { append_json_string(out += "{\"type\":", to_string(of.kind)); };
    auto const child = [&](char const* key, std::size_t i) {
        ((out += ",\"") += key) += "\":";
        append_schema_json(out, of.children[i]);
    };
    auto const children = [&](char const* key) {
        ((out += ",\"") += key) += "\":[";
        for (std::size_t i = 0; i < of.children.size(); ++i) {
            if (i != 0) out += ',';
            if (of.kind == schema_kind::record) {
                append_json_string(out += "{\"name\":", of.children[i].field);
                out += ",\"type\":";
            }
            append_schema_json(out, of.children[i]);
            if (of.kind == schema_kind::record) out += '}';
        }
        out += ']';
    };
    switch (of.kind) {
        case schema_kind::enumeration:
            open();
            if (!of.name.empty()) append_json_string(out += ",\"name\":", of.name);
            child("integer", 0);
            break;
        case schema_kind::sequence:
            open();
            child("items", 0);
            break;
        case schema_kind::array:
            open();
            child("items", 0);
            (out += ",\"length\":") += std::to_string(of.length);
            break;
        case schema_kind::optional:
            open();
            child("value", 0);
            break;
        case schema_kind::sealed:
            open();
            child("value", 0);
            if (of.length != 0) (out += ",\"room\":") += std::to_string(of.length);
            break;
        case schema_kind::tuple:
            open();
            children("items");
            break;
        case schema_kind::record:
            open();
            children("fields");
            break;
        case schema_kind::variant:
            open();
            children("alternatives");
            break;
        case schema_kind::map:
            open();
            child("keys", 0);
            child("values", 1);
            break;
        case schema_kind::named:
            open();
            append_json_string(out += ",\"name\":", of.name);
            break;
        case schema_kind::opaque:
            open();
            (out += ",\"bytes\":") += std::to_string(of.length);
            break;
        case schema_kind::integer:
        case schema_kind::floating:
            out += '"';
            append_schema_text(out, of);
            out += '"';
            return;
        default: append_json_string(out, to_string(of.kind)); return;
    }
    out += '}';
}
}  // namespace detail

/// Takes apart what schema_of<T>() wrote. Names of classes and enums are taken as they are; they cannot hold any of
/// `,:;?()[]{}<>|=`.
///
/// Errors      malformed, with the position in the text, for what schema_of cannot have written, and for more than
///             max_schema_depth types in one another or max_schema_nodes of them altogether.
/// Complexity  O(length of the text), times the members of a record.
[[nodiscard]] inline schema_node parse_schema(std::string_view text) { return detail::schema_parser{text}.all(); }

/// The text of a schema: to_text(parse_schema(text)) == text.
///
/// Complexity  O(length of the text).
[[nodiscard]] inline std::string to_text(schema_node const& of) {
    std::string out;
    detail::append_schema_text(out, of);
    return out;
}

/// A schema in JSON, for people and other programs: {"type":"record","fields":[{"name":"sku","type":"text"},...]}.
/// A type without parts is a string ("i64", "text", "empty"), every other an object with its kind as "type".
///
/// Complexity  O(length of the text).
[[nodiscard]] inline std::string to_json(schema_node const& of) {
    std::string out;
    detail::append_schema_json(out, of);
    return out;
}
}  // namespace driftless::inline v0
#endif
