// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_FLAG_VALUES_HPP
#define DRIFTLESS_LOG_FLAG_VALUES_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/readable.hpp>

#include <boost/hana/define_struct.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A flag has another value from these offsets of a log on, one for each of its partitions.
template <class V>
struct flag_change {
    BOOST_HANA_DEFINE_STRUCT(
        flag_change, (std::vector<std::uint64_t>, from), (V, value), (driftless::event_time, set_at));

    friend bool operator==(flag_change const&, flag_change const&) = default;
};

namespace detail {
/// The offsets [from, to) of a partition, in which a flag has one value.
template <class V>
struct flag_span {
    V value;
    std::uint64_t from;
    std::uint64_t to;
};
/// How far a reader of records has come: `read` by partition, and `until`, how far it may read without asking.
struct flag_position {
    std::vector<std::uint64_t> read;
    std::vector<std::uint64_t> until;
    std::size_t known = 0;  // changes that it has seen
};
}  // namespace detail

/// The values of a feature flag: at each offset of a log one, the same whenever and however often it is read.
///
///     memory_log<flag_change<bool>> changes;       // or a file_log: then they outlive the program
///     flag_values taxed{changes, false};
///     auto const p = from<order>() | flag<"taxed"_name>(taxed, [](order const& o, bool on) { ... }) | ...;
///     ...
///     taxed.set(true, orders);                     // from the present end of the log on
///
/// Shape       A log of changes, each with the offsets from which it is in force. Before the first one the flag has its
///             initial value.
/// Time        set() takes effect at the end of the log of records as it is then, or behind what jobs in this process
///             are about to read: never at an offset that was read with the old value. Jobs in other processes have the
///             log of changes open to read (a const log): say by `lead` how far ahead of the end a change is to lie for
///             them to see it in time. A job that sees one too late fails (mismatch), and does not drift.
/// Errors      driftless::error: mismatch (above; a log with more partitions than the one that changes were made for),
///             and those of the logs. What set() threw may be in force.
/// Threads     Any.
/// Complexity  One change in memory for each set(). Jobs ask once per 1024 records and chunk.
template <class V, class Log>
class flag_values {
    static_assert(encodable<V>, "driftless: the values of a flag are kept in a log: give them a codec");
    static constexpr std::uint64_t ahead = 1024;  // so many records are read without asking

    Log* log_;
    V initial_;
    mutable std::mutex mutex_;
    mutable std::vector<flag_change<V>> changes_;
    mutable std::uint64_t read_ = 0;  // of the log
    mutable std::vector<std::weak_ptr<detail::flag_position>> readers_;

public:
    using value_type = V;
    static constexpr bool follows = std::is_const_v<Log>;

    /// The log of changes, partition 0 of it, and the value before the first of them.
    flag_values(Log& changes, V initial) : log_(&changes), initial_(std::move(initial)) { refresh(); }
    flag_values(flag_values const&) = delete;
    flag_values& operator=(flag_values const&) = delete;

    /// Gives the flag another value from the end of `records` on, or `lead` records behind it. Returns the change.
    template <readable_log Records>
        requires(!follows)
    flag_change<V> set(V value, Records const& records, std::uint64_t lead = 0) {
        std::lock_guard const lock{mutex_};
        refresh();
        flag_change<V> change;
        change.value = std::move(value);
        change.set_at = detail::system_time();
        for (std::uint32_t p = 0; p < records.partitions(); ++p) {
            std::uint64_t const end = records.end_offset(p);
            std::uint64_t from = end + std::min(lead, ~std::uint64_t{0} - end);
            if (!changes_.empty() && p < changes_.back().from.size()) from = std::max(from, changes_.back().from[p]);
            change.from.push_back(from);
        }
        std::erase_if(readers_, [](auto const& each) { return each.expired(); });
        for (auto const& each : readers_) {
            auto const reader = each.lock();
            if (!reader) continue;
            for (std::size_t p = 0; p < std::min(change.from.size(), reader->until.size()); ++p)
                change.from[p] = std::max(change.from[p], reader->until[p]);
        }
        log_->append(change);
        ++read_;
        changes_.push_back(change);
        if constexpr (requires { log_->sync(); }) log_->sync();
        return change;
    }
    /// The value in force at an offset, as far as it is known now.
    [[nodiscard]] V value_at(std::uint64_t offset, std::uint32_t partition = 0) const {
        std::lock_guard const lock{mutex_};
        if constexpr (follows) refresh();
        return span(partition, offset).value;
    }
    /// All changes so far.
    [[nodiscard]] std::vector<flag_change<V>> history() const {
        std::lock_guard const lock{mutex_};
        if constexpr (follows) refresh();
        return changes_;
    }

    // --- for the operator ---------------------------------------------------------------------------------------

    /// A reader of records that asks at().
    [[nodiscard]] std::shared_ptr<detail::flag_position> join() const {
        std::lock_guard const lock{mutex_};
        auto reader = std::make_shared<detail::flag_position>();
        reader->known = changes_.size();
        readers_.push_back(reader);
        return reader;
    }
    /// The value at an offset, which the reader reads next, and how far it holds.
    [[nodiscard]] detail::flag_span<V> at(
        detail::flag_position& reader, std::uint32_t partition, std::uint64_t offset) const {
        std::lock_guard const lock{mutex_};
        if constexpr (follows) refresh();
        look(reader);
        if (reader.until.size() <= partition) {
            reader.until.resize(partition + 1);
            reader.read.resize(partition + 1);
        }
        auto found = span(partition, offset);
        found.to = std::min(found.to, offset + ahead);
        reader.until[partition] = found.to;
        return found;
    }
    /// The reader has come so far in each partition, and reads no further for now.
    void pause(detail::flag_position& reader) const {
        std::lock_guard const lock{mutex_};
        reader.until = reader.read;
    }

private:
    void refresh() const {
        for (std::uint64_t const end = log_->end_offset(0); read_ < end;) {
            auto const block = log_->read(0, read_);
            for (std::size_t i = 0; i < block.size() && read_ < end; ++i, ++read_) changes_.push_back(block[i]);
        }
    }
    /// What was changed since the reader looked last must lie behind what it has read.
    void look(detail::flag_position& reader) const {
        for (; reader.known < changes_.size(); ++reader.known) {
            auto const& from = changes_[reader.known].from;
            for (std::size_t p = 0; p < std::min(from.size(), reader.read.size()); ++p) {
                if (from[p] >= reader.read[p]) continue;
                throw error{error_code::mismatch,
                    detail::sentence({"a flag was changed from offset ", from[p], " of partition ", std::uint64_t{p},
                        " on, and this job has read up to ", reader.read[p],
                        " with the value before: set flags with a greater lead, and start the job from its last "
                        "snapshot"}),
                    {}, from[p]};
            }
        }
    }
    [[nodiscard]] detail::flag_span<V> span(std::uint32_t partition, std::uint64_t offset) const {
        detail::flag_span<V> out{initial_, 0, ~std::uint64_t{0}};
        // From the newest on: it is the one most asked for.
        for (std::size_t i = changes_.size(); i-- > 0;) {
            auto const& each = changes_[i];
            if (partition >= each.from.size()) {
                throw error{error_code::mismatch,
                    detail::sentence({"a flag was set over a log with ", std::uint64_t{each.from.size()},
                        " partitions, and is read in partition ", std::uint64_t{partition}, ": it is another log"})};
            }
            if (each.from[partition] <= offset) {
                out.value = each.value;
                out.from = each.from[partition];
                break;
            }
            out.to = each.from[partition];
        }
        return out;
    }
};
template <class V, class Log>
flag_values(Log& changes, V initial) -> flag_values<V, Log>;
}  // namespace driftless::inline v0
#endif
