// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_COMPATIBILITY_HPP
#define DRIFTLESS_CODEC_COMPATIBILITY_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/codec/detail/read_plan.hpp>
#include <driftless/codec/evolution.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_tree.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Who can read whose records.
enum class compatibility_kind : std::uint8_t {
    none,
    backward,  ///< the new schema reads records of the old one
    forward,   ///< the old schema reads records of the new one
    full,      ///< both
};

/// The name of a kind as it appears in messages.
constexpr std::string_view to_string(compatibility_kind kind) noexcept {
    constexpr std::string_view names[] = {"none", "backward", "forward", "full"};
    return names[static_cast<std::size_t>(kind)];
}

/// What compatibility() found: a sentence for each difference that stands in the way, with its path.
struct schema_compatibility {
    std::vector<std::string> backward;  ///< of the new schema, reading old records
    std::vector<std::string> forward;   ///< of the old schema, reading new records

    [[nodiscard]] compatibility_kind kind() const noexcept {
        if (backward.empty()) return forward.empty() ? compatibility_kind::full : compatibility_kind::backward;
        return forward.empty() ? compatibility_kind::forward : compatibility_kind::none;
    }
};

/// Compares two schemas by the rules of record_reader, as if every member had a default and no other name. Deployments
/// ask it before a new version goes out.
///
/// Errors      malformed, of parse_schema.
/// Complexity  O(types in both), times the members of a record; meant for start-up.
[[nodiscard]] inline schema_compatibility compatibility(std::string_view older, std::string_view newer) {
    auto const before = parse_schema(older);
    auto const after = parse_schema(newer);
    detail::read_planner back;
    detail::read_planner ahead;
    back.plan(before, after, nullptr);
    ahead.plan(after, before, nullptr);
    return {back.differences(), ahead.differences()};
}

/// The same of two types, with their aliases, defaults and upcasters.
template <class Older, class Newer>
[[nodiscard]] schema_compatibility compatibility() {
    return {record_reader<Newer>::differences(parse_schema(schema_of<Older>())),
        record_reader<Older>::differences(parse_schema(schema_of<Newer>()))};
}

/// A number for a schema: XXH3-64 of "driftless schema 1" and a line end, then its text. The number in the heading
/// changes with the language of schemas.
///
/// Complexity  O(length of the text).
/// Source      Y. Collet, xxHash 0.8.
[[nodiscard]] inline std::uint64_t fingerprint_of_schema(std::string_view text) {
    auto const bytes = "driftless schema 1\n" + std::string{text};
    return xxh3_64(bytes.data(), bytes.size());
}
/// The same of the schema of T.
template <class T>
[[nodiscard]] std::uint64_t fingerprint_of_schema() {
    return fingerprint_of_schema(schema_of<T>());
}
}  // namespace driftless::inline v0
#endif
