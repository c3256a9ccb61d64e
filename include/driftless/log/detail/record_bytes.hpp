// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_RECORD_BYTES_HPP
#define DRIFTLESS_LOG_DETAIL_RECORD_BYTES_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/detail/read_plan.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/core/error.hpp>
#include <driftless/log/detail/aligned_bytes.hpp>
#include <driftless/log/detail/ends.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/row_plan.hpp>
#include <driftless/log/detail/stored_block.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// How records of a schema lie in the blocks of one layout, known from the text of the schema alone.
struct stored_schema {
    schema_node tree;
    layout_kind layout = layout_kind::packed;
    std::optional<row_plan> row;                     // of rows
    std::vector<std::optional<row_plan>> columns;    // of columns, for each member; none if it is not of one size
    std::vector<bool> used;                          // of columns: others are not looked at

    /// Errors      malformed if such records cannot lie in that layout.
    stored_schema(schema_node of, layout_kind kind, std::uint32_t record_size, std::string const& path)
        : tree(std::move(of)), layout(kind) {
        if (layout == layout_kind::rows) {
            row = row_plan::of(tree);
            if (!row || row->shape.size != record_size) {
                throw error{error_code::malformed,
                    "the segment says that it has rows of " + std::to_string(record_size)
                        + " bytes, which do not fit its schema " + to_text(tree),
                    path};
            }
        } else if (layout == layout_kind::columns) {
            if (tree.kind != schema_kind::record) {
                throw error{error_code::malformed,
                    "the segment says that it has columns, but its schema has no members: " + to_text(tree), path};
            }
            for (auto const& each : tree.children) columns.push_back(row_plan::of(each));
            used.assign(columns.size(), true);
        }
    }
};

/// The records of one stored block, each as the codec would write it; of columns, members that are not used are left
/// out.
///
/// Errors      of stored_block::load, for what is used; malformed where a part is not what its schema says.
class record_bytes {
    stored_schema const& schema_;
    stored_block const& block_;
    std::size_t records_;
    std::vector<aligned_bytes> rooms_;
    struct column {
        std::string_view values;
        std::uint32_t const* ends = nullptr;  // null: they are rows
    };
    std::vector<column> columns_;  // of rows one, of packed one
    std::string scratch_;

public:
    record_bytes(stored_schema const& schema, stored_block const& block)
        : schema_(schema), block_(block), records_(block.raw.header().records) {
        if (block.raw.header().layout != schema.layout) block_.malformed("a block has another layout than its segment");
        switch (schema.layout) {
            case layout_kind::rows:
                rooms_.resize(1);
                columns_.push_back({block_.load(0, rooms_[0]), nullptr});
                require_rows(columns_[0].values, *schema.row);
                return;
            case layout_kind::packed: {
                rooms_.resize(2);
                auto const bytes = block_.load(0, rooms_[0]);
                auto const ends = block_.load(1, rooms_[1]);
                if (!are_ends(ends, records_, bytes.size())) block_.malformed("the ends of its records are wrong");
                columns_.push_back({bytes, reinterpret_cast<std::uint32_t const*>(ends.data())});
                return;
            }
            case layout_kind::columns:
                rooms_.resize(schema.columns.size());
                columns_.resize(schema.columns.size());
                for (std::size_t i = 0; i < columns_.size(); ++i) {
                    if (schema.used[i]) load_column(i);
                }
                return;
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return records_; }
    /// Borrowed until the next call.
    [[nodiscard]] std::string_view operator[](std::size_t i) {
        if (schema_.layout == layout_kind::packed) return value(columns_[0], i);
        scratch_.clear();
        byte_writer to{scratch_};
        if (schema_.layout == layout_kind::rows) {
            schema_.row->encode(columns_[0].values.data() + i * schema_.row->shape.size, to);
            return scratch_;
        }
        for (std::size_t member = 0; member < columns_.size(); ++member) {
            if (!schema_.used[member]) continue;
            auto const& from = columns_[member];
            if (from.ends == nullptr) {
                auto const& row = *schema_.columns[member];
                row.encode(from.values.data() + i * row.shape.size, to);
            } else {
                auto const bytes = value(from, i);
                if (schema_.tree.children[member].kind == schema_kind::text) to.put_varint(bytes.size());
                to.put_bytes(bytes);
            }
        }
        return scratch_;
    }

private:
    static std::string_view value(column const& from, std::size_t i) noexcept {
        auto const begin = i == 0 ? 0 : from.ends[i - 1];
        return from.values.substr(begin, from.ends[i] - begin);
    }
    void require_rows(std::string_view bytes, row_plan const& row) const {
        if (bytes.size() % row.shape.size != 0 || bytes.size() / row.shape.size != records_)
            block_.malformed("the records are not as many as it says");
    }
    void load_column(std::size_t i) {
        auto const& member = schema_.tree.children[i];
        auto const& row = schema_.columns[i];
        auto bytes = block_.load(i, rooms_[i]);
        auto const how = block_.raw.part(i).how;
        if (how == packing::ends) {
            auto const table = records_ * sizeof(std::uint32_t);
            if (bytes.size() < table || !are_ends(bytes.substr(0, table), records_, bytes.size() - table)) {
                block_.malformed("the ends of the values in a column are wrong");
            }
            columns_[i] = {bytes.substr(table), reinterpret_cast<std::uint32_t const*>(bytes.data())};
            return;
        }
        if (how == packing::delta && row) bytes = without_deltas(bytes, member, row->shape.size, rooms_[i]);
        else if (how != packing::plain || !row) block_.malformed("a column is packed in a way that does not fit it");
        require_rows(bytes, *row);
        columns_[i] = {bytes, nullptr};
    }
    [[nodiscard]] std::string_view without_deltas(std::string_view bytes, schema_node const& member, std::size_t size,
        aligned_bytes& room) const {
        bool const may = member.kind == schema_kind::integer || member.kind == schema_kind::time
            || member.kind == schema_kind::duration;
        // A value takes a byte at least: what is claimed is there.
        if (!may || records_ > bytes.size()) block_.malformed("a column of differences is not as long as it says");
        aligned_bytes values{records_ * size};
        bool const whole = size == 2 ? unpack_deltas<std::uint16_t>(bytes, records_, values.data())
            : size == 4              ? unpack_deltas<std::uint32_t>(bytes, records_, values.data())
            : size == 8              ? unpack_deltas<std::uint64_t>(bytes, records_, values.data())
                                     : false;
        if (!whole) block_.malformed("a column of differences is not as long as it says");
        room = std::move(values);
        return {room.data(), records_ * size};
    }
};
}  // namespace driftless::inline v0::detail
#endif
