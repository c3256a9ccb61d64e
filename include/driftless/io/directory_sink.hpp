// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DIRECTORY_SINK_HPP
#define DRIFTLESS_IO_DIRECTORY_SINK_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/io/csv_rows.hpp>
#include <driftless/io/detail/kept_row.hpp>
#include <driftless/io/detail/staged_parts.hpp>
#include <driftless/io/directory_parts.hpp>
#include <driftless/io/logged_row.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace driftless::inline v0 {

/// How a directory_sink writes.
struct directory_options {
    std::string name = "out";                         ///< where one job writes to a folder more than once: without '.'
    std::uint64_t build = 0;                          ///< of the rows it writes; see logged_version
    std::size_t buffer_bytes = std::size_t{1} << 16;  ///< rows that wait in memory for the next write
    file_system* files = nullptr;                     ///< where the folder is; null: on the disk
};

/// Writes what a pipeline yields to files of a folder, exactly once: directory_sink<pane<text, totals>> sink{"out"};
///
/// Shape       One file per snapshot that has rows: FOLDER/JOB.NAME.SNAPSHOT.csv, in the order in which they came;
///             directory_parts(FOLDER) lists them. A batch, and a run without snapshots, is one. Row says what a line
///             is: pane<K, V> the row, a plain record or V the value alone, logged_row<K, V> also removals and
///             retractions, and versions.
/// Format      csv_rows or json_lines (io/json_lines.hpp), or a type of yours: `extension`, `begin<Row>(out)` for what
///             a file begins with, `write(out, row)` or `write(out, row, number)` for each row, all at the end of a
///             std::string.
/// Delivery    Exactly once. A transaction is a file in FOLDER/.staged, synced when it is prepared and renamed when it
///             is committed: readers see whole files, never half a transaction. Several jobs may share a folder.
/// State       buffer_bytes. On the disk 24 bytes per job and sink.
/// Errors      As transactional_sink says: io, corrupt, mismatch with the path; invalid_argument for a name that is no
///             file name, and that of the format. After an error in write or prepare the sink says `stopped` until it
///             recovers.
/// Threads     The thread that runs the job.
/// Complexity  A prepare syncs the file and the folder; a commit replaces the books, renames and syncs two folders.
/// Source      transactional_sink; write, sync, rename as in T. Pillai et al., "All File Systems Are Not Created Equal"
///             (2014).
/// Example     examples/totals_in_files.cpp
template <class Row, class Format = csv_rows>
class directory_sink {
    using maker = detail::kept_row<Row>;

    Format format_;
    std::uint64_t build_;
    detail::staged_parts parts_;

public:
    using row_type = Row;

    explicit directory_sink(std::string folder, directory_options options = {}, Format format = {})
        : format_(std::move(format)),
          build_(options.build),
          parts_(options.files != nullptr ? *options.files : real_files(), std::move(folder), std::move(options.name),
              std::string{Format::extension}, options.buffer_bytes) {
        std::string tried;
        format_.template begin<Row>(tried);
    }

    template <class K, class V>
    void write(pane<K, V> const& row) {
        maker::write(row, version(), [&](Row const& made) { add(made); });
    }
    /// Plain records, where the lines are those of records.
    template <class T>
        requires detail::keeps<Row, T>
    void write_record(T const& record) {
        add(detail::kept_as<Row>(record));
    }
    template <class K>
    void remove(K const& key, time_window window) {
        maker::remove(key, window, version(), [&](Row const& made) { add(made); });
    }
    template <class K, class V>
    void retract(pane<K, V> const& row) {
        maker::retract(row, version(), [&](Row const& made) { add(made); });
    }

    void recover(sink_position const& at) { parts_.recover(at); }
    void prepare(std::uint64_t n) { parts_.prepare(n); }
    void commit(std::uint64_t n) { parts_.commit(n); }
    [[nodiscard]] std::uint64_t committed() const noexcept { return parts_.committed(); }

    /// Rows since the last prepare.
    [[nodiscard]] std::uint64_t open_rows() const noexcept { return parts_.open_rows(); }
    /// Removes the files of a job and what is known of it: for a batch that runs again, and for a job whose snapshots
    /// are gone. Before recover.
    void start_over(std::string const& job = "job") { parts_.start_over(job); }

private:
    [[nodiscard]] logged_version version() const noexcept { return {build_, parts_.rows()}; }
    void add(Row const& row) {
        auto& out = parts_.begin_row();
        if (parts_.open_rows() == 0) format_.template begin<Row>(out);
        if constexpr (requires { format_.write(out, row, std::uint64_t{}); }) format_.write(out, row, parts_.rows());
        else format_.write(out, row);
        parts_.end_row();
    }
};
}  // namespace driftless::inline v0
#endif
