// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_PRODUCER_TABLE_HPP
#define DRIFTLESS_LOG_DETAIL_PRODUCER_TABLE_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/ends.hpp>
#include <driftless/log/detail/format.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// What producers that number their records have sent to one partition.
///
/// State       For each producer its last runs of records that lie side by side in the log, so that a repeated batch is
///             answered with the offset that it got. A producer that sent nothing for `age` is forgotten when the next
///             segment begins.
/// Complexity  O(log producers) per batch.
class producer_table {
    static constexpr std::size_t runs_kept = 8;

public:
    struct run {
        std::uint64_t sequence;
        std::uint64_t offset;
        std::uint64_t count;
        friend bool operator==(run const&, run const&) = default;
    };
    struct entry {
        std::uint64_t producer;
        std::int64_t last_time;
        std::vector<run> runs;  // the newest last
        friend bool operator==(entry const&, entry const&) = default;
    };

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::vector<entry> const& entries() const noexcept { return entries_; }
    /// The sequence that comes next; nothing if the producer is not known.
    [[nodiscard]] std::optional<std::uint64_t> next_of(std::uint64_t producer) const noexcept {
        auto const at = place(producer);
        if (at == entries_.end() || at->producer != producer) return std::nullopt;
        return at->runs.back().sequence + at->runs.back().count;
    }
    /// The offset that a sequence got; nothing if that is too long ago.
    [[nodiscard]] std::optional<std::uint64_t> offset_of(
        std::uint64_t producer, std::uint64_t sequence) const noexcept {
        auto const at = place(producer);
        if (at == entries_.end() || at->producer != producer) return std::nullopt;
        for (auto const& each : at->runs) {
            if (sequence >= each.sequence && sequence - each.sequence < each.count) {
                return each.offset + (sequence - each.sequence);
            }
        }
        return std::nullopt;
    }
    /// `count` records, the first with that sequence and offset, are in the log.
    void note(std::uint64_t producer, std::uint64_t sequence, std::uint64_t offset, std::uint64_t count,
        std::int64_t time) {
        auto at = place(producer);
        if (at == entries_.end() || at->producer != producer) at = entries_.insert(at, entry{producer, time, {}});
        at->last_time = std::max(at->last_time, time);
        if (!at->runs.empty()) {
            auto& last = at->runs.back();
            if (last.sequence + last.count == sequence && last.offset + last.count == offset) {
                last.count += count;
                return;
            }
        }
        if (at->runs.size() == runs_kept) at->runs.erase(at->runs.begin());
        at->runs.push_back({sequence, offset, count});
    }
    void note(block_header const& block) {
        if (block.producer == 0 || block.offset_span == 0) return;
        note(block.producer, block.sequence, block.first_offset, block.offset_span, block.append_time);
    }
    void forget_before(event_time time) {
        std::erase_if(entries_, [time](entry const& each) { return event_time{each.last_time} < time; });
    }

    /// The part of a block of kind `producers`.
    [[nodiscard]] std::string encode() const {
        std::string out;
        put(out, static_cast<std::uint64_t>(entries_.size()));
        for (auto const& each : entries_) {
            put(out, each.producer);
            put(out, each.last_time);
            put(out, static_cast<std::uint64_t>(each.runs.size()));
            out += as_bytes(each.runs.data(), each.runs.size());
        }
        return out;
    }
    /// Nothing if encode() cannot have made the bytes.
    static std::optional<producer_table> decode(std::string_view bytes) {
        producer_table out;
        if (bytes.size() < 8) return std::nullopt;
        auto const count = get<std::uint64_t>(bytes, 0);
        std::size_t at = 8;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (bytes.size() - at < 24) return std::nullopt;
            entry each{get<std::uint64_t>(bytes, at), get<std::int64_t>(bytes, at + 8), {}};
            auto const runs = get<std::uint64_t>(bytes, at + 16);
            at += 24;
            if (runs == 0 || runs > runs_kept || bytes.size() - at < runs * sizeof(run)) return std::nullopt;
            for (std::uint64_t j = 0; j < runs; ++j, at += sizeof(run)) each.runs.push_back(get<run>(bytes, at));
            if (!out.entries_.empty() && out.entries_.back().producer >= each.producer) return std::nullopt;
            out.entries_.push_back(std::move(each));
        }
        if (at != bytes.size()) return std::nullopt;
        return out;
    }
    /// The table in a block of kind `producers`; nothing if it has none that can be read.
    static std::optional<producer_table> read(block_view const& block) {
        if (block.header().parts != 1 || !block.is_intact(0)) return std::nullopt;
        auto const part = block.part(0);
        if (part.compressed != compression::none || part.how != packing::plain) return std::nullopt;
        return decode(block.part_bytes(part));
    }
    friend bool operator==(producer_table const&, producer_table const&) = default;

private:
    [[nodiscard]] std::vector<entry>::const_iterator place(std::uint64_t producer) const noexcept {
        return std::lower_bound(entries_.begin(), entries_.end(), producer,
            [](entry const& a, std::uint64_t b) { return a.producer < b; });
    }
    [[nodiscard]] std::vector<entry>::iterator place(std::uint64_t producer) noexcept {
        return entries_.begin() + (std::as_const(*this).place(producer) - entries_.cbegin());
    }

    std::vector<entry> entries_;  // by producer
};
}  // namespace driftless::inline v0::detail
#endif
