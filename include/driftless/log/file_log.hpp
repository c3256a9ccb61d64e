// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_FILE_LOG_HPP
#define DRIFTLESS_LOG_FILE_LOG_HPP

#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/result.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/detail/columns_on_disk.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/log_partition.hpp>
#include <driftless/log/detail/log_reader.hpp>
#include <driftless/log/detail/plain_name.hpp>
#include <driftless/log/detail/progress.hpp>
#include <driftless/log/detail/staged_transaction.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/detail/wakeups.hpp>
#include <driftless/log/detail/write_behind.hpp>
#include <driftless/log/detail/packed_on_disk.hpp>
#include <driftless/log/detail/rows_on_disk.hpp>
#include <driftless/log/durability.hpp>
#include <driftless/log/file_log_options.hpp>
#include <driftless/log/layout.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/log/reader_position.hpp>
#include <driftless/log/retention.hpp>
#include <driftless/log/wakeup.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
    using stored_records = detail::block_records<Layout, T>;
    static constexpr std::size_t fields = detail::bounded_time_fields<T>;

    std::string path_;
    file_log_options options_;
    file_system& files_;
    std::unique_ptr<file> lock_;
    detail::log_identity identity_;
    std::unique_ptr<detail::progress> progress_;
    detail::transaction_files staged_;
    std::mutex deciding_;  // about transactions that have a file
    std::atomic<std::uint64_t> transactions_{0};
    std::vector<std::unique_ptr<partition>> partitions_;             // of a writer
    struct kept_blocks {
        std::uint64_t number;
        std::vector<typename partition::transaction_blocks> blocks;  // by partition
    };
    std::map<std::string, kept_blocks> kept_;  // what was prepared here need not be read again
    std::vector<std::unique_ptr<detail::log_reader>> readers_;       // of a reader
    detail::segment_header own_ = header_of(0);  // what its own segments have
    // Reads segments with another schema, if T evolves.
    typename detail::evolution_of<T>::template old_segments<T, Layout> old_;
    mutable detail::wakeups wakeups_;
    bool closed_ = false;
    detail::write_behind behind_;  // the last member: it uses the others
    friend detail::log_door;

public:
    using value_type = T;
    using layout = Layout;

    /// A block from the offset that was asked for up to what was there. Its records are checked when they are first
    /// handed out.
    class block {
        std::shared_ptr<void const> keep_;
        stored_records records_;
        std::size_t first_;
        std::size_t size_;
        std::uint64_t start_;  // the offset of its first record; where offsets are missing that of the stored block
        std::uint64_t next_;
        std::shared_ptr<std::uint32_t const> places_;  // of its records from there, where offsets are missing
        event_time append_time_;
        detail::time_range ranges_[fields == 0 ? 1 : fields];

        friend file_log;
        block(std::shared_ptr<void const> keep, stored_records records, std::size_t first, std::size_t size,
            std::uint64_t start, event_time at)
            : keep_(std::move(keep)),
              records_(std::move(records)),
              first_(first),
              size_(size),
              start_(start),
              next_(start + size),
              append_time_(at) {}

    public:
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        /// The offset of record i. Offsets count up by one, but for a log that was compacted by key.
        [[nodiscard]] std::uint64_t offset(std::size_t i) const noexcept {
            return start_ + (places_ ? places_.get()[i] : i);
        }
        /// Where to read on: behind its last record, and what was removed behind that.
        [[nodiscard]] std::uint64_t next_offset() const noexcept { return next_; }
        /// Its offsets may not count up by one.
        [[nodiscard]] bool is_sparse() const noexcept { return places_ != nullptr; }
        decltype(auto) operator[](std::size_t i) const { return records_[first_ + i]; }
        /// A record near others that were handed out.
        decltype(auto) peek(std::size_t i) const { return records_.peek(first_ + i); }
        template <class F>
        DRIFTLESS_INLINE void each(std::size_t from, std::size_t to, F&& f) const {
            records_.each(first_, from, to, f);
        }
        [[nodiscard]] time_bounds bounds(std::size_t field) const noexcept {
            auto const place = detail::time_field_place<T>(field);
            if (place >= fields) return {};
            return {event_time{ranges_[place].least}, event_time{ranges_[place].greatest}, true};
        }
        [[nodiscard]] event_time append_time() const noexcept { return append_time_; }
        /// All records, where they lie in memory as T.
        [[nodiscard]] std::span<T const> records() const
            requires std::is_same_v<Layout, rows>
        {
            return {records_.data() + first_, size_};
        }
    };

    explicit file_log(std::string path, file_log_options options = {})
        : path_(std::move(path)),
          options_(options),
          files_(options.files != nullptr ? *options.files : real_files()),
          staged_(files_, path_) {
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

    /// Records that become visible together, or not at all, in one partition or several.
    ///
    /// State       Its records in memory until it is committed, or given up; gone if it is neither. Several partitions,
    ///             and prepare(), take a file beside them; such a transaction is durable when commit() or prepare()
    ///             returns, others as the log's options say.
    /// Errors      Those of append. commit() that threw may be called again, and adds nothing twice. One over several
    ///             partitions that is not called again may have been decided: then whoever opens the log completes it.
    /// Threads     One at a time; any number of transactions.
    /// Complexity  append as that of the log; commit O(blocks), of several partitions O(bytes).
    class transaction {
        file_log* log_;
        std::uint64_t number_;
        std::vector<typename partition::transaction_blocks> blocks_;  // by partition
        bool staged_ = false;                                         // there may be a file of it
        std::optional<std::uint32_t> taken_;                          // a partition has all of it

        friend file_log;
        explicit transaction(file_log& log)
            : log_(&log), number_(log.next_transaction()), blocks_(log.partitions()) {}

    public:
        void append(T const& record, std::uint32_t p = 0) { log_->writer(p).add_to(blocks_[p], record); }
        /// Visible in this process when it returns, to others when they are written.
        void commit() { log_->commit(*this); }
        /// Durable, but not visible: log.commit_prepared(name) makes it so, also after a restart. Ends the transaction.
        ///
        /// Errors      invalid_argument for the name, or if one of this name waits already; io.
        void prepare(std::string const& name) {
            log_->prepare(*this, name);
            abort();
        }
        /// Forgets its records.
        void abort() noexcept {
            for (auto& each : blocks_) each.clear();
        }
    };
    [[nodiscard]] transaction begin() {
        static_cast<void>(writer(0));
        return transaction{*this};
    }
    /// The names of transactions that wait to be decided, in order.
    [[nodiscard]] std::vector<std::string> prepared() const { return staged_.names(detail::prepared_ending); }
    /// The names of those that are committed, where the end of it has failed: commit_prepared() goes on, as does
    /// whoever opens the log.
    [[nodiscard]] std::vector<std::string> unfinished() const {
        auto out = staged_.names(detail::committed_ending);
        std::erase_if(out, [](std::string const& name) { return name[0] == '.'; });  // of several partitions, unnamed
        return out;
    }
    /// False if no transaction of that name waits: it was committed or given up before. If it threw it may be called
    /// again, and then is false as well where all was done but the end of it.
    bool commit_prepared(std::string const& name) {
        static_cast<void>(writer(0));
        detail::require_plain_name(name, path_);
        std::lock_guard const alone{deciding_};
        auto const kept = kept_.extract(name);  // if this fails, the next attempt looks at what is there
        bool const undecided = staged_.exists(name, detail::prepared_ending);
        if (undecided) staged_.decide(name);
        else if (!staged_.exists(name, detail::committed_ending)) return false;
        if (undecided && kept) apply(kept.mapped().blocks, kept.mapped().number);
        else complete(name);
        staged_.remove(name, detail::committed_ending);
        return true;
    }
    /// False if no transaction of that name waits.
    bool abort_prepared(std::string const& name) {
        static_cast<void>(writer(0));
        detail::require_plain_name(name, path_);
        std::lock_guard const alone{deciding_};
        kept_.erase(name);
        return staged_.remove(name, detail::prepared_ending);
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
        static_cast<void>(writer(0));
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
            if (partitions_[p]->find_in_memory(from, found)) {
                auto const skip = static_cast<std::size_t>(from - found.first);
                block out{found.records, stored_records{*found.records}, skip, found.size - skip, from,
                    found.append_time};
                std::copy(std::begin(found.ranges), std::end(found.ranges), std::begin(out.ranges_));
                return out;
            }
            return from_segments(partitions_[p]->segments(), from);
        }
        return from_segments(readers_[p]->segments(), from);
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
    block from_segments(detail::segment_list& segments, std::uint64_t from) const {
        if (auto found = find_in(segments, from)) return *std::move(found);
        throw error{error_code::not_there,
            "the last records of the log were removed by compact_by_key, and those that replace them lie elsewhere: it "
            "is a part of another log",
            segments.folder(), from};
    }
    /// Nothing if no record at or behind that offset is left in these segments.
    std::optional<block> find_in(detail::segment_list& segments, std::uint64_t from) const {
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
    DRIFTLESS_NOINLINE block from_other_schema(
        detail::segment const& segment, detail::stored_block const& stored, std::size_t skip) const {
        if constexpr (detail::evolves<T>) {
            auto const made = old_.read(segment.header(), stored, skip);
            block out{made, stored_records{*made}, 0, made->size(), 0, event_time{stored.raw.header().append_time}};
            made->copy_ranges(out.ranges_);
            return out;
        } else {
            throw_other_records(segment.header(), segment.path());
        }
    }
    block from_file(detail::stored_block stored, std::size_t skip) const {
        auto const header = stored.raw.header();
        detail::time_range ranges[fields == 0 ? 1 : fields];
        for (std::size_t i = 0; i < fields; ++i) ranges[i] = stored.raw.range(i);
        auto const size = header.records - skip;
        block out{nullptr, stored_records{std::move(stored)}, skip, size, 0, event_time{header.append_time}};
        std::copy(std::begin(ranges), std::end(ranges), std::begin(out.ranges_));
        return out;
    }

    // --- transactions ------------------------------------------------------------------------------------------

    /// Unique in the log: an epoch has one writer.
    std::uint64_t next_transaction() noexcept { return progress_->epoch() << 32 | ++transactions_; }
    void commit(transaction& of) {
        auto const touches = [&](std::uint32_t p) { return !of.blocks_[p].empty(); };
        std::uint32_t first = 0;
        while (first < partitions() && !touches(first)) ++first;
        auto second = first + 1;
        while (second < partitions() && !touches(second)) ++second;
        if (second < partitions()) return commit_several(of);
        if (first < partitions()) {
            writer(first).append_transaction(of.blocks_[first], of.number_, [this] { behind_.wake(); });
            of.abort();
            of.taken_ = first;
        }
        if (of.taken_) after_append(*of.taken_, 0);
    }
    void commit_several(transaction& of) {
        std::lock_guard const alone{deciding_};
        auto const name = "." + std::to_string(of.number_);
        bool const decided = of.staged_ && staged_.exists(name, detail::committed_ending);
        of.staged_ = true;
        if (!decided) {
            stage(of, name, detail::committed_ending);
            apply(of.blocks_, of.number_);
        } else {
            complete(name);
        }
        of.abort();  // before the file goes: whoever asks again must not begin anew
        staged_.remove(name, detail::committed_ending);
    }
    void prepare(transaction& of, std::string const& name) {
        detail::require_plain_name(name, path_);
        std::lock_guard const alone{deciding_};
        for (auto const ending : {detail::prepared_ending, detail::committed_ending}) {
            if (!staged_.exists(name, ending)) continue;
            throw error{error_code::invalid_argument,
                "a transaction of this name waits already: commit it or give it up first",
                staged_.path_of(name, ending)};
        }
        stage(of, name, detail::prepared_ending);
        kept_.insert_or_assign(name, kept_blocks{of.number_, std::exchange(of.blocks_, {})});
        of.blocks_.resize(partitions());
    }
    void stage(transaction& of, std::string const& name, std::string_view ending) {
        auto header = header_of(0);
        header.base = of.number_;
        header.epoch = progress_->epoch();
        header.created = options_.clock().ns();
        auto const bytes = detail::encode(header);
        auto const seal = detail::staged_seal(header);
        std::vector<std::string_view> pieces{bytes};
        for (std::uint32_t p = 0; p < partitions(); ++p) {
            detail::block_header like{};
            like.kind = detail::block_kind::records;
            like.layout = header.layout;
            like.first_offset = writer(p).end_offset();
            like.append_time = header.created;
            like.epoch = header.epoch;
            like.producer = p;
            like.transaction = of.number_;
            for (auto const& each : of.blocks_[p]) pieces.push_back(each->finish(like, header.seed()));
        }
        pieces.emplace_back(seal);
        staged_.write(name, ending, pieces);
    }
    void apply(std::vector<typename partition::transaction_blocks> const& blocks, std::uint64_t number) {
        for (std::uint32_t p = 0; p < partitions(); ++p) {
            if (blocks[p].empty()) continue;
            writer(p).append_transaction(blocks[p], number, [this] { behind_.wake(); });
            sync(p);
        }
        wakeups_.notify();
    }
    /// Appends what the file of a committed transaction holds to the partitions that do not hold it yet.
    void complete(std::string const& name) {
        auto const staged = detail::read_staged(files_, staged_.path_of(name, detail::committed_ending));
        transaction again{*this};
        again.number_ = staged.number();
        std::vector<std::uint64_t> from(partitions(), ~std::uint64_t{0});
        for (auto const& each : staged.blocks) {
            auto const& header = each.raw.header();
            auto const p = static_cast<std::uint32_t>(header.producer);
            if (header.producer >= partitions()) each.malformed("the transaction speaks of a partition that is not");
            from[p] = std::min(from[p], header.first_offset);
            for_each_record(staged.header, each, [&](T const& record) { again.append(record, p); });
        }
        for (std::uint32_t p = 0; p < partitions(); ++p) {
            if (again.blocks_[p].empty()) continue;
            writer(p).flush();
            if (writer(p).holds_transaction(staged.number(), from[p])) again.blocks_[p].clear();
        }
        apply(again.blocks_, again.number_);
        sync();  // also what an attempt before had appended
    }
    template <class F>
    void for_each_record(detail::segment_header const& header, detail::stored_block const& stored, F&& f) const {
        require_same_records(header);
        auto const count = stored.raw.header().records;
        if (count == 0) return;
        if (is_own(header)) {
            stored_records const records{stored};
            records.each(0, 0, count, [&](std::size_t, T const& record) { f(record); });
        } else if constexpr (detail::evolves<T>) {
            for (std::size_t done = 0; done < count;) {
                auto const made = old_.read(header, stored, done);
                stored_records const records{*made};
                records.each(0, 0, made->size(), [&](std::size_t, T const& record) { f(record); });
                done += made->size();
            }
        }
    }

    // --- opening -----------------------------------------------------------------------------------------------

    [[nodiscard]] detail::segment_header header_of(std::uint32_t p) const {
        detail::segment_header out;
        out.id = identity_.id;
        out.partition = p;
        out.layout = detail::block_maker<Layout, T>::kind;
        if constexpr (std::is_same_v<Layout, rows>) out.record_size = sizeof(T);
        out.time_fields = detail::time_fields_of<T>();
        out.schema = schema_of<T>();
        return out;
    }
    /// Looks at the newest segment. One whose header never reached the disk says nothing; recovery decides about it.
    void require_readable(detail::segment_list& segments) const {
        auto const bases = segments.bases();
        for (auto i = bases.size(); i-- > 0;) {
            try {
                if (auto const found = segments.at_base(bases[i])) return require_same_records(found->header());
            } catch (error const& problem) {
                if (problem.code() != error_code::corrupt || i + 1 != bases.size()) throw;
            }
        }
    }
    [[nodiscard]] bool is_own(detail::segment_header const& header) const noexcept {
        return header.layout == own_.layout && header.record_size == own_.record_size && header.schema == own_.schema
            && header.time_fields == own_.time_fields;
    }
    void require_same_records(detail::segment_header const& header) const {
        if (is_own(header)) return;
        if constexpr (detail::evolves<T>) old_.require_readable(header, path_);
        else throw_other_records(header, path_);
    }
    [[noreturn]] DRIFTLESS_NOINLINE void throw_other_records(
        detail::segment_header const& header, std::string const& path) const {
        throw error{error_code::mismatch,
            header.schema == own_.schema ? "the log has another layout: give it as the second argument of file_log"
                                         : "the log holds other records: it has " + header.schema
                    + ", this program reads "
                    + own_.schema
                    + "; if it is another version of them, include <driftless/log/evolution.hpp> and say evolving",
            path};
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
            require_readable(readers_.back()->segments());
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
                require_readable(segments);
            }
            partitions_.push_back(std::make_unique<partition>(files_, folder, *progress_, header_of(p),
                detail::segment_limits{options_.segment_bytes, options_.segment_age, options_.producer_age,
                    options_.spare_segments},
                detail::block_limits{options_.block_bytes, options_.compressed, options_.deltas}, options_.clock,
                options_.background));
        }
        note_durable();
        staged_.remove_unfinished();
        for (auto const& name : staged_.names(detail::committed_ending)) {
            complete(name);
            staged_.remove(name, detail::committed_ending);
        }
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
