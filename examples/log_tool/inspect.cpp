// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/log/log_summary.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "output.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace log_tool {
namespace {
namespace dl = driftless;

std::string_view layout_of(dl::segment_summary const& segment) {
    using dl::detail::layout_kind;
    switch (segment.header.layout) {
        case layout_kind::rows: return "rows";
        case layout_kind::packed: return "packed";
        case layout_kind::columns: return "columns";
    }
    return "?";
}
std::string_view state_of(dl::segment_summary const& segment) {
    return segment.closed ? "closed" : segment.sealed ? "sealed"
                                                      : "open";
}
/// The schema as JSON; text that is no schema as a string.
std::string schema_of(dl::segment_summary const& segment) {
    try {
        return dl::to_json(dl::parse_schema(segment.header.schema));
    } catch (dl::error const&) {
        std::string out;
        dl::append_json_text(out, segment.header.schema);
        return out;
    }
}

std::string as_text(dl::log_summary const& log, bool schema) {
    std::string out = "log " + to_string(log.identity.id) + ", created " + std::to_string(log.identity.created) + ", "
        + std::to_string(log.identity.partitions) + " partitions\n";
    for (std::size_t p = 0; p < log.partitions.size(); ++p) {
        auto const& partition = log.partitions[p];
        out += "partition " + std::to_string(p) + ": offsets " + std::to_string(partition.begin_offset()) + " to "
            + std::to_string(partition.end_offset()) + ", " + std::to_string(partition.segments.size())
            + " segments\n";
        for (auto const& each : partition.segments) {
            out += "  " + each.path + "\n    offsets " + std::to_string(each.header.base) + " to "
                + std::to_string(each.end_offset) + ", " + std::to_string(each.records) + " records, "
                + std::to_string(each.blocks) + " blocks, " + std::to_string(each.bytes) + " bytes, "
                + std::string{layout_of(each)} + ", " + std::string{state_of(each)} + "\n    created "
                + std::to_string(each.header.created) + ", epoch " + std::to_string(each.header.epoch)
                + ", durable up to " + std::to_string(each.durable_claim);
            for (std::size_t i = 0; i < each.times.size(); ++i) {
                if (each.times[i].least > each.times[i].greatest) continue;
                out += ", times of member " + std::to_string(each.header.time_fields[i]) + " from "
                    + std::to_string(each.times[i].least) + " to " + std::to_string(each.times[i].greatest);
            }
            out += "\n";
            if (each.unreadable != 0) out += "    " + std::to_string(each.unreadable) + " bytes cannot be read\n";
            if (schema) out += "    schema " + schema_of(each) + "\n";
        }
    }
    return out;
}
std::string as_json(dl::log_summary const& log) {
    std::string out = "{\"id\":\"" + to_string(log.identity.id)
        + "\",\"created\":" + std::to_string(log.identity.created) + ",\"partitions\":[";
    for (std::size_t p = 0; p < log.partitions.size(); ++p) {
        auto const& partition = log.partitions[p];
        out += (p == 0 ? "{\"begin\":" : ",{\"begin\":") + std::to_string(partition.begin_offset())
            + ",\"end\":" + std::to_string(partition.end_offset()) + ",\"segments\":[";
        bool first = true;
        for (auto const& each : partition.segments) {
            out += first ? "{\"path\":" : ",{\"path\":";
            first = false;
            dl::append_json_text(out, each.path);
            out += ",\"base\":" + std::to_string(each.header.base) + ",\"end\":" + std::to_string(each.end_offset)
                + ",\"records\":" + std::to_string(each.records) + ",\"blocks\":" + std::to_string(each.blocks)
                + ",\"bytes\":" + std::to_string(each.bytes) + ",\"unreadable\":" + std::to_string(each.unreadable)
                + ",\"layout\":\"" + std::string{layout_of(each)} + "\",\"state\":\"" + std::string{state_of(each)}
                + "\",\"created\":" + std::to_string(each.header.created)
                + ",\"epoch\":" + std::to_string(each.header.epoch)
                + ",\"durable\":" + std::to_string(each.durable_claim) + ",\"times\":[";
            bool first_time = true;
            for (std::size_t i = 0; i < each.times.size(); ++i) {
                if (each.times[i].least > each.times[i].greatest) continue;
                out += (first_time ? "{\"member\":" : ",{\"member\":") + std::to_string(each.header.time_fields[i])
                    + ",\"least\":" + std::to_string(each.times[i].least)
                    + ",\"greatest\":" + std::to_string(each.times[i].greatest) + "}";
                first_time = false;
            }
            out += "],\"schema\":" + schema_of(each) + "}";
        }
        out += "]}";
    }
    return out += "]}\n";
}
}  // namespace

int inspect(std::vector<std::string> const& words) {
    arguments given{words, {}};
    bool const json = given.flag("--json");
    bool const schema = given.flag("--schema");
    auto const log = dl::summarize_log(given.paths(1, "the folder of a log")[0]);
    print(json ? as_json(log) : as_text(log, schema));
    bool whole = true;
    for (auto const& partition : log.partitions) {
        for (auto const& each : partition.segments) whole = whole && each.unreadable == 0;
    }
    return whole ? good : problems;
}
}  // namespace log_tool
