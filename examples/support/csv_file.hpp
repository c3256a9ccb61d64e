// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_CSV_FILE_HPP
#define EXAMPLES_SUPPORT_CSV_FILE_HPP

#include <driftless/driftless.hpp>
#include <driftless/io/csv.hpp>
#include <driftless/io/csv_writer.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace support {

/// Appends the rows of a CSV file to a log, or to what has append(row); stops at the first malformed line.
template <class T>
void read_csv(std::string const& path, auto& to) {
    driftless::csv_reader<T> rows{driftless::csv_input{path}, {.strict = true}};
    for (T row; rows.next(row);) to.append(row);
}

/// A file of rows that appears under its final name when they are all there.
template <class T>
class csv_file {
    std::string path_, part_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    std::optional<driftless::csv_writer> out_;

    [[noreturn]] void fail(std::string const& what) const {
        throw driftless::error{driftless::error_code::io, what + ": " + std::strerror(errno), path_};
    }

public:
    explicit csv_file(std::string path)
        : path_(std::move(path)), part_(path_ + ".part"), file_(std::fopen(part_.c_str(), "wb"), std::fclose) {
        if (!file_) fail("cannot write");
        out_.emplace(file_.get());
        out_->write_header<T>();
    }
    void append(T const& row) { out_->write(row); }
    void finish() {
        out_->flush();
        out_.reset();
        if (std::fclose(file_.release()) != 0) fail("cannot write");
        std::filesystem::rename(part_, path_);
    }
};
}  // namespace support
#endif
