// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_JSON_LINES_HPP
#define DRIFTLESS_IO_JSON_LINES_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/codec/untyped_value.hpp>

#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// Rows as JSON, a value on each line, for a directory_sink.
///
/// Shape       As driftless-log prints a record: a pane is {"key":..., "window":{...}, "value":..., "info":{...}}, a
///             reflected struct an object of its members, a tuple a list; see json_writer for times and what JSON
///             lacks.
/// Types       All that have a codec.
/// State       The schema of the rows, and the bytes of one.
/// Complexity  O(bytes); no allocation per row once the buffers are large enough.
/// Source      RFC 8259; jsonlines.org.
class json_lines {
    schema_node schema_;
    std::string bytes_;

public:
    static constexpr std::string_view extension = "jsonl";

    template <class Row>
    void begin(std::string&) {
        static_assert(encodable<Row>,
            "driftless: json_lines writes what has a codec: adapt the struct with BOOST_HANA_ADAPT_STRUCT, or map its "
            "other members first");
        schema_ = parse_schema(schema_of<Row>());
    }
    template <class Row>
    void write(std::string& out, Row const& row) {
        bytes_.clear();
        byte_writer{bytes_}.write(row);
        json_writer to{out};
        byte_reader from{bytes_};
        visit_encoded(schema_, from, to);
        out += '\n';
    }
};
}  // namespace driftless::inline v0
#endif
