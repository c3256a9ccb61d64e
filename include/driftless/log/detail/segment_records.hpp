// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SEGMENT_RECORDS_HPP
#define DRIFTLESS_LOG_DETAIL_SEGMENT_RECORDS_HPP

#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/block_maker.hpp>
#include <driftless/log/detail/file_block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_list.hpp>
#include <driftless/log/detail/stored_block.hpp>
#include <driftless/log/detail/time_fields.hpp>
#include <driftless/log/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// How a file_log of T reads segments: those with its schema and layout as they lie there, others as the evolution of T
/// says, or not at all.
///
/// Errors      driftless::error: mismatch, not_there, corrupt.
template <class T, class Layout>
class segment_records {
    using block = file_block<T, Layout>;
    using stored_records = block_records<Layout, T>;
    static constexpr std::size_t fields = bounded_time_fields<T>;

    std::string log_;                         // its path, for errors
    segment_header own_ = header_of_records();  // what its own segments have
    typename evolution_of<T>::template old_segments<T, Layout> old_;

public:
    explicit segment_records(std::string log) : log_(std::move(log)) {}

    /// What the header of a segment says of its records.
    [[nodiscard]] segment_header const& own() const noexcept { return own_; }

    /// Looks at the newest segment. One whose header never reached the disk says nothing; recovery decides about it.
    void require_readable(segment_list& segments) const {
        auto const bases = segments.bases();
        for (auto i = bases.size(); i-- > 0;) {
            try {
                if (auto const found = segments.at_base(bases[i])) return require_same_records(found->header());
            } catch (error const& problem) {
                if (problem.code() != error_code::corrupt || i + 1 != bases.size()) throw;
            }
        }
    }

    /// A block that is in memory still, from offset `from` on.
    template <class InMemory>
    [[nodiscard]] block in_memory(InMemory const& found, std::uint64_t from) const {
        auto const skip = static_cast<std::size_t>(from - found.first);
        block out{found.records, stored_records{*found.records}, skip, found.size - skip, from, found.append_time};
        std::copy(std::begin(found.ranges), std::end(found.ranges), std::begin(out.ranges_));
        return out;
    }
    /// The block of these segments that holds offset `from`, or the next one that is left.
    [[nodiscard]] block at(segment_list& segments, std::uint64_t from) const {
        if (auto found = find(segments, from)) return *std::move(found);
        throw error{error_code::not_there,
            "the last records of the log were removed by compact_by_key, and those that replace them lie elsewhere: it "
            "is a part of another log",
            segments.folder(), from};
    }
    /// Nothing if no record at or behind that offset is left in these segments.
    [[nodiscard]] std::optional<block> find(segment_list& segments, std::uint64_t from) const {
        auto found = segments.find(from);
        if (!found.in) return std::nullopt;
        auto const first = found.stored.raw.header().first_offset;
        auto const end = found.stored.raw.end_offset();
        std::size_t const records = found.stored.raw.header().records;
        auto out = is_own(found.in->header()) ? from_file(std::move(found.stored), found.skip)
                                              : from_other_schema(*found.in, found.stored, found.skip);
        out.start_ = found.places ? first : first + found.skip;
        if (found.places) out.places_ = {found.places, found.places->data() + found.skip};
        out.next_ = found.skip + out.size_ == records ? end : out.offset(out.size_ - 1) + 1;
        return out;
    }

    /// Calls f(record) for the records of a block, of the schema of its segment.
    template <class F>
    void for_each_record(segment_header const& header, stored_block const& stored, F&& f) const {
        require_same_records(header);
        auto const count = stored.raw.header().records;
        if (count == 0) return;
        if (is_own(header)) {
            stored_records const records{stored};
            records.each(0, 0, count, [&](std::size_t, T const& record) { f(record); });
        } else if constexpr (evolves<T>) {
            for (std::size_t done = 0; done < count;) {
                auto const made = old_.read(header, stored, done);
                stored_records const records{*made};
                records.each(0, 0, made->size(), [&](std::size_t, T const& record) { f(record); });
                done += made->size();
            }
        }
    }

private:
    static segment_header header_of_records() {
        segment_header out;
        out.layout = block_maker<Layout, T>::kind;
        if constexpr (std::is_same_v<Layout, rows>) out.record_size = sizeof(T);
        out.time_fields = time_fields_of<T>();
        out.schema = schema_of<T>();
        return out;
    }
    [[nodiscard]] bool is_own(segment_header const& header) const noexcept {
        return header.layout == own_.layout && header.record_size == own_.record_size && header.schema == own_.schema
            && header.time_fields == own_.time_fields;
    }
    void require_same_records(segment_header const& header) const {
        if (is_own(header)) return;
        if constexpr (evolves<T>) old_.require_readable(header, log_);
        else throw_other_records(header, log_);
    }
    [[noreturn]] DRIFTLESS_NOINLINE void throw_other_records(
        segment_header const& header, std::string const& path) const {
        throw error{error_code::mismatch,
            header.schema == own_.schema ? "the log has another layout: give it as the second argument of file_log"
                                         : "the log holds other records: it has " + header.schema
                    + ", this program reads "
                    + own_.schema
                    + "; if it is another version of them, include <driftless/log/evolution.hpp> and say evolving",
            path};
    }
    DRIFTLESS_NOINLINE block from_other_schema(
        segment const& in, stored_block const& stored, std::size_t skip) const {
        if constexpr (evolves<T>) {
            auto const made = old_.read(in.header(), stored, skip);
            block out{made, stored_records{*made}, 0, made->size(), 0, event_time{stored.raw.header().append_time}};
            made->copy_ranges(out.ranges_);
            return out;
        } else {
            throw_other_records(in.header(), in.path());
        }
    }
    block from_file(stored_block stored, std::size_t skip) const {
        auto const header = stored.raw.header();
        time_range ranges[fields == 0 ? 1 : fields];
        for (std::size_t i = 0; i < fields; ++i) ranges[i] = stored.raw.range(i);
        auto const size = header.records - skip;
        block out{nullptr, stored_records{std::move(stored)}, skip, size, 0, event_time{header.append_time}};
        std::copy(std::begin(ranges), std::end(ranges), std::begin(out.ranges_));
        return out;
    }
};
}  // namespace driftless::inline v0::detail
#endif
