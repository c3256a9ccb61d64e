// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_CSV_INPUT_HPP
#define DRIFTLESS_IO_CSV_INPUT_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {

/// A line of a CSV file that could not be read: where, and why.
///
/// `line` and `column` count from 1; `column` counts characters (UTF-8) of that line and points at
/// the field, or at the very quote that is out of place. In a row that spans lines, `line` is the
/// line on which the trouble begins. `column_name` is empty when the whole row is at fault.
struct csv_problem {
    std::string file{};
    std::uint64_t line = 0;
    std::uint64_t column = 0;
    std::string column_name{};
    std::string reason{};

    /// The sentence for people: lines.csv:17:23: column 'quantity': "abc" is not an integer
    [[nodiscard]] std::string sentence() const {
        return file + ':' + std::to_string(line) + ':' + std::to_string(column) + ": " + reason;
    }
};

/// What was wrong with one column of a CSV file, or with whole rows.
struct csv_field_counts {
    std::string field{};          ///< the column; empty for whole rows: a wrong number of fields
    std::uint64_t empty = 0;      ///< rows refused because it was empty, with no default
    std::uint64_t malformed = 0;  ///< rows refused because it could not be read
    std::uint64_t absent = 0;     ///< empty, and taken as the default, nullopt or an empty text

    friend bool operator==(csv_field_counts const&, csv_field_counts const&) = default;
};

/// Where the bytes come from: a path, an open descriptor (standard input is 0), or memory.
///
/// Nothing is opened before a reader is made of it. A descriptor stays open afterwards; the bytes
/// of memory() must outlive the reader. `name` is what messages call the input.
struct csv_input {
    std::string name;
    std::string_view bytes{};
    int descriptor = -1;
    enum class kind : std::uint8_t {
        path,
        descriptor,
        memory
    } from = kind::path;

    csv_input(std::string path) : name(std::move(path)) {}  // NOLINT(google-explicit-constructor)
    csv_input(char const* path) : name(path) {}             // NOLINT(google-explicit-constructor)
    static csv_input from_descriptor(int open, std::string name) {
        csv_input input{std::move(name)};
        input.descriptor = open;
        input.from = kind::descriptor;
        return input;
    }
    static csv_input standard_input() { return from_descriptor(0, "<stdin>"); }
    static csv_input memory(std::string_view bytes, std::string name = "<memory>") {
        csv_input input{std::move(name)};
        input.bytes = bytes;
        input.from = kind::memory;
        return input;
    }
};
}  // namespace driftless::inline v0
#endif
