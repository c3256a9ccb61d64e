// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_NAMES_ERASED_HPP
#define DRIFTLESS_VIEW_DETAIL_NAMES_ERASED_HPP

#include <driftless/codec/subject.hpp>
#include <driftless/core/pane.hpp>

#include <string>
#include <string_view>
#include <type_traits>

namespace driftless::inline v0::detail {

/// True for a row whose key is the id of one of them, or has one in it; or whose value is, or has in it, an id of a
/// class that names its kind (subject_kind).
///
/// who         has contains_bytes(bytes of a subject_id): erased_subjects, left_out
template <class Who, class K, class V>
[[nodiscard]] bool names_erased(Who const& who, K const& key, V const& value) {
    std::string scratch;
    auto const has = [&](std::string_view subject) { return who.contains_bytes(subject); };
    if constexpr (!std::is_same_v<K, unkeyed>) {
        if (names_subject(key, scratch, has)) return true;
    }
    if constexpr (names_its_subjects<V>) return names_subject(value, scratch, has);
    else return has_subject_inside(value, scratch, has);
}
}  // namespace driftless::inline v0::detail
#endif
