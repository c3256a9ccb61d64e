// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_TIERED_LOG_HPP
#define DRIFTLESS_LOG_TIERED_LOG_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/result.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/object_store.hpp>
#include <driftless/log/detail/cold_tier.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/log_door.hpp>
#include <driftless/log/detail/recode_segment.hpp>
#include <driftless/log/detail/segment_list.hpp>
#include <driftless/log/detail/store_files.hpp>
#include <driftless/log/detail/write_behind.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/reader_position.hpp>
#include <driftless/log/tiering.hpp>
#include <driftless/log/wakeup.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
template <class L>
inline constexpr bool moves_segments = requires {
    typename L::layout;
    typename L::transaction;
};
}  // namespace detail

/// A log whose old segments lie in a cold store, compressed: one range of offsets, read without a seam.
///
/// Shape       A file log (`Hot`) that appends, and an object_store (`Cold`), which holds what came before. Offsets,
///             order, times and bounds of blocks are the same wherever a record lies. A segment is written to the cold
///             store, seen there once it is durable, and then removed from the hot log; what is in both is read once.
/// Time        As the hot log. offset_at and the bounds of blocks speak of both.
/// State       Beside the hot log's two offsets per partition; one segment in memory while it moves. options.retain is
///             about the whole: what it removes is removed from the cold store first. A pin keeps segments from being
///             removed and from being moved; registered readers begin where the whole begins.
/// Errors      As the hot log. mismatch if the store holds another log, or more than the hot log knows; corrupt if
///             records between the two are missing; unsupported for a compressor that is not there; those of the store.
///             Killed at any point, the next writer finishes what was begun or undoes it.
/// Threads     As the hot log; move, trim, retain and bring_back one after the other. What a reader holds stays.
/// Complexity  append as the hot log; read O(log blocks) per block in either; move O(bytes).
/// Example     bench/tiered_log.cpp
template <class Hot, object_store Cold = cold_folder>
class tiered_log {
    static_assert(detail::moves_segments<Hot>,
        "driftless: tiered_log moves the segments of a log in files: give it a file_log<T> as its first argument");

    using tier = detail::cold_tier<Cold>;
    struct partition {
        tier cold;
        std::atomic<std::uint64_t> hot_begin{0};  // from here on the hot log is asked first; it may begin later
        partition(Cold& store, detail::store_files<Cold>& as_files, log_id id, std::uint32_t p)
            : cold(store, as_files, id, p) {}
    };

    file_log_options options_;
    retention retain_;
    tiering how_;
    mutable Cold store_;
    mutable detail::store_files<Cold> cold_files_{store_};
    Hot hot_;
    std::vector<std::unique_ptr<partition>> partitions_;
    mutable std::atomic<bool> known_{false};  // the store holds a log, and it is this one
    mutable std::mutex moving_;
    detail::write_behind mover_;  // the last member: it uses the others
    friend detail::log_door;

public:
    using value_type = typename Hot::value_type;
    using layout = typename Hot::layout;
    using block = typename Hot::block;
    using transaction = typename Hot::transaction;
    using appended = typename Hot::appended;
    using hot_type = Hot;
    using cold_type = Cold;

    /// Opens the hot log in the folder `path`; to append, also the store, which then belongs to it.
    tiered_log(std::string path, Cold store, tiering how = {}, file_log_options options = {})
        : options_(options),
          retain_(std::exchange(options_.retain, retention{})),
          how_(how),
          store_(std::move(store)),
          hot_(std::move(path), options_) {
        static_cast<void>(detail::compressor_of(how_.compressed, hot_.path()));
        for (std::uint32_t p = 0; p < partitions(); ++p) {
            partitions_.push_back(std::make_unique<partition>(store_, cold_files_, id(), p));
        }
        bool const writes = options_.access == log_access::append;
        if (writes) take_store();
        for (std::uint32_t p = 0; p < partitions(); ++p) begin_partition(p, writes);
        if (!writes || how_.interval == duration::max()) return;
        mover_.start(how_.interval, [this](bool due) {
            if (!due) return;
            try {
                move();
                retain();
            } catch (error const&) {  // NOLINT(bugprone-empty-catch): nothing is lost; move() by hand would tell
            }
        });
    }
    tiered_log(tiered_log const&) = delete;
    tiered_log& operator=(tiered_log const&) = delete;
    ~tiered_log() { mover_.stop(); }

    [[nodiscard]] std::string const& path() const noexcept { return hot_.path(); }
    [[nodiscard]] file_system& files() const noexcept { return hot_.files(); }
    [[nodiscard]] log_id id() const noexcept { return hot_.id(); }
    [[nodiscard]] std::uint32_t partitions() const noexcept { return hot_.partitions(); }
    [[nodiscard]] auto durable() const noexcept { return hot_.durable(); }
    [[nodiscard]] Hot& hot() noexcept { return hot_; }
    [[nodiscard]] Hot const& hot() const noexcept { return hot_; }
    [[nodiscard]] Cold const& cold() const noexcept { return store_; }

    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t p = 0) const {
        auto const hot = hot_.begin_offset(p);  // first: what leaves it meanwhile is in the store by then
        auto& cold = partitions_[p]->cold;
        if (!is_writer() && knows_store()) cold.refresh();
        return cold.empty() ? hot : std::min(hot, cold.begin());
    }
    /// Where the hot log begins.
    [[nodiscard]] std::uint64_t hot_offset(std::uint32_t p = 0) const { return hot_.begin_offset(p); }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p = 0) const { return hot_.end_offset(p); }
    [[nodiscard]] std::uint64_t committed_offset(std::uint32_t p = 0) const { return hot_.committed_offset(p); }
    [[nodiscard]] std::uint64_t durable_offset(std::uint32_t p = 0) const { return hot_.durable_offset(p); }
    /// As that of file_log, over both.
    [[nodiscard]] std::uint64_t offset_at(event_time time, std::uint32_t p = 0) const {
        auto const begin = hot_.begin_offset(p);
        auto const in_hot = hot_.offset_at(time, p);
        auto& cold = partitions_[p]->cold;
        if (!is_writer() && knows_store()) cold.refresh();
        if (in_hot > begin || cold.empty()) return in_hot;
        if (begin < hot_.end_offset(p) && read(p, begin).append_time() < time) return begin;
        return std::min(begin, cold.segments().offset_at(time));
    }
    /// The block that holds offset `from`, at or above begin_offset and below end_offset, from there on.
    [[nodiscard]] block read(std::uint32_t p, std::uint64_t from) const {
        auto& of = *partitions_[p];
        for (;;) {
            if (from >= of.hot_begin.load(std::memory_order_acquire)) {
                try {
                    return hot_.read(p, from);
                } catch (error const& why) {
                    if (why.code() != error_code::not_there) throw;
                }
                look_again(p);  // it has been moved
            }
            if (!of.cold.holds(from)) return hot_.read(p, from);
            auto const seam = of.cold.end();
            if (auto found = detail::log_door::find(hot_, of.cold.segments(), from)) return *std::move(found);
            from = seam;  // compaction has removed the last records before it
        }
    }

    DRIFTLESS_INLINE std::uint64_t append(value_type const& record, std::uint32_t p = 0) {
        return hot_.append(record, p);
    }
    template <class Range>
        requires requires(Range const& r) { std::begin(r), std::end(r); }
    std::uint64_t append(Range const& records, std::uint32_t p = 0) {
        return hot_.append(records, p);
    }
    template <class Iterator>
        requires requires(Iterator it) { *it, ++it; }
    std::uint64_t append(Iterator first, Iterator last, std::uint32_t p) {
        return hot_.append(first, last, p);
    }
    template <class... Args>
    std::uint64_t emplace(std::uint32_t p, Args&&... args) {
        return hot_.emplace(p, std::forward<Args>(args)...);
    }
    template <class Range>
    appended append_once(std::uint64_t producer, std::uint64_t sequence, Range const& records, std::uint32_t p = 0) {
        return hot_.append_once(producer, sequence, records, p);
    }
    [[nodiscard]] std::optional<std::uint64_t> next_sequence(std::uint64_t producer, std::uint32_t p = 0) {
        return hot_.next_sequence(producer, p);
    }
    [[nodiscard]] transaction begin() { return hot_.begin(); }
    bool commit_prepared(std::string const& name) { return hot_.commit_prepared(name); }
    bool abort_prepared(std::string const& name) { return hot_.abort_prepared(name); }
    void flush() { hot_.flush(); }
    void sync() { hot_.sync(); }
    void close() {
        mover_.stop();
        hot_.close();
    }
    bool subscribe(wakeup& who) const { return hot_.subscribe(who); }
    void unsubscribe(wakeup& who) const { hot_.unsubscribe(who); }

    /// As that of file_log; a reader begins where the whole begins.
    [[nodiscard]] reader_position register_reader(std::string name, reader_options options = {}) const {
        auto const who = options.pin ? detail::registrant::pinning_reader : detail::registrant::reader;
        std::vector<std::uint64_t> begin;
        for (std::uint32_t p = 0; p < partitions(); ++p) begin.push_back(begin_offset(p));
        return {files(), path(), id(), std::move(begin), std::move(name), who, options.lease,
            detail::log_door::clock(hot_)};
    }
    /// Keeps what is at or behind an offset from being removed and from being moved, while the pin lives.
    [[nodiscard]] log_pin pin(std::uint32_t p, std::uint64_t offset, duration lease = reader_options{}.lease) const {
        return hot_.pin(p, offset, lease);
    }

    /// Moves what the tiering says. What fails is tried again by the next call, and nothing is lost or doubled.
    move_report move() {
        move_report out;
        if (how_.hot_age == duration::max() && how_.hot_bytes == tiering{}.hot_bytes) return out;
        for (std::uint32_t p = 0; p < partitions(); ++p) {
            std::lock_guard const alone{moving_};
            move_locked(p, ~std::uint64_t{0}, true, out);
        }
        return out;
    }
    /// Moves the sealed segments whose records all lie before an offset, whatever the tiering says.
    move_report move_before(std::uint32_t p, std::uint64_t before) {
        move_report out;
        std::lock_guard const alone{moving_};
        move_locked(p, before, false, out);
        return out;
    }
    /// Brings the segments from the one with offset `from` on back into the hot log, at their offsets, for whoever
    /// reads that alone; they stay in the store. What is hot already is left as it is, so that it may be called again.
    /// They are hot as long as the pin lives, and then move again.
    ///
    /// Errors      not_there if the log begins later.
    [[nodiscard]] log_pin bring_back(std::uint32_t p, std::uint64_t from, duration lease = reader_options{}.lease) {
        if (from < begin_offset(p)) {
            throw error{error_code::not_there,
                "the record is not in the log any more, neither hot nor cold: it begins with offset "
                    + std::to_string(begin_offset(p)),
                path(), from};
        }
        auto held = pin(p, from, lease);
        std::lock_guard const alone{moving_};
        auto& of = *partitions_[p];
        of.cold.refresh();
        auto hot_begin = hot_.begin_offset(p);
        auto const bases = of.cold.segments().bases();
        for (auto i = bases.size(); i-- > 0 && from < hot_begin;) {  // the newest first: no gap at any time
            if (bases[i] >= hot_begin) continue;
            auto const found = of.cold.segments().complete_at(bases[i]);
            if (!found) break;
            copy_back(p, bases[i], detail::recode_segment(*found, options_.compressed));
            hot_begin = bases[i];
            of.hot_begin.store(hot_begin, std::memory_order_release);
        }
        return held;
    }
    /// Removes the segments whose records all lie before an offset, cold or hot, but for what is pinned; returns
    /// begin_offset.
    std::uint64_t trim(std::uint32_t p, std::uint64_t before) {
        std::lock_guard const alone{moving_};
        auto const limit = std::min(before, held(p).pinned.value_or(before));
        auto& of = *partitions_[p];
        of.cold.remove_before(limit);
        of.hot_begin.store(hot_.trim(p, limit), std::memory_order_release);
        return begin_offset(p);
    }
    /// Removes what options.retain says of the whole, the oldest first.
    void retain() {
        if (retain_.keeps_everything()) return;
        for (std::uint32_t p = 0; p < partitions(); ++p) {
            auto const until = retained_from(p);
            if (until > begin_offset(p)) trim(p, until);
        }
    }

    [[nodiscard]] static result<std::unique_ptr<tiered_log>> try_open(
        std::string path, Cold store, tiering how = {}, file_log_options options = {}) {
        return detail::capture(
            [&] { return std::make_unique<tiered_log>(std::move(path), std::move(store), how, options); });
    }
    result<block> try_read(std::uint32_t p, std::uint64_t from) const {
        return detail::capture([&] { return read(p, from); });
    }
    result<move_report> try_move() {
        return detail::capture([&] { return move(); });
    }
    result<std::uint64_t> try_trim(std::uint32_t p, std::uint64_t before) {
        return detail::capture([&] { return trim(p, before); });
    }

private:
    [[nodiscard]] bool is_writer() const noexcept { return options_.access == log_access::append; }

    // --- opening -----------------------------------------------------------------------------------------------

    /// False while the store holds no log. One that it holds must be this one.
    [[nodiscard]] bool knows_store() const {
        if (known_.load(std::memory_order_acquire)) return true;
        auto const found = detail::read_identity(store_.path(), cold_files_);
        if (!found) return false;
        if (found->id != id() || found->partitions != partitions()) {
            throw error{error_code::mismatch,
                "the cold store belongs to another log, " + to_string(found->id) + "; this is log " + to_string(id())
                    + ": give each log a store of its own",
                store_.path()};
        }
        known_.store(true, std::memory_order_release);
        return true;
    }
    void take_store() {
        if constexpr (requires { store_.prepare(path()); }) {
            for (std::uint32_t p = 0; p < partitions(); ++p) store_.prepare(partitions_[p]->cold.prefix());
        }
        if (!knows_store()) {
            auto const identity = detail::read_identity(path(), files());
            store_.put(std::string{detail::log_identity::file_name}, detail::encode(*identity));
        }
        known_.store(true, std::memory_order_release);
        if constexpr (requires { store_.tidy(); }) store_.tidy();
    }
    void begin_partition(std::uint32_t p, bool writes) {
        auto& of = *partitions_[p];
        auto const hot_begin = hot_.begin_offset(p);
        of.hot_begin.store(hot_begin, std::memory_order_release);
        if (!knows_store()) return;
        of.cold.refresh();
        if (of.cold.empty()) return;
        detail::log_door::require_readable(hot_, of.cold.segments());
        auto const end = hot_.end_offset(p);
        if (of.cold.end() < hot_begin) {
            throw error{error_code::corrupt,
                "records are missing: the cold store ends with offset " + std::to_string(of.cold.end())
                    + ", the hot log begins with " + std::to_string(hot_begin) + ": bring the segments between back",
                path(), of.cold.end()};
        }
        if (of.cold.end() > end && writes) {
            throw error{error_code::mismatch,
                "the cold store goes up to offset " + std::to_string(of.cold.end()) + ", the hot log ends with "
                    + std::to_string(end) + ": the hot log is an older copy, or has lost records",
                path(), end};
        }
        if (!writes) return;
        of.cold.mend();
        drop_moved(p);
    }

    // --- moving ------------------------------------------------------------------------------------------------

    template <class F>
    auto while_nothing_moves(F&& f) {
        std::lock_guard const alone{moving_};
        return f(std::any_of(
            partitions_.begin(), partitions_.end(), [](auto const& each) { return !each->cold.empty(); }));
    }
    [[nodiscard]] detail::registered_offsets held(std::uint32_t p) const {
        auto const now = detail::log_door::now(hot_);
        return detail::read_registrations(files(), path(), id(), partitions(), now)[p];
    }
    /// Asks where the partition is now; what the hot log has lost is in the store.
    void look_again(std::uint32_t p) const {
        auto& of = *partitions_[p];
        auto const hot_begin = hot_.begin_offset(p);
        if (!is_writer() && knows_store()) of.cold.refresh();
        of.hot_begin.store(hot_begin, std::memory_order_release);
    }
    /// Removes from the hot log what the store holds, but for what is pinned.
    void drop_moved(std::uint32_t p) {
        auto& of = *partitions_[p];
        auto const hot_begin = hot_.begin_offset(p);
        auto const until = of.cold.end();
        // Where the store begins later, a trim was cut short that had brought back segments to remove as well.
        if (of.cold.empty() || until <= hot_begin) return;
        of.hot_begin.store(until, std::memory_order_release);  // first: readers look where it stays
        of.hot_begin.store(hot_.trim(p, until), std::memory_order_release);
    }
    void move_locked(std::uint32_t p, std::uint64_t before, bool by_tiering, move_report& out) {
        auto& cold = partitions_[p]->cold;
        cold.refresh();  // a move that failed may have come this far
        detail::segment_list hot{files(), detail::partition_folder(path(), p), id(), p};
        hot.refresh();
        auto const bases = hot.bases();
        auto const limit = std::min({before, hot_.durable_offset(p), held(p).pinned.value_or(before),
            by_tiering ? movable_before(hot, bases) : before});
        for (std::size_t i = 0; i + 1 < bases.size() && bases[i + 1] <= limit; ++i) {
            if (!cold.empty() && bases[i + 1] <= cold.end()) continue;
            if (!cold.empty() && bases[i] != cold.end()) {
                throw error{error_code::corrupt,
                    "records are missing: the cold store ends with offset " + std::to_string(cold.end())
                        + ", the hot log goes on with " + std::to_string(bases[i]),
                    path(), cold.end()};
            }
            auto const found = hot.complete_at(bases[i]);
            if (!found) return;  // trimmed meanwhile
            auto const made = detail::recode_segment(*found, how_.compressed);
            if (made.end_offset != bases[i + 1]) found->throw_damaged(found->end_position(), made.end_offset);
            cold.publish(bases[i], made);
            out.segments += 1;
            out.records += made.end_offset - bases[i];
            out.bytes_read += found->file_size();
            out.bytes_written += made.bytes.size();
            drop_moved(p);
        }
        drop_moved(p);
    }
    /// By age and bytes.
    [[nodiscard]] std::uint64_t movable_before(
        detail::segment_list& hot, std::vector<std::uint64_t> const& bases) const {
        std::vector<segment_facts> facts;
        for (auto const base : bases) facts.push_back({base, hot.file_size(base)});
        retention const wanted{how_.hot_age, how_.hot_bytes, false};
        return until_of(facts, wanted, std::nullopt, [&](std::uint64_t base) { return created(hot, base); });
    }
    void copy_back(std::uint32_t p, std::uint64_t base, detail::recoded_segment const& made) {
        auto const folder = detail::partition_folder(path(), p);
        auto const name = detail::segment_name(base);
        write_whole_file(folder, name + std::string{detail::segment_ending}, made.bytes, files());
        write_whole_file(folder, name + std::string{detail::index_ending}, made.index, files());
        detail::log_door::with_segments(hot_, p, [](detail::segment_list& segments) { segments.refresh(); });
    }

    // --- retention ---------------------------------------------------------------------------------------------

    struct segment_facts {
        std::uint64_t base;
        std::uint64_t bytes;
    };
    static std::optional<event_time> created(detail::segment_list& in, std::uint64_t base) {
        auto const found = in.at_base(base);
        if (!found) return std::nullopt;
        return event_time{found->header().created};
    }
    /// Where the segments begin that `wanted` gives no reason to part with; within the last one at most.
    template <class Created>
    [[nodiscard]] std::uint64_t until_of(std::vector<segment_facts> const& all, retention const& wanted,
        std::optional<std::uint64_t> slowest, Created&& created_at) const {
        if (all.empty()) return 0;
        auto until = all.front().base;
        bool const by_age = wanted.age != duration::max();
        auto const limit = by_age ? detail::log_door::now(hot_) - wanted.age : event_time::min();
        std::uint64_t total = 0;
        for (auto const& each : all) total += each.bytes;
        for (std::size_t i = 0; i + 1 < all.size(); ++i) {
            // All of a segment was appended before the next one began.
            auto const next = by_age ? created_at(all[i + 1].base) : std::nullopt;
            bool const old = next && *next < limit;
            bool const spare = wanted.bytes != retention{}.bytes && total - all[i].bytes >= wanted.bytes;
            bool const read = wanted.read_by_all && slowest.value_or(0) >= all[i + 1].base;
            if (!old && !spare && !read) break;
            total -= all[i].bytes;
            until = all[i + 1].base;
        }
        return until;
    }
    [[nodiscard]] std::uint64_t retained_from(std::uint32_t p) {
        std::lock_guard const alone{moving_};
        auto& cold = partitions_[p]->cold;
        detail::segment_list hot{files(), detail::partition_folder(path(), p), id(), p};
        hot.refresh();
        std::vector<segment_facts> all;
        for (auto const base : cold.segments().bases()) all.push_back({base, cold.file_size(base)});
        auto const seam = cold.empty() ? 0 : cold.end();
        for (auto const base : hot.bases()) {
            if (base >= seam) all.push_back({base, hot.file_size(base)});
        }
        return until_of(all, retain_, held(p).slowest,
            [&](std::uint64_t base) { return created(base < seam ? cold.segments() : hot, base); });
    }
};
}  // namespace driftless::inline v0
#endif
