// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_OLD_SEGMENTS_HPP
#define DRIFTLESS_LOG_DETAIL_OLD_SEGMENTS_HPP

#include <driftless/codec/evolution.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/core/error.hpp>
#include <driftless/log/detail/block_maker.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/record_bytes.hpp>
#include <driftless/log/detail/stored_block.hpp>
#include <driftless/log/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// Why a T cannot be read from segments with that header; nothing if it can.
///
/// Errors      malformed if the header contradicts itself.
template <class T>
std::vector<std::string> differences_to(segment_header const& header, std::string const& path) {
    auto tree = parse_schema(header.schema);
    auto const of_columns = header.layout == layout_kind::columns;
    auto out = record_reader<T>::differences(tree, of_columns);
    if (out.empty()) static_cast<void>(stored_schema{std::move(tree), header.layout, header.record_size, path});
    return out;
}

/// Reads blocks of segments that have another schema or layout: record by record into a block of T in its own layout,
/// which is then read like one that is still in memory.
///
/// Threads     Any number.
template <class T, class Layout>
class old_segments {
    using maker = block_maker<Layout, T>;
    struct source {
        std::string schema_text;
        std::uint32_t record_size;
        stored_schema schema;
        record_reader<T> reader;
    };

    mutable std::mutex mutex_;
    mutable std::vector<std::shared_ptr<source const>> sources_;  // one for each schema, not for each segment

public:
    /// Errors      mismatch, with every difference; malformed.
    void require_readable(segment_header const& header, std::string const& path) const {
        static_cast<void>(source_of(header, path));
    }
    /// The records from record `i` on: all of the block, or as many as one block of T has room for.
    ///
    /// Errors      mismatch; corrupt and malformed with path and offset; those of upcasters.
    [[nodiscard]] std::shared_ptr<maker const> read(segment_header const& header, stored_block const& stored,
        std::size_t i) const {
        auto const of = source_of(header, *stored.path);
        record_bytes bytes{of->schema, stored};
        auto const first = stored.raw.header().first_offset;
        if (i >= bytes.size()) stored.malformed("the block has fewer records than offsets");
        auto reader = of->reader;
        auto made = std::make_shared<maker>(limits_for(stored));
        T record{};
        try {
            for (; i < bytes.size(); ++i) {
                byte_reader one{bytes[i]};
                reader.read(one, record);
                one.expect_end();
                if (!made->add(record)) break;
            }
        } catch (error const& problem) {
            if (problem.code() != error_code::malformed) throw;
            stored.malformed("record " + std::to_string(first + i) + " is not what its schema says ("
                + problem.what() + ")");
        }
        return made;
    }

private:
    [[nodiscard]] std::shared_ptr<source const> source_of(segment_header const& header, std::string const& path) const {
        std::lock_guard const lock{mutex_};
        for (auto const& each : sources_) {
            if (each->schema.layout == header.layout && each->record_size == header.record_size
                && each->schema_text == header.schema) {
                return each;
            }
        }
        auto const differences = differences_to<T>(header, path);
        if (!differences.empty()) {
            std::string all;
            for (auto const& each : differences) all += "; " + each;
            throw error{error_code::mismatch,
                "the log holds other records, which cannot be read" + all + "; it has " + header.schema
                    + ", this program reads " + schema_of<T>(),
                path};
        }
        auto tree = parse_schema(header.schema);
        record_reader<T> reader{tree, header.layout == layout_kind::columns};
        stored_schema schema{std::move(tree), header.layout, header.record_size, path};
        for (std::size_t i = 0; i < schema.used.size(); ++i) schema.used[i] = reader.uses(i);
        sources_.push_back(std::make_shared<source const>(
            source{header.schema, header.record_size, std::move(schema), std::move(reader)}));
        return sources_.back();
    }
    static block_limits limits_for(stored_block const& stored) {
        // What the records took, and as much again, as they may have grown; what does not fit is the next block.
        std::size_t size = 4096;
        for (std::size_t i = 0; i < stored.raw.header().parts; ++i) {
            size += 2 * std::size_t{stored.raw.part(i).unpacked};
        }
        return {std::min(size, std::size_t{1} << 26), compression::none, false};
    }
};
}  // namespace driftless::inline v0::detail
#endif
