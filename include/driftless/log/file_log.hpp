// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_FILE_LOG_HPP
#define DRIFTLESS_LOG_FILE_LOG_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/result.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/detail/columns_on_disk.hpp>
#include <driftless/log/detail/file_block.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/log_partition.hpp>
#include <driftless/log/detail/log_reader.hpp>
#include <driftless/log/detail/log_transactions.hpp>
#include <driftless/log/detail/packed_on_disk.hpp>
#include <driftless/log/detail/progress.hpp>
#include <driftless/log/detail/rows_on_disk.hpp>
#include <driftless/log/detail/segment_list.hpp>
#include <driftless/log/detail/segment_records.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/detail/wakeups.hpp>
#include <driftless/log/detail/write_behind.hpp>
#include <driftless/log/durability.hpp>
#include <driftless/log/file_log_options.hpp>
#include <driftless/log/layout.hpp>
#include <driftless/log/log_transaction.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/log/reader_position.hpp>
#include <driftless/log/retention.hpp>
#include <driftless/log/wakeup.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
struct log_door;  // of what moves and rewrites segments: log/detail/log_door.hpp
}

/// A log in files: the durable, replayable source of truth.
///
/// Shape       Records of type T in partitions, each numbered by offsets from 0 without gaps. In files of segments,
///             these of blocks with checksums. `Layout`: rows (records of one size, handed out as they lie in the file;
///             the default for T without text), packed (any size, by the codec; the default otherwise) or columns (one
///             part per member; what a pipeline does not read is neither read nor checked).
/// Time        A block keeps the time of its first append by `clock`, which never goes back in a partition, and the
///             least and greatest value of every event_time member (exact watermarks in batch).
/// Delivery    append_once adds what a producer numbers no more than once; a transaction is seen whole or not at all.
/// State       Up to 32 blocks per partition in memory, for readers in this process to see at once; then in files. One
///             writer at a time holds the lock; it ends with its process.
/// Errors      driftless::error with path: in_use (another writer), mismatch (other records, other log), corrupt (with
///             position and both checksums), io, not_there (an offset that was removed), unsupported (a newer format),
///             fenced (a newer writer has taken over).
///             After a failed write nothing is lost but time: flush() tries again. After a failed sync the log must be
///             opened anew.
/// Threads     Any number append and read. A reader sees whole records only, each partition in offset order.
/// Complexity  append O(bytes of the record) and a write per 8 blocks; read O(log blocks) per block.
template <class T, class Layout = std::conditional_t<detail::row_type<T>, rows, packed>>
class file_log {
    using partition = detail::log_partition<T, Layout>;
    friend detail::log_door;
    friend detail::log_transactions<T, Layout, file_log>;

    std::string path_;
    file_log_options options_;
    file_system& files_;
    detail::segment_records<T, Layout> records_;
    std::unique_ptr<file> lock_;
    detail::log_identity identity_;
    std::unique_ptr<detail::progress> progress_;
    std::vector<std::unique_ptr<partition>> partitions_;        // of a writer
    detail::log_transactions<T, Layout, file_log> transactions_;
    std::vector<std::unique_ptr<detail::log_reader>> readers_;  // of a reader
    mutable detail::wakeups wakeups_;
    bool closed_ = false;
    detail::write_behind behind_;  // the last member: it uses the others

public:
    using value_type = T;
    using layout = Layout;
    /// What read() hands out.
    using block = detail::file_block<T, Layout>;
    /// What begin() hands out.
    using transaction = log_transaction<T, Layout, file_log>;

    explicit file_log(std::string path, file_log_options options = {})
        : path_(std::move(path)),
          options_(options),
          files_(options.files != nullptr ? *options.files : real_files()),
          records_(path_),
          transactions_(*this) {
        if (options_.clock == nullptr) options_.clock = &detail::system_time;
        if (options_.access == log_access::read) open_to_read();
        else open_to_append();
    }
    file_log(file_log const&) = delete;
    file_log& operator=(file_log const&) = delete;
    /// Closes the log; what cannot be written any more is lost silently: call close() to hear of it.
    ~file_log() {
        try {
            close();
        } catch (...) {  // NOLINT(bugprone-empty-catch)
        }
    }

    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    [[nodiscard]] file_system& files() const noexcept { return files_; }
    [[nodiscard]] log_id id() const noexcept { return identity_.id; }
    [[nodiscard]] std::uint32_t partitions() const noexcept { return identity_.partitions; }
    /// When what this process appends becomes safe from a loss of power; nothing for a log opened to read.
    [[nodiscard]] std::optional<driftless::durability> durable() const noexcept {
        if (!is_writer()) return std::nullopt;
        return options_.durable;
    }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t p = 0) const {
        return is_writer() ? partitions_[p]->begin_offset() : readers_[p]->begin_offset();
    }
    /// Behind the last record that is visible: committed_offset, or durable_offset if the log was opened so.
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p = 0) const {
        bool const durable = !is_writer() && options_.visible == log_visibility::durable;
        return durable ? durable_offset(p) : committed_offset(p);
    }
    /// Behind the last record that is no part of an unfinished transaction.
    [[nodiscard]] std::uint64_t committed_offset(std::uint32_t p = 0) const {
        return is_writer() ? partitions_[p]->end_offset() : readers_[p]->end_offset();
    }
    /// What a loss of power would leave.
    [[nodiscard]] std::uint64_t durable_offset(std::uint32_t p = 0) const {
        return is_writer() ? partitions_[p]->durable_offset() : readers_[p]->durable_offset();
    }
    /// Where to read to miss nothing that was appended at or behind a time of `clock`: blocks know when they were
    /// begun, so that up to a block of earlier records comes along. begin_offset if all is later.
    [[nodiscard]] std::uint64_t offset_at(event_time time, std::uint32_t p = 0) const {
        return is_writer() ? partitions_[p]->offset_at(time) : readers_[p]->offset_at(time);
    }

    /// Adds a record to a partition; returns its offset.
    DRIFTLESS_INLINE std::uint64_t append(T const& record, std::uint32_t p = 0) {
        auto& into = writer(p);
        return after_append(p, into.append(record, [this] { behind_.wake(); }));
    }
    /// Adds several records; returns the offset of the first.
    template <class Range>
        requires requires(Range const& r) { std::begin(r), std::end(r); }
    std::uint64_t append(Range const& records, std::uint32_t p = 0) {
        return append(std::begin(records), std::end(records), p);
    }
    template <class Iterator>
        requires requires(Iterator it) { *it, ++it; }
    std::uint64_t append(Iterator first, Iterator last, std::uint32_t p) {
        auto& into = writer(p);
        return after_append(p, into.append(first, last, [this] { behind_.wake(); }));
    }
    /// Adds a record made of these arguments; in the rows layout, where it will lie. Returns its offset.
    template <class... Args>
        requires std::is_constructible_v<T, Args...>
    std::uint64_t emplace(std::uint32_t p, Args&&... args) {
        auto& into = writer(p);
        return after_append(p, into.emplace([this] { behind_.wake(); }, std::forward<Args>(args)...));
    }

    /// What became of a producer's batch.
    struct appended {
        std::uint64_t offset = 0;  ///< of its first record, now or when it first came
        std::uint64_t added = 0;   ///< how many of its records were new
    };
    /// Adds the records of a producer that numbers them, those that are not in the log yet: a batch may be sent again
    /// until it is answered.
    ///
    /// producer    not 0; one that sends to a partition in order, and remembers how far it came
    /// sequence    of the first record; the next batch goes on where this one ends
    /// Errors      invalid_argument if records before them are missing, or came so long ago that their offset is
    ///             forgotten (8 batches, or options.producer_age).
    template <class Range>
        requires requires(Range const& r) { std::begin(r), std::end(r); }
    appended append_once(std::uint64_t producer, std::uint64_t sequence, Range const& records, std::uint32_t p = 0) {
        auto& into = writer(p);
        if (producer == 0) throw error{error_code::invalid_argument, "a producer has a number other than 0", path_};
        auto const count = static_cast<std::uint64_t>(std::distance(std::begin(records), std::end(records)));
        appended out;
        out.offset = into.append_once(producer, sequence, std::begin(records), std::end(records), count, out.added,
            [this] { behind_.wake(); });
        after_append(p, out.offset);
        return out;
    }

    /// The sequence that comes next from a producer; nothing if it is not known in that partition.
    [[nodiscard]] std::optional<std::uint64_t> next_sequence(std::uint64_t producer, std::uint32_t p = 0) {
        return writer(p).next_sequence(producer);
    }

    /// Begins a transaction: records that become visible together, or not at all.
    [[nodiscard]] transaction begin() {
        require_writer();
        return transactions_.begin();
    }
    /// The names of transactions that wait to be decided, in order.
    [[nodiscard]] std::vector<std::string> prepared() const { return transactions_.prepared(); }
    /// The names of those that are committed, where the end of it has failed: commit_prepared() goes on, as does
    /// whoever opens the log.
    [[nodiscard]] std::vector<std::string> unfinished() const { return transactions_.unfinished(); }
    /// False if no transaction of that name waits: it was committed or given up before. If it threw it may be called
    /// again, and then is false as well where all was done but the end of it.
    bool commit_prepared(std::string const& name) {
        require_writer();
        return transactions_.commit_prepared(name);
    }
    /// False if no transaction of that name waits.
    bool abort_prepared(std::string const& name) {
        require_writer();
        return transactions_.abort_prepared(name);
    }

    /// Registers a reader, or takes it up where it stood: retention looks at the offsets that it moves to. Also for a
    /// log opened to read.
    [[nodiscard]] reader_position register_reader(std::string name, reader_options options = {}) const {
        auto const who = options.pin ? detail::registrant::pinning_reader : detail::registrant::reader;
        return {files_, path_, id(), begin_offsets(), std::move(name), who, options.lease, options_.clock};
    }
    /// Keeps what is at or behind an offset from being removed, by this process or another, while the pin lives.
    [[nodiscard]] log_pin pin(std::uint32_t p, std::uint64_t offset, duration lease = reader_options{}.lease) const {
        std::vector<std::uint64_t> offsets(partitions(), ~std::uint64_t{0});
        offsets[p] = offset;
        return log_pin{reader_position{files_, path_, id(), std::move(offsets),
            "pin-" + to_string(detail::random_log_id()), detail::registrant::pin, lease, options_.clock}};
    }
    /// Removes the segments whose records all lie before an offset, but for what is pinned; returns begin_offset.
    std::uint64_t trim(std::uint32_t p, std::uint64_t before) {
        auto& from = writer(p);
        auto const held = detail::read_registrations(files_, path_, id(), partitions(), options_.clock());
        from.remove_before(std::min(before, held[p].pinned.value_or(before)));
        return from.begin_offset();
    }
    /// Removes what options.retain says. The log does so by itself when a segment begins; what then fails is tried
    /// again with the next one, and told by this function alone.
    void retain() {
        require_writer();
        auto const& wanted = options_.retain;
        if (wanted.keeps_everything()) return;
        auto const now = options_.clock();
        auto const held = detail::read_registrations(files_, path_, id(), partitions(), now);
        for (std::uint32_t p = 0; p < partitions(); ++p) {
            auto const until = partitions_[p]->retained_from(wanted, held[p].slowest, now);
            partitions_[p]->remove_before(std::min(until, held[p].pinned.value_or(until)));
        }
    }
    /// Everything appended so far is in the files, for other processes to see.
    void flush() {
        for (std::uint32_t p = 0; p < partitions(); ++p) writer(p).flush();
    }
    /// Everything appended so far is durable.
    void sync() {
        for (std::uint32_t p = 0; p < partitions(); ++p) sync(p);
    }
    /// Writes, syncs and seals everything, and gives the lock back. Nothing else may be called afterwards but close().
    void close() {
        if (closed_) return;
        behind_.stop();
        for (auto& each : partitions_) each->close();
        note_durable();
        closed_ = true;
        lock_.reset();
    }

    /// The twins of what throws driftless::error, which return it.
    [[nodiscard]] static result<std::unique_ptr<file_log>> try_open(std::string path, file_log_options options = {}) {
        return detail::capture([&] { return std::make_unique<file_log>(std::move(path), options); });
    }
    template <class... Args>
    result<std::uint64_t> try_append(Args&&... args) {
        return detail::capture([&] { return append(std::forward<Args>(args)...); });
    }
    template <class Range>
    result<appended> try_append_once(
        std::uint64_t producer, std::uint64_t sequence, Range const& records, std::uint32_t p = 0) {
        return detail::capture([&] { return append_once(producer, sequence, records, p); });
    }
    result<std::uint64_t> try_trim(std::uint32_t p, std::uint64_t before) {
        return detail::capture([&] { return trim(p, before); });
    }
    result<block> try_read(std::uint32_t p, std::uint64_t from) const {
        return detail::capture([&] { return read(p, from); });
    }
    /// The end offset of the partition, all of it in the files.
    result<std::uint64_t> try_flush(std::uint32_t p = 0) {
        return detail::capture([&] { return flush(), end_offset(p); });
    }
    /// The durable offset of the partition.
    result<std::uint64_t> try_sync(std::uint32_t p = 0) {
        return detail::capture([&] { return sync(), durable_offset(p); });
    }
    /// The durable offset of the partition.
    result<std::uint64_t> try_close(std::uint32_t p = 0) {
        return detail::capture([&] { return close(), durable_offset(p); });
    }

    /// The block that holds offset `from`, at or above begin_offset and below end_offset, from there on. Where the
    /// record was removed by compact_by_key, it begins with the next one: read on at its next_offset().
    [[nodiscard]] block read(std::uint32_t p, std::uint64_t from) const {
        if (is_writer()) {
            typename partition::in_memory found;
            if (partitions_[p]->find_in_memory(from, found)) return records_.in_memory(found, from);
            return records_.at(partitions_[p]->segments(), from);
        }
        return records_.at(readers_[p]->segments(), from);
    }

    /// Notifies `who` after every append of this object, until unsubscribe; false where another one appends.
    bool subscribe(wakeup& who) const {
        wakeups_.add(who);
        return is_writer();
    }
    void unsubscribe(wakeup& who) const { wakeups_.remove(who); }

private:
    [[nodiscard]] bool is_writer() const noexcept { return options_.access == log_access::append; }
    DRIFTLESS_INLINE partition& writer(std::uint32_t p) {
        DRIFTLESS_ASSERT(p < partitions(), "the log has no such partition");
        if (!is_writer() || closed_) throw_no_writer();
        return *partitions_[p];
    }
    void require_writer() { static_cast<void>(writer(0)); }
    [[noreturn]] DRIFTLESS_NOINLINE void throw_no_writer() const {
        throw error{error_code::stopped,
            closed_ ? "the log is closed: open it again to append"
                    : "the log was opened to read it: open it to append",
            path_};
    }
    void sync(std::uint32_t p) {
        auto& of = writer(p);
        of.sync();
        progress_->set_durable(p, of.durable_offset());
    }
    void note_durable() {
        if (!progress_) return;
        for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
            progress_->set_durable(p, partitions_[p]->durable_offset());
        }
    }
    DRIFTLESS_INLINE std::uint64_t after_append(std::uint32_t p, std::uint64_t offset) {
        if (options_.durable.what() == durability::kind::every_batch) sync(p);
        wakeups_.notify();
        if (!options_.background) retain_if_begun(*partitions_[p]);
        return offset;
    }
    void retain_if_begun(partition& of) {
        if (!of.take_begun()) return;
        try {
            retain();
        } catch (error const&) {  // NOLINT(bugprone-empty-catch): what was appended stands; tried again later
        }
    }
    [[nodiscard]] std::vector<std::uint64_t> begin_offsets() const {
        std::vector<std::uint64_t> out;
        for (std::uint32_t p = 0; p < partitions(); ++p) out.push_back(begin_offset(p));
        return out;
    }

    // --- opening -----------------------------------------------------------------------------------------------

    [[nodiscard]] detail::segment_header header_of(std::uint32_t p) const {
        auto out = records_.own();
        out.id = identity_.id;
        out.partition = p;
        return out;
    }
    void open_to_read() {
        auto const found = detail::read_identity(path_, files_);
        if (!found) {
            throw error{error_code::not_there, "there is no log to read in this folder: look at the path", path_};
        }
        identity_ = *found;
        progress_ = std::make_unique<detail::progress>(files_, path_, identity_.id);
        for (std::uint32_t p = 0; p < identity_.partitions; ++p) {
            readers_.push_back(std::make_unique<detail::log_reader>(
                files_, detail::partition_folder(path_, p), *progress_, identity_.id, p));
            records_.require_readable(readers_.back()->segments());
        }
    }
    void open_to_append() {
        if constexpr (std::is_same_v<Layout, rows> && std::is_default_constructible_v<T>) {
            if (!detail::lies_in_order(T{})) {
                throw error{error_code::invalid_argument,
                    "the rows layout needs the members adapted in the order in which they are declared", path_};
            }
        }
        if (options_.partitions == 0 || options_.partitions > detail::max_partitions || options_.block_bytes < 1024
            || options_.block_bytes > (std::size_t{1} << 26)) {
            throw error{error_code::invalid_argument,
                "a log has 1 to 65536 partitions, and blocks of 1 KiB to 64 MiB", path_};
        }
        files_.make_folder(path_);
        lock_ = files_.open(path_ + "/lock", open_mode::create);
        if (!lock_->try_lock(false)) {
            throw error{error_code::in_use,
                "the log has a writer already, in this process or another: close it there first, or open the log to "
                "read it",
                path_};
        }
        if (auto const found = detail::read_identity(path_, files_)) identity_ = *found;
        else make_identity();
        if (!progress_) claim_progress();
        for (std::uint32_t p = 0; p < identity_.partitions; ++p) {
            auto const folder = detail::partition_folder(path_, p);
            if (files_.make_folder(folder)) files_.sync_folder(path_);
            {
                detail::segment_list segments{files_, folder, identity_.id, p};
                segments.refresh();
                records_.require_readable(segments);
            }
            partitions_.push_back(std::make_unique<partition>(files_, folder, *progress_, header_of(p),
                detail::segment_limits{options_.segment_bytes, options_.segment_age, options_.producer_age,
                    options_.spare_segments},
                detail::block_limits{options_.block_bytes, options_.compressed, options_.deltas}, options_.clock,
                options_.background));
        }
        note_durable();
        transactions_.recover();
        bool const timed = options_.durable.what() == durability::kind::timed;
        if (!options_.background && !timed) return;
        behind_.start(timed ? options_.durable.interval() : duration::max(), [this](bool due) {
            for (std::uint32_t p = 0; p < partitions(); ++p) work_behind(p, due);
        });
    }
    void work_behind(std::uint32_t p, bool due) noexcept {
        auto& of = *partitions_[p];
        try {
            auto const before = of.durable_offset();
            if (due) of.sync();
            else of.write_full();
            if (of.durable_offset() != before) progress_->set_durable(p, of.durable_offset());
            retain_if_begun(of);
        } catch (...) {  // NOLINT(bugprone-empty-catch): tried again by whoever appends next, and told
        }
    }
    void claim_progress() {
        progress_ = std::make_unique<detail::progress>(files_, path_, identity_.id, identity_.partitions);
    }
    void make_identity() {
        for (auto const& each : files_.list(path_)) {
            bool const ours = each.name == "lock" || each.name == "identity.new";
            if (ours || each.name == detail::progress::file_name) continue;
            throw error{error_code::mismatch,
                "the folder is not empty and holds no log (there is `" + each.name
                    + "`): give the log a folder of its own",
                path_};
        }
        identity_ = {options_.id == log_id{} ? detail::random_log_id() : options_.id, options_.partitions,
            options_.clock().ns()};
        claim_progress();  // there for whoever sees that there is a log
        write_whole_file(path_, std::string{detail::log_identity::file_name}, encode(identity_), files_);
    }
};
}  // namespace driftless::inline v0
#endif
