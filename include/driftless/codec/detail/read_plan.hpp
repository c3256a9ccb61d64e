// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_DETAIL_READ_PLAN_HPP
#define DRIFTLESS_CODEC_DETAIL_READ_PLAN_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/schema_rules.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/core/detail/sentence.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The least number of bytes a value of that schema is encoded in; less is said of what is enormous. What can be
/// skipped and has 0 has never more.
inline std::size_t least_encoded_size(schema_node const& of) {
    constexpr std::size_t enough = std::size_t{1} << 20;
    switch (of.kind) {
        case schema_kind::empty:
        case schema_kind::named:
        case schema_kind::opaque: return 0;
        case schema_kind::integer: return of.bits == 128 ? 16 : 1;
        case schema_kind::floating: return of.bits / 8U;
        case schema_kind::time: return 8;
        case schema_kind::window: return 16;
        case schema_kind::enumeration: return least_encoded_size(of.children[0]);
        case schema_kind::sealed:
            if (of.length > enough) return enough;
            return of.length == 0 ? 1 : static_cast<std::size_t>(of.length);
        case schema_kind::array: {
            auto const one = least_encoded_size(of.children[0]);
            if (one == 0) return 0;
            return of.length > enough / one ? enough : one * static_cast<std::size_t>(of.length);
        }
        case schema_kind::tuple:
        case schema_kind::record: {
            std::size_t sum = 0;
            for (auto const& each : of.children) sum = std::min(enough, sum + least_encoded_size(each));
            return sum;
        }
        default: return 1;
    }
}
inline std::size_t least_entry_size(schema_node const& map) {
    return least_encoded_size(map.children[0]) + least_encoded_size(map.children[1]);
}

/// The class whose codec somebody would have to know to skip a value; null if there is none in it.
inline schema_node const* find_unskippable(schema_node const& in) {
    if (in.kind == schema_kind::named || in.kind == schema_kind::opaque) return &in;
    if (in.kind == schema_kind::sealed) return nullptr;  // bytes, whatever is in them
    for (auto const& each : in.children) {
        if (auto const* const found = find_unskippable(each)) return found;
    }
    return nullptr;
}

/// Reads over a value that nobody wants.
///
/// Errors      malformed, as the codec would say it.
inline void skip_value(byte_reader& reader, schema_node const& of) {
    auto const elements = [&](std::size_t least, auto&& skip_one) {
        for (auto left = reader.get_count(least == 0 ? 1 : least); left > 0; --left) {
            if (least == 0 && reader.get_byte() != 0) reader.fail("an element does not start with a zero byte");
            skip_one();
        }
    };
    switch (of.kind) {
        case schema_kind::boolean: static_cast<void>(read_flag(reader)); return;
        case schema_kind::character: static_cast<void>(reader.get_byte()); return;
        case schema_kind::integer:
            if (of.bits == 8 || of.bits == 128) static_cast<void>(reader.get_bytes(of.bits / 8U));
            else static_cast<void>(reader.get_varint());
            return;
        case schema_kind::duration: static_cast<void>(reader.get_varint()); return;
        case schema_kind::floating:
        case schema_kind::time:
        case schema_kind::window: static_cast<void>(reader.get_bytes(least_encoded_size(of))); return;
        case schema_kind::text: static_cast<void>(reader.get_bytes(reader.get_count())); return;
        case schema_kind::sealed:
            static_cast<void>(
                reader.get_bytes(of.length == 0 ? reader.get_count() : static_cast<std::size_t>(of.length)));
            return;
        case schema_kind::sequence:
            elements(least_encoded_size(of.children[0]), [&] { skip_value(reader, of.children[0]); });
            return;
        case schema_kind::map:
            elements(least_entry_size(of), [&] {
                skip_value(reader, of.children[0]);
                skip_value(reader, of.children[1]);
            });
            return;
        case schema_kind::array:
            if (least_encoded_size(of.children[0]) == 0) return;  // no bytes, however many there are
            for (auto left = of.length; left > 0; --left) skip_value(reader, of.children[0]);
            return;
        case schema_kind::optional:
            if (read_flag(reader)) skip_value(reader, of.children[0]);
            return;
        case schema_kind::variant: {
            auto const index = reader.get_varint();
            if (index >= of.children.size()) reader.fail("a variant has no alternative with that index");
            skip_value(reader, of.children[static_cast<std::size_t>(index)]);
            return;
        }
        case schema_kind::enumeration:
        case schema_kind::tuple:
        case schema_kind::record:
            for (auto const& each : of.children) skip_value(reader, each);
            return;
        case schema_kind::empty: return;
        case schema_kind::named:
        case schema_kind::opaque: break;
    }
    reader.fail("a value cannot be skipped without its codec");
}

/// What to do with a value that was written.
enum class read_step : std::uint8_t {
    same,       // as the codec does
    number,     // of `bits`, into a wider one
    inside,     // the same kind of thing, each child by its own plan
    wrap,       // a value, into an optional
    unwrap,     // an optional, into a value or the default of the member
    skip,       // nobody wants it
    not_given,  // nobody wants it, and its bytes are left out
};

/// How values of one schema are read into a type that has another. Indices of children are those of the schema that
/// was written.
struct read_plan {
    read_step step = read_step::same;
    bool is_signed = false;
    std::uint16_t bits = 0;
    std::size_t least = 0;             // bytes of an element or entry
    schema_node skipped;               // of skip
    std::vector<read_plan> children;
    std::vector<std::size_t> members;  // of a record: where each child goes
    std::vector<std::size_t> absent;   // members that get their default
};

/// How it is said that something does not fit.
inline std::string singular_of(schema_node const& of) {
    switch (of.kind) {
        case schema_kind::sequence: return "a sequence";
        case schema_kind::array: return "an array of " + std::to_string(of.length);
        case schema_kind::optional: return "an optional";
        case schema_kind::tuple: return "a tuple of " + std::to_string(of.children.size());
        case schema_kind::record: return "a record";
        case schema_kind::variant: return "a variant";
        case schema_kind::map: return "a map";
        case schema_kind::sealed: return of.length == 0 ? "an encrypted value" : to_text(of);
        case schema_kind::empty: return "an empty type";
        default: return to_text(of);
    }
}
inline std::string plural_of(schema_node const& of) {
    switch (of.kind) {
        case schema_kind::boolean: return "bools";
        case schema_kind::character: return "characters";
        case schema_kind::integer:
        case schema_kind::floating: return "numbers";
        case schema_kind::enumeration: return of.name.empty() ? "enums" : "enums called " + of.name;
        case schema_kind::text: return "texts";
        case schema_kind::sequence:
        case schema_kind::optional:
        case schema_kind::record:
        case schema_kind::variant:
        case schema_kind::map: return std::string{to_string(of.kind)} + "s";
        case schema_kind::array: return "arrays of " + std::to_string(of.length);
        case schema_kind::tuple: return "tuples of " + std::to_string(of.children.size());
        case schema_kind::sealed: return "encrypted values";
        case schema_kind::empty: return "empty types";
        case schema_kind::named:
        case schema_kind::opaque: return to_text(of) + " objects";
        default: return to_text(of) + "s";
    }
}

/// Compares what was written with what reads it.
class read_planner {
    bool left_out_;
    std::size_t lost_ = 0;
    std::vector<std::string> differences_;

    using rules = schema_rules const*;
    static rules child(rules of, std::size_t i) noexcept { return of == nullptr ? nullptr : &of->children[i]; }

public:
    /// left_out    the bytes of members that the record has lost will not be there
    explicit read_planner(bool left_out = false) noexcept : left_out_(left_out) {}

    /// A plan that holds if there are no differences.
    read_plan plan(schema_node const& writer, schema_node const& reader, rules of) {
        return make(writer, reader, of, "", false);
    }
    /// One sentence for each, with its path.
    [[nodiscard]] std::vector<std::string> const& differences() const noexcept { return differences_; }
    /// How many members were written that nobody wants.
    [[nodiscard]] std::size_t lost() const noexcept { return lost_; }

private:
    static std::string below(std::string const& path, std::string_view name) {
        return path.empty() ? std::string{name} : path + "." + std::string{name};
    }
    static bool is_same(schema_node const& a, schema_node const& b) {
        return a.kind == b.kind && a.is_signed == b.is_signed && a.bits == b.bits && a.length == b.length
            && a.name == b.name && a.children == b.children;
    }
    read_plan differ(std::string const& path, std::string const& what) {
        differences_.push_back((path.empty() ? "the record" : path) + ": " + what);
        return {};
    }
    read_plan differ(std::string const& path, schema_node const& writer, schema_node const& reader,
        std::string const& why) {
        return differ(path,
            sentence({singular_of(reader), " was ", singular_of(writer), ", and ", why, ": give an upcaster"}));
    }
    read_plan other_kind(std::string const& path, schema_node const& writer, schema_node const& reader) {
        auto const is_number = [](schema_node const& of) {
            return of.kind == schema_kind::integer || of.kind == schema_kind::floating;
        };
        auto const plural = [both = is_number(writer) && is_number(reader)](schema_node const& of) {
            if (!both) return plural_of(of);
            return std::string{of.kind == schema_kind::integer ? "integers" : "floating numbers"};
        };
        auto const as = reader.kind == schema_kind::text ? "text" : plural(reader);
        return differ(path, writer, reader, plural(writer) + " are not read as " + as);
    }

    read_plan make(schema_node const& writer, schema_node const& reader, rules of, std::string const& path,
        bool has_default) {
        if (is_same(writer, reader)) return {};
        if (of != nullptr && of->own_codec) {
            return differ(path,
                sentence({"it has a codec of its own, and its schema was ", to_text(writer), ": give an upcaster"}));
        }
        read_plan out;
        out.step = read_step::inside;
        if (reader.kind == schema_kind::optional && writer.kind != schema_kind::optional) {
            out.step = read_step::wrap;
            out.children.push_back(make(writer, reader.children[0], child(of, 0), path, false));
            return out;
        }
        if (writer.kind == schema_kind::optional && reader.kind != schema_kind::optional) {
            if (!has_default) {
                return differ(path,
                    "it may be missing in what was written, and has no default here: give it one, or "
                    "give an upcaster");
            }
            out.step = read_step::unwrap;
            out.children.push_back(make(writer.children[0], reader, of, path, false));
            return out;
        }
        if (writer.kind != reader.kind) return other_kind(path, writer, reader);
        switch (reader.kind) {
            case schema_kind::integer:
            case schema_kind::floating: return number(writer, reader, path);
            case schema_kind::enumeration:
                if (!writer.name.empty() && !reader.name.empty() && writer.name != reader.name)
                    return other_kind(path, writer, reader);
                out.children.push_back(make(writer.children[0], reader.children[0], child(of, 0), path, false));
                return out;
            case schema_kind::optional:
                out.children.push_back(make(writer.children[0], reader.children[0], child(of, 0), path, false));
                return out;
            case schema_kind::sequence:
            case schema_kind::array:
                if (writer.length != reader.length) return other_kind(path, writer, reader);
                out.least = least_encoded_size(writer.children[0]);
                out.children.push_back(make(writer.children[0], reader.children[0], child(of, 0), path + "[]", false));
                return out;
            case schema_kind::tuple:
                if (writer.children.size() != reader.children.size()) return other_kind(path, writer, reader);
                for (std::size_t i = 0; i < reader.children.size(); ++i) {
                    out.children.push_back(make(writer.children[i], reader.children[i], child(of, i),
                        path + "(" + std::to_string(i) + ")", false));
                }
                return out;
            case schema_kind::variant:
                if (writer.children.size() > reader.children.size()) {
                    return differ(path,
                        sentence({"a variant had ", writer.children.size(), " alternatives, and there are ",
                            reader.children.size(), ": keep those that were written, or give an upcaster"}));
                }
                for (std::size_t i = 0; i < writer.children.size(); ++i) {
                    out.children.push_back(make(writer.children[i], reader.children[i], child(of, i),
                        path + "<" + std::to_string(i) + ">", false));
                }
                return out;
            case schema_kind::map: return map(writer, reader, of, path);
            case schema_kind::sealed:
                if (writer.length != reader.length)
                    return differ(path, writer, reader, "sealed bytes stay as they are");
                // They are taken as they are; who opens one reads what is in it by the schema that was sealed with it.
                static_cast<void>(make(writer.children[0], reader.children[0], child(of, 0), path, false));
                return {};
            case schema_kind::record: return record(writer, reader, of, path);
            default: return other_kind(path, writer, reader);
        }
    }
    read_plan number(schema_node const& writer, schema_node const& reader, std::string const& path) {
        if (writer.is_signed && !reader.is_signed)
            return differ(path, writer, reader, "negative numbers have no place in it");
        bool const fits = reader.bits > writer.bits && (reader.kind == schema_kind::integer || writer.bits <= 64);
        if (!fits) return differ(path, writer, reader, "numbers are not narrowed");
        read_plan out;
        out.step = read_step::number;
        out.is_signed = writer.is_signed;
        out.bits = writer.bits;
        return out;
    }
    read_plan map(schema_node const& writer, schema_node const& reader, rules of, std::string const& path) {
        // Other changes of keys could make two of them equal.
        auto const is_plain = [](schema_node const& key) {
            return key.kind == schema_kind::integer || key.kind == schema_kind::floating
                || key.kind == schema_kind::enumeration;
        };
        auto const& key = reader.children[0];
        if (!is_same(writer.children[0], key) && !(is_plain(key) && is_plain(writer.children[0]))) {
            return differ(path,
                sentence({"the keys of a map were ", plural_of(writer.children[0]),
                    ", and keys other than numbers stay as they are: give an upcaster"}));
        }
        read_plan out;
        out.step = read_step::inside;
        out.least = least_entry_size(writer);
        out.children.push_back(make(writer.children[0], key, child(of, 0), path + "[key]", false));
        out.children.push_back(make(writer.children[1], reader.children[1], child(of, 1), path + "[]", false));
        return out;
    }
    read_plan record(schema_node const& writer, schema_node const& reader, rules of, std::string const& path) {
        constexpr auto none = ~std::size_t{0};
        auto const place = [&](std::string_view name) {
            for (std::size_t k = 0; k < writer.children.size(); ++k) {
                if (writer.children[k].field == name) return k;
            }
            return none;
        };
        read_plan out;
        out.step = read_step::inside;
        out.members.assign(writer.children.size(), none);
        for (std::size_t i = 0; i < reader.children.size(); ++i) {
            auto const& name = reader.children[i].field;
            auto from = place(name);
            if (from == none && of != nullptr) {
                for (auto const& each : of->aliases) {
                    if (from == none && each.is == name) from = place(each.was);
                }
            }
            if (from != none && out.members[from] == none) {
                out.members[from] = i;
                continue;
            }
            out.absent.push_back(i);
            if (of != nullptr && !of->has_default(name)) {
                differ(below(path, name),
                    "it is missing in what was written, and has no default here: give it one, or "
                    "give an upcaster");
            }
        }
        for (std::size_t k = 0; k < writer.children.size(); ++k) {
            auto const& written = writer.children[k];
            auto const i = out.members[k];
            if (i != none) {
                auto const& name = reader.children[i].field;
                out.children.push_back(make(written, reader.children[i], child(of, i), below(path, name),
                    of == nullptr || of->has_default(name)));
                continue;
            }
            out.children.emplace_back();
            auto& last = out.children.back();
            ++lost_;
            last.step = left_out_ && path.empty() ? read_step::not_given : read_step::skip;
            if (last.step == read_step::not_given) continue;
            last.skipped = written;
            if (auto const* const found = find_unskippable(written)) {
                differ(below(path, written.field),
                    sentence({"it is not here any more, and only who knows ", to_text(*found),
                        " can read over it: keep it, or give an upcaster"}));
            }
        }
        return out;
    }
};

}  // namespace driftless::inline v0::detail
#endif
