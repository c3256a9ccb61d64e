// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_UNTYPED_BLOCK_HPP
#define DRIFTLESS_LOG_UNTYPED_BLOCK_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/codec/untyped_value.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/aligned_bytes.hpp>
#include <driftless/log/detail/ends.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/stored_block.hpp>
#include <driftless/log/detail/untyped_row.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What the header of a segment says about its records, taken apart once.
///
/// Errors      malformed if the text is no schema or the layout does not fit it.
class untyped_schema {
    detail::layout_kind layout_;
    std::uint32_t record_size_;
    std::vector<std::uint16_t> time_fields_;
    schema_node root_;
    bool is_event_ = false;
    std::optional<detail::row_shape> row_;

public:
    untyped_schema(detail::segment_header const& header, std::string const& path)
        : layout_(header.layout), record_size_(header.record_size), time_fields_(header.time_fields) {
        try {
            root_ = parse_schema(header.schema);
        } catch (error const& problem) {
            throw error{error_code::malformed, "the schema of the segment cannot be read: " + bare(problem), path};
        }
        row_ = detail::row_shape_of(root_);
        // An event has the bounds of its time at place 0, where a record with these members has the number of `at`.
        is_event_ = time_fields_ == std::vector<std::uint16_t>{0} && root_.kind == schema_kind::record
            && root_.children.size() == 2 && root_.children[0].field == "value" && root_.children[1].field == "at"
            && root_.children[1].kind == schema_kind::time;
        if (layout_ == detail::layout_kind::columns && root_.kind != schema_kind::record) {
            throw error{error_code::malformed, "the segment is in columns, but its records have no members", path};
        }
        if (layout_ == detail::layout_kind::rows && (!row_ || row_->size != record_size_)) {
            throw error{error_code::malformed,
                "the segment is in rows of " + std::to_string(record_size_)
                    + " bytes, but its schema has another size: " + header.schema,
                path};
        }
        for (std::size_t place = 0; place < time_fields_.size(); ++place) {
            auto const member = member_of_time(place);
            if (root_.kind == schema_kind::record && member < root_.children.size()
                && root_.children[member].kind == schema_kind::time) {
                continue;
            }
            throw error{error_code::malformed,
                "the segment keeps bounds of member " + std::to_string(time_fields_[place]) + ", which is no time",
                path};
        }
    }

    [[nodiscard]] detail::layout_kind layout() const noexcept { return layout_; }
    [[nodiscard]] std::uint32_t record_size() const noexcept { return record_size_; }
    [[nodiscard]] schema_node const& root() const noexcept { return root_; }
    /// True for event<T>: a value and its time.
    [[nodiscard]] bool is_event() const noexcept { return is_event_; }
    [[nodiscard]] std::size_t time_fields() const noexcept { return time_fields_.size(); }
    /// The member of the record that a place of the bounds in a block is about.
    [[nodiscard]] std::size_t member_of_time(std::size_t place) const noexcept {
        return is_event_ ? 1 : time_fields_[place];
    }
    /// True if every record can be read.
    [[nodiscard]] bool is_readable() const noexcept { return is_described(root_); }

private:
    /// The sentence of an error without the name of the library in front.
    static std::string bare(error const& problem) {
        constexpr std::string_view prefix = "driftless: ";
        std::string_view what{problem.what()};
        if (what.starts_with(prefix)) what.remove_prefix(prefix.size());
        return std::string{what};
    }
};

/// The records of a block of any log, checked as a whole: what is handed out lies inside it.
///
/// State       Holds what keeps the bytes of the block in memory, and a decompressed copy of its parts.
/// Errors      corrupt, malformed or unsupported, with path and place, from the constructor if the parts of the block
///             are not what they say, from visit() if a value is not what the schema says.
/// Threads     One.
/// Complexity  Made in O(bytes); visit() in O(bytes of the record).
class untyped_block {
    struct column {
        std::string_view values;
        std::uint32_t const* ends = nullptr;
        std::size_t size = 0;  // of a value, if all have one size
    };

    detail::stored_block stored_;
    untyped_schema const* schema_;
    std::vector<detail::aligned_bytes> rooms_;
    std::vector<column> columns_;  // of rows and packed: one, with whole records
    std::shared_ptr<std::vector<std::uint32_t> const> places_;  // where offsets are missing

public:
    /// `schema` must outlive the block.
    untyped_block(detail::stored_block stored, untyped_schema const& schema)
        : stored_(std::move(stored)), schema_(&schema), rooms_(stored_.raw.header().parts) {
        auto const& header = stored_.raw.header();
        if (header.layout != schema.layout()) stored_.malformed("its layout is not that of the segment");
        if (stored_.raw.is_sparse()) {
            places_ = stored_.places();
            if (header.records == 0) return;
        }
        switch (schema.layout()) {
            case detail::layout_kind::rows: {
                require_parts(1);
                column all{plain(0), nullptr, schema.record_size()};
                if (all.values.size() != size() * all.size) stored_.malformed("the records are not as many as it says");
                columns_.push_back(all);
                break;
            }
            case detail::layout_kind::packed: {
                require_parts(2);
                auto const values = plain(0);
                columns_.push_back({values, ends_of(plain(1), values.size()), 0});
                break;
            }
            case detail::layout_kind::columns:
                require_parts(schema.root().children.size());
                for (std::size_t i = 0; i < rooms_.size() - sparse(); ++i) columns_.push_back(load_column(i));
                break;
        }
    }

    [[nodiscard]] std::uint64_t first_offset() const noexcept { return stored_.raw.header().first_offset; }
    [[nodiscard]] std::size_t size() const noexcept { return stored_.raw.header().records; }
    /// The offset of a record; they count up by one, but for a log that was compacted by key.
    [[nodiscard]] std::uint64_t offset(std::size_t record) const noexcept {
        return first_offset() + (places_ ? (*places_)[record] : record);
    }
    /// Where to read on.
    [[nodiscard]] std::uint64_t next_offset() const noexcept { return stored_.raw.end_offset(); }
    /// The first record at or behind an offset; size() if there is none.
    [[nodiscard]] std::size_t record_at(std::uint64_t wanted) const noexcept {
        if (wanted <= first_offset()) return 0;
        if (!places_) return static_cast<std::size_t>(std::min<std::uint64_t>(wanted - first_offset(), size()));
        auto const at = std::lower_bound(places_->begin(), places_->end(), wanted - first_offset());
        return static_cast<std::size_t>(at - places_->begin());
    }
    [[nodiscard]] event_time append_time() const noexcept { return event_time{stored_.raw.header().append_time}; }
    [[nodiscard]] detail::stored_block const& stored() const noexcept { return stored_; }
    [[nodiscard]] untyped_schema const& schema() const noexcept { return *schema_; }

    /// The parts of a record as they lie in the block: a row, the encoded record, or the values of the columns.
    [[nodiscard]] std::size_t pieces() const noexcept { return columns_.size(); }
    [[nodiscard]] std::string_view piece(std::size_t record, std::size_t index) const noexcept {
        auto const& in = columns_[index];
        if (in.ends == nullptr) return in.values.substr(record * in.size, in.size);
        auto const from = record == 0 ? 0 : in.ends[record - 1];
        return in.values.substr(from, in.ends[record] - from);
    }
    /// True if all values of that piece have one size, and no table of ends.
    [[nodiscard]] bool is_fixed(std::size_t index) const noexcept { return columns_[index].ends == nullptr; }

    /// Visits a record. A column whose class publishes no more than its name is visited as the text of its bytes.
    void visit(std::size_t record, value_visitor& to) const {
        auto const& root = schema_->root();
        if (schema_->layout() == detail::layout_kind::columns) {
            to.begin_record();
            for (std::size_t i = 0; i < columns_.size(); ++i) {
                to.member(root.children[i].field);
                visit_piece(record, i, root.children[i], to);
            }
            to.end_record();
        } else {
            visit_piece(record, 0, root, to);
        }
    }
    /// Appends a record as JSON. Where the schema does not say how to read it: {"bytes":"..."} in hexadecimal.
    void append_json(std::size_t record, std::string& out) const {
        json_writer writer{out};
        if (schema_->layout() == detail::layout_kind::columns || schema_->is_readable()) return visit(record, writer);
        detail::append_hex_bytes(out += "{\"bytes\":\"", piece(record, 0));
        out += "\"}";
    }

private:
    /// The part with the places comes last.
    [[nodiscard]] std::size_t sparse() const noexcept { return places_ ? 1 : 0; }
    void require_parts(std::size_t count) const {
        if (rooms_.size() != count + sparse()) {
            stored_.malformed("it has " + std::to_string(rooms_.size()) + " parts where its layout has "
                + std::to_string(count));
        }
    }
    /// A part that is not packed.
    std::string_view plain(std::size_t index) {
        if (stored_.raw.part(index).how != detail::packing::plain) {
            stored_.malformed("a part is packed in a way that does not fit it");
        }
        return load(index);
    }
    std::string_view load(std::size_t index) {
        auto const bytes = stored_.load(index, rooms_[index]);
        auto const& part = stored_.raw.part(index);
        if (bytes.size() != part.unpacked) stored_.malformed("a part has another size than it says");
        return bytes;
    }
    std::uint32_t const* ends_of(std::string_view table, std::size_t bytes) const {
        if (!detail::are_ends(table, size(), bytes)) stored_.malformed("the ends of its records are wrong");
        return as_ends(table);
    }
    static std::uint32_t const* as_ends(std::string_view bytes) noexcept {
        return reinterpret_cast<std::uint32_t const*>(bytes.data());
    }
    column load_column(std::size_t index) {
        auto const& type = schema_->root().children[index];
        auto const shape = detail::row_shape_of(type);
        auto const part = stored_.raw.part(index);
        if (part.how == detail::packing::delta) return {deltas(index, type, shape), nullptr, shape->size};
        if (part.how != detail::packing::ends) {
            auto const bytes = plain(index);
            if (!shape || bytes.size() != size() * shape->size) stored_.malformed("a column is not as long as it says");
            return {bytes, nullptr, shape->size};
        }
        auto const bytes = load(index);
        auto const table = size() * sizeof(std::uint32_t);
        if (bytes.size() < table || !detail::are_ends(bytes.substr(0, table), size(), bytes.size() - table)) {
            stored_.malformed("the ends of the values in a column are wrong");
        }
        return {bytes.substr(table), as_ends(bytes), 0};
    }
    std::string_view deltas(std::size_t index, schema_node const& type, std::optional<detail::row_shape> shape) {
        bool const is_number = type.kind == schema_kind::integer || type.kind == schema_kind::time
            || type.kind == schema_kind::duration;
        if (!is_number || shape->size < 2 || shape->size > 8) {
            stored_.malformed("a column is packed in a way that does not fit it");
        }
        auto const bytes = load(index);
        // Every difference takes a byte at least: what is asked for is in proportion to what is there.
        if (bytes.size() < size()) stored_.malformed("a column of differences is not as long as it says");
        detail::aligned_bytes values{size() * shape->size};
        bool const whole = shape->size == 2 ? detail::unpack_deltas<std::uint16_t>(bytes, size(), values.data())
            : shape->size == 4              ? detail::unpack_deltas<std::uint32_t>(bytes, size(), values.data())
                                            : detail::unpack_deltas<std::uint64_t>(bytes, size(), values.data());
        if (!whole) stored_.malformed("a column of differences is not as long as it says");
        rooms_[index] = std::move(values);
        return {rooms_[index].data(), size() * shape->size};
    }
    void visit_piece(std::size_t record, std::size_t index, schema_node const& type, value_visitor& to) const {
        auto const bytes = piece(record, index);
        if (is_fixed(index)) {
            if (!detail::visit_row(type, bytes, to)) wrong(record, "a byte that is neither 0 nor 1 is a bool");
            return;
        }
        if (schema_->layout() == detail::layout_kind::columns) {
            if (type.kind == schema_kind::text) return to.text(bytes);
            if (!is_described(type)) {
                std::string hex;
                detail::append_hex_bytes(hex, bytes);
                return to.text(hex);
            }
        }
        byte_reader reader{bytes};
        try {
            visit_encoded(type, reader, to);
            reader.expect_end();
        } catch (error const& problem) {
            if (problem.code() != error_code::malformed) throw;
            wrong(record, problem.what());
        }
    }
    [[noreturn]] void wrong(std::size_t record, std::string_view why) const {
        constexpr std::string_view prefix = "driftless: ";
        if (why.starts_with(prefix)) why.remove_prefix(prefix.size());
        stored_.malformed("the record at offset " + std::to_string(offset(record))
            + " is not what the schema says (" + std::string{why} + ")");
    }
};
}  // namespace driftless::inline v0
#endif
