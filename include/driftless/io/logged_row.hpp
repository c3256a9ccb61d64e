// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_LOGGED_ROW_HPP
#define DRIFTLESS_IO_LOGGED_ROW_HPP

#include <boost/hana/adapt_struct.hpp>
#include <boost/hana/define_struct.hpp>

#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>

#include <compare>
#include <cstdint>

namespace driftless::inline v0 {

/// Which of two versions of a row counts: that of the greater build, in one build the later one.
///
/// build       of whoever wrote the row: 0, or what the options of its sink say. A corrected run takes a greater one.
/// sequence    the rows that the job had given the sink before this one, since its very beginning: a job that starts
///             again from a snapshot gives a row the number that it had, so that a replay replaces itself.
struct logged_version {
    std::uint64_t build = 0;
    std::uint64_t sequence = 0;

    friend constexpr auto operator<=>(logged_version const&, logged_version const&) = default;
};

/// What a logged row says of its (key, window).
enum class row_kind : std::uint8_t {
    written,    ///< this is its row now
    removed,    ///< it has no row any more; the value says nothing
    retracted,  ///< this was its row; the next one replaces it (windows that say retracting{})
};

/// A row as an append-only target keeps it: the whole pane, what became of it, and its version.
///
/// Shape       `file_log<logged_row<K, V>>` as the target of a log_sink takes pipelines whose rows change; latest(log)
///             reads their last versions. Plain records have the key `unkeyed`.
/// State       Borrowed as a pane is: where it is kept, `text` is copied by whoever keeps it.
template <class K, class V>
struct logged_row {
    BOOST_HANA_DEFINE_STRUCT(logged_row, (K, key), (driftless::time_window, window), (V, value),
        (driftless::pane_info, info), (driftless::row_kind, kind), (driftless::logged_version, version));

    friend bool operator==(logged_row const&, logged_row const&) = default;
};

template <class T>
inline constexpr bool is_logged_row = false;
template <class K, class V>
inline constexpr bool is_logged_row<logged_row<K, V>> = true;
}  // namespace driftless::inline v0
BOOST_HANA_ADAPT_STRUCT(driftless::logged_version, build, sequence);
#endif
