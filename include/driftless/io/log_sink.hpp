// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_LOG_SINK_HPP
#define DRIFTLESS_IO_LOG_SINK_HPP

#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/io/detail/kept_row.hpp>
#include <driftless/io/detail/sink_books.hpp>
#include <driftless/io/logged_row.hpp>
#include <driftless/log/partitioner.hpp>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Rows go by their key, plain records to partition 0.
struct partition_by_row_key {};
}  // namespace detail

/// Writes what a pipeline yields to a file_log, exactly once: log_sink sink{log};
///
/// Shape       By the records of the log: logged_row<K, V> keeps all that a pipeline says (changes, removals), pane<K,
///             V> its panes, V or a plain record the values. `text` may be std::string there. With several partitions a
///             row goes to partition_of(key), what has no key to partition 0; a partitioner of the log's records as
///             third argument decides otherwise.
/// Delivery    Exactly once. The rows between two snapshots are one transaction of the log, seen when the snapshot is
///             complete. Several jobs, and several sinks of one job (options.name), may share a log.
/// State       The rows since the last snapshot, as the blocks of a transaction in memory: take snapshots often
///             enough. In the log's folder `sinks` 24 bytes per job. Borrows the log.
/// Errors      As transactional_sink says; those of the log. After an error open the log anew.
/// Threads     The thread that runs the job.
/// Complexity  That of the log's transactions: each row is written twice, and a commit waits for the disk about ten
///             times.
/// Source      transactional_sink.
template <class Log, class Partitioner = detail::partition_by_row_key>
class log_sink {
    using maker = detail::kept_row<typename Log::value_type>;
    using transaction = typename Log::transaction;

    Log* log_;
    sink_options options_;
    [[no_unique_address]] Partitioner partition_;
    detail::sink_books books_;
    std::optional<transaction> open_;
    std::uint64_t open_rows_ = 0;

public:
    using row_type = typename Log::value_type;

    explicit log_sink(Log& log, sink_options options = {}, Partitioner partition = {})
        : log_(&log), options_(std::move(options)), partition_(std::move(partition)) {}

    template <class K, class V>
    void write(pane<K, V> const& row) {
        maker::write(row, version(), [&](row_type const& made) { add(made, row.key); });
    }
    /// Plain records, where the log keeps them as they are.
    template <class T>
        requires detail::keeps<row_type, T>
    void write_record(T const& record) {
        auto const& made = detail::kept_as<row_type>(record);
        if constexpr (is_logged_row<row_type>) add(made, made.key);
        else add(made, unkeyed{});
    }
    template <class K>
    void remove(K const& key, time_window window) {
        maker::remove(key, window, version(), [&](row_type const& made) { add(made, key); });
    }
    template <class K, class V>
    void retract(pane<K, V> const& row) {
        maker::retract(row, version(), [&](row_type const& made) { add(made, row.key); });
    }

    void recover(sink_position const& at) {
        open_.reset();
        open_rows_ = 0;
        auto& files = log_->files();
        auto const folder = log_->path() + "/sinks";
        if (files.make_folder(folder)) files.sync_folder(log_->path());
        books_.begin(files, folder, {}, options_.name, at);
        auto staged = log_->prepared();
        // Committed before something failed, and perhaps not in the log yet.
        for (auto& name : log_->unfinished()) {
            if (detail::staged_of(books_.owner(), name)) log_->commit_prepared(name);
        }
        books_.recover(
            at, staged, [&](std::string const& name, auto const&) { log_->commit_prepared(name); },
            [&](std::string const& name) { log_->abort_prepared(name); });
    }
    void prepare(std::uint64_t n) {
        books_.require_open();
        auto const name = books_.next_name(n, open_rows_);
        if (open_) open_->prepare(name);
        open_.reset();
        books_.prepared(n, std::exchange(open_rows_, 0));
    }
    void commit(std::uint64_t n) {
        books_.commit(n, [&](std::string const& name, auto const&) { log_->commit_prepared(name); });
    }
    [[nodiscard]] std::uint64_t committed() const noexcept { return books_.committed(); }
    /// Rows since the last prepare, which are in memory.
    [[nodiscard]] std::uint64_t open_rows() const noexcept { return open_rows_; }

private:
    [[nodiscard]] logged_version version() const noexcept { return {options_.build, books_.rows() + open_rows_}; }
    template <class K>
    void add(row_type const& row, K const& key) {
        if (!open_) {
            books_.require_open();
            open_.emplace(log_->begin());
        }
        open_->append(row, partition_of_row(row, key));
        ++open_rows_;
    }
    template <class K>
    [[nodiscard]] std::uint32_t partition_of_row(row_type const& row, K const& key) const {
        auto const partitions = log_->partitions();
        if constexpr (!std::same_as<Partitioner, detail::partition_by_row_key>) return partition_(row, partitions);
        else if constexpr (std::same_as<K, unkeyed>) return 0;
        else return partitions == 1 ? 0 : partition_of(key, partitions);
    }
};
}  // namespace driftless::inline v0
#endif
