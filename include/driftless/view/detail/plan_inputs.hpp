// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_PLAN_INPUTS_HPP
#define DRIFTLESS_VIEW_DETAIL_PLAN_INPUTS_HPP

#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/block_offsets.hpp>
#include <driftless/log/detail/old_segments.hpp>
#include <driftless/log/detail/time_fields.hpp>
#include <driftless/log/log_summary.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/log/reader_position.hpp>
#include <driftless/run/detail/record_size.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/replay_plan_result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What plan_replay() asks a log. Reading alone: nothing is written or removed.

namespace driftless::inline v0::detail {
template <class Log>
concept log_on_disk = requires(Log const& log) {
    log.files();
    log.path();
    to_string(log.id());
};

/// The least offset that a registration pins in a partition, if one does; expired ones are left alone.
inline std::optional<std::uint64_t> pinned_offset(
    file_system& files, std::string const& log_folder, log_id id, std::uint32_t p, event_time now) {
    std::optional<std::uint64_t> out;
    auto const folder = log_folder + "/" + std::string{registration::folder_name};
    for (auto const& each : files.list(folder)) {
        if (each.folder || each.name.ends_with(".new")) continue;
        auto const bytes = read_whole_file(folder + "/" + each.name, files);
        auto const found = bytes ? decode_registration(*bytes, id) : std::nullopt;
        if (!found || p >= found->offsets.size()) continue;
        if (event_time{found->expires} < now || found->who == registrant::reader) continue;
        out = std::min(out.value_or(found->offsets[p]), found->offsets[p]);
    }
    return out;
}

/// Sentences about what of a segment's records this program cannot read.
template <class T>
std::vector<std::string> unreadable_in(segment_header const& header, std::string const& path) {
    if constexpr (evolves<T>) {
        return differences_to<T>(header, path);
    } else {
        auto const ours = schema_of<T>();
        if (header.schema == ours) return {};
        return {sentence({"it holds ", header.schema, ", and this program reads ", ours})};
    }
}

/// The longest of these ranges, of which each is of one member.
inline std::optional<duration> span_of(std::vector<time_range> const& members) {
    std::optional<duration> out;
    for (auto const& each : members) {
        if (each.least > each.greatest) continue;
        out = std::max(out.value_or(duration{}), event_time{each.greatest} - event_time{each.least});
    }
    return out;
}

template <class T>
void look_at_segments(planned_input& into, partition_summary const& part) {
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
    std::vector<time_range> members;
    for (auto const& each : part.segments) {
        bytes += each.bytes;
        records += each.records;
        if (members.size() < each.times.size()) members.resize(each.times.size());
        for (std::size_t i = 0; i < each.times.size(); ++i) members[i].widen(each.times[i]);
        auto const why = unreadable_in<T>(each.header, each.path);
        if (why.empty() || each.records == 0) continue;
        std::string what = into.label() + ": the records of " + each.path + " cannot be read: ";
        for (std::size_t i = 0; i < why.size(); ++i) what += (i == 0 ? "" : ", ") + why[i];
        into.unreadable.push_back(std::move(what));
        into.unreadable_end.push_back(each.end_offset);
    }
    if (records != 0) into.record_bytes = static_cast<double>(bytes) / static_cast<double>(records);
    into.span = span_of(members);
}

/// What blocks and up to 4096 records say, where there are no files to ask.
template <class Log>
void look_at_blocks(planned_input& into, Log const& log) {
    constexpr std::uint64_t most = 4096;
    auto const fields = time_fields_of<typename Log::value_type>();
    std::uint64_t seen = 0;
    std::uint64_t bytes = 0;
    std::vector<time_range> members(fields.size());
    for (auto at = into.begin; at < into.end;) {
        auto const block = log.read(into.partition, at);
        auto const n = records_below(block, at, into.end);
        if (n == 0) break;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            auto const bounds = block.bounds(fields[i]);
            if (bounds.known) members[i].widen({bounds.least.ns(), bounds.greatest.ns()});
        }
        if (seen < most) {
            block.each(0, n, [&](std::size_t, auto const& record) {
                bytes += record_size(record);
                ++seen;
            });
        }
        at = next_behind(block, at);
    }
    if (seen != 0) into.record_bytes = static_cast<double>(bytes) / static_cast<double>(seen);
    into.span = span_of(members);
}

/// Adds the partitions of a log.
template <readable_log Log>
void plan_input(
    replay_plan& out, std::string const& name, Log const& log, replay_from const& from, event_time now) {
    std::optional<log_summary> summary;
    if constexpr (log_on_disk<Log>) {
        try {
            summary = summarize_log(log.path(), log.files());
        } catch (error const& problem) {
            if (problem.code() == error_code::io) throw;
            out.refusals.emplace_back(problem.what());
        }
    }
    for (std::uint32_t p = 0; p < log.partitions(); ++p) {
        planned_input in;
        in.name = name;
        in.partition = p;
        in.begin = log.begin_offset(p);
        in.end = log.end_offset(p);
        in.from = in.begin;
        if constexpr (log_on_disk<Log>) {
            in.log = to_string(log.id());
            in.path = log.path();
            in.pinned = pinned_offset(log.files(), log.path(), log.id(), p, now);
            if (summary && p < summary->partitions.size()) {
                look_at_segments<typename Log::value_type>(in, summary->partitions[p]);
            }
        }
        // What was appended a moment ago may not be in the files yet.
        if (in.record_bytes == 0) look_at_blocks(in, log);
        if constexpr (requires { log.offset_at(event_time{}, p); }) {
            if (from.kind() == replay_from::place::time) in.at_time = log.offset_at(from.appended(), p);
        }
        if (in.begin < in.end) in.first_append = log.read(p, in.begin).append_time();
        out.inputs.push_back(std::move(in));
    }
}
}  // namespace driftless::inline v0::detail
#endif
