// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_WINDOW_POLICIES_HPP
#define DRIFTLESS_TIME_WINDOW_POLICIES_HPP

#include <string_view>

// Options of window(...) that change what is late, and what becomes of sessions. Most are there for ports from other
// engines: time/presets.hpp says which belong together.

namespace driftless::inline v0 {
namespace detail {
template <class Self>
struct window_policy {
    using is_window_policy = void;
    constexpr void validate() const {}
    constexpr void describe(auto&& parameter) const { parameter("policy", Self::kind); }
    friend constexpr bool operator==(window_policy const&, window_policy const&) = default;
};
}  // namespace detail

/// A record behind the watermark is late, also where one of its windows is open.
///
/// Time        Refused iff at < watermark, in each of its windows. Without it a record counts for every window with
///             watermark < end + allowed lateness.
/// Source      SEMANTICS section 3; as Hazelcast Jet, RisingWave and Feldera do.
struct element_level : detail::window_policy<element_level> {
    static constexpr std::string_view kind = "element_level";
};

/// Sessions are collected at their end + allowed lateness, although a record that is accepted may still reach them: it
/// then begins another one that overlaps.
///
/// Batch       Outside the law: a stream may answer otherwise than the batch, though nothing was refused.
/// Source      SEMANTICS section 5; as Flink and Beam do.
struct collect_at_end : detail::window_policy<collect_at_end> {
    static constexpr std::string_view kind = "collect_at_end";
};
/// Rows of sessions that a merge swallows stay where they are: the sink is not told to remove them.
///
/// Batch       Outside the law: such rows are left over in a stream, and are not there in batch.
/// Source      SEMANTICS section 5; as Flink and Beam do.
struct keep_swallowed : detail::window_policy<keep_swallowed> {
    static constexpr std::string_view kind = "keep_swallowed";
};
/// Whether a record is late is asked of the session that it would become part of, not of its own span: it may come
/// late to a session that others have kept open.
///
/// Batch       Outside the law: what a stream refuses depends on its sessions, not on time and watermark alone, and a
///             record that is late by itself may reach a session that is gone by way of one that is open.
/// Source      SEMANTICS section 5; as Flink and Kafka Streams do.
struct merge_then_check : detail::window_policy<merge_then_check> {
    static constexpr std::string_view kind = "merge_then_check";
};
/// A session shows every change of it at once, as an early pane; a row is removed before the one that replaces it
/// (unless the record spans just what the session does), and nothing more comes at the end of the session.
///
/// Source      SEMANTICS case K-04; as Kafka Streams does.
struct every_update : detail::window_policy<every_update> {
    static constexpr std::string_view kind = "every_update";
};
}  // namespace driftless::inline v0
#endif
