// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_COMPACTION_STATE_HPP
#define DRIFTLESS_LOG_DETAIL_COMPACTION_STATE_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/version.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0::detail {

/// How far a partition is compacted by key.
struct compacted_partition {
    std::uint64_t begun = 0;  // records below may be gone: said before the first one goes
    std::uint64_t clean = 0;  // of the records below none is superseded by another one below
    struct pass {
        std::uint64_t until;  // the compaction that was done then has seen what lies below
        std::int64_t time;
    };
    std::vector<pass> passes{};  // in order of both

    /// When a record was first seen by a compaction; nothing if it was not.
    [[nodiscard]] std::optional<event_time> first_seen(std::uint64_t offset) const noexcept {
        for (auto const& each : passes) {
            if (offset < each.until) return event_time{each.time};
        }
        return std::nullopt;
    }
    /// Forgets the passes that say no more than a later one: all they have seen was seen before a time.
    void forget_before(event_time time) {
        while (passes.size() > 1 && event_time{passes[1].time} < time) passes.erase(passes.begin());
    }
};

/// The file `compaction` of a log.
struct compaction_state {
    std::vector<compacted_partition> partitions;

    static constexpr std::string_view file_name = "compaction";
    static constexpr std::string_view magic = "DRFTCMP\x01";
};

inline std::string encode(compaction_state const& of, log_id id) {
    std::string out{compaction_state::magic};
    put(out, std::uint32_t{log_format_version});
    put(out, static_cast<std::uint32_t>(of.partitions.size()));
    for (auto const& each : of.partitions) {
        put(out, each.begun);
        put(out, each.clean);
        put(out, static_cast<std::uint64_t>(each.passes.size()));
        for (auto const& pass : each.passes) {
            put(out, pass.until);
            put(out, pass.time);
        }
    }
    put(out, xxh3_64(out.data(), out.size(), id.low));
    return out;
}
/// Nothing if the bytes are not the state of that log.
inline std::optional<compaction_state> decode_compaction(std::string_view bytes, log_id id, std::uint32_t partitions) {
    if (bytes.size() < 24 || bytes.substr(0, 8) != compaction_state::magic
        || get<std::uint32_t>(bytes, 8) != static_cast<std::uint32_t>(log_format_version)
        || get<std::uint32_t>(bytes, 12) != partitions
        || get<std::uint64_t>(bytes, bytes.size() - 8) != xxh3_64(bytes.data(), bytes.size() - 8, id.low)) {
        return std::nullopt;
    }
    auto const end = bytes.size() - 8;
    compaction_state out;
    std::size_t at = 16;
    for (std::uint32_t p = 0; p < partitions; ++p) {
        if (end - at < 24) return std::nullopt;
        compacted_partition each{get<std::uint64_t>(bytes, at), get<std::uint64_t>(bytes, at + 8)};
        auto const count = get<std::uint64_t>(bytes, at + 16);
        at += 24;
        if (count > (end - at) / 16) return std::nullopt;
        for (std::uint64_t i = 0; i < count; ++i, at += 16) {
            each.passes.push_back({get<std::uint64_t>(bytes, at), get<std::int64_t>(bytes, at + 8)});
        }
        out.partitions.push_back(std::move(each));
    }
    if (at != end) return std::nullopt;
    return out;
}
/// Of a log that was never compacted: nothing of it is.
///
/// Errors      corrupt.
inline compaction_state read_compaction(
    file_system& files, std::string const& log_folder, log_id id, std::uint32_t partitions) {
    auto const path = log_folder + "/" + std::string{compaction_state::file_name};
    auto const bytes = read_whole_file(path, files);
    if (!bytes) return {std::vector<compacted_partition>(partitions)};
    if (auto found = decode_compaction(*bytes, id, partitions)) return *found;
    throw error{error_code::corrupt,
        "what says how far the log is compacted by key is damaged or of another log: remove the file, and the next "
        "compaction looks at everything again",
        path};
}
}  // namespace driftless::inline v0::detail
#endif
