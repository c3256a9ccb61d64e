// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_EVOLUTION_HPP
#define DRIFTLESS_CODEC_EVOLUTION_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/detail/read_plan.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_rules.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/core/error.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
template <class T>
void read_planned(byte_reader& reader, T& out, read_plan const& plan);

/// An integer as it was written, extended to 128 bits.
inline uint128 read_number(byte_reader& reader, read_plan const& plan) {
    if (plan.bits == 128) {
        auto const low = reader.get_fixed64();
        return (static_cast<uint128>(reader.get_fixed64()) << 64) | low;
    }
    if (plan.bits == 8) {
        auto const byte = reader.get_byte();
        return plan.is_signed ? static_cast<uint128>(static_cast<int128>(static_cast<std::int8_t>(byte))) : byte;
    }
    auto const unused = 64U - plan.bits;
    if (plan.is_signed) {
        auto const value = reader.get_zigzag();
        auto const narrow = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << unused) >> unused;
        if (narrow != value) reader.fail("a number does not fit its type");
        return static_cast<uint128>(static_cast<int128>(value));
    }
    auto const value = reader.get_varint();
    if (value << unused >> unused != value) reader.fail("a number does not fit its type");
    return value;
}

/// Calls add(element plan) for each element of a sequence or map that was written.
template <class F>
void read_planned_elements(byte_reader& reader, read_plan const& plan, std::size_t memory, auto& into, F&& add) {
    std::size_t const count = reader.get_count(plan.least == 0 ? 1 : plan.least);
    into.clear();
    if constexpr (requires { into.reserve(count); }) {
        auto const at_once = (std::size_t{1} << 20) / memory;
        into.reserve(count < at_once ? count : at_once);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (plan.least == 0 && reader.get_byte() != 0) reader.fail("an element does not start with a zero byte");
        add();
    }
}

/// Member I of a record, where what was written may lack it.
template <class T, std::size_t I>
void read_planned_member(byte_reader& reader, T& out, read_plan const* plan) {
    auto& to = part<I>(out);
    if (plan == nullptr || (plan->step == read_step::unwrap && !read_flag(reader))) {
        if constexpr (std::default_initializable<T>) {
            static T const defaults{};
            to = part<I>(defaults);
        }
    } else {
        read_planned(reader, to, plan->step == read_step::unwrap ? plan->children[0] : *plan);
    }
}
template <class T>
void read_planned_parts(byte_reader& reader, T& out, read_plan const& plan) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        using read_member = void (*)(byte_reader&, T&, read_plan const*);
        static constexpr read_member members[] = {&read_planned_member<T, I>..., nullptr};
        for (auto const i : plan.absent) members[i](reader, out, nullptr);
        for (std::size_t k = 0; k < plan.children.size(); ++k) {
            auto const& each = plan.children[k];
            if (each.step == read_step::skip) skip_value(reader, each.skipped);
            else if (each.step != read_step::not_given)
                members[plan.members.empty() ? k : plan.members[k]](reader, out, &each);
        }
    }(std::make_index_sequence<part_count<T>>{});
}

template <class T>
void read_planned_map(byte_reader& reader, T& out, read_plan const& plan) {
    using key_type = typename T::key_type;
    std::size_t count = 0;
    read_planned_elements(reader, plan, sizeof(typename T::value_type), out, [&] {
        auto const at = reader;
        key_type key{};
        read_planned(reader, key, plan.children[0]);
        auto const added = out.emplace_hint(out.end(), std::move(key), typename T::mapped_type{});
        if (out.size() != ++count) at.fail("the keys of a map are doubled");
        read_planned(reader, added->second, plan.children[1]);
    });
}
template <class T>
void read_planned_variant(byte_reader& reader, T& out, read_plan const& plan) {
    auto const before = reader;
    auto const index = reader.get_varint();
    if (index >= plan.children.size()) before.fail("a variant has no alternative with that index");
    with_alternative<T>(static_cast<std::size_t>(index), [&]<std::size_t I>() {
        if (out.index() != I) out.template emplace<I>();
        read_planned(reader, get<I>(out), plan.children[I]);
    });
}

template <class T>
void read_planned(byte_reader& reader, T& out, read_plan const& plan) {
    constexpr auto shape = shape_of<T>;
    if (plan.step == read_step::same) {
        reader.read(out);
        return;
    }
    // A codec of a user reads what it has written, or nothing: the plan is `same`.
    if constexpr (has_user_codec<T> || saves_itself<T>) return;
    else if constexpr (shape == value_shape::integer) out = static_cast<T>(read_number(reader, plan));
    else if constexpr (shape == value_shape::floating) {
        if (plan.bits == 32) out = static_cast<T>(std::bit_cast<float>(reader.get_fixed32()));
        else out = static_cast<T>(std::bit_cast<double>(reader.get_fixed64()));
    } else if constexpr (shape == value_shape::enumeration) {
        std::underlying_type_t<T> number{};
        read_planned(reader, number, plan.children[0]);
        out = static_cast<T>(number);
    } else if constexpr (shape == value_shape::optional) {
        if (plan.step == read_step::wrap || read_flag(reader)) read_planned(reader, out.emplace(), plan.children[0]);
        else out.reset();
    } else if constexpr (shape == value_shape::sequence) {
        using element = typename T::value_type;
        read_planned_elements(reader, plan, sizeof(element), out, [&] {
            // Of bool all plans are `same`, and there is no reference to one in a vector.
            if constexpr (!std::is_same_v<element, bool>) read_planned(reader, out.emplace_back(), plan.children[0]);
        });
    } else if constexpr (shape == value_shape::array) {
        for (auto& each : out) read_planned(reader, each, plan.children[0]);
    } else if constexpr (shape == value_shape::map) read_planned_map(reader, out, plan);
    else if constexpr (shape == value_shape::variant) read_planned_variant(reader, out, plan);
    else if constexpr (has_parts<T>) read_planned_parts(reader, out, plan);
}

/// The versions of a record that its history knows, the newest, T itself, last.
template <class T, class Chain = std::remove_cvref_t<decltype(schema_history<T>)>>
struct record_versions {
    static constexpr std::size_t size = Chain::steps + 1;
    template <std::size_t I>
    using type = typename Chain::template version<I>;
};
template <class T>
struct record_versions<T, no_upcasts> {
    static constexpr std::size_t size = 1;
    template <std::size_t>
    using type = T;
};
}  // namespace detail

/// Reads records that were written with another schema.
///
/// Shape       Members are matched by name, in any order. A member that was not written has its default, one that is
///             not here any more is read over. Integers and floating numbers may have become wider, a value optional,
///             an optional a value with a default, an enum (of one name or none) wider, a variant longer at its end;
///             all of it inside structs, sequences, arrays, tuples, maps and variants too. schema_aliases<T> tells of
///             other names, schema_required<T> of members without default. What these rules cannot do, upcasters can:
///             records with the very schema of a version in schema_history<T> are read as that version, whatever the
///             rules say; others by the rules, as the version that leaves out the fewest members of what was written,
///             the newest of several.
/// State       One object of each old version: what the upcasters of the last record were given.
/// Errors      mismatch from the constructor, with every difference by its path; malformed from reading, as the codec
///             says it; those of the upcasters.
/// Threads     One at a time; copies are independent.
/// Complexity  O(bytes) per record; the plan is made once.
template <class T>
    requires encodable<T>
class record_reader {
    using versions = detail::record_versions<T>;
    static constexpr std::size_t newest = versions::size - 1;
    static_assert(std::is_same_v<typename versions::template type<newest>, T>,
        "driftless: schema_history<T> has to lead to T: name T as the last version of its upcasters");

    template <class Indices>
    struct old_versions;
    template <std::size_t... I>
    struct old_versions<std::index_sequence<I...>> {
        using type = std::tuple<typename versions::template type<I>...>;
    };

    std::size_t version_ = newest;
    detail::read_plan plan_;
    typename old_versions<std::make_index_sequence<newest>>::type old_;

    template <std::size_t I>
    bool take_same(std::string const& writer) {
        using version = typename versions::template type<I>;
        static_assert(encodable<version>, "driftless: record_reader needs versions that codec knows");
        if (writer != schema_of<version>()) return false;
        version_ = I;
        return true;
    }
    /// lost        of the best version so far
    template <std::size_t I>
    void take_better(schema_node const& writer, bool left_out, std::vector<std::string>& differences,
        std::size_t& lost) {
        using version = typename versions::template type<I>;
        auto const rules = detail::rules_of<version>();
        detail::read_planner planner{left_out};
        auto plan = planner.plan(writer, parse_schema(schema_of<version>()), &rules);
        if constexpr (I == newest) differences = planner.differences();
        if (!planner.differences().empty() || planner.lost() >= lost) return;
        lost = planner.lost();
        version_ = I;
        plan_ = std::move(plan);
    }
    template <std::size_t I>
    void upcast(T& out) {
        if constexpr (I + 1 == newest) {
            out = std::get<I>(schema_history<T>.functions)(std::get<I>(old_));
        } else if constexpr (I < newest) {
            std::get<I + 1>(old_) = std::get<I>(schema_history<T>.functions)(std::get<I>(old_));
            upcast<I + 1>(out);
        }
    }
    template <std::size_t I>
    void read_as(byte_reader& reader, T& out) {
        if constexpr (I == newest) {
            detail::read_planned(reader, out, plan_);
        } else {
            detail::read_planned(reader, std::get<I>(old_), plan_);
            upcast<I>(out);
        }
    }
    bool find(schema_node const& writer, bool left_out, std::vector<std::string>& differences) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            auto const text = to_text(writer);
            if ((take_same<newest - I>(text) || ...)) return true;
            auto lost = ~std::size_t{0};
            (take_better<newest - I>(writer, left_out, differences, lost), ...);
            return lost != ~std::size_t{0};
        }(std::make_index_sequence<versions::size>{});
    }
    record_reader() = default;

public:
    /// writer      what parse_schema made of the text that came with the records
    /// left_out    the members for which uses() is false are not in the bytes that will be read
    explicit record_reader(schema_node const& writer, bool left_out = false) {
        std::vector<std::string> differences;
        if (find(writer, left_out, differences)) return;
        std::string all = "records with another schema cannot be read: ";
        for (auto const& each : differences) (all += &each == &differences.front() ? "" : "; ") += each;
        throw error{error_code::mismatch, all};
    }
    /// Errors      malformed too, of parse_schema.
    explicit record_reader(std::string_view writer) : record_reader(parse_schema(writer)) {}

    /// Why records with that schema cannot be read: a sentence for each difference, or none.
    [[nodiscard]] static std::vector<std::string> differences(schema_node const& writer, bool left_out = false) {
        std::vector<std::string> out;
        record_reader reader;
        if (reader.find(writer, left_out, out)) out.clear();
        return out;
    }

    /// The next record, into an object that exists. Its text points into the bytes, or into what the upcasters were
    /// given: until the next call.
    void read(byte_reader& reader, T& out) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            static_cast<void>(((I == version_ ? (read_as<I>(reader, out), true) : false) || ...));
        }(std::make_index_sequence<versions::size>{});
    }
    /// The record that `bytes` are, all of them.
    [[nodiscard]] T decode(std::string_view bytes)
        requires std::default_initializable<T>
    {
        byte_reader reader{bytes};
        T out{};
        read(reader, out);
        reader.expect_end();
        return out;
    }

    /// True if the records are read without any change.
    [[nodiscard]] bool is_same() const noexcept {
        return version_ == newest && plan_.step == detail::read_step::same;
    }
    /// False for a member of the record that was written which nobody wants.
    [[nodiscard]] bool uses(std::size_t member) const noexcept {
        auto const* of = &plan_;
        while (of->step == detail::read_step::wrap) of = &of->children[0];
        return of->step == detail::read_step::same || of->members.empty()
            || (of->children[member].step != detail::read_step::skip
                && of->children[member].step != detail::read_step::not_given);
    }
};
}  // namespace driftless::inline v0
#endif
