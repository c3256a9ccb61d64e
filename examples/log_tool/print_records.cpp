// SPDX-License-Identifier: BSL-1.0
#include "print_records.hpp"

#include <driftless/codec/untyped_value.hpp>

#include "command_line.hpp"
#include "output.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

namespace log_tool {
namespace {
/// Remembers the first event time of a record.
class first_time final : public driftless::value_visitor {
    std::size_t wanted_;
    std::size_t depth_ = 0;
    std::size_t member_ = ~std::size_t{0};

public:
    std::optional<driftless::event_time> found;

    explicit first_time(std::size_t member) : wanted_(member) {}
    void begin_list() override { ++depth_; }
    void end_list() override { --depth_; }
    void begin_record() override { ++depth_; }
    void end_record() override { --depth_; }
    void member(std::string_view) override {
        if (depth_ == 1) ++member_;
    }
    void time(driftless::event_time at) override {
        if (depth_ == 1 && member_ == wanted_) found = at;
    }
};

void append_line(driftless::untyped_block const& block, std::size_t i, std::uint32_t partition, std::string& out) {
    using driftless::detail::layout_kind;
    auto const& schema = block.schema();
    out += "{\"partition\":" + std::to_string(partition)
        + ",\"offset\":" + std::to_string(block.offset(i));
    if (schema.time_fields() != 0 && (schema.is_readable() || schema.layout() == layout_kind::columns)) {
        first_time at{schema.member_of_time(0)};
        block.visit(i, at);
        if (at.found) out += ",\"time\":" + std::to_string(at.found->ns());
    }
    block.append_json(i, out += ",\"value\":");
    out += "}\n";
}
}  // namespace

std::uint64_t print_records(driftless::untyped_log& log, std::uint32_t partition, std::uint64_t from, std::uint64_t to,
    std::uint64_t limit) {
    std::uint64_t printed = 0;
    std::string lines;
    for (auto at = from; at < to && printed < limit;) {
        auto const block = log.read(partition, at);
        lines.clear();
        auto i = block.record_at(at);
        auto const end = block.record_at(to);
        for (; i < end && printed < limit; ++i, ++printed) append_line(block, i, partition, lines);
        at = block.next_offset();
        print(lines);
    }
    return printed;
}

partition_range partitions_of(driftless::untyped_log const& log, std::optional<std::uint64_t> asked) {
    if (!asked) return {0, log.partitions()};
    if (*asked >= log.partitions()) {
        throw usage_error{"the log has " + std::to_string(log.partitions()) + " partitions, there is no "
            + std::to_string(*asked)};
    }
    auto const only = static_cast<std::uint32_t>(*asked);
    return {only, only + 1};
}
}  // namespace log_tool
