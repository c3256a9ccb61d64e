// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_COMPACT_HPP
#define DRIFTLESS_IO_COMPACT_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/io/detail/newest_rows.hpp>
#include <driftless/io/logged_row.hpp>
#include <driftless/log/partitioner.hpp>

#include <cstdint>
#include <string>
#include <type_traits>

namespace driftless::inline v0 {

namespace detail {
struct log_place {
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;

    friend bool operator==(log_place const&, log_place const&) = default;
};
}  // namespace detail

/// What compact() may leave out.
struct compact_options {
    /// Rows that say that there is no row any more. They may go once nobody has an older version of the row elsewhere.
    bool keep_removed = true;
};
/// What compact() did, in rows.
struct compacted {
    std::uint64_t read = 0;
    std::uint64_t kept = 0;
};

/// Copies of a log of changes what counts: of each key and window the last row, with its version.
///
/// Shape       logged_row<K, V> -> logged_row<K, V>, those that stay in the order that they had, and in the partition
///             that they had; where the target has another number, in partition_of(key). What the log holds at the
///             call; the target has to be empty, and one that a process has left half written is to be removed.
///             latest(target) is then latest(changes). To go on from there, read further changes with a job into
///             latest(log_sink{target}).
/// State       Key, window and version of each row; no values.
/// Errors      invalid_argument: the target is not empty. Those of the logs.
/// Complexity  O(records), read twice.
/// Source      M. Rosenblum, J. Ousterhout, "The Design and Implementation of a Log-Structured File System" (1992); log
///             compaction in Apache Kafka.
template <class From, class To>
    requires(is_logged_row<typename From::value_type>
        && std::is_same_v<typename From::value_type, typename To::value_type>)
compacted compact(From const& changes, To& target, compact_options options = {}) {
    using row = typename From::value_type;
    using key_type = typename detail::row_parts<row>::key;
    for (std::uint32_t p = 0; p < target.partitions(); ++p) {
        if (target.end_offset(p) == 0) continue;
        std::string path;
        if constexpr (requires { target.path(); }) path = target.path();
        throw error{error_code::invalid_argument, "compact() writes to an empty log, and this one has records", path,
            target.end_offset(p)};
    }
    compacted out;
    detail::newest_rows<key_type, detail::log_place> newest;
    detail::each_record(changes, [&](std::uint32_t p, std::uint64_t offset, row const& each) {
        ++out.read;
        if (each.kind == row_kind::retracted) return;
        newest.put(each.key, each.window, {{p, offset}, {}, each.kind, each.version});
    });
    detail::each_record(changes, [&](std::uint32_t p, std::uint64_t offset, row const& each) {
        auto const* const last = newest.find(each.key, each.window);
        bool const counts = last != nullptr && last->value == detail::log_place{p, offset};
        if (!counts || (each.kind == row_kind::removed && !options.keep_removed)) return;
        ++out.kept;
        if constexpr (std::is_same_v<key_type, unkeyed>) {
            target.append(each, target.partitions() == changes.partitions() ? p : 0);
        } else {
            bool const same = target.partitions() == changes.partitions();
            target.append(each, same ? p : partition_of(each.key, target.partitions()));
        }
    });
    if constexpr (requires { target.sync(); }) target.sync();
    return out;
}
}  // namespace driftless::inline v0
#endif
